"""Consent (R63-R68): forms are read together and signed in the two browsers; the server never has what is signed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Locator, Page, Route, expect
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, NumberObject, TextStringObject

from housecall import clinics, config
from housecall.app import create_app
from housecall.testing import Person, Practice, Room, check_in, connected, end, open_dashboard, sign_in, start
from housecall.testing.access import PHONE, audit
from housecall.testing.acts import asks_before_leaving, wait
from housecall.testing.visitor import Visitor

TOML = '[clinic.main]\nname = "Elm Street Practice"\nplugins = ["teleconsent"]\n'
BEFORE = TOML + '[clinic.main.teleconsent]\nbefore = "telehealth"\n'
RECEIPTS = BEFORE + "receipts = true\n"
ROOT = Path(__file__).resolve().parents[2]
RECORDING = str(ROOT / "tests/recording_server.py")
FONTS = ROOT / "tests/.parts/node_modules/@fontsource/noto-sans-devanagari/files"
FONT = FONTS / "noto-sans-devanagari-devanagari-400-normal.woff2"
BLACK = 90  #: of 255: darker than this is ink

#: What a patient fills in who is no real person: none of it may be found on the server.
PLACE, PHONE_NUMBER, NAME = "7 Xylophone Lane, Zanzibar", "+15550123456", "Quetzal Jacaranda"


def picture(page: Page, name: str) -> None:
    """With HOUSECALL_PICTURES=folder, pictures to look at."""
    if folder := os.environ.get("HOUSECALL_PICTURES"):
        page.screenshot(path=Path(folder) / f"teleconsent-{name}.png")


@pytest.fixture
def pair(serve: Callable[..., Practice], person: Callable[..., Person]) -> Callable[..., Any]:
    """A provider with an open dashboard, and a patient who has not come yet, at a practice of their own."""

    def make(toml: str = TOML, provider: Any = None, patient: Any = None, **options: Any) -> Any:
        practice = serve(toml, **options)
        room, own = practice.room(), f"localhost:{practice.port}"
        people = person("red", own=own, **(provider or {})), person("green", own=own, **(patient or {}))
        sign_in(people[0].context, practice.url, room.login)
        open_dashboard(people[0].page, practice.url)
        return practice, room, people[0].page, people[1].page

    return make


def arrive(page: Page, url: str, name: str = "Grace") -> None:
    """Check in where a form comes before the queue."""
    page.goto(url)
    expect(page.locator("main[data-ready]")).to_be_attached()
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Check in").first.click()
    expect(page.locator("main[data-state=arriving]")).to_be_visible()


def fill(page: Page, where: str, *, name: str = NAME, how: str = "drawn") -> None:
    """Fill in the form for telehealth, and draw or type a signature."""
    paper = page.locator(where)
    paper.get_by_label("Where are you now?").fill(PLACE)
    paper.get_by_label("Telephone number at which").fill(PHONE_NUMBER)
    paper.get_by_label("Full name").fill(name)
    if how == "typed":
        paper.get_by_label("Use my typed name").check()
    else:
        scribble(page, paper.locator("canvas"))


def scribble(page: Page, canvas: Locator) -> None:
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    for line in (((0.1, 0.7), (0.25, 0.2), (0.4, 0.8), (0.55, 0.3)), ((0.6, 0.6), (0.75, 0.4), (0.9, 0.7))):
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in line]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=6)
        page.mouse.up()


def sign(page: Page, where: str) -> None:
    page.locator(where).get_by_role("button", name="Sign", exact=True).click()


def saved(page: Page, where: str) -> bytes:
    """The document that "Download the signed form" saves."""
    with page.expect_download() as download:
        page.locator(where).get_by_role("button", name="Download the signed form").first.click()
    assert download.value.suggested_filename.endswith(".pdf")
    return Path(download.value.path()).read_bytes()


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def read(data: bytes) -> str:
    """The text of a document as an independent reader finds it, without spaces."""
    return squeezed("".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(data), strict=True).pages))


def record(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(pypdf.PdfReader(BytesIO(data)).attachments["consent.json"][0])
    return found


def drawn(data: bytes, name: str = "") -> list[Any]:
    """The pages as pictures, by another independent reader; kept where HOUSECALL_PICTURES says."""
    document = pypdfium2.PdfDocument(data)
    pages = [page.render(scale=1.5).to_pil().convert("L") for page in document]
    document.close()
    if (folder := os.environ.get("HOUSECALL_PICTURES")) and name:
        for number, each in enumerate(pages, 1):
            each.save(Path(folder) / f"teleconsent-pdf-{name}-{number}.png")
    return pages


def text_of(name: str) -> list[str]:
    """The paragraphs of a supplied form as they are printed."""
    lines = (ROOT / f"plugins/teleconsent/forms/{name}.md").read_text("utf-8").splitlines()
    return [re.sub(r"^(## |- )", "", line).replace("{practice}", "Elm Street Practice") for line in lines if line]


def verify(folder: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "housecall", "verify-consent", *files, "--dir", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_it_is_asked_for_read_together_and_signed_in_the_call(pair: Callable[..., Any]) -> None:
    """The provider asks, points at a passage, sees each step; both save the same document; the patient withdraws."""
    _, room, provider, patient = pair(patient={"viewport": PHONE})
    check_in(patient, room.url, "Grace")
    start(provider, "Grace")
    connected(provider, patient)
    provider.get_by_role("button", name="Consent").click()
    side = provider.locator("#side")
    side.get_by_label("Ask for a signature on").select_option(label="Consent to telehealth")
    side.get_by_role("button", name="Ask", exact=True).click()
    expect(side.locator("li .tag")).to_have_text("Waits on the patient's page")
    expect(patient.locator(".bar .badge")).to_have_text("1")
    patient.get_by_role("button", name="Consent").click()
    picture(patient, "asked")
    patient.get_by_role("button", name="Read the form").click()
    expect(patient.get_by_role("heading", name="Consent to telehealth")).to_be_focused()
    expect(side.locator("li .tag")).to_have_text("The patient is reading it")

    side.get_by_role("button", name="Read it together").click()
    passage = side.locator("[data-n]", has_text="Telehealth is not for emergencies")
    passage.click()
    pointed = patient.locator("#side .teleconsent-pointed")
    expect(pointed).to_contain_text("Telehealth is not for emergencies")
    expect(pointed).to_be_in_viewport()
    expect(patient.locator("#said")).to_contain_text("Your provider points at: Telehealth is not for")
    side.locator(".teleconsent-point").first.focus()
    provider.keyboard.press("ArrowDown")
    provider.keyboard.press("Enter")
    expect(pointed).to_contain_text("Telehealth means that you and your provider")
    picture(provider, "pointing")
    picture(patient, "pointed")
    for page in (provider, patient):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            audit(page, f"reading, {scheme}", only="#side")
            picture(page, f"reading-{scheme}-{'patient' if page is patient else 'provider'}")
        page.emulate_media(color_scheme="light")

    sign(patient, "#side")
    expect(patient.locator("#side .error:visible").first).to_have_text("This is needed.")
    expect(patient.get_by_label("Where are you now?")).to_be_focused()
    fill(patient, "#side")
    picture(patient, "filled")
    sign(patient, "#side")
    expect(side.locator("li .tag")).to_have_text("Signed")
    copies = saved(provider, "#side"), saved(patient, "#side")
    picture(provider, "signed")
    assert copies[0] == copies[1]
    look_at(copies[0])

    patient.locator("#side").get_by_role("button", name="Withdraw").click()
    patient.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(side.locator("li .tag")).to_have_text("Signed, then withdrawn")
    end(provider)
    assert saved(provider, "#after") == saved(patient, ".after") == copies[0]
    picture(patient, "after")


def look_at(data: bytes) -> None:
    """The document says the whole text, what was filled in, who signed and when; the signature is drawn on it."""
    whole, said = read(data), record(data)
    for paragraph in text_of("telehealth"):
        assert squeezed(paragraph) in re.sub(r"Page\dof\dSHA-256[0-9a-f]{64}", "", whole), paragraph
    written = (
        "\n\n".join(
            [
                f"# {said['form']['title']}",
                *({"h": "## ", "li": "- "}.get(k, "") + t for k, t in said["form"]["blocks"]),
            ]
        )
        + "\n"
    )
    assert said["form"]["sha256"] == hashlib.sha256(written.encode()).hexdigest()
    for text in (
        PLACE,
        PHONE_NUMBER,
        NAME,
        "Version1",
        said["at"],
        said["zone"],
        said["form"]["sha256"],
        "ElmStreetPractice",
    ):
        assert squeezed(text).lower() in whole.lower(), text
    pages = drawn(data, "telehealth")
    [signer] = said["signers"]
    assert signer["how"] == "drawn"
    assert len(signer["strokes"]) == 2
    place = signature_of(data)
    ink = [page.crop(box).histogram() for page, box in ((pages[place[0]], place[1]),)]
    assert sum(ink[0][:BLACK]) > 150, "no signature is to be seen"


def signature_of(data: bytes) -> tuple[int, tuple[int, int, int, int]]:
    """The page of the drawn signature, and its box in the picture of `drawn`."""
    for number, page in enumerate(pypdf.PdfReader(BytesIO(data)).pages):
        content = page.get_contents()
        assert content is not None
        found = re.search(rb"/TeleconsentSignature BMC\s+q\s+0\.3 0 0 -0\.3 ([\d.]+) ([\d.]+) cm", content.get_data())
        if found:
            x, top = float(found[1]), float(page.mediabox.height) - float(found[2])
            return number, tuple(round(v * 1.5) for v in (x, top, x + 300, top + 88))  # type: ignore[return-value]
    raise AssertionError("there is no signature")


def test_before_the_visit_it_is_signed_by_keyboard_or_refused_and_overridden(
    pair: Callable[..., Any], person: Callable[..., Person]
) -> None:
    """Without a signature nobody is in line; a provider who admits all the same stands in the audit."""
    practice, room, provider, patient = pair(RECEIPTS, patient={"viewport": PHONE})
    arrive(patient, room.url)
    card = provider.locator(".card", has_text="Grace")
    expect(card.get_by_role("button", name="Start visit")).to_be_hidden()
    expect(patient.get_by_role("region", name="Consent to telehealth")).to_be_visible()
    picture(patient, "before")
    with Visitor(practice.url, login=room.login).dashboard(key=page_key()) as board:
        visit = board.hear("welcome")["rooms"][0]["cards"][0]["id"]
        assert board.ask("move", {"visit": visit, "to": "in_call", "rev": None})["error"] == "invalid"
    patient.get_by_role("button", name="Decline").click()
    expect(patient.get_by_text("You have declined to sign")).to_be_visible()
    card.locator("summary", has_text="Consent").click()
    expect(card.locator("li .tag")).to_have_text("Declined")
    expect(patient.locator("main[data-state=arriving]")).to_be_visible()
    picture(provider, "declined")

    patient.get_by_role("button", name="Read it after all").press("Enter")
    expect(patient.get_by_role("heading", name="Consent to telehealth").last).to_be_focused()
    by_keyboard(patient)
    expect(patient.locator("main[data-state=waiting]")).to_be_visible()
    expect(card.locator("li .tag")).to_have_text("Signed")
    data = saved(provider, ".card")
    assert saved(patient, ".waiting") == data
    picture(patient, "waiting")
    picture(provider, "card")
    assert record(data)["signers"][0]["how"] == "typed"
    assert squeezed(NAME) in read(data)
    for page in (provider, patient):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            audit(page, scheme, only=".teleconsent")
    receipted(practice, data)

    other = person("blue", own=f"localhost:{practice.port}").page
    arrive(other, room.url, "Katherine")
    provider.get_by_role("button", name="Admit Katherine anyway").click()
    expect(other.locator("main[data-state=waiting]")).to_be_visible()
    rows = audited(practice)
    assert [(row[0], row[2].partition(" ")[2]) for row in rows] == [(room.member, "teleconsent:telehealth")]


def test_who_signs_can_neither_decline_meanwhile_nor_be_lost_for_a_tab(pair: Callable[..., Any]) -> None:
    """While the document is made there is nothing to press; a name that was pasted with a tab is a name."""
    _, room, provider, patient = pair(BEFORE)
    patient.route("**/teleconsent-pdf.js", lambda route: None)
    arrive(patient, room.url)
    fill(patient, ".arriving", name=NAME.replace(" ", " \t "), how="typed")
    sign(patient, ".arriving")
    expect(patient.get_by_text("The signed document is made")).to_be_visible()
    expect(patient.locator(".arriving").get_by_role("button", name="Decline")).to_be_disabled()
    patient.unroute("**/teleconsent-pdf.js")  # what was held goes on
    expect(patient.locator("main[data-state=waiting]")).to_be_visible()
    card = provider.locator(".card")
    card.locator("summary", has_text="Consent").click()
    expect(card.locator("li .tag")).to_have_text("Signed")
    assert record(saved(provider, ".card"))["signers"][0]["name"] == NAME
    start(provider, "Grace")
    connected(provider, patient)
    end(provider)
    expect(patient.locator(".after").get_by_role("button", name="Download the signed form")).to_be_visible()
    assert (asks_before_leaving(provider), asks_before_leaving(patient)) == (False, True)
    saved(patient, ".after")
    assert not asks_before_leaving(patient)


#: The desk of a patient's page with a visit of its own: what is said in it stays here.
DESK = """() => {
  const here = document.querySelector("hc-part[data-plugin=teleconsent]").dataset.module.replace("teleconsent.js", "");
  const names = [...["desk", "form"].map(each => `${here}teleconsent-${each}.js`), "housecall/thread.js"];
  const modules = Promise.all(names.map(name => import(name)));
  window.desk = async ({ slot = "waiting.main", ...more } = {}) => {
    const [{ papers, sit }, { load }, { Thread }] = await modules, threads = {}, told = [], done = [];
    for (const event of ["ask", "word", "piece"]) threads[event] = new Thread();
    const root = document.createElement("section"), place = document.createElement("div");
    root.id = "desk";
    place.className = "teleconsent";
    place.dataset.form = "telehealth";
    root.append(place);
    document.body.append(root);
    let at = 0;
    const own = {
      threads, told, done, root, load,
      hear(event, data, entry = {}) {
        threads[event].add({ id: crypto.randomUUID(), at: at += 1, t: at, data, state: "delivered", ...entry });
      },
      state: () => papers(threads)[0]?.state,
      begin() { sit(own.host, threads); },
    };
    const text = (words, values = {}) => words.replace(/\\{(\\w+)\\}/g, (all, key) => values[key] ?? all);
    own.host = {
      slot, root, text, me: { role: "patient" }, settings: {}, signal: new AbortController().signal,
      load: name => import(new URL(name, location.origin + here)),
      visit: { id: crypto.randomUUID(), seats: [] },
      channel: { send: async (event, data) => own.hear(event, data, { mine: true, state: "waiting" }), on() {} },
      ui: {
        notice: words => told.push(words), say: words => told.push(words), confirm: async () => true,
        badge() {}, progress: () => ({ value() {}, done() {} }),
      },
      done: async (step, is) => { done.push(is); return true; },
      ...more,
    };
    return window.own = own;
  };
}"""


@pytest.fixture
def desk(serve: Callable[..., Practice], person: Callable[..., Person]) -> Person:
    """Somebody in whose page `desk()` makes a patient's desk, which is `own` then."""
    practice = serve(TOML)
    somebody = person(own=f"localhost:{practice.port}")
    check_in(somebody.page, practice.room().url, "Grace")
    somebody.page.evaluate(DESK)
    return somebody


def test_a_word_that_is_refused_is_no_signature(desk: Person) -> None:
    """What the far pages would not take is said beside the button; the step is not done, and nobody is thanked."""
    page = desk.page
    page.evaluate(
        """async () => {
          const { host } = await desk({ slot: "checkin.step" }), { send } = host.channel;
          host.channel.send = async (event, data) => {
            if (data.state === "signed") throw new Error("invalid");
            return send(event, data);
          };
          own.begin();
        }"""
    )
    fill(page, "#desk", how="typed")
    desk.expected.append("teleconsent: Error: invalid")
    sign(page, "#desk")
    expect(page.locator("#desk .error:visible")).to_contain_text("The document could not be made")
    assert page.evaluate("own.done") == []
    assert page.evaluate("own.state()") == "opened"
    assert "Signed. Thank you." not in page.evaluate("own.told")


def test_two_long_names_are_a_word_that_goes(desk: Person) -> None:
    """Of all the names, as much as the word may hold; the document has them whole."""
    page, names = desk.page, ("A" * 120, "B" * 120)
    page.evaluate(
        """async () => {
          await desk({ slot: "checkin.step" });
          own.root.firstChild.dataset.form = "minor";
          own.begin();
        }"""
    )
    paper = page.locator("#desk")
    paper.get_by_label("Name of the minor").fill("Ada")
    paper.get_by_label("Date of birth of the minor").fill("2015-12-10")
    paper.get_by_label("A parent", exact=True).check()
    paper.get_by_label("Where are you and the minor now?").fill(PLACE)
    paper.get_by_label("Telephone number at which").fill(PHONE_NUMBER)
    paper.get_by_label("I am with the minor").check()
    for number, name in enumerate(names):
        paper.get_by_label("Full name").nth(number).fill(name)
        paper.get_by_label("Use my typed name").nth(number).check()
    sign(page, "#desk")
    expect(paper).to_contain_text("You have signed")
    assert page.evaluate("own.threads.word.entries.at(-1).data.name") == ", ".join(names)[:200]


#: A form is asked for, and what the page that was here before a reload has said of it comes after.
AGAIN = """async () => {
  await desk();
  const paper = "one", form = "telehealth", said = { mine: true, told: true };
  own.hear("ask", { paper, form, version: "1", title: "Consent" });
  own.begin();
  await Promise.resolve();
  own.hear("word", { paper, form, state: "requested" }, { ...said, at: 1.1 });
  own.hear("word", { paper, form, state: "opened" }, { ...said, at: 1.2 });
  own.hear("word", { paper, form, state: "signed", title: "Consent", file: "0", pieces: 1 }, { ...said, at: 1.3 });
  return own.threads.word.entries.at(-1).data.state;
}"""


def test_what_is_signed_stays_signed_whatever_a_page_says_of_it_later(desk: Person) -> None:
    """A page that was reloaded says that it was asked; one that reads it again, that it reads: neither undoes it."""
    page = desk.page
    assert page.evaluate(AGAIN) == "requested", "this page has said nothing after the signature"
    expect(page.locator("#desk")).to_contain_text("You have signed “Consent”.")
    assert page.evaluate("own.state()") == "signed"
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("button", name="Read it again").click()
    expect(page.get_by_role("button", name="Sign", exact=True)).to_be_visible()
    wait(page, "() => own.threads.word.entries.at(-1).data.state === 'opened'", None)
    assert page.evaluate("own.state()") == "withdrawn"
    page.evaluate("own.hear('word', { paper: 'one', form: 'telehealth', state: 'signed', file: '0', pieces: 1 })")
    expect(page.locator("#desk")).to_contain_text("You have signed")


def test_a_form_that_was_signed_elsewhere_does_not_open_over_that(desk: Person) -> None:
    """The text was on its way to a page that was reloaded; what it had signed came first."""
    page, held = desk.page, list[Route]()
    page.route("**/form/telehealth", lambda route: held.append(route))
    page.evaluate("async () => { await desk({ slot: 'checkin.step' }); own.begin(); }")
    expect(page.get_by_text("the form is on its way")).to_be_visible()
    signed = {"paper": "before-telehealth", "form": "telehealth", "state": "signed", "file": "0", "pieces": 1}
    page.evaluate("signed => own.hear('word', signed, { mine: true })", signed)
    expect(page.locator("#desk")).to_contain_text("You have signed")
    for route in held:
        route.continue_()
    page.unroute("**/form/telehealth")
    page.evaluate("own.load('telehealth')")  # in its turn: what was asked for first is there
    expect(page.get_by_role("button", name="Sign", exact=True)).to_have_count(0)
    assert page.evaluate("own.threads.word.entries.map(({ data }) => data.state)") == ["signed"]


def test_a_page_that_was_reloaded_tells_of_the_forms_that_wait(desk: Person) -> None:
    """Of several that were asked for, one is unsigned."""
    page = desk.page
    page.evaluate(
        """async () => {
          await desk();
          for (const paper of ["one", "two", "three"]) own.hear("ask", { paper, form: "telehealth", version: "1" });
          own.hear("word", { paper: "one", form: "telehealth", state: "signed", file: "0", pieces: 1 }, { mine: true });
          own.hear("ask", { paper: "three", form: "telehealth", off: true });
          own.begin();
        }"""
    )
    assert page.evaluate("own.told") == ["Your provider asks you to read and sign a form."]
    page.evaluate("own.hear('ask', { paper: 'four', form: 'telehealth', version: '1' })")
    wait(page, "() => own.told.length === 2", None)


def signed_alone(serve: Callable[..., Practice], person: Callable[..., Person]) -> tuple[Practice, Room, Person, Page]:
    """Somebody has signed before the visit, and no dashboard is open: practice, room, provider, the patient's page."""
    practice = serve(BEFORE)
    room, own = practice.room(), f"localhost:{practice.port}"
    patient, provider = person("green", own=own).page, person("red", own=own)
    arrive(patient, room.url)
    fill(patient, ".arriving", how="typed")
    sign(patient, ".arriving")
    expect(patient.locator("main[data-state=waiting]")).to_be_visible()
    return practice, room, provider, patient


def test_a_signed_form_is_said_to_be_with_the_provider_when_it_is(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """Whoever signs before any dashboard is open has the only copy, until one is."""
    practice, room, provider, patient = signed_alone(serve, person)
    state = patient.locator(".waiting .teleconsent-state")
    expect(state).to_contain_text("Leave this page open until your provider has it: it is nowhere else.")
    assert asks_before_leaving(patient)
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    expect(state).to_have_text("You have signed “Consent to telehealth”. Your provider has it too.")
    assert not asks_before_leaving(patient)
    provider.page.locator(".card summary", has_text="Consent").click()
    assert saved(provider.page, ".card") == saved(patient, ".waiting")


def test_a_signed_form_that_a_reload_has_lost_is_to_be_signed_again(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """Nobody had it yet: the step is open again, and both sides are told. What a provider's page has, counts."""
    practice, room, provider, patient = signed_alone(serve, person)
    patient.reload()
    expect(patient.locator("main[data-state=arriving]")).to_be_visible()
    expect(patient.locator(".arriving .teleconsent .notice")).to_contain_text("was lost when this page was loaded anew")
    audit(patient, "lost", only=".teleconsent")
    picture(patient, "lost")
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    card = provider.page.locator(".card")
    expect(card.get_by_role("button", name="Start visit")).to_be_hidden()
    card.locator("summary", has_text="Consent").click()
    expect(card.locator("li .tag")).to_have_text("The patient is reading it")

    fill(patient, ".arriving", how="typed")
    sign(patient, ".arriving")
    expect(patient.locator("main[data-state=waiting]")).to_be_visible()
    expect(card.locator("li .tag")).to_have_text("Signed")
    expect(card.get_by_role("button", name="Start visit")).to_be_visible()
    patient.reload()
    expect(patient.locator(".waiting .teleconsent-state")).to_contain_text("Your provider has it too.")
    patient.wait_for_timeout(6000)  # longer than a page waits for what a provider's page tells
    expect(patient.locator("main[data-state=waiting]")).to_be_visible()
    assert saved(provider.page, ".card") == saved(patient, ".waiting")


def test_a_form_that_a_providers_page_has_counts_again_after_a_restart(desk: Person) -> None:
    """The step is open, since the server knows nothing more; what was signed is told by the page that has it, once."""
    page = desk.page
    page.evaluate(
        """async () => {
          const steps = { "teleconsent:telehealth": "open" }, visit = { id: crypto.randomUUID(), seats: [], steps };
          await desk({ slot: "checkin.step", plugin: "teleconsent", visit });
          own.begin();
          const signed = { paper: "before-telehealth", form: "telehealth", state: "signed", file: "0", pieces: 1 };
          own.hear("word", signed, { mine: true, told: true });
        }"""
    )
    expect(page.locator("#desk")).to_contain_text("You have signed")
    wait(page, "() => own.done.length > 0", None)
    assert page.evaluate("own.done") == [True]


def test_a_form_that_was_thought_lost_counts_when_a_page_that_has_it_comes(desk: Person) -> None:
    page = desk.page
    page.evaluate(
        """async () => {
          const steps = { "teleconsent:telehealth": "done" }, id = crypto.randomUUID();
          const more = { plugin: "teleconsent", visit: { id, seats: [], state: "waiting", steps } };
          await desk(more);
          own.host.channel.others = () => [];
          own.begin();
          window.before = own;
          window.after = async () => {
            before.root.remove();
            await desk({ ...more, slot: "checkin.step" });
            own.begin();
          };
        }"""
    )
    wait(page, "() => before.done.length > 0", None)
    assert page.evaluate("[before.done, before.state()]") == [[False], "requested"]
    page.evaluate("after()")
    expect(page.locator("#desk .notice")).to_contain_text("was lost when this page was loaded anew")
    signed = {"paper": "before-telehealth", "form": "telehealth", "state": "signed", "file": "0", "pieces": 1}
    page.evaluate("signed => own.hear('word', signed, { mine: true, told: true })", signed)
    expect(page.locator("#desk")).to_contain_text("You have signed")
    wait(page, "() => own.done.length > 0", None)
    assert page.evaluate("own.done") == [True]


def test_after_the_visit_nobody_waits_for_a_page_that_is_closed(desk: Person) -> None:
    """What did not reach the provider is to be saved: the two pages say nothing to each other any more."""
    page = desk.page
    page.evaluate(
        """async () => {
          await desk({ slot: "call.after" });
          const signed = { paper: "one", form: "telehealth", title: "Consent", state: "signed", file: "0", pieces: 1 };
          own.hear("word", signed, { mine: true, state: "waiting" });
          own.begin();
        }"""
    )
    expect(page.locator("#desk")).to_contain_text(
        "Your provider does not have it: save it, and give it to the practice."
    )
    expect(page.locator("#desk")).not_to_contain_text("Leave this page open")


def test_who_signs_while_the_line_is_down_is_in_line_when_it_is_back(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """The server hears of the step, and has its receipt; nobody is thanked before."""
    practice = serve(RECEIPTS, host="127.0.0.1")  # for "localhost", Socket.IO does not believe that the line is lost
    room, own = practice.room(), f"127.0.0.1:{practice.port}"
    somebody, provider = person("green", own=own), person("red", own=own)
    somebody.expected += ["WebSocket connection", "ERR_INTERNET_DISCONNECTED"]
    patient = somebody.page
    arrive(patient, room.url)
    fill(patient, ".arriving", how="typed")
    patient.evaluate(
        """() => import(document.querySelector("hc-part[data-plugin=teleconsent]").dataset.module
          .replace("teleconsent.js", "teleconsent-pdf.js"))"""
    )
    somebody.context.set_offline(True)
    expect(patient.locator("#link-lost")).to_be_visible()
    sign(patient, ".arriving")
    expect(patient.locator(".arriving .teleconsent-state")).to_contain_text("You have signed")
    expect(patient.locator("#said")).to_contain_text("Something went wrong")
    answers: list[str] = []
    patient.on("websocket", lambda line: line.on("framereceived", lambda frame: answers.append(str(frame))))
    somebody.context.set_offline(False)
    for _ in range(600):
        if any('"kept":true' in answer for answer in answers):
            break
        patient.wait_for_timeout(50)  # the condition is what was answered; this only paces the asking
    expect(patient.locator("main[data-state=waiting]")).to_be_visible()
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    provider.page.locator(".card summary", has_text="Consent").click()
    file = kept(practice.folder.parent / "signed.pdf", saved(provider.page, ".card"))
    told = verify(practice.folder, file)
    assert "A receipt of exactly this file was kept" in told.stdout, told.stderr


def page_key() -> str:
    """A key that pages can seal for."""
    own = ec.generate_private_key(ec.SECP256R1()).public_key()
    raw = own.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def by_keyboard(page: Page) -> None:
    """From the heading of the paper to its signature, with nothing but keys."""
    typed = {
        "Where are you now?": PLACE,
        "Telephone number at which you can be reached now": PHONE_NUMBER,
        "Full name": NAME,
    }
    for _ in range(30):
        page.keyboard.press("Tab")
        name, kind = page.evaluate(
            "(e => [(e.labels?.[0]?.firstChild?.textContent || e.textContent).trim(), e.type])(document.activeElement)"
        )
        if name in typed:
            page.keyboard.type(typed[name])
        elif kind == "radio" and name == "Draw":
            page.keyboard.press("ArrowRight")
        elif name == "Sign":
            page.keyboard.press("Enter")
            return
    raise AssertionError("Tab never reaches Sign")


def audited(practice: Practice) -> list[tuple[str, str, str]]:
    """Who admitted somebody without a step: actor, action, visit and step."""
    from sqlalchemy import select

    from housecall.clinics.database import db
    from housecall.clinics.models import Audit

    with practice.lasting():
        rows = db.session.scalars(select(Audit).where(Audit.action == "step.waive"))
        return [(row.actor_id or "", row.action, row.object) for row in rows]


def receipted(practice: Practice, data: bytes) -> None:
    """`housecall verify-consent` knows the document by its receipt, and no other one."""
    file = kept(practice.folder.parent / "signed.pdf", data)
    told = verify(practice.folder, file, kept(practice.folder.parent / "other.pdf", data + b"\n"))
    assert told.returncode == 1
    assert "A receipt of exactly this file was kept: telehealth, version 1" in told.stdout
    assert f"Signed by {NAME}" in told.stdout
    assert "version 1, as it comes with Housecall" in told.stdout
    assert [line for line in told.stderr.splitlines() if line.startswith(f"{file}: ")] == []
    assert "other.pdf: No receipt of exactly this file" in told.stderr


#: Makes documents in a page of the plugin, without a visit: [name, script of the signer's name, how, strokes].
MAKE = """async ([names, font]) => {
  const here = document.querySelector("hc-part[data-plugin=teleconsent]").dataset.module.replace("teleconsent.js", "");
  const [{ make }, { load }] = await Promise.all(["pdf", "form"].map(each => import(`${here}teleconsent-${each}.js`)));
  const face = new FontFace("Test Devanagari", Uint8Array.from(atob(font), letter => letter.charCodeAt(0)));
  document.fonts.add(await face.load());
  document.body.style.fontFamily = `"Test Devanagari", ${getComputedStyle(document.body).fontFamily}`;
  const { said } = await load("telehealth"), made = {};
  for (const [name, how] of names) {
    const strokes = how === "drawn" ? [[100, 200, 250, 60, 400, 220], [500, 150]] : [];
    const bytes = await make({
      said, text: (words, values = {}) => words.replace(/\\{(\\w+)\\}/g, (all, key) => values[key] ?? all),
      signers: [{ id: "patient", label: "Patient", name, how, strokes }], providers: ["Dr Ada Smith"],
      answers: [["Where are you now?", name]], at: new Date(Date.UTC(2026, 10, 26, 9, 30)),
    });
    made[name] = btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
  }
  return made;
}"""

ARABIC, HINDI, CHINESE, HEBREW = "محمد بن عبد الله", "श्रीमती क्षितिजा शर्मा", "张伟明", "דוד בן גוריון"
LONG = "Wilhelmina Friederike Wolfeschlegelsteinhausenbergerdorff, Freifrau von und zu Hohenwaldau-Wittgenstein"
NAMES = [["Grace Hopper", "drawn"], [ARABIC, "typed"], [HINDI, "typed"], [CHINESE, "drawn"], [HEBREW, "drawn"]]
NAMES += [[LONG, "typed"]]
LABELS = dict(zip((name for name, _ in NAMES), ("latin", "arabic", "hindi", "chinese", "hebrew", "long"), strict=True))


def test_any_name_is_printed_and_found_again_and_no_change_goes_unseen(
    pair: Callable[..., Any], tmp_path: Path
) -> None:
    """Names that the standard fonts cannot write are the browser's pictures, with their letters behind them."""
    practice, room, _, patient = pair()
    check_in(patient, room.url, "Grace")
    font = base64.b64encode(FONT.read_bytes()).decode()
    made = {name: base64.b64decode(data) for name, data in patient.evaluate(MAKE, [NAMES, font]).items()}
    for name, data in made.items():
        pdf = pypdf.PdfReader(BytesIO(data), strict=True)
        label = LABELS[name]
        pages = drawn(data, label)
        assert len(pages) == len(pdf.pages)
        found = pypdfium2.PdfDocument(data)
        by_another = squeezed("".join(page.get_textpage().get_text_range() for page in found))
        found.close()
        assert squeezed(name) in by_another, f"{label}: not found by pdfium"
        assert squeezed(name) in read(data), f"{label}: not found by pypdf"
        assert is_seen(pdf, pages), f"{label}: its picture is empty"
        within(data, signature=name == LONG)
    files = [kept(tmp_path / f"{number}.pdf", data) for number, data in enumerate(made.values())]
    again = kept(tmp_path / "again.pdf", rewritten(made[HINDI], lambda writer: None))  # the same to whoever reads it
    told = verify(practice.folder, *files, again)
    assert told.returncode == 0, told.stderr
    for name, file in zip(made, files, strict=True):
        said = "\n".join(line for line in told.stdout.splitlines() if line.startswith(f"{file}: "))
        assert f"Signed by {name} at 2026-11-26T09:30:00Z" in said
        assert ("are pictures" in said) == (not name.isascii())
        assert "keeps no receipts" in said
    changes = tampered(made["Grace Hopper"])
    changes.append(("glyphs that are seen", rewritten(made[HINDI], uncovered), "has another font"))
    files = [kept(tmp_path / f"changed-{number}.pdf", data) for number, (_, data, _) in enumerate(changes)]
    told = verify(practice.folder, *files)
    assert told.returncode == 1
    for (how, _, words), file in zip(changes, files, strict=True):
        said = [line for line in told.stderr.splitlines() if line.startswith(f"{file}: ")]
        assert any(words in line for line in said), f"{how}: {said} {told.stdout}"


def kept(file: Path, data: bytes) -> Path:
    file.write_bytes(data)
    return file


def within(data: bytes, *, signature: bool) -> None:
    """Each line is as wide as its place at most, as an independent reader measures it: so is a typed signature."""
    document, typed = pypdfium2.PdfDocument(data), 0
    for page in document:
        for each in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_TEXT]):
            left, _, right, _ = each.get_bounds()
            assert right <= page.get_width() - 50, f"a line ends at {right}"
            if signature and 61 < left < 63:
                typed += 1
                assert right <= 56 + 300, f"the signature ends at {right}"
    document.close()
    assert typed == signature


def is_seen(pdf: pypdf.PdfReader, pages: list[Any]) -> bool:
    """Whether each line that is a picture has ink where it stands."""
    for number, page in enumerate(pdf.pages):
        content = page.get_contents()
        assert content is not None
        height = float(page.mediabox.height)
        for width, high, x, y in re.findall(
            rb"q\s+([\d.]+) 0 0 ([\d.]+) ([\d.]+) ([\d.]+) cm\s+/Line", content.get_data()
        ):
            left, low, wide, tall = float(x), float(y), float(width), float(high)
            box = tuple(round(v * 1.5) for v in (left, height - low - tall, left + wide, height - low))
            if sum(pages[number].crop(box).histogram()[:128]) < 20:
                return False
    return True


def javascript(writer: pypdf.PdfWriter, code: str = "app.alert(1)") -> None:
    """A script that runs when the document is opened."""
    action = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject(code)}
    writer._root_object[NameObject("/OpenAction")] = DictionaryObject(action)


def rewritten(data: bytes, work: Callable[[pypdf.PdfWriter], Any]) -> bytes:
    writer, out = pypdf.PdfWriter(clone_from=BytesIO(data)), BytesIO()
    work(writer)
    writer.write(out)
    return out.getvalue()


def tampered(data: bytes) -> list[tuple[str, bytes, str]]:
    """How somebody could change a document, the document that it becomes, and what the command says to it."""

    def changed(work: Callable[[pypdf.PdfWriter], Any]) -> bytes:
        return rewritten(data, work)

    def content(number: int, before: bytes, after: bytes) -> Callable[[pypdf.PdfWriter], None]:
        def work(writer: pypdf.PdfWriter) -> None:
            page, stream = writer.pages[number], DecodedStreamObject()
            was = page.get_contents().get_data()  # type: ignore[union-attr]
            assert before in was, was[:400]
            stream.set_data(was.replace(before, after))
            page[NameObject("/Contents")] = writer._add_object(stream)

        return work

    def recorded(work: Callable[[dict[str, Any]], None]) -> bytes:
        said = record(data)
        work(said)

        def written(writer: pypdf.PdfWriter) -> None:
            for each in writer.attachment_list:
                each.content = json.dumps(said).encode()

        return changed(written)

    def noted(writer: pypdf.PdfWriter) -> None:
        note = {NameObject("/Type"): NameObject("/Annot"), NameObject("/Subtype"): NameObject("/Text")}
        writer.pages[0][NameObject("/Annots")] = ArrayObject([DictionaryObject(note)])

    def reworded(said: dict[str, Any]) -> None:
        said["form"]["blocks"][1][1] = "Something else."

    def consistent(said: dict[str, Any]) -> None:
        reworded(said)
        form = said["form"]
        blocks = [{"h": "## ", "li": "- "}.get(kind, "") + text for kind, text in form["blocks"]]
        text = "\n\n".join([f"# {form['title']}", *blocks]) + "\n"
        form["sha256"] = hashlib.sha256(text.encode()).hexdigest()

    def lettered(writer: pypdf.PdfWriter) -> None:
        """The bytes stay, an N is drawn as a Y."""
        font = writer.pages[0]["/Resources"]["/Font"]["/regular"]  # type: ignore[index]
        names = ArrayObject([NumberObject(78), NameObject("/Y")])
        kind = DictionaryObject({NameObject("/Type"): NameObject("/Encoding"), NameObject("/Differences"): names})
        font[NameObject("/Encoding")] = kind

    def boxed(key: str, *, everywhere: bool = False) -> Callable[[pypdf.PdfWriter], None]:
        def work(writer: pypdf.PdfWriter) -> None:
            page = writer.pages[0]
            box = ArrayObject([NumberObject(each) for each in (0, 400, 600, 800)])
            (page["/Parent"] if everywhere else page)[NameObject(key)] = box  # type: ignore[index]

        return work

    def stamped(writer: pypdf.PdfWriter) -> None:
        """A form, which draws what it likes, in the place of a picture."""
        form = DecodedStreamObject()
        form.set_data(b"1 g 0 0 600 800 re f")
        form.update({NameObject("/Type"): NameObject("/XObject"), NameObject("/Subtype"): NameObject("/Form")})
        writer.pages[0]["/Resources"]["/XObject"][NameObject("/Line1")] = writer._add_object(form)  # type: ignore[index]
        content(0, b"BT", b"q 9 0 0 9 56 700 cm /Line1 Do Q\nBT")(writer)

    def turned(writer: pypdf.PdfWriter) -> None:
        """Two lines change places: what was filled in stands below another question."""
        text = writer.pages[last].get_contents().get_data()  # type: ignore[union-attr]
        one, two = re.findall(rb"1 0 0 1 56 [\d.]+ Tm", text)[1:3]
        content(last, text, text.replace(one, b"?").replace(two, one).replace(b"?", two))(writer)

    def named(writer: pypdf.PdfWriter) -> None:
        writer._root_object["/Names"][NameObject("/JavaScript")] = DictionaryObject()  # type: ignore[index]

    def appended() -> bytes:
        writer, out = pypdf.PdfWriter(BytesIO(data), incremental=True), BytesIO()
        writer.pages[0].rotate(180)
        writer.write(out)
        return out.getvalue()

    last = len(pypdf.PdfReader(BytesIO(data)).pages) - 1
    number, _ = signature_of(data)
    alien, other, moved = "holds something that was not there", "has another font", "at another place, or of another"
    encrypted = pypdf.PdfWriter(clone_from=BytesIO(data))
    encrypted.encrypt("secret", algorithm="RC4-128")
    out = BytesIO()
    encrypted.write(out)
    hopper = b"Hopper".hex().upper().encode()
    return [
        ("another name on the page", changed(content(last, hopper, b"Murray".hex().upper().encode())), "says"),
        ("another signature", changed(content(number, b"250 60 l", b"251 60 l")), "The drawn signature is not"),
        ("a line through it", changed(content(last, b"BT", b"10 10 m 20 20 l S BT")), alien),
        ("a rule through it", changed(content(last, b" 553.28 ", b" 600 ")), moved),
        ("no rule", changed(content(last, b"q 0.35 G 0.7 w 56 553.28 m 356 553.28 l S Q\n", b"")), "or are missing"),
        ("a thick rule", changed(content(last, b"0.7 w", b"700 w")), alien),
        ("a box over it", changed(content(0, b"BT", b"1 1 1 rg 0 0 600 800 re f BT")), alien),
        ("another font", changed(lettered), other),
        ("another of its fonts", changed(content(0, b"/regular", b"/Hidden0")), other),
        ("white text", changed(content(0, b"0 g", b"1 g")), alien),
        ("tiny text", changed(content(0, b"10.5 Tf", b"0.01 Tf")), moved),
        ("huge text", changed(content(0, b"10.5 Tf", b"700 Tf")), moved),
        ("text beside the page", changed(content(0, b" 1 56 ", b" 1 700 ")), moved),
        ("text above the page", changed(content(0, b" 40 Tm", b" 900 Tm")), moved),
        ("text turned round", changed(content(0, b"1 0 0 1", b"-1 0 0 -1")), alien),
        ("lines changed round", changed(turned), moved),
        ("a stamp", changed(stamped), alien),
        ("cropped", changed(boxed("/CropBox")), alien),
        ("cropped all over", changed(boxed("/CropBox", everywhere=True)), "/CropBox"),
        ("another box", changed(boxed("/MediaBox")), alien),
        ("turned", changed(lambda writer: writer.pages[0].rotate(180)), alien),
        ("turned afterwards", appended(), "Something was added to it"),
        ("a script", changed(javascript), "/OpenAction"),
        ("a script by its name", changed(named), "/JavaScript"),
        ("one more file", changed(lambda writer: writer.add_attachment("more.txt", b"More")), "/EmbeddedFiles"),
        ("a note", changed(noted), alien),
        ("another text in the record", recorded(reworded), "is not the text that has the SHA-256"),
        ("another text and its own hash", recorded(consistent), "do not say"),
        ("encrypted", out.getvalue(), "It is encrypted"),
        ("cut off", data[: len(data) // 2], "It is not a signed document"),
        ("something else", b"%PDF-1.7\n", "It is not a signed document"),
    ]


def uncovered(writer: pypdf.PdfWriter) -> None:
    """The letters behind the pictures have a glyph, which is a box over the picture."""
    glyph = DecodedStreamObject()
    glyph.set_data(b"500 0 d0 0 0 500 1000 re f")
    fonts = [page["/Resources"]["/Font"] for page in writer.pages]  # type: ignore[index]
    hidden = next(each["/Hidden0"] for each in fonts if "/Hidden0" in each)
    hidden["/CharProcs"][NameObject("/letter1")] = writer._add_object(glyph)


def test_the_server_never_has_what_is_signed(
    pair: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R68: a server that writes down all that it touches finds no name, no answer and no document, and keeps none.

    In the waiting room, where everything goes by the server.
    """
    log = tmp_path / "record"
    monkeypatch.setenv("HOUSECALL_RECORD", str(log))
    practice, room, provider, patient = pair(
        RECEIPTS, command=(sys.executable, "-W", "error", RECORDING, "run"), folder=tmp_path / "site"
    )
    arrive(patient, room.url)
    fill(patient, ".arriving")
    sign(patient, ".arriving")
    expect(patient.locator("main[data-state=waiting]")).to_be_visible()
    provider.locator(".card summary", has_text="Consent").click()
    data = saved(provider, ".card")
    assert NAME in json.dumps(record(data))
    seen = log.read_bytes()
    for event in (b"teleconsent:word", b"teleconsent:piece", b"teleconsent:receipt"):
        assert event in seen, "this server writes nothing down"
    assert hashlib.sha256(data).hexdigest().encode() in seen, "the receipt"
    strokes = ",".join(map(str, record(data)["signers"][0]["strokes"][0][:8]))
    marks = [*PLACE.split(", "), PHONE_NUMBER, *NAME.split(), strokes, "%PDF"]
    # What it would be if it came unsealed: the letters in which it travels. What is packed in it has none of the above.
    letters = base64.b64encode(data).decode()
    marks += ["JVBERi0", *(letters[at : at + 40] for at in range(0, len(letters) - 40, 4000)), letters[-80:-40]]
    files = [path for path in practice.folder.rglob("*") if path.is_file() and "assets" not in path.parts]
    for where, held in [
        ("the record", seen),
        ("the log", practice.log.read_bytes()),
        *((str(p), p.read_bytes()) for p in files),
    ]:
        for mark in marks:
            assert mark.encode() not in held, f"{mark} is in {where}"


def test_a_command_of_a_plugin_is_there_where_the_plugin_is_on(tmp_path: Path) -> None:
    """Elsewhere `housecall` does not know it, and the file that it is given need not be a document at all."""
    file = tmp_path / "no.pdf"
    file.write_bytes(b"hello")
    (tmp_path / "housecall.toml").write_text(TOML, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "housecall", "migrate", str(tmp_path)], check=True, capture_output=True)
    told = verify(tmp_path, file)
    assert (told.returncode, "It is not a signed document" in told.stderr) == (1, True), told.stderr
    told = verify(tmp_path, tmp_path / "nowhere.pdf")
    assert (told.returncode, "does not exist" in told.stderr) == (2, True), told.stderr
    (tmp_path / "housecall.toml").write_text(TOML.replace('["teleconsent"]', "[]"), encoding="utf-8")
    told = verify(tmp_path, file)
    assert (told.returncode, "invalid choice: 'verify-consent'" in told.stderr) == (2, True), told.stderr


AT = "2026-11-26T09:30:00Z"


def document(name: str = NAME, at: str = AT, **form: Any) -> bytes:
    """A small document of one page as our page makes it, without a browser."""
    title, words = "House rules", "Be kind."
    sha256 = hashlib.sha256(f"# {title}\n\n{words}\n".encode()).hexdigest()
    said = {"id": "own", "version": "1", "lang": "en", "practice": "Elm Street Practice", "title": title}
    said |= {"blocks": [["p", words]], "sha256": sha256, "pages": [], "places": []} | form
    plain = ["".join(c for c in text if c.isprintable()) for text in (name, at)]
    lines = [("bold", 18, title), ("regular", 10.5, words), ("bold", 10.5, "Patient"), ("script", 24, plain[0])]
    lines += [("regular", 10.5, text) for text in (*plain, sha256)]
    lines += [("regular", 7.5, "Page 1 of 1"), ("regular", 7.5, f"SHA-256 {sha256}")]
    y, content = 736.0, []
    for number, (font, size, text) in enumerate(lines):
        y, x = {len(lines) - 2: 40, len(lines) - 1: 29}.get(number, round(y - 1.38 * size, 2)), 56 + 6 * (size == 24)
        content.append(f"BT 0 g /{font} {size} Tf 1 0 0 1 {x} {y} Tm <{text.encode('cp1252').hex().upper()}> Tj ET")
        if size == 24:
            y = round(y - 10, 2)
            content.append(f"q 0.35 G 0.7 w 56 {y} m 356 {y} l S Q")
    signer = {"id": "patient", "label": "Patient", "name": name, "how": "typed", "strokes": []}
    kept = {"form": {key: value for key, value in said.items() if value is not None}, "answers": [], "at": at}
    kept |= {"signers": [signer], "printed": [[text for _, _, text in lines]]}

    writer, stream, out = pypdf.PdfWriter(), DecodedStreamObject(), BytesIO()
    page = writer.add_blank_page(width=612, height=792)
    stream.set_data("\n".join(content).encode())
    page[NameObject("/Contents")] = writer._add_object(stream)
    fonts = {"regular": "Helvetica", "bold": "Helvetica-Bold", "script": "Times-Italic"}
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/Font"): DictionaryObject({NameObject(f"/{font}"): DictionaryObject({
            NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject(f"/{base}"), NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
        }) for font, base in fonts.items()})}
    )  # fmt: skip
    file = writer.add_attachment("consent.json", json.dumps(kept).encode())
    writer._root_object[NameObject("/AF")] = ArrayObject([file.pdf_object.indirect_reference])  # type: ignore[list-item]
    writer.write(out)
    return out.getvalue()


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """The folder of a practice at which nobody is: for the command alone."""
    folder = tmp_path / "office"
    folder.mkdir()
    (folder / "housecall.toml").write_text(TOML, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "housecall", "migrate", str(folder)], check=True, capture_output=True)
    return folder


def test_a_hostile_document_has_no_say_on_the_terminal_and_stops_nothing(office: Path, tmp_path: Path) -> None:
    """What it says is on a line of its own, and steers nothing; the files after it are judged."""
    verdict, hidden = "\nA receipt of exactly this file was kept: own, version 1.\n", "\x1b[8m\x9b8m\u202e\u2028"
    bad = {
        "lang": document(lang=f"en.{verdict}"),
        "version": document(version=f"1{verdict}"),
        "id": document(id=f"own{hidden}"),
        "at": document(at=f"{AT}{hidden}"),
        "filter": unpacked(),
        "practice": document(id="telehealth", practice=None),
        "no lang": document(lang=None),
        "pages": document(pages=[[0, 0]]),
    }
    odd = {"name": document(name=f"Grace{hidden}{verdict}"), "large": document(version="9" * 20)}
    files = [kept(tmp_path / f"{name}.pdf", data) for name, data in (bad | odd).items()]
    good = kept(tmp_path / "good.pdf", document())
    told = verify(office, *files, good)
    said = (told.stdout + told.stderr).splitlines()
    assert (told.returncode, "Traceback" in told.stderr) == (1, False), told.stderr
    for name in bad:
        assert any(line.startswith(f"{tmp_path / name}.pdf: ") for line in told.stderr.splitlines()), name
        assert not any(line.startswith(f"{tmp_path / name}.pdf: It agrees") for line in said), name
    for name in odd:
        assert any(line.startswith(f"{tmp_path / name}.pdf: It agrees with itself.") for line in said), (name, said)
    assert any(line.startswith(f"{good}: Signed by {NAME} at {AT}.") for line in said)
    assert all(line.startswith(str(tmp_path)) for line in said)
    assert all(letter.isprintable() or letter == "\n" for letter in told.stdout + told.stderr)
    alone = verify(office, tmp_path / "name.pdf")
    assert "Signed by Grace\\x1b[8m" in alone.stdout
    assert not any(line.startswith("A receipt") for line in alone.stdout.splitlines())


def test_a_document_from_before_there_were_receipts_is_not_bad(office: Path, tmp_path: Path) -> None:
    """Nor is one of another practice, or from longer ago than receipts are kept: it is only not vouched for."""
    file = kept(tmp_path / "signed.pdf", document())
    told = verify(office, file)
    assert (told.returncode, "This server keeps no receipts" in told.stdout) == (0, True)

    def receipt(data: bytes, at: str) -> None:
        with closing(sqlite3.connect(office / "data/housecall.db")) as database, database:
            row = ("main", hashlib.sha256(data).hexdigest(), "own", "1", datetime.fromisoformat(at).timestamp() * 1000)
            database.execute(
                "insert into teleconsent_receipt (clinic_id, sha256, form, version, at) values (?,?,?,?,?)", row
            )

    receipt(b"another", "2026-11-26T12:00:00Z")
    told = verify(office, file)
    assert (told.returncode, told.stderr) == (0, ""), told.stderr
    assert "begin at 2026-11-26 12:00:00 UTC, and it says that it was signed before" in told.stdout
    later = document(at="2026-11-26T12:00:01Z")
    told = verify(office, kept(tmp_path / "later.pdf", later))
    assert (told.returncode, "No receipt of exactly this file was kept" in told.stderr) == (1, True), told.stdout
    told = verify(office, kept(tmp_path / "oak.pdf", document(at="2026-11-26T12:00:01Z", practice="Oak Street")))
    assert (told.returncode, "keeps no receipts of “Oak Street”" in told.stdout) == (0, True), told.stderr
    receipt(later, "2026-11-26T12:00:02Z")
    told = verify(office, tmp_path / "later.pdf")
    assert (told.returncode, "A receipt of exactly this file was kept: own, version 1" in told.stdout) == (0, True)
    receipt(b"very old", "2009-11-26T12:00:00Z")
    told = verify(office, kept(tmp_path / "old.pdf", document(at="2010-11-26T12:00:00Z")))
    assert (told.returncode, "kept for 10 years" in told.stdout) == (0, True), told.stderr
    told = verify(office, kept(tmp_path / "never.pdf", document(at="2026-13-26T12:00:00Z")))
    assert (told.returncode, "ValueError" in told.stderr) == (1, True), told.stdout


def test_receipts_are_forgotten_after_ten_years(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As plugin.toml says (R76), by the plugin's own job: not a day before, and none that is younger."""
    app = create_app(config.load(office))
    with app.app_context():
        from housecall.plugins.teleconsent import receipts

        from housecall.plugins import teleconsent

        [job], start, years = teleconsent.jobs(), receipts.now(), 10 * 365 * 86_400_000
        old, young = "0" * 64, "1" * 64
        assert job.every == 86_400
        assert receipts.keep("main", old, "telehealth", "1")
        monkeypatch.setattr(receipts, "now", lambda: start + years - 86_400_000)
        assert receipts.keep("main", young, "telehealth", "1")
        job.run("main")
        assert [len(receipts.find(each)) for each in (old, young)] == [1, 1]
        monkeypatch.setattr(receipts, "now", lambda: start + years + 60_000)
        job.run("main")
        assert [len(receipts.find(each)) for each in (old, young)] == [0, 1]
        clinics.database.db.session.remove()
        clinics.database.db.engine.dispose()


def unpacked() -> bytes:
    """A document whose record is packed in a way that nobody knows."""

    def work(writer: pypdf.PdfWriter) -> None:
        file = writer._root_object["/AF"][0].get_object()["/EF"]["/F"]  # type: ignore[index]
        file[NameObject("/Filter")] = NameObject("/Wallaby")

    return rewritten(document(), work)


def test_nothing_of_it_is_loaded_until_it_is_used(pair: Callable[..., Any]) -> None:
    """Its smallest module comes with the call; the desk, the paper and what makes PDF do not."""
    _, room, provider, patient = pair()
    check_in(patient, room.url, "Grace")
    start(provider, "Grace")
    connected(provider, patient)
    for page in (provider, patient):
        expect(page.locator("hc-part[data-plugin=teleconsent][data-slot='call.bar'][data-mounted]")).to_be_attached()
        asked = page.evaluate(
            "performance.getEntriesByType('resource').map(({ name, encodedBodySize }) => [name, encodedBodySize])"
        )
        own = [(url.rpartition("/")[2], size) for url, size in asked if "/teleconsent/" in url or "pdf-lib" in url]
        assert [name for name, _ in own] == ["teleconsent.js"]
        assert own[0][1] < 1024, "of its one module"


def test_a_practice_writes_its_own_form(pair: Callable[..., Any], person: Callable[..., Person]) -> None:
    """In Markdown with a preview, in versions: what was asked for before keeps its text."""
    practice, room, provider, patient = pair()
    owner = person(own=f"localhost:{practice.port}", viewport=PHONE)
    owner.expected.append("status of 422")
    sign_in(owner.context, practice.url, practice.room(role="owner").login)
    page = owner.page
    page.goto(f"{practice.url}/admin")
    page.get_by_role("link", name="Consent forms").click()
    audit(page, "the forms")
    picture(page, "forms")
    page.get_by_role("link", name="Write your own form").click()
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("This is needed.")).to_have_count(2)
    page.get_by_label("Title").fill("Our house rules")
    page.get_by_label("Text").fill("## Rules\n\nBe <b>kind</b> at {practice}.\n\n- One\n- Two")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".previewed")).to_contain_text("Be <b>kind</b> at Elm Street Practice.")
    audit(page, "its preview")
    picture(page, "own")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Saved as version 1")).to_be_visible()

    check_in(patient, room.url, "Grace")
    card = provider.locator(".card")
    card.locator("summary", has_text="Consent").click()
    card.get_by_label("Ask for a signature on").select_option(label="The practice's own form")
    card.get_by_role("button", name="Ask", exact=True).click()
    expect(card.locator("li .tag")).to_have_text("Waits on the patient's page")
    page.get_by_label("Text").fill("Something else")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Saved as version 2")).to_be_visible()
    patient.get_by_role("button", name="Read the form").click()
    expect(patient.locator(".waiting .teleconsent-text li")).to_have_text(["One", "Two"])
    paper = patient.locator(".waiting .teleconsent")
    paper.get_by_label("Full name").fill(NAME)
    paper.get_by_label("Use my typed name").check()
    sign(patient, ".waiting")
    data = saved(provider, ".card")
    assert "Bekind" not in read(data)
    assert "Be<b>kind</b>atElmStreetPractice." in read(data)
    told = verify(practice.folder, kept(practice.folder.parent / "own.pdf", data))
    assert told.returncode == 0, told.stderr
    assert "the practice's own form, version 1" in told.stdout


def own_pdf(*, pages: int = 1, text: str = "Rules of the house", script: bool = False, password: str = "") -> bytes:
    """A PDF as a practice may have one."""
    writer, out = pypdf.PdfWriter(), BytesIO()
    font = DictionaryObject({NameObject(f"/{key}"): NameObject(f"/{value}") for key, value in
                             {"Type": "Font", "Subtype": "Type1", "BaseFont": "Helvetica"}.items()})  # fmt: skip
    for _ in range(pages):
        page, stream = writer.add_blank_page(width=612, height=792), DecodedStreamObject()
        stream.set_data(f"BT /F1 20 Tf 72 700 Td ({text}) Tj 0 -40 Td (Be on time.) Tj ET".encode())
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
        page[NameObject("/Contents")] = writer._add_object(stream)
    if script:
        javascript(writer, "app.alert('Wallaby');")
        writer.add_attachment("wallaby.txt", b"Wallaby attached")
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


def bomb() -> bytes:
    """A small file whose page is 400 MB when it is unpacked."""
    once = zlib.compressobj(1)
    packed = b"".join(once.compress(bytes(1 << 24)) for _ in range(24)) + once.flush()
    stream = zlib.compress(packed, 9)
    head = b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>" % len(stream)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 1000000 1000000] /Contents 4 0 R >>",
        head + b" stream\n" + stream + b"\nendstream",
    ]
    body = b"".join(b"%d 0 obj %s endobj\n" % (number, each) for number, each in enumerate(objects, 1))
    return b"%PDF-1.7\n" + body + b"trailer << /Root 1 0 R >>"


def test_a_practice_uploads_its_own_pdf(pair: Callable[..., Any], person: Callable[..., Person]) -> None:
    """Its pages and its text become a form with places to sign; what would do harm is refused, or stays behind."""
    practice, room, provider, patient = pair()
    owner_room = practice.room(role="owner")
    visitor = Visitor(practice.url, login=owner_room.login)

    def upload(data: bytes) -> Any:
        files = {"pdf": ("rules.pdf", data, "application/pdf")}
        return visitor.post("/-/teleconsent/own", {"do": "read"}, files=files)

    for data, words in (
        (b"", "This is needed."),
        (b"%PDF-1.7 and nothing more", "or it is damaged"),
        (own_pdf()[:300], "or it is damaged"),
        (os.urandom(5_000_001), "too large"),
        (own_pdf(password="secret"), "is encrypted"),
        (own_pdf(pages=13), "1 to 12 pages"),
        (own_pdf(text="").replace(b"(Be on time.)", b"()           "), "no text in this file"),
    ):
        answer = upload(data)
        assert (answer.status_code, words in answer.text) == (422, True), f"{words}: {answer.status_code}"
    assert upload(bomb()).status_code == 422
    assert upload(own_pdf(script=True)).headers["Location"].endswith("own/1")
    for path in practice.folder.rglob("*.db*"):
        assert b"Wallaby" not in path.read_bytes(), "a script or an attachment was kept"

    owner = person(own=f"localhost:{practice.port}")
    sign_in(owner.context, practice.url, owner_room.login)
    owner.page.goto(f"{practice.url}/-/teleconsent/own/1")
    owner.page.get_by_role("button", name="Place a signature on this page").click()
    place = owner.page.locator(".teleconsent-place")
    expect(place).to_be_focused()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp"):
        owner.page.keyboard.press(key)
    sheet = owner.page.locator(".teleconsent-sheet")
    sheet.click(position={"x": 300, "y": 200})
    expect(place).to_have_count(2)
    owner.page.keyboard.press("Delete")
    expect(place).to_have_count(1)
    audit(owner.page, "places")
    picture(owner.page, "places")
    owner.page.get_by_label("Title").fill("House rules")
    owner.page.get_by_role("button", name="Use this form from now on").click()
    expect(owner.page.get_by_text("Saved as version 1")).to_be_visible()

    check_in(patient, room.url, "Grace")
    card = provider.locator(".card")
    card.locator("summary", has_text="Consent").click()
    card.get_by_label("Ask for a signature on").select_option(label="The practice's own form")
    card.get_by_role("button", name="Ask", exact=True).click()
    patient.get_by_role("button", name="Read the form").click()
    paper = patient.locator(".waiting .teleconsent")
    expect(paper.locator("img")).to_have_js_property("complete", True)
    paper.get_by_label("Full name").fill(NAME)
    scribble(patient, paper.locator("canvas"))
    picture(patient, "own-pdf")
    sign(patient, ".waiting")
    data = saved(provider, ".card")
    page = pypdf.PdfReader(BytesIO(data)).pages[0]
    assert len(page.images) == 1, "its page is in the document"
    seen = drawn(data, "own")[0]
    left, top = page_place(page, 0.11, 0.78)
    assert sum(seen.crop((left, top, left + 250, top + 80)).histogram()[:BLACK]) > 80, "it is not signed at its place"
    assert "Rulesofthehouse" in read(data)
    told = verify(practice.folder, kept(practice.folder.parent / "own.pdf", data))
    assert told.returncode == 0, told.stderr
    assert "the practice's own form, version 1" in told.stdout


def test_a_finger_that_scrolls_leaves_no_place_to_sign_and_a_place_is_taken_away(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """A page of a PDF fills the screen of a phone: only a tap puts a place; and no more than the server takes."""
    practice = serve(TOML)
    room = practice.room(role="owner")
    files = {"pdf": ("rules.pdf", own_pdf(pages=2), "application/pdf")}
    Visitor(practice.url, login=room.login).post("/-/teleconsent/own", {"do": "read"}, files=files)
    owner = person(own=f"localhost:{practice.port}", viewport=PHONE, has_touch=True)
    sign_in(owner.context, practice.url, room.login)
    page = owner.page
    page.goto(f"{practice.url}/-/teleconsent/own/1")
    places, sheet = page.locator(".teleconsent-place"), page.locator(".teleconsent-sheet").first
    sheet.scroll_into_view_if_needed()
    finger = {"bubbles": True, "pointerId": 5, "pointerType": "touch", "isPrimary": True, "clientX": 90, "clientY": 200}
    for kind in ("pointerdown", "pointermove", "pointercancel"):
        sheet.dispatch_event(kind, finger)
    expect(places).to_have_count(0)
    sheet.tap(position={"x": 150, "y": 60})
    expect(places).to_have_count(1)
    places.tap()
    expect(places).to_have_count(1)
    audit(page, "a place on a phone")
    picture(page, "places-phone")
    page.get_by_role("button", name="Take away").tap()
    expect(places).to_have_count(0)

    add = page.get_by_role("button", name="Place a signature on this page")
    for n in range(20):
        add.nth(n % 2).click()
    full = page.get_by_role("alert").filter(has_text="There are 20 places")
    expect(full).to_be_hidden()
    add.first.click()
    expect(full).to_be_in_viewport()
    expect(places).to_have_count(20)
    page.get_by_role("button", name="Use this form from now on").click()
    expect(page.get_by_text("Saved as version 1")).to_be_visible()


def test_a_pdf_that_is_not_in_use_is_for_those_who_uploaded_it(serve: Callable[..., Practice]) -> None:
    """The wrong file is nobody's to see, and gone with the next one; no number breaks anything."""
    practice = serve(TOML)
    owner = Visitor(practice.url, login=practice.room(role="owner").login)
    others = Visitor(practice.url), Visitor(practice.url, login=practice.room(role="provider").login)

    def upload() -> str:
        files = {"pdf": ("rules.pdf", own_pdf(), "application/pdf")}
        return str(owner.post("/-/teleconsent/own", {"do": "read"}, files=files).headers["Location"])

    def codes(version: int) -> list[int]:
        return [who.get(f"/-/teleconsent/page/{version}/0").status_code for who in (owner, *others)]

    assert upload().endswith("own/1")
    assert codes(1) == [200, 404, 404]
    assert upload().endswith("own/2")
    assert (codes(1), codes(2)) == ([404, 404, 404], [200, 404, 404])
    assert owner.get("/-/teleconsent/own/1").status_code == 404
    assert owner.post("/-/teleconsent/own/2", {"title": "Rules", "places": "[]"}).status_code == 303
    assert codes(2) == [200, 200, 200]
    assert upload().endswith("own/3")
    assert codes(2) == [200, 200, 200], "what is in use stays"
    large = "9" * 20
    for path in (f"page/{large}/0", f"page/2/{large}", f"form/own/{large}", f"form/own/{2**31}", f"own/{large}"):
        assert owner.get(f"/-/teleconsent/{path}").status_code == 404, path


def page_place(page: Any, x: float, y: float) -> tuple[int, int]:
    """Where a part of the PDF's page is in the picture of the signed document (see `drawn`)."""
    found = re.search(rb"q\s+([\d.]+) 0 0 ([\d.]+) ([\d.]+) ([\d.]+) cm\s+/Page0", page.get_contents().get_data())
    assert found
    wide, high, left, low = map(float, found.groups())
    return round((left + x * wide) * 1.5), round((float(page.mediabox.height) - low - high + y * high) * 1.5)
