"""The board: what each draws is on the others' boards; who may draw; pictures, stills and pages; by keyboard alone."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from housecall.testing import Person, PluginContract, Practice, check_in, connected, end, open_dashboard, sign_in, start
from housecall.testing.access import PHONE, audit
from housecall.testing.acts import ask_to_join, invite, wait

TOML = '[clinic.main]\nname = "Elm"\nplugins = ["whiteboard"]\n'
RED, BLUE, GREEN, WHITE = (198, 40, 40), (21, 85, 192), (27, 122, 61), (255, 255, 255)

#: Whether there is a colour at a place of the board, given as parts of its width and height; of white, nothing else.
INK = """([x, y, colour]) => {
  const board = document.querySelector(".whiteboard-drawn");
  if (!board?.width || board.closest("[hidden]")) return false;
  const small = Object.assign(document.createElement("canvas"), { width: 9, height: 9 });
  const pen = small.getContext("2d", { willReadFrequently: true });
  pen.drawImage(board, Math.round(x * board.width) - 4, Math.round(y * board.height) - 4, 9, 9, 0, 0, 9, 9);
  const { data } = pen.getImageData(0, 0, 9, 9), close = [];
  for (let i = 0; i < data.length; i += 4) close.push(colour.every((part, n) => Math.abs(part - data[i + n]) < 45));
  return colour.every(part => part === 255) ? close.every(Boolean) : close.some(Boolean);
}"""


class TestWhiteboard(PluginContract):
    folder = Path(__file__).resolve().parents[2] / "plugins/whiteboard"


Pair = Callable[..., tuple[Practice, Person, Person]]


@pytest.fixture
def pair(serve: Callable[..., Practice], person: Callable[..., Person]) -> Pair:
    """A provider at a desk and a patient with a phone, in a call; their boards are closed."""

    def make(toml: str = TOML) -> tuple[Practice, Person, Person]:
        practice = serve(toml)
        room, own = practice.room(), f"localhost:{practice.port}"
        provider, patient = person("red", own=own), person("green", own=own, viewport=PHONE, has_touch=True)
        sign_in(provider.context, practice.url, room.login)
        open_dashboard(provider.page, practice.url)
        check_in(patient.page, room.url, "Grace")
        start(provider.page, "Grace")
        connected(provider.page, patient.page)
        for each in (provider, patient):
            listen(each.page)
        return practice, provider, patient

    return make


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def open_board(page: Page) -> None:
    press(page, "Board")
    expect(page.locator(".whiteboard-sheet")).to_be_visible()


def tool(page: Page, name: str) -> None:
    page.locator(".whiteboard").get_by_role("button", name=name, exact=True).click()


def choose(page: Page, what: str, name: str) -> None:
    page.locator(".whiteboard").get_by_label(what, exact=True).select_option(label=name)


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """A place of the sheet on the screen."""
    box = page.locator(".whiteboard-sheet").bounding_box()
    assert box
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page: Page, *points: tuple[float, float], lift: bool = True) -> None:
    """Draw by mouse through places of the sheet."""
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(page, *point), steps=4)
    if lift:
        page.mouse.up()


def swipe(page: Page, *points: tuple[float, float]) -> None:
    """Draw by finger through places of the sheet."""
    hand = page.context.new_cdp_session(page)
    for kind, point in [("touchStart", points[0]), *(("touchMove", point) for point in points[1:]), ("touchEnd", None)]:
        at = [dict(zip("xy", place(page, *point), strict=True))] if point else []
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    hand.detach()


def shows(colour: tuple[int, int, int], x: float, y: float, *pages: Page) -> None:
    for page in pages:
        wait(page, INK, [x, y, colour])


def marks(count: int, *pages: Page) -> None:
    for page in pages:
        expect(page.locator(".whiteboard-sheet")).to_have_attribute("data-marks", str(count))


def listen(page: Page) -> None:
    """Keep what is said to people who do not look."""
    page.evaluate(
        "() => { const said = document.getElementById('said'); window.heard = [];"
        " new MutationObserver(() => heard.push(said.textContent)).observe(said, { childList: true }); }"
    )


def hears(page: Page, words: str) -> None:
    wait(page, "words => heard.includes(words)", words)


def more(page: Page, name: str) -> None:
    tool(page, "More")
    press(page, name)


def saved(page: Page, save: Callable[[], None] | None = None) -> Image.Image:
    """The board as it is saved, read from the file."""
    with page.expect_download() as download:
        (save or (lambda: more(page, "Save as a picture")))()
    return Image.open(io.BytesIO(Path(download.value.path()).read_bytes())).convert("RGB")


def near(found: Any, colour: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 45 for a, b in zip(found, colour, strict=True))


#: Addresses and compressed bytes of what a page has asked for of the plugin.
OF_IT = """() => performance.getEntriesByType("resource")
  .filter(({ name }) => name.includes("/asset/whiteboard/"))
  .map(({ name, encodedBodySize }) => [name.split("/").pop(), encodedBodySize])"""


def test_each_draws_on_the_others_board(pair: Pair) -> None:
    _, provider, patient = pair()
    both = (provider.page, patient.page)
    for page in both:
        expect(page.locator("hc-part[data-plugin=whiteboard][data-mounted]").first).to_be_attached()
        ((name, size),) = page.evaluate(OF_IT)
        assert name == "whiteboard.js"
        assert size < 1700, "until it is used, the board costs its button"
    open_board(provider.page)
    expect(provider.page.locator(".whiteboard-sheet")).to_be_focused()
    choose(provider.page, "Colour", "Red")
    drag(provider.page, (0.2, 0.3), (0.5, 0.3), lift=False)
    expect(
        patient.page.locator(".whiteboard-hand", has_text="Dr Ada Smith")
    ).to_be_visible()  # it opens by itself, and says whose hand
    provider.page.mouse.up()
    shows(RED, 0.35, 0.3, *both)
    hears(patient.page, "Dr Ada Smith drew: Pen, Red")
    expect(provider.page.locator(".tile").first).to_be_visible()
    swipe(patient.page, (0.2, 0.6), (0.3, 0.6), (0.5, 0.6))
    shows(BLUE, 0.35, 0.6, *both)
    hears(provider.page, "Grace drew: Pen, Blue")
    for name, y in (("Rectangle", 0.1), ("Ellipse", 0.4), ("Arrow", 0.7)):
        tool(provider.page, name)
        drag(provider.page, (0.6, y), (0.9, y + 0.2))
    shows(RED, 0.75, 0.1, *both)
    shows(RED, 0.75, 0.4, *both)
    shows(RED, 0.75, 0.8, *both)
    marks(5, *both)
    tool(provider.page, "Text")
    provider.page.mouse.click(*place(provider.page, 0.1, 0.8))
    provider.page.keyboard.type("<b>left knee</b>")
    provider.page.keyboard.press("Enter")
    expect(patient.page.locator(".whiteboard li").last).to_have_text("Text “<b>left knee</b>”, Red, Dr Ada Smith")
    for page in both:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            audit(page, f"the board, {scheme}")

    # what is one's own is taken back and brought back; a patient erases their own
    press(patient.page, "Undo")
    marks(5, *both)
    shows(WHITE, 0.35, 0.6, *both)
    press(patient.page, "Redo")
    shows(BLUE, 0.35, 0.6, *both)
    tool(patient.page, "Eraser")
    patient.page.touchscreen.tap(*place(patient.page, 0.35, 0.3))
    hears(patient.page, "Only your provider can erase this.")
    patient.page.touchscreen.tap(*place(patient.page, 0.35, 0.6))
    shows(WHITE, 0.35, 0.6, *both)
    tool(provider.page, "Eraser")
    provider.page.mouse.click(*place(provider.page, 0.35, 0.3))
    shows(WHITE, 0.35, 0.3, *both)
    provider.page.keyboard.press("Control+z")
    shows(RED, 0.35, 0.3, *both)
    press(patient.page, "Undo")
    marks(6, *both)
    press(provider.page, "Clear")  # also what the patient drew
    marks(0, *both)
    press(provider.page, "Undo")
    marks(6, *both)
    press(patient.page, "Redo")
    marks(5, *both)

    # each gets it back after a reload, and may save it, also when the visit is over
    for page in both:
        page.reload()
        connected(*both)
        shows(RED, 0.35, 0.3, page)
        marks(5, page)
    press(provider.page, "Undo")  # after a reload one's own is still one's own: the words
    marks(4, *both)
    press(provider.page, "Redo")
    marks(5, *both)
    picture = saved(patient.page)
    assert picture.size == (1600, 1200)
    assert any(near(picture.getpixel((560, y)), RED) for y in range(350, 370))
    assert near(picture.getpixel((560, 720)), WHITE)
    press(patient.page, "Board")
    expect(patient.page.locator(".whiteboard")).to_be_hidden()
    tool(provider.page, "Pen")
    drag(provider.page, (0.1, 0.5), (0.4, 0.5))
    expect(patient.page.locator(".bar .badge")).to_have_text("1")  # whoever has closed the board is told only
    expect(patient.page.locator(".whiteboard")).to_be_hidden()
    end(provider.page)
    after = saved(provider.page, provider.page.locator("#after").get_by_role("button", name="Save as a picture").click)
    assert after.size == (1600, 1200)
    expect(patient.page.locator(".whiteboard-after")).to_be_visible()


#: What is said here of two marks that do not reach the others, one in the visit and one when it is over, and then of a
#: file and a still that come to nothing.
LATE = """async () => {
  const { name } = performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/whiteboard.js"));
  const { Board } = await import(name.replace("whiteboard.js", "board.js")), told = [], over = new AbortController();
  const send = async () => { throw Object.assign(new Error("closed"), { code: "closed" }); };
  const ui = { notice: words => told.push(words), say() {} }, text = words => words;
  const host = { channel: { send }, signal: over.signal, text, ui };
  await Board.prototype.send.call({ host }, "mark", {});
  over.abort();
  await Board.prototype.send.call({ host }, "mark", {});
  const load = async () => { throw new Error("away"); }, all = { ...host, load, visit: { name: "Grace" } };
  await Board.prototype.file.call({ host: all, told: {}, soon() {} }, null);
  await Board.prototype.answer.call({ host: all, asked: "n" }, { data: { number: "n", agreed: true }, from: "grace" });
  return told;
}"""


def test_a_board_that_could_not_be_loaded_is_tried_again_and_one_that_is_over_is_silent(pair: Pair) -> None:
    """The button says that it is closed, and the next press opens it. After the visit, nothing is to be tried again."""
    _, _, patient = pair()
    page, button = patient.page, patient.page.get_by_role("button", name="Board", exact=True)
    patient.expected += ["ERR_FAILED", "whiteboard: TypeError"]
    page.route("**/board.js", lambda route: route.abort())
    for _ in range(2):
        button.click()
        expect(page.get_by_text("The board could not be opened.").first).to_be_visible()
        expect(button).to_have_attribute("aria-expanded", "false")
        page.evaluate("for (const each of document.querySelectorAll('.toast')) each.remove()")
    page.unroute("**/board.js")
    open_board(page)
    expect(button).to_have_attribute("aria-expanded", "true")
    assert page.evaluate(LATE) == ["This did not reach the others. Try again in a moment."]


def test_a_board_that_does_not_come_is_said_to_who_pressed_alone(pair: Pair) -> None:
    """Not for each word of a hand that draws elsewhere. Later, all that was drawn is there."""
    _, provider, patient = pair()
    patient.expected += ["ERR_FAILED", "whiteboard: TypeError"]
    patient.page.route("**/board.js", lambda route: route.abort())
    open_board(provider.page)
    with patient.page.expect_console_message(lambda message: "whiteboard" in message.text):
        drag(provider.page, (0.2, 0.3), (0.5, 0.3))
    drag(provider.page, (0.2, 0.4), (0.5, 0.4))
    assert patient.page.locator(".toast").count() == 0
    patient.page.unroute("**/board.js")
    wait(patient.page, "at => performance.now() > at", patient.page.evaluate("performance.now() + 3000"))
    drag(provider.page, (0.2, 0.6), (0.5, 0.6))
    marks(3, patient.page)


def test_nothing_of_a_board_stands_in_the_next_visit(pair: Pair, person: Callable[..., Person]) -> None:
    """Neither one that comes late, nor an open one without its tools, nor the last one's picture when this is over."""
    practice, provider, patient = pair()
    page, other, held = provider.page, person("blue", own=f"localhost:{practice.port}").page, list[Route]()
    check_in(other, patient.page.url, "Katherine")
    page.route("**/board.js", lambda route: held.append(route))
    with page.expect_request("**/board.js"):
        press(page, "Board")
    end(page)
    start(page, "Katherine")
    connected(page, other)
    expect(page.locator(".whiteboard")).to_be_hidden()
    for each in held:
        each.continue_()
    page.unroute("**/board.js")
    open_board(page)
    expect(page.locator(".whiteboard-tools")).to_have_count(1)
    drag(page, (0.2, 0.3), (0.5, 0.3))
    shows(BLUE, 0.35, 0.3, page, other)
    end(page)
    expect(page.locator(".whiteboard-after")).to_be_visible()
    check_in(patient.page, patient.page.url, "Grace")
    start(page, "Grace")
    connected(page, patient.page)
    expect(page.locator(".whiteboard")).to_be_hidden()
    end(page)
    expect(page.locator("#after:not([hidden]) hc-part[data-plugin=whiteboard][data-mounted]")).to_be_attached()
    expect(page.locator(".whiteboard-after")).to_be_hidden()


def test_what_reads_a_picture_or_a_pdf_is_asked_for_again_when_it_did_not_come(pair: Pair) -> None:
    """It is not the file that is wrong then."""
    _, provider, _ = pair()
    page = provider.page
    provider.expected += ["ERR_FAILED"]
    open_board(page)
    letter = ("letter.pdf", "application/pdf", pdf((0.1, 0.3, 0.8)))
    knee = ("knee.png", "image/png", picture(((200, 60, 40), (40, 160, 60))))
    for name, file, kind in (("picture", knee, "picture"), ("pdf", letter, "pdf")):
        page.route(f"**/{name}.js", lambda route: route.abort())
        put(page, *file)
        expect(page.locator(".toast").last).to_contain_text("This could not be loaded.")
        page.unroute(f"**/{name}.js")
        put(page, *file)
        ground(kind, page)


def test_everything_goes_by_keyboard(pair: Pair) -> None:
    _, provider, patient = pair()
    both, page = (provider.page, patient.page), provider.page
    page.get_by_role("button", name="Board", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".whiteboard-sheet")).to_be_focused()
    page.keyboard.press("h")
    expect(page.get_by_role("dialog", name="Keys of the board")).to_contain_text("Shift")
    audit(page, "the keys of the board")
    page.keyboard.press("Escape")
    expect(page.locator(".whiteboard-sheet")).to_be_focused()
    page.keyboard.press("c")  # from blue to green
    hears(page, "Green")
    page.keyboard.press("ArrowLeft")
    hears(page, "49 % across, 50 % down")
    page.keyboard.press("Enter")
    hears(page, "Line begun")
    for _ in range(5):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    hears(page, "Line ended")
    shows(GREEN, 0.35, 0.5, *both)
    page.keyboard.press("4")
    hears(page, "Rectangle")
    page.keyboard.press("Enter")
    for key in ("Shift+ArrowLeft", "Shift+ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    shows(GREEN, 0.24, 0.4, *both)
    shows(GREEN, 0.215, 0.4, *both)
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Escape")  # dropped
    page.keyboard.press("t")
    page.keyboard.type("knee")
    page.keyboard.press("Enter")
    expect(patient.page.locator(".whiteboard li")).to_have_text(
        ["Pen, Green, Dr Ada Smith", "Rectangle, Green, Dr Ada Smith", "Text “knee”, Green, Dr Ada Smith"]
    )
    expect(page.locator(".whiteboard-sheet")).to_be_focused()
    page.keyboard.press("Control+z")
    marks(2, *both)
    page.keyboard.press("Control+Shift+z")
    marks(3, *both)
    page.keyboard.press("Delete")
    hears(page, "Erased: Text “knee”, Green, You")
    marks(2, *both)
    page.keyboard.press("w")
    hears(page, "Thick")
    page.keyboard.press("+")
    wide = page.locator(".whiteboard-sheet").bounding_box()
    page.keyboard.press("-")
    slim = page.locator(".whiteboard-sheet").bounding_box()
    assert wide
    assert slim
    assert wide["width"] > 1.4 * slim["width"]


def picture(colours: tuple[tuple[int, int, int], tuple[int, int, int]], kind: str = "PNG") -> bytes:
    """A picture whose left half has one colour and whose right half another."""
    made = Image.new("RGB", (400, 200), colours[0])
    made.paste(colours[1], (200, 0, 400, 200))
    out = io.BytesIO()
    made.save(out, kind)
    return out.getvalue()


def pdf(*pages: tuple[float, float, float], more: str = "", locked: bool = False) -> bytes:
    """A PDF whose pages are filled with these colours, made by hand: objects, and the table of where they are."""
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(len(pages)))
    objects = ["<</Type/Catalog/Pages 2 0 R" + more + ">>", f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>"]
    for n, (r, g, b) in enumerate(pages):
        drawn = f"{r} {g} {b} rg 0 0 300 400 re f BT /F1 24 Tf 1 1 1 rg 30 350 Td (Page {n + 1}) Tj ET"
        font = "<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
        objects.append(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 400]/Resources{font}/Contents {4 + 2 * n} 0 R>>")
        objects.append(stream(drawn))
    lock = f"/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<{'00' * 32}>/U<{'00' * 32}>>>" if locked else ""
    return bound(objects, lock)


def stream(content: str, more: str = "") -> str:
    return f"<<{more}/Length {len(content)}>>stream\n{content}\nendstream"


def bound(objects: list[str], more: str = "") -> bytes:
    """A PDF of these objects, the first of which is its catalog, with the table of where they are."""
    out, places, at = ["%PDF-1.4\n"], [], 9
    for n, each in enumerate(objects, 1):
        places.append(at)
        out.append(f"{n} 0 obj{each}endobj\n")
        at += len(out[-1])
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    out.append(f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R{more}>>")
    return ("".join(out) + f"\nstartxref\n{at}\n%%EOF").encode()


def one_page(width: float, height: float, content: str, resources: str = "", more: tuple[str, ...] = ()) -> bytes:
    """A PDF of one page; `more` objects begin with number 5."""
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Resources<<{resources}>>/Contents 4 0 R>>"
    return bound(["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>", page, stream(content), *more])


def put(page: Page, name: str, kind: str, data: bytes) -> None:
    page.locator(".whiteboard-file").set_input_files({"name": name, "mimeType": kind, "buffer": data})


def ground(kind: str, *pages: Page) -> None:
    for page in pages:
        expect(page.locator(".whiteboard-sheet")).to_have_attribute("data-ground", kind)


def test_a_picture_a_still_and_a_page_are_drawn_upon(pair: Pair) -> None:
    _, provider, patient = pair()
    both = (provider.page, patient.page)
    open_board(provider.page)
    drag(provider.page, (0.2, 0.3), (0.5, 0.3))
    shows(BLUE, 0.35, 0.3, *both)
    put(patient.page, "knee.png", "image/png", picture(((200, 60, 40), (40, 160, 60))))
    ground("picture", *both)
    shows((200, 60, 40), 0.25, 0.5, *both)
    shows((40, 160, 60), 0.75, 0.5, *both)
    marks(0, *both)
    drag(provider.page, (0.2, 0.3), (0.5, 0.3))
    shows(BLUE, 0.35, 0.3, *both)

    # a page of two; what the file would run is not run
    script = "/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>"
    put(provider.page, "letter.pdf", "application/pdf", pdf((0.8, 0.2, 0.2), (0.1, 0.3, 0.8), more=script))
    question = provider.page.get_by_role("dialog", name="Which page?")
    expect(question.get_by_role("img", name="Page 1 of 2")).to_be_visible()
    audit(provider.page, "the pages of a PDF")
    question.get_by_role("button", name="Next").click()
    expect(question.get_by_role("img", name="Page 2 of 2")).to_be_visible()
    question.get_by_role("button", name="Put it on the board").click()
    ground("pdf", *both)
    shows((26, 77, 204), 0.5, 0.6, *both)
    assert "pdf-worker.js" in {name for name, _ in provider.page.evaluate(OF_IT)}
    assert not [name for name, _ in patient.page.evaluate(OF_IT) if "pdf" in name], (
        "only who opens a PDF loads its reader"
    )

    # what cannot be read is said, and nothing of it is on the board
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><script>alert(1)</script></svg>"
    long = io.BytesIO()
    Image.new("RGB", (900, 90)).save(long, "PNG")
    for name, kind, data, words in (
        ("broken.pdf", "application/pdf", b"%PDF-1.4 and nothing", "This file cannot be read here"),
        ("markup.svg", "image/svg+xml", svg, "This file cannot be read here"),
        ("markup.png", "image/png", svg, "This file cannot be read here"),
        ("long.png", "image/png", long.getvalue(), "too long and narrow"),
        ("locked.pdf", "application/pdf", pdf((0, 0, 0), locked=True), "locked with a password"),
    ):
        put(provider.page, name, kind, data)
        expect(provider.page.locator(".toast").last).to_contain_text(words)
        provider.page.evaluate("document.querySelector('.toasts').replaceChildren()")
    ground("pdf", *both)

    # a still is taken when the patient agrees
    more(provider.page, "Still of the video")
    patient.page.get_by_role("dialog").get_by_role("button", name="No").click()
    expect(provider.page.locator(".toast", has_text="Grace does not want a still.")).to_be_visible()
    ground("pdf", *both)
    more(provider.page, "Still of the video")
    asked = patient.page.get_by_role("dialog", name="May your provider put a still of your picture on the board?")
    expect(asked).to_contain_text("Everybody in the visit sees it")
    audit(patient.page, "asked for a still")
    asked.get_by_role("button", name="Yes, take it").click()
    ground("still", *both)
    shows((0, 192, 0), 0.5, 0.5, *both)  # the patient's camera
    hears(patient.page, "A still of your picture is on the board now.")

    # a page that was reloaded asks for the picture; undo goes back to the sheet before
    for page in both:
        page.reload()
        connected(*both)
        ground("still", page)
        shows((0, 192, 0), 0.5, 0.5, page)
    assert near(saved(patient.page).getpixel((400, 400)), (0, 192, 0))
    press(provider.page, "Undo")
    ground("pdf", provider.page)
    more(provider.page, "Blank sheet")
    ground("blank", *both)
    shows(WHITE, 0.5, 0.5, *both)


def many_pages(count: int) -> bytes:
    """Red pages, and the last one blue; one content for all the red ones."""
    red, blue = (stream(f"{colour} rg 0 0 300 400 re f") for colour in ("0.8 0.2 0.2", "0.1 0.3 0.8"))
    kids = " ".join(f"{5 + n} 0 R" for n in range(count))
    page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 400]/Resources<<>>/Contents {} 0 R>>"
    pages = [page.format(3)] * (count - 1) + [page.format(4)]
    return bound(["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count {count}/Kids[{kids}]>>", red, blue, *pages])


def endless() -> bytes:
    """A page of 7 kB that draws 2 to the power of 40 squares: each form draws the next one twice."""
    head = "/Type/XObject/Subtype/Form/BBox[0 0 300 400]"
    forms = [stream("/A Do /A Do", f"{head}/Resources<</XObject<</A {6 + n} 0 R>>>>") for n in range(40)]
    last = stream("0 0 9 9 re f", f"{head}/Resources<<>>")
    return one_page(300, 400, "/A Do", "/XObject<</A 5 0 R>>", (*forms, last))


#: Once in a hurry, the board waits three seconds for a step of a PDF instead of thirty; how many readers it ended.
HASTE = """() => {
  const later = setTimeout, end = Worker.prototype.terminate;
  window.ended = 0;
  window.setTimeout = (act, ms, ...more) => later(act, ms === 30_000 && window.hurry ? 3000 : ms, ...more);
  Worker.prototype.terminate = function () {
    ended += 1;
    return end.call(this);
  };
}"""


def test_an_enormous_file_is_drawn_small_or_refused_and_the_page_lives(pair: Pair) -> None:
    """Of page size, number of pages, number of objects, of what there is to draw, and of pixels."""
    _, provider, patient = pair()
    both, page = (provider.page, patient.page), provider.page
    page.evaluate(HASTE)
    open_board(page)

    def refused(name: str, kind: str, data: bytes, words: str) -> None:
        put(page, name, kind, data)
        expect(page.locator(".toast").last).to_contain_text(words)
        page.evaluate("document.querySelector('.toasts').replaceChildren()")

    wide = one_page(4e6, 3e6, "0.1 0.3 0.8 rg 0 0 4000000 3000000 re f")
    put(page, "wide.pdf", "application/pdf", wide)
    ground("pdf", *both)
    shows((26, 77, 204), 0.5, 0.5, *both)
    assert saved(page).size == (1600, 1200)
    refused("long.pdf", "application/pdf", one_page(10, 1e6, ""), "too long and narrow")

    put(page, "many.pdf", "application/pdf", many_pages(20_000))
    question = page.get_by_role("dialog", name="Which page?")
    question.get_by_label("Page", exact=True).fill("20000")
    question.get_by_label("Page", exact=True).press("Tab")
    expect(question.get_by_role("img", name="Page 20000 of 20000")).to_be_visible()
    question.get_by_role("button", name="Put it on the board").click()
    wait(page, "() => ended === 3", None)

    crowd = one_page(400, 300, "0.8 0.2 0.2 rg 0 0 400 300 re f", more=("<</A 1>>",) * 300_000)
    put(page, "crowd.pdf", "application/pdf", crowd)
    shows((204, 51, 51), 0.5, 0.5, *both)

    page.evaluate("window.hurry = true")
    refused("endless.pdf", "application/pdf", endless(), "takes too long to draw")
    wait(page, "() => ended === 5", None)
    bomb = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(bomb, "PNG")
    assert len(bomb.getvalue()) < 50_000
    refused("bomb.png", "image/png", bomb.getvalue(), "at most 64 megapixels")
    tool(page, "Pen")
    drag(page, (0.2, 0.3), (0.5, 0.3))
    shows(BLUE, 0.35, 0.3, *both)


def guest(provider: Page, person: Callable[..., Person], own: str) -> Page:
    """A relative, who is invited, asks to join and is let in."""
    page = person("blue", own=own).page
    ask_to_join(page, invite(provider, "relative"), "Otto")
    listen(page)
    provider.get_by_role("button", name="Admit Otto").click()
    expect(page.locator(".tile[data-state=connected]").nth(1)).to_be_visible()
    return page


#: Says things as a page that was tampered with would: each under a number that the far page has not heard yet. With an
#: author, it tells them anew as if somebody else had said them.
TAMPER = """([event, bodies, by]) => {
  window.told ??= 5000;
  for (const channel of channels) if (channel.readyState === "open") for (const data of bodies) {
    const n = window.told += 1, now = Date.now();
    const item = { id: `forged${n}`, at: now, t: now, n, data, ...by && { by } }, replay = by && { replay: true };
    channel.send(JSON.stringify(["say", { event: `whiteboard:${event}`, after: 0, items: [item], ...replay }, n]));
  }
}"""
#: Keeps the ids of what others do on the board, as a page that was tampered with could.
HEAR = """() => {
  window.ids = [];
  for (const channel of channels) channel.addEventListener("message", ({ data }) => {
    const [type, body] = JSON.parse(data);
    if (type === "say" && body.event === "whiteboard:mark") ids.push(...body.items.map(({ id }) => id));
  });
}"""
#: Keeps the ids of what the provider's page tells a guest who came later.
SHOWN = """() => {
  window.shown = [];
  for (const channel of channels) channel.addEventListener("message", ({ data }) => {
    const [type, body] = JSON.parse(data);
    if (type === "say" && body.event === "whiteboard:shown") shown.push(...body.items.map(({ data }) => data.id));
  });
}"""
LINE = {"op": "draw", "sheet": "", "tool": "pen", "colour": "red", "width": "thick", "points": "AAAA" * 2 + "____"}
GARBAGE: list[Any] = [
    {},
    {"op": "explode"},
    {"op": "toString"},
    {**LINE, "colour": "red; background: url(x)"},
    {**LINE, "colour": "#ff0000"},
    {**LINE, "tool": "__proto__"},
    {**LINE, "points": "<b>!"},
    {**LINE, "points": "AAAAA"},
    {**LINE, "points": "AAAA" * 2000},
    {**LINE, "points": [[1, 2]]},
    {**LINE, "points": None},
    {**LINE, "width": 9e9},
    {**LINE, "op": "text", "text": "x" * 5000},
    {**LINE, "op": "text", "points": "AAAA", "text": {"html": "<img>"}},
    {**LINE, "more": "than is declared"},
    {"op": "ground", "kind": "picture", "picture": "../../etc", "w": 4, "h": 3},
    {"op": "ground", "kind": "picture", "picture": "A" * 43, "w": 4096, "h": 1},
    {"op": "ground", "kind": "still", "picture": "A" * 43, "w": 4, "h": 3},
    {"op": "undo", "target": 5},
]
#: Which of these marks.js itself takes for something, without the rules of the events before it.
READ = """async given => {
  const { name } = performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/marks.js"));
  const { read } = await import(name);
  return given.map(data => read({ id: "x", at: 1, who: "y", role: "provider", data }) !== null);
}"""


def test_the_provider_decides_who_draws_and_garbage_is_nothing(pair: Pair, person: Callable[..., Person]) -> None:
    practice, provider, patient = pair()
    both = (provider.page, patient.page)
    patient.page.evaluate(HEAR)
    open_board(provider.page)
    drag(provider.page, (0.2, 0.3), (0.5, 0.3))
    put(provider.page, "knee.png", "image/png", picture(((200, 60, 40), (230, 230, 230))))
    ground("picture", *both)
    drag(provider.page, (0.6, 0.5), (0.9, 0.5))
    shows(BLUE, 0.75, 0.5, *both)

    # a guest who comes later sees the sheet with its picture, and draws when the provider lets guests draw
    otto = guest(provider.page, person, f"localhost:{practice.port}")
    shows(BLUE, 0.75, 0.5, otto)
    shows((200, 60, 40), 0.25, 0.5, otto)
    expect(otto.locator(".whiteboard-told")).to_have_text("Your provider draws here. You look on.")
    expect(otto.locator(".whiteboard").get_by_role("button", name="Pen")).to_be_disabled()
    drag(otto, (0.6, 0.8), (0.9, 0.8))
    tool(provider.page, "More")
    provider.page.get_by_label("Guests may draw").check()
    hears(otto, "You may draw now.")
    marks(1, provider.page)
    drag(otto, (0.6, 0.8), (0.9, 0.8))
    shows(BLUE, 0.75, 0.8, *both, otto)

    # the patient may not any more: neither by hand nor as a page that was tampered with
    provider.page.get_by_label("The patient may draw").uncheck()
    provider.page.keyboard.press("Escape")
    expect(patient.page.locator(".whiteboard-told")).to_have_text("Your provider draws here. You look on.")
    swipe(patient.page, (0.6, 0.2), (0.9, 0.2))
    sheet = provider.page.locator(".whiteboard-sheet").get_attribute("data-sheet")
    patient.page.evaluate(TAMPER, ["mark", [{**LINE, "sheet": sheet}]])
    patient.page.evaluate(TAMPER, ["allow", [{"patient": True, "guests": True}]])
    patient.page.evaluate(TAMPER, ["mark", [{**LINE, "sheet": sheet}]])
    # nor by telling anew what the provider, or another one, is said to have done
    doctor = provider.page.evaluate("JSON.parse(document.getElementById('page').textContent).member.id")
    for by in ({"who": doctor, "role": "provider"}, {"who": "nobody", "role": "provider"}):
        patient.page.evaluate(TAMPER, ["allow", [{"patient": True, "guests": True}], by])
        patient.page.evaluate(TAMPER, ["mark", [{**LINE, "sheet": sheet}, {"op": "clear", "sheet": sheet}], by])
    patient.page.evaluate(TAMPER, ["mark", [{**LINE, "sheet": sheet}]])
    drag(provider.page, (0.6, 0.6), (0.9, 0.6))  # said after it, so that it was heard
    shows(BLUE, 0.75, 0.6, provider.page, otto)
    marks(3, provider.page, otto)
    expect(provider.page.locator(".whiteboard-tick input").first).not_to_be_checked()
    for page, names in ((provider.page, ("You", "Otto", "You")), (otto, ("Dr Ada Smith", "You", "Dr Ada Smith"))):
        expect(page.locator(".whiteboard li")).to_have_text([f"Pen, Blue, {name}" for name in names])

    # garbage of one who may draw
    tool(provider.page, "More")
    provider.page.get_by_label("The patient may draw").check()
    provider.page.keyboard.press("Escape")
    hears(patient.page, "You may draw now.")
    patient.page.evaluate(TAMPER, ["mark", [{**each, "sheet": sheet} if "sheet" in each else each for each in GARBAGE]])
    read = [each for each, known in zip(GARBAGE, provider.page.evaluate(READ, GARBAGE), strict=True) if known]
    assert read == [each for each in GARBAGE if "more" in each or each.get("kind") == "still"]
    patient.page.evaluate(
        TAMPER, ["trace", [{"stroke": "s", "points": "!"}, {**LINE, "stroke": {}}, {"points": "AAAA"}]]
    )
    ids = patient.page.evaluate("ids")
    assert len(ids) >= 4
    theirs = [{"op": op, "target": each} for each in ids for op in ("undo", "erase")]
    patient.page.evaluate(TAMPER, ["mark", theirs])  # what the provider did is not taken back by others
    patient.page.evaluate(TAMPER, ["shown", [{**LINE, "id": "x", "at": 1, "who": "y", "role": "provider"}]])
    words = {
        "op": "text",
        "sheet": sheet,
        "colour": "red",
        "width": "thin",
        "points": "AAAA",
        "text": "<img src=x>\u202eabc",
    }
    patient.page.evaluate(TAMPER, ["mark", [words]])
    expect(provider.page.locator(".whiteboard li").last).to_have_text("Text “<img src=x> abc”, Red, Grace")
    marks(4, provider.page)
    assert provider.page.locator(".whiteboard img").count() == 0
    ground("picture", provider.page)
    drag(provider.page, (0.6, 0.7), (0.9, 0.7))
    shows(BLUE, 0.75, 0.7, provider.page, otto)

    # behind a curtain one sees no picture, and is told why
    provider.page.get_by_role("button", name="Guests", exact=True).click()
    provider.page.get_by_role("button", name="Hide picture from Otto").click()
    provider.page.get_by_role("button", name="Close").click()
    expect(otto.locator(".whiteboard-told")).to_have_text("The picture behind is hidden from you.")
    shows(WHITE, 0.25, 0.3, otto)
    given = "channels.filter(({ label }) => label.startsWith('whiteboard:picture')).length"
    before = [page.evaluate(given) for page in both]
    hidden = provider.page.locator(".whiteboard-sheet").get_attribute("data-picture")
    assert hidden
    otto.evaluate(TAMPER, ["want", [{"picture": hidden}]])  # nor is it given to a page that asks all the same
    drag(provider.page, (0.6, 0.9), (0.9, 0.9))
    shows(BLUE, 0.75, 0.9, *both, otto)
    assert [page.evaluate(given) for page in both] == before

    # a page that asks for the whole board again and again is given each mark once
    otto.evaluate(SHOWN)
    otto.evaluate(TAMPER, ["want", [{}] * 50])
    drag(provider.page, (0.6, 0.95), (0.9, 0.95))
    shows(BLUE, 0.75, 0.95, *both, otto)
    drag(provider.page, (0.3, 0.95), (0.5, 0.95))
    shows(BLUE, 0.4, 0.95, *both, otto)
    shown = otto.evaluate("shown")
    assert len(shown) == len(set(shown))


#: The number of the last thing of a page that was tampered with which the far page has heard.
ACKS = """() => {
  window.acked = 0;
  for (const channel of channels) channel.addEventListener("message", ({ data }) => {
    const [type, , n] = JSON.parse(data);
    if (type === "ack") acked = n;
  });
}"""


def test_who_may_not_draw_opens_nobodys_board(pair: Pair) -> None:
    _, provider, patient = pair(TOML + "[clinic.main.whiteboard]\npatient = false\n")
    patient.page.evaluate(ACKS)
    patient.page.evaluate(TAMPER, ["mark", [LINE]])
    patient.page.evaluate(TAMPER, ["trace", [{**{name: LINE[name] for name in LINE if name != "op"}, "stroke": "s"}]])
    wait(patient.page, "() => acked === 5002", None)
    wait(provider.page, "at => performance.now() > at", provider.page.evaluate("performance.now() + 500"))
    assert not [url for url in provider.urls if url.endswith("/board.js")]


#: Runs with Marks, with no visit: `line(id, at, who, role, more)` is an entry of the thread, `seats` who sits there.
MARKS = """async () => {
  const [address] = document.documentElement.innerHTML.match(/[^"]*\\/whiteboard\\.js/);
  const { Marks } = await import(address.replace("whiteboard.js", "marks.js"));
  const seats = { ada: { role: "provider", present: true }, otto: { role: "guest", present: true } };
  const line = (id, at, who, role, more = {}) =>
    ({ id, at, who, role, data: { op: "draw", tool: "pen", colour: "red", width: "thin", points: "AAAA" }, ...more });
  const clock = { now: 0 }, tick = () => clock.now, may = { patient: true, guests: false };
  const made = more => new Marks({ me: "ada", may, seat: who => seats[who], tick, ...more });
  BODY
}"""


@pytest.fixture
def marked(serve: Callable[..., Practice], person: Callable[..., Person]) -> Callable[[str], Any]:
    practice = serve(TOML)
    page = person("red", own=f"localhost:{practice.port}")
    sign_in(page.context, practice.url, practice.room().login)
    open_dashboard(page.page, practice.url)
    return lambda body: page.page.evaluate(MARKS.replace("BODY", body))


def test_what_is_told_gives_no_right(marked: Callable[[str], Any]) -> None:
    """What a page that was reloaded is told comes back if nobody who is there could say it, and no tick with it."""
    back = marked("""
      const marks = made(), told = { told: true };
      marks.add(line("own", 10, "ada", "provider", { ...told, mine: true }));
      marks.add(line("forged", 11, "ada", "provider", { ...told, mine: false }));
      marks.add(line("nobody", 12, "eve", "provider", told));
      marks.add(line("risen", 13, "otto", "provider", told));
      marks.add(line("here", 14, "otto", "guest", told));
      seats.otto.present = false;
      marks.add(line("gone", 15, "otto", "guest", told));
      const here = () => marks.see().marks.map(({ id }) => id), shown = [here(), marks.see().undo];
      const by = { who: "ada", role: "provider" }, mine = { ...by, ...told, mine: true };
      marks.rule({ id: "r1", at: 14, ...mine, data: { patient: true, guests: true } });
      shown.push(marks.now, here());
      marks.rule({ id: "r2", at: 20, ...mine, data: { patient: false, guests: false } });
      marks.rule({ id: "r3", at: 30, ...mine, data: { patient: true, guests: true } });
      marks.rule({ id: "r4", at: 40, ...by, ...told, data: { patient: true, guests: true } });
      shown.push(marks.now);
      marks.rule({ id: "r5", at: 50, ...by, data: { patient: false, guests: true } });
      return [...shown, marks.now, here()];
    """)
    no, nobody = {"patient": True, "guests": False}, {"patient": False, "guests": False}
    assert back == [["own"], "own", no, ["own"], nobody, {"patient": False, "guests": True}, ["own", "gone"]]


def test_only_its_author_replaces_what_was_told_of_a_mark(marked: Callable[[str], Any]) -> None:
    found = marked("""
      const marks = made(), told = line("same", 10, "ada", "provider", { told: true, mine: true });
      marks.add(told);
      marks.add(line("same", 11, "grace", "patient"));
      const { Thread } = await import("housecall/thread.js"), thread = new Thread();
      thread.add({ ...told });
      thread.add(line("same", 10, "grace", "patient", { told: false }));
      return [marks.see().marks[0].who, thread.entries[0].who];
    """)
    assert found == ["ada", "ada"]


def test_one_who_floods_pushes_out_their_own_marks_alone(marked: Callable[[str], Any]) -> None:
    """Of marks without measure, and of the longest ones; who may not draw has none here."""
    found = marked("""
      const marks = made(), long = { ...line("", 0, "", "").data, points: "AAAA".repeat(1000) };
      const early = marks.add(line("early", 1, "otto", "guest"));
      clock.now = 10_001;
      const late = marks.add(line("late", 2, "otto", "guest")), shown = [early !== null, late];
      marks.rule({ id: "r", at: 3, who: "ada", role: "provider", data: { patient: true, guests: true } });
      marks.add(line("grace", 4, "grace", "patient"));
      for (let i = 0; i < 8000; i++) marks.add(line(`short${i}`, 10 + i, "otto", "guest"));
      shown.push(marks.all.size < 6000);
      for (let i = 0; i < 800; i++) marks.add(line(`long${i}`, 9000 + i, "otto", "guest", { data: long }));
      const points = [...marks.all.values()].reduce((sum, each) => sum + each.points.length, 0);
      return [...shown, points < 600_000, marks.all.has("grace"), marks.all.has("long799")];
    """)
    assert found == [True, None, True, True, True, True]
