"""A plugin with several parts in one slot, switched on and off while the pages of a visit are open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from housecall.testing import Person, Practice, Room, Visitor, check_in, open_dashboard, sign_in
from plugin_folders import plain, write

TOML = '[server]\n[clinic.main]\nname = "Elm"\n'


def parts(name: str, *orders: int) -> dict[str, str]:
    """A plugin with a part for each order in two slots."""
    toml, files = "", {}
    for number, order in enumerate(orders, 1):
        for slot in ("dashboard.card", "waiting.main"):
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
      const { page } = await import("housecall/page.js"), { follow } = await import("housecall/parts.js");
      page.parts.gone = { settings: {}, events: { "gone:x": {} } };
      const { changed, rules } = await import("housecall/rules.js");
      const before = "gone:x" in rules();
      return new Promise(resolve => {
        follow({ on: ["new"], off: ["gone"] }, () => { changed(); resolve([before, "gone:x" in rules()]); });
        setTimeout(() => resolve("never placed"), 5000);
      });
    }""")
    assert known == [True, False]
