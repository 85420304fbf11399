"""Chat (R54-R57): waiting and in the call, one thread for each patient, on whichever road is up, and in no server."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from housecall.testing import Person, Practice, check_in, connected, end, open_dashboard, sign_in, start
from housecall.testing.acts import wait

TOML = '[clinic.main]\nname = "Elm"\nplugins = ["chat"]\n'
INTAKE = Path(__file__).resolve().parents[2] / "examples/plugins/intake"
RECORDING = str(Path(__file__).parent.parent / "recording_server.py")

#: Writes many messages by the form itself, a few at a time, as fast as the page takes them.
WRITE = """async ([where, from, to, sign]) => {
  const form = document.querySelector(`${where} .chat-form`), field = form.querySelector("textarea");
  for (let i = from; i < to; i++) {
    field.value = `${sign}${i}`;
    form.requestSubmit();
    if (i % 20 === 0) await new Promise(resolve => setTimeout(resolve, 0));
  }
}"""
THERE = "([where, n]) => Number(document.querySelector(`${where} .chat-log`)?.dataset.count) >= n"


@pytest.fixture
def pair(serve: Callable[..., Practice], person: Callable[..., Person]) -> Callable[..., Any]:
    """A provider with an open dashboard and a patient who waits, at a practice of their own."""

    def make(toml: str = TOML, **options: Any) -> tuple[Practice, Person, Person]:
        practice = serve(toml, **options)
        room = practice.room()
        own = f"localhost:{practice.port}"
        provider, patient = person("red", own=own), person("green", own=own)
        sign_in(provider.context, practice.url, room.login)
        open_dashboard(provider.page, practice.url)
        check_in(patient.page, room.url, "Grace")
        expect(provider.page.locator(".card")).to_be_visible()
        for page in (provider.page, patient.page):
            expect(page.locator(":is(.card, .waiting) hc-part[data-plugin=chat]")).to_have_attribute("data-mounted", "")
        return practice, provider, patient

    return make


def write(page: Page, where: str, text: str) -> None:
    page.locator(f"{where} .chat-form textarea").fill(text)
    page.keyboard.press("Enter")


def shows(page: Page, where: str, *texts: str) -> None:
    expect(page.locator(f"{where} .chat-log p")).to_have_text(list(texts))  # said again after 4 s


def test_from_the_waiting_room_to_what_may_be_copied(pair: Callable[..., Any]) -> None:
    _, provider, patient = pair()
    provider.context.grant_permissions(["clipboard-read", "clipboard-write", "camera", "microphone"])
    write(patient.page, ".waiting", "I am here")
    expect(provider.page.locator(".card .badge")).to_have_text("1")
    provider.page.locator(".chat-card summary").click()
    expect(provider.page.locator(".card .badge")).to_be_hidden()
    shows(provider.page, ".card", "I am here")
    write(provider.page, ".card", "Ten minutes")
    shows(patient.page, ".waiting", "I am here", "Ten minutes")
    start(provider.page, "Grace")
    connected(provider.page, patient.page)
    patient.page.get_by_role("button", name="Chat").click()
    write(patient.page, "#side", "Can you hear me?")
    expect(provider.page.locator(".bar .badge")).to_have_text("1")
    provider.page.get_by_role("button", name="Chat").click()
    shows(provider.page, "#side", "I am here", "Ten minutes", "Can you hear me?")
    end(provider.page)
    shows(patient.page, ".after", "I am here", "Ten minutes", "Can you hear me?")
    shows(provider.page, "#after", "I am here", "Ten minutes", "Can you hear me?")
    provider.page.locator("#after .chat-copy").click()
    expect(provider.page.locator(".toast", has_text="Copied")).to_be_visible()
    copied = provider.page.evaluate("navigator.clipboard.readText()")
    assert [line.partition(" Grace: ")[2] or line.partition(" You: ")[2] for line in copied.splitlines()] == [
        "I am here",
        "Ten minutes",
        "Can you hear me?",
    ]
    with provider.page.expect_download() as download:
        provider.page.locator("#after .chat-save").click()
    assert Path(download.value.path()).read_text(encoding="utf-8") == copied
    for each in (provider, patient):
        each.page.reload()
        expect(each.page.locator("main[data-ready]")).to_be_attached()
        each.page.wait_for_load_state("networkidle")
        expect(each.page.locator(".chat-log p")).to_have_count(0)
        assert "hear me" not in (each.page.locator("html").text_content() or "")
        assert each.page.evaluate(KEPT) == {"storage": 0, "databases": [], "caches": [], "workers": 0, "cookie": ""}
        names = {cookie["name"].partition("-ticket-")[0] for cookie in each.context.cookies()}
        assert names <= {"hc", "hc-login"}, "a cookie that is neither ticket nor login"
        assert all("hear me" not in cookie["value"] for cookie in each.context.cookies())


#: What this browser keeps of our site, besides cookies that no script can read.
KEPT = """async () => ({
  storage: localStorage.length + sessionStorage.length,
  databases: (await indexedDB.databases()).map(({ name }) => name),
  caches: await caches.keys(),
  workers: (await navigator.serviceWorker.getRegistrations()).length,
  cookie: document.cookie,
})"""


def test_a_thread_for_each_patient(pair: Callable[..., Any], person: Callable[..., Person]) -> None:
    practice, provider, patient = pair()
    other = person("blue", own=f"localhost:{practice.port}")
    check_in(other.page, patient.page.url, "Katherine")
    write(other.page, ".waiting", "From Katherine")
    write(patient.page, ".waiting", "From Grace")
    grace, katherine = (provider.page.locator(".card", has_text=name) for name in ("Grace", "Katherine"))
    expect(grace.locator(".chat-log p")).to_have_text(["From Grace"])
    expect(katherine.locator(".chat-log p")).to_have_text(["From Katherine"])
    start(provider.page, "Grace")
    connected(provider.page, patient.page)
    write(other.page, ".waiting", "Still here")
    expect(katherine.locator(".badge")).to_have_text("2")
    expect(provider.page.locator("#side .chat-log p")).to_have_text(["From Grace"])


def test_a_reloaded_page_gets_the_thread_back(pair: Callable[..., Any]) -> None:
    _, provider, patient = pair()
    write(patient.page, ".waiting", "One")
    shows(provider.page, ".card", "One")
    provider.page.locator(".chat-card summary").click()
    write(provider.page, ".card", "Two")
    shows(patient.page, ".waiting", "One", "Two")
    patient.page.reload()
    shows(patient.page, ".waiting", "One", "Two")
    assert patient.page.locator(".chat-log .mine p").first.text_content() == "One"
    expect(patient.page.locator(".chat-log .mine .chat-who")).to_contain_text("told again by the other side")
    expect(patient.page.locator(".chat-log .theirs .chat-who")).not_to_contain_text("told again")
    provider.page.reload()
    shows(provider.page, ".card", "One", "Two")
    start(provider.page, "Grace")
    connected(provider.page, patient.page)
    patient.page.reload()
    connected(provider.page, patient.page)
    patient.page.get_by_role("button", name="Chat").click()
    shows(patient.page, "#side", "One", "Two")


def test_a_message_waits_for_somebody_to_read_it(serve: Callable[..., Practice], person: Callable[..., Person]) -> None:
    practice = serve(TOML)
    room = practice.room()
    patient = person("green", own=f"localhost:{practice.port}")
    check_in(patient.page, room.url, "Grace")
    write(patient.page, ".waiting", "Is anybody there?")
    expect(patient.page.get_by_text("Not delivered yet")).to_be_visible()
    provider = person("red", own=f"localhost:{practice.port}")
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    shows(provider.page, ".card", "Is anybody there?")
    expect(patient.page.get_by_text("Not delivered yet")).to_have_count(0)


def test_it_is_not_shown_before_it_listens(serve: Callable[..., Practice], person: Callable[..., Person]) -> None:
    """A module that is long under way: what one would write then would be lost."""
    practice, held = serve(TOML), list[Route]()
    patient = person("green", own=f"localhost:{practice.port}")
    patient.page.route("**/chat.js", lambda route: held.append(route))
    with patient.page.expect_request("**/chat.js"):
        check_in(patient.page, practice.room().url, "Grace")
    field = patient.page.locator(".waiting .chat-form textarea")
    expect(field).to_be_attached()
    expect(field).not_to_be_visible()
    for route in held:
        route.continue_()
    write(patient.page, ".waiting", "Is anybody there?")
    expect(patient.page.get_by_text("Not delivered yet")).to_be_visible()


def test_patients_may_be_asked_to_wait_for_the_first_word(pair: Callable[..., Any]) -> None:
    _, provider, patient = pair(TOML + "[clinic.main.chat]\npatient_begins = false\n")
    expect(patient.page.locator(".waiting .chat-closed")).to_be_visible()
    expect(patient.page.locator(".waiting .chat-form")).to_be_hidden()
    provider.page.locator(".chat-card summary").click()
    write(provider.page, ".card", "Good morning")
    write(patient.page, ".waiting", "Good morning to you")
    shows(provider.page, ".card", "Good morning", "Good morning to you")


def test_chat_in_the_call_only(pair: Callable[..., Any]) -> None:
    _, provider, patient = pair(TOML + "[clinic.main.chat]\nwaiting = false\n")
    expect(patient.page.locator(".waiting .chat")).to_be_hidden()
    expect(provider.page.locator(".card .chat")).to_be_hidden()
    start(provider.page, "Grace")
    connected(provider.page, patient.page)
    patient.page.get_by_role("button", name="Chat").click()
    write(patient.page, "#side", "Hello")
    shows(provider.page, "#side", "Hello")


def test_ten_thousand_messages_over_roads_that_break(pair: Callable[..., Any]) -> None:
    practice, provider, patient = pair()
    for each in (provider, patient):
        each.expected += ["WebSocket", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE"]
    provider.page.locator(".chat-card summary").click()
    pages = (provider.page, patient.page)

    def both(begin: int, stop: int, *where: str) -> None:
        for page, place, sign in zip(pages, where, "dp", strict=True):
            page.evaluate(f"given => void ({WRITE})(given)", [place, begin, stop, sign])

    def all_there(count: int, *where: str) -> None:
        for page, place in zip(pages, where, strict=True):
            wait(page, THERE, [place, count], patience=90)

    both(0, 1000, ".card", ".waiting")
    practice.stop(signal.SIGKILL)  # the only road of a waiting room, in the middle of it
    practice.start()
    all_there(2000, ".card", ".waiting")
    start(provider.page, "Grace")
    connected(*pages)
    for page in pages:
        page.get_by_role("button", name="Chat").click()
    both(1000, 2000, "#side", "#side")
    provider.page.evaluate("channels.at(-1).close()")  # from the DataChannel to the socket, and back to a new one
    all_there(4000, "#side", "#side")
    for page in pages:
        wait(page, "() => channels.at(-1).readyState === 'open'", None)
    both(2000, 3000, "#side", "#side")
    practice.stop(signal.SIGKILL)  # the socket goes, the DataChannel carries on
    all_there(6000, "#side", "#side")
    practice.start()
    both(3000, 4000, "#side", "#side")
    patient.page.evaluate("channels.at(-1).close()")
    all_there(8000, "#side", "#side")
    provider.page.reload()  # a new page hears everything from the far one
    connected(*pages)
    provider.page.get_by_role("button", name="Chat").click()
    both(4000, 5000, "#side", "#side")
    all_there(10_000, "#side", "#side")
    end(provider.page)
    said = [saved(provider.page, "#after"), saved(patient.page, ".after")]
    assert said[0] == said[1]
    for sign in "dp":
        assert [text for text in said[0] if text[0] == sign] == [f"{sign}{i}" for i in range(5000)]


def saved(page: Page, where: str) -> list[str]:
    """The texts of the thread as "Save as a file" gives them."""
    with page.expect_download() as download:
        page.locator(f"{where} .chat-save").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    return [line.rpartition(": ")[2] for line in lines]


#: Says something in the moment after the DataChannel has died: the server is the only road.
WITHOUT_CHANNEL = """text => {
  for (const channel of channels) channel.close();
  const form = document.querySelector("#side .chat-form");
  form.querySelector("textarea").value = text;
  form.requestSubmit();
}"""


def test_a_server_that_writes_down_everything_sees_no_text(
    serve: Callable[..., Practice], person: Callable[..., Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "record"
    monkeypatch.setenv("HOUSECALL_RECORD", str(record))
    practice = serve(
        TOML.replace('["chat"]', '["chat", "intake"]'),
        plugins=(INTAKE,),
        command=(sys.executable, "-W", "error", RECORDING, "run"),
    )
    room, own = practice.room(), f"localhost:{practice.port}"
    provider, patient = person("red", own=own), person("green", own=own)
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    patient.page.goto(room.url)
    patient.page.get_by_label("Your name").fill("Grace")
    patient.page.get_by_role("button", name="Check in").first.click()
    patient.page.get_by_label("What brings you today?").fill("Xylophone answer")
    patient.page.locator("form[data-step='intake:reason'] button").click()
    provider.page.get_by_text("Answers", exact=True).click()
    expect(provider.page.locator(".card .answers")).to_contain_text("Xylophone answer")
    write(patient.page, ".waiting", "Zanzibar word")
    shows(provider.page, ".card", "Zanzibar word")
    provider.page.locator(".chat-card summary").click()
    write(provider.page, ".card", "Quetzal word")
    shows(patient.page, ".waiting", "Zanzibar word", "Quetzal word")
    patient.page.reload()
    shows(patient.page, ".waiting", "Zanzibar word", "Quetzal word")
    start(provider.page, "Grace")
    connected(provider.page, patient.page)
    for page in (provider.page, patient.page):
        page.get_by_role("button", name="Chat").click()
    said = ["Zanzibar word", "Quetzal word"]
    for page, text in ((provider.page, "Jacaranda word"), (patient.page, "Wallaby word")):
        before = record.read_bytes().count(b"chat:message")
        connected(provider.page, patient.page)
        page.evaluate(WITHOUT_CHANNEL, text)
        said.append(text)
        shows(provider.page, "#side", *said)
        shows(patient.page, "#side", *said)
        assert record.read_bytes().count(b"chat:message") > before, "it did not go by the server"
    seen = record.read_bytes()
    assert b"Grace" in seen, "it does not write down what it is told"
    assert b"chat:message" in seen
    assert b"sealed" in seen
    assert b"core:answers" in seen
    for word in (b"Zanzibar", b"Quetzal", b"Xylophone", b"Jacaranda", b"Wallaby"):
        assert word not in seen
