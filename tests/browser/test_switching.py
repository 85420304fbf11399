"""A plugin with several parts in one slot, switched on and off while the pages of a visit are open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import APIResponse, Page, Route, expect

from housecall.testing import Person, Practice, Room, Visitor, check_in, end, open_dashboard, sign_in, start
from plugin_folders import plain, write

TOML = '[server]\n[clinic.main]\nname = "Elm"\n'


def parts(name: str, *orders: int) -> dict[str, str]:
    """A plugin with a part for each order in three slots."""
    toml, files = "", {}
    for number, order in enumerate(orders, 1):
        for slot in ("dashboard.card", "waiting.main", "call.after"):
            toml += f'[[fragment]]\nslot = "{slot}"\ntemplate = "{number}.html"\nmodule = "part.js"\norder = {order}\n'
        files[f"templates/{number}.html"] = f'<p class="numbered">{name} {number}</p>'
    module = 'export const mount = host => host.root.firstElementChild.append(" mounted");'
    return {**plain(name, toml), **files, "static/part.js": module}


def test_parts_of_one_slot_keep_their_order_when_switched_on_live(
    serve: Callable[..., Practice], person: Callable[..., Person], tmp_path: Path
) -> None:
    practice = serve(TOML, folder=write(tmp_path / "site", parts("pair", 10, 90, 95), parts("middle", 50)))
    room, own = practice.room(), f"localhost:{practice.port}"
    owner = Visitor(practice.url, login=practice.room(role="owner").login)

    def turn(plugin: str, on: bool) -> None:
        assert owner.post("/admin/plugins", {"plugin": plugin, "on": "yes" if on else "no"}).status_code == 303

    turn("middle", True)
    provider, patient = person("red", own=own), person("green", own=own)
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace")
    places = [provider.page.locator(".card .numbered"), patient.page.locator(".waiting .numbered")]
    middle = ["middle 1 mounted"]
    pair = [f"pair {number} mounted" for number in (1, 2, 3)]
    for place in places:
        expect(place).to_have_text(middle)
    for _ in range(2):
        turn("pair", True)
        for place in places:
            expect(place).to_have_text([pair[0], *middle, *pair[1:]])
        turn("pair", False)
        for place in places:
            expect(place).to_have_text(middle)
    turn("pair", True)
    turn("middle", False)
    for place in places:
        expect(place).to_have_text(pair)
    check_in(person("blue", own=own).page, room.url, "Katherine")
    expect(provider.page.locator(".card", has_text="Katherine").locator(".numbered")).to_have_text(pair)


class Held(NamedTuple):
    """Answers of the server that are still on their way to a page."""

    answers: list[tuple[Route, APIResponse]]
    let_go: Callable[[], None]


def hold(page: Page) -> Held:
    """From now on what the page fetches anew of itself comes late."""
    held: list[tuple[Route, APIResponse]] = []

    def answered(route: Route) -> None:
        if route.request.resource_type == "xhr":
            held.append((route, route.fetch()))
        else:
            route.continue_()

    def let_go() -> None:
        for route, answer in held:
            route.fulfill(response=answer)
        held.clear()
        page.unroute("**")

    page.route("**", answered)
    return Held(held, let_go)


def test_a_page_that_fetches_slowly_follows_the_newest_switch_and_after_the_visit_too(
    serve: Callable[..., Practice], person: Callable[..., Person], tmp_path: Path
) -> None:
    practice = serve(TOML, folder=write(tmp_path / "site", parts("late", 10), parts("other", 50)))
    room, own = practice.room(), f"localhost:{practice.port}"
    owner = Visitor(practice.url, login=practice.room(role="owner").login)
    provider, patient = person("red", own=own), person("green", own=own)
    sign_in(provider.context, practice.url, room.login)
    pages = (provider.page, patient.page)

    def turn(plugin: str, on: bool) -> None:
        assert owner.post("/admin/plugins", {"plugin": plugin, "on": "yes" if on else "no"}).status_code == 303

    def on_its_way(plugin: str) -> list[Held]:
        """The server has given it to both pages, and they have not got it yet."""
        held = [hold(page) for page in pages]
        turn(plugin, True)
        while not all(each.answers for each in held):
            provider.page.wait_for_timeout(50)  # the condition is the answer; this only paces the asking
        return held

    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace")
    expect(provider.page.locator(".card")).to_be_visible()
    held = on_its_way("late")
    turn("late", False)
    turn("other", True)
    for each in held:
        each.let_go()
    for place in (provider.page.locator(".card .numbered"), patient.page.locator(".waiting .numbered")):
        expect(place).to_have_text(["other 1 mounted"])
    start(provider.page, "Grace")
    held = on_its_way("late")
    end(provider.page)
    expect(patient.page.locator("main[data-state=after]")).to_be_visible()
    expect(provider.page.locator("#after")).to_be_visible()
    for each in held:
        each.let_go()
    for place in (provider.page.locator("#after .numbered"), patient.page.locator("[data-when=after] .numbered")):
        expect(place).to_have_text(["late 1 mounted", "other 1 mounted"])


def test_what_is_switched_off_is_off_though_the_server_does_not_answer(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    somebody = person()
    somebody.expected = ["ERR_FAILED"]
    somebody.page.goto(room.url)
    somebody.page.route(
        "**", lambda route: route.abort() if route.request.resource_type == "xhr" else route.continue_()
    )
    known = somebody.page.evaluate("""async () => {
      const { page } = await import("housecall/page.js"), { follow, rules } = await import("housecall/parts.js");
      page.parts.gone = { settings: {}, events: { "gone:x": {} } };
      const before = "gone:x" in rules();
      return new Promise(resolve => {
        follow({ on: ["new"], off: ["gone"] }, () => resolve([before, "gone:x" in rules()]));
        setTimeout(() => resolve("never placed"), 5000);
      });
    }""")
    assert known == [True, False]


def test_a_part_that_ends_while_it_begins_is_not_told_as_a_fault(
    serve: Callable[..., Practice], person: Callable[..., Person], tmp_path: Path
) -> None:
    """What it waited for with its signal goes with it; an error of its own is told all the same."""
    toml = "".join(f'[[fragment]]\nslot = "waiting.main"\nmodule = "{name}.js"\n' for name in ("waits", "falls"))
    asks = "export const mount = async ({{ signal }}) => {{ await fetch('/never', {{ signal }}){}; }};"
    modules = {
        "static/waits.js": asks.format(""),
        "static/falls.js": asks.format(".catch(() => { throw new Error('fell'); })"),
    }
    practice = serve(TOML, folder=write(tmp_path / "site", {**plain("slow", toml), **modules}))
    owner = Visitor(practice.url, login=practice.room(role="owner").login)
    assert owner.post("/admin/plugins", {"plugin": "slow", "on": "yes"}).status_code == 303
    patient = person("green", own=f"localhost:{practice.port}")
    asked: list[Route] = []
    patient.page.route("**/never", lambda route: asked.append(route))
    check_in(patient.page, practice.room().url, "Grace")
    while len(asked) < 2:
        patient.page.wait_for_timeout(50)  # the condition is what was asked; this only paces the asking
    with patient.page.expect_console_message(lambda message: "fell" in message.text):
        assert owner.post("/admin/plugins", {"plugin": "slow", "on": "no"}).status_code == 303
    expect(patient.page.locator('hc-part[data-plugin="slow"]')).to_have_count(0)
    patient.expected = ["slow in waiting.main: Error: fell"]
