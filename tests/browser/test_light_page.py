"""A cheap phone on a poor network: how little the patient's page asks for, and what is ready before it is needed."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from housecall.testing.acts import begin, check_in, connected, open_dashboard, start, wait
from housecall.testing.people import Person, sign_in
from housecall.testing.practice import Practice, Room
from housecall.testing.visitor import Visitor

#: The moment in which "Check in" can be pressed.
READY = """
  new MutationObserver((changes, watch) => {
    if (!document.querySelector("main[data-ready]")) return;
    performance.mark("ready");
    watch.disconnect();
  }).observe(document, { childList: true, subtree: true, attributes: true });
"""

#: The moment in which the other side is there, and what was asked for before it.
CONNECTED = READY.replace("main[data-ready]", ".tile[data-state=connected]").replace('"ready"', '"connected"')
BEFORE_IT = """performance.getEntries().filter(each =>
  each.startTime < performance.getEntriesByName("connected")[0].startTime).map(each => each.name)"""

#: [address, begun before ready, bytes as compressed, whether it is a script or a style], one for each request
ASKED = """() => {
  const ready = performance.getEntriesByName("ready")[0].startTime;
  return [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter(each => each.transferSize > 0)
    .map(each => [each.name, each.startTime < ready, each.encodedBodySize, /\\.(js|css)$/.test(each.name)]);
}"""


def asked(page: Page, *, early: bool = False) -> list[tuple[str, int, bool]]:
    rows = page.evaluate(ASKED)
    return [(name, size, code) for name, before, size, code in rows if before or not early]


def kib(rows: list[tuple[str, int, bool]]) -> float:
    return sum(size for _, size, code in rows if code) / 1024


def test_until_check_in_the_page_asks_for_little(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    """R37: twelve requests and 45 KiB of compressed scripts and styles, until "Check in" can be pressed."""
    patient = person("green")
    patient.context.add_init_script(READY)
    patient.page.goto(room.url)
    expect(patient.page.locator("main[data-ready]")).to_be_attached()
    early = asked(patient.page, early=True)
    assert len(early) <= 12, early
    assert 5 < kib(early) <= 45, early


def test_a_whole_call_asks_for_each_file_once_and_for_little(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """The call page with chat, until the other side is there: 56 KiB of compressed scripts and styles.

    With what comes by itself when a connection has stood for a while (lines.js, safety.js, gear.js and what they need)
    64 KiB. Each file is fetched once.
    """
    practice = serve('[clinic.main]\nname = "Elm Street Practice"\nplugins = ["chat"]\n')
    room, own = practice.room(), f"localhost:{practice.port}"
    provider, patient = person("red", own=own), person("green", own=own)
    sign_in(provider.context, practice.url, room.login)
    patient.context.add_init_script(READY)
    patient.context.add_init_script(CONNECTED)
    begin(practice, room, provider.page, patient.page)
    expect(patient.page.locator("hc-part[data-plugin=chat][data-mounted]").first).to_be_attached()
    expect(patient.page.locator(".quality")).to_be_visible()
    expect(patient.page.locator(".shield")).to_be_visible()
    wait(patient.page, "() => document.getElementById('flip').onclick !== null", None)  # gear.js is there
    rows = asked(patient.page)
    early = [row for row in rows if row[0] in patient.page.evaluate(BEFORE_IT)]
    assert any(name.endswith("chat.js") for name, _, _ in early)
    assert kib(early) <= 56, early
    assert any(name.endswith("gear.js") for name, _, _ in rows)
    assert kib(rows) <= 64, rows
    files = [name for name, _, code in rows if code]
    assert len(files) == len(set(files))


def test_files_are_compressed_and_kept_for_ever(practice: Practice, room: Room) -> None:
    visitor = Visitor(practice.url)
    page = visitor.get(f"/{room.slug}").text
    addresses = {part.split('"')[0] for part in page.split('"/-/')[1:]}
    addresses = {address for address in addresses if not address.endswith("/")}  # what a bare name's prefix means
    kinds = {address.rpartition(".")[2] for address in addresses}
    assert {"js", "css", "svg"} <= kinds
    for address in addresses:
        answer = visitor.http.get(f"{visitor.url}/-/{address}", headers=visitor.headers(Accept_Encoding="gzip"))
        plain = visitor.http.get(f"{visitor.url}/-/{address}", headers=visitor.headers(Accept_Encoding="identity"))
        assert answer.headers.get("Content-Encoding") == "gzip", address
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Content-Encoding" not in plain.headers
        assert answer.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
        assert answer.content == plain.content
        assert int(answer.headers["Content-Length"]) < len(plain.content)


def test_whoever_is_next_has_an_offer_ready(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    """The first in line has made its connection before "Start"; it is the one that is used. The second waits."""
    provider, first, second = person("red", login=room.login), person("green"), person("blue")
    open_dashboard(provider.page, practice.url)
    check_in(first.page, room.url, "Grace Hopper")
    wait(first.page, "() => made.at(-1)?.localDescription?.type === 'offer'", None)
    wait(first.page, "() => made.at(-1).iceGatheringState === 'complete'", None)
    check_in(second.page, room.url, "Katherine Johnson")
    expect(second.page.locator("#place")).to_have_text("1 person is before you.")
    wait(second.page, "() => made.every(pc => pc.signalingState === 'closed')", None)
    ready = first.page.evaluate("made.length")
    start(provider.page, "Grace Hopper")
    connected(provider.page, first.page)
    assert first.page.evaluate("made.length") == ready
    expect(second.page.locator("#place")).to_have_text("You are next.")
    wait(second.page, "() => made.at(-1)?.signalingState === 'have-local-offer'", None)


def test_the_picture_is_whole_soon_after_it_began_small(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person("red", login=room.login), person("green")
    begin(practice, room, provider.page, patient.page)
    for page in (provider.page, patient.page):  # of a camera of 320 x 240
        wait(page, "() => document.querySelector('.tile video').videoWidth === 320", None)


def test_what_is_ready_has_credentials_that_still_count(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """A patient who waits for longer than a TURN credential lives: what is made anew asks for new ones in time."""
    practice = serve(
        '[clinic.main]\nname = "Elm"\n[[clinic.main.ice]]\nurls = ["turn:127.0.0.1:9"]\nsecret = "s3cret"\n'
    )
    patient = person("green", own=f"localhost:{practice.port}")
    patient.context.add_init_script("{ const real = Date.now; window.later = 0; Date.now = () => real() + later; }")
    check_in(patient.page, practice.room().url, "Grace Hopper")
    wait(patient.page, "() => made.at(-1)?.localDescription?.type === 'offer'", None)
    user = "made.at(-1).getConfiguration().iceServers[0].username"
    before = patient.page.evaluate(user)
    patient.page.evaluate("later = 31 * 60_000")
    renewed = f"before => {{ dispatchEvent(new Event('online')); return {user} !== before; }}"
    wait(patient.page, renewed, before)
