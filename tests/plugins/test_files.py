"""Files (R49-R51): both ways, waiting and in the call; whole or not at all; on the server sealed, for 15 minutes."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from housecall.testing import Person, Practice, check_in, connected, end, open_dashboard, sign_in, start
from housecall.testing.access import PHONE, audit, bare
from housecall.testing.acts import asks_before_leaving, more, wait
from housecall.testing.practice import eventually

TOML = '[clinic.main]\nname = "Elm"\nplugins = ["files"]\n'
MARKER = b"Zanzibar quetzal"
MIB = 1024 * 1024

#: A drop of files, as a browser does it when somebody lets go of the mouse.
DROP = """([where, files]) => {
  const carried = new DataTransfer();
  for (const [name, text] of files) carried.items.add(new File([text], name));
  for (const kind of ["dragover", "drop"]) document.querySelector(where).dispatchEvent(
    new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def clinic(serve: Callable[..., Practice]) -> Practice:
    return serve(TOML)


@pytest.fixture
def pair(clinic: Practice, person: Callable[..., Person]) -> Callable[..., tuple[Person, Person]]:
    """A provider, with an open dashboard where wanted, and a patient who waits."""

    def make(*, dashboard: bool = True) -> tuple[Person, Person]:
        room, own = clinic.room(), f"localhost:{clinic.port}"
        provider, patient = person("red", own=own), person("green", own=own)
        sign_in(provider.context, clinic.url, room.login)
        if dashboard:
            open_dashboard(provider.page, clinic.url)
        check_in(patient.page, room.url, "Grace Hopper")
        expect(patient.page.locator(".waiting hc-part[data-plugin=files]")).to_have_attribute("data-mounted", "")
        return provider, patient

    return make


def row(page: Page, where: str, name: str) -> Locator:
    return page.locator(f"{where} .files-list li", has_text=name)


def says(page: Page, where: str, name: str, words: str) -> None:
    expect(row(page, where, name).locator(".files-state")).to_have_text(words, timeout=90_000)


def saved(page: Page, where: str, name: str) -> tuple[str, bytes]:
    """What "Save" gives: its name and its bytes."""
    with page.expect_download() as download:
        row(page, where, name).get_by_role("button", name="Save").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def shown_sum(page: Page, where: str, name: str) -> str:
    return row(page, where, name).locator("code").text_content() or ""


def payload(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "text/html", "buffer": data}


def test_from_the_waiting_room_sealed_and_only_the_far_page_can_read_it(
    clinic: Practice, pair: Callable[..., tuple[Person, Person]], tmp_path: Path
) -> None:
    provider, patient = pair(dashboard=False)
    data = MARKER + os.urandom(2 * MIB) + MARKER
    patient.page.locator(".waiting .files-input").set_input_files(payload("report.html", data))
    says(patient.page, ".waiting", "report.html", "Waits until the other side is there.")
    open_dashboard(provider.page, clinic.url)
    expect(provider.page.locator(".files-card .badge")).to_have_text("1")
    provider.page.locator(".files-card > summary").click()
    expect(provider.page.locator(".files-card .badge")).to_be_hidden()
    says(provider.page, ".card", "report.html", "Arrived whole.")
    says(patient.page, ".waiting", "report.html", "Delivered. The checksums agree.")

    folder = clinic.folder / "data/passing"
    pieces = [path.read_bytes() for path in folder.iterdir()]
    assert len(pieces) == 3, "it did not go by the server"
    assert sum(map(len, pieces)) == len(data) + 3 * 28
    for path in [*clinic.folder.rglob("*"), clinic.log]:
        if path.is_file():
            held = path.read_bytes()
            assert MARKER not in held, path
            assert b"report.html" not in held, path
            assert data[100:132] not in held, path

    name, got = saved(provider.page, ".card", "report.html")
    assert (name, got) == ("report.html", data)
    sums = {
        shown_sum(page, where, "report.html") for page, where in ((provider.page, ".card"), (patient.page, ".waiting"))
    }
    assert sums == {hashlib.sha256(data).hexdigest()}

    provider.page.evaluate(DROP, [".files-card", [["plan.txt", "Twice a day"], ["diet.txt", "No salt"]]])
    says(patient.page, ".waiting", "plan.txt", "Arrived whole.")
    says(patient.page, ".waiting", "diet.txt", "Arrived whole.")
    assert saved(patient.page, ".waiting", "plan.txt") == ("plan.txt", b"Twice a day")
    for page, where in ((provider.page, ".files-card"), (patient.page, ".waiting .files")):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            audit(page, f"files, {scheme}", only=where)

    ask(provider.page, "The letter of your\u202e clinic")
    dialog = patient.page.get_by_role("dialog", name="Your provider asks for a file")
    expect(dialog).to_contain_text("The letter of your")
    with patient.page.expect_file_chooser() as chooser:
        dialog.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files(payload("letter.txt", b"To whom it may concern"))
    says(provider.page, ".card", "letter.txt", "Arrived whole.")
    ask(provider.page)
    patient.page.get_by_role("dialog").get_by_role("button", name="Not now").click()
    expect(provider.page.locator(".toast")).to_contain_text(["The patient has no file for you at the moment."])

    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    patient.page.get_by_role("button", name="Files").click()
    says(patient.page, "#side", "plan.txt", "Saved.")
    end(provider.page)
    expect(patient.page.locator(".files-after")).to_be_visible()
    with patient.page.expect_event("dialog") as asked:
        patient.page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    assert saved(patient.page, ".after", "diet.txt") == ("diet.txt", b"No salt")
    assert (asks_before_leaving(patient.page), asks_before_leaving(provider.page)) == (False, True)
    assert saved(provider.page, "#after", "letter.txt")[1] == b"To whom it may concern"
    assert not asks_before_leaving(provider.page)
    eventually(lambda: list(folder.iterdir()) == [])  # the end of the visit leaves nothing on the disk


def ask(page: Page, what: str = "") -> None:
    page.locator(".card .files-ask").click()
    dialog = page.get_by_role("dialog", name="Ask for a file")
    dialog.get_by_role("textbox").fill(what)
    dialog.get_by_role("button", name="Ask").click()
    expect(page.locator(".toast").last).to_be_visible()


def test_a_provider_with_two_pages_gets_a_file_once(
    clinic: Practice, pair: Callable[..., tuple[Person, Person]]
) -> None:
    provider, patient = pair()
    second = provider.context.new_page()
    open_dashboard(second, clinic.url)
    for board, name in ((provider.page, "plan.txt"), (second, "diet.txt")):
        board.evaluate(DROP, [".files-card", [[name, "Twice a day"]]])
        says(patient.page, ".waiting", name, "Arrived whole.")  # from here on both are known
    patient.page.locator(".waiting .files-input").set_input_files(payload("letter.txt", b"1"))
    says(patient.page, ".waiting", "letter.txt", "Delivered. The checksums agree.")
    expect(row(patient.page, ".waiting", "letter.txt")).to_have_count(1)
    assert sum(row(board, ".card", "letter.txt").count() for board in (provider.page, second)) == 1


def test_a_file_follows_a_provider_who_begins_in_another_page(
    clinic: Practice, pair: Callable[..., tuple[Person, Person]]
) -> None:
    """Nobody looks at the page that has it; where the provider works it comes once more, and only there."""
    provider, patient = pair()
    page = patient.page
    page.locator(".waiting .files-input").set_input_files(payload("letter.txt", b"To whom it may concern"))
    says(page, ".waiting", "letter.txt", "Delivered. The checksums agree.")
    second = provider.context.new_page()
    open_dashboard(second, clinic.url)
    page.locator(".waiting .files-input").set_input_files(payload("diet.txt", b"No salt"))
    says(page, ".waiting", "diet.txt", "Delivered. The checksums agree.")
    start(second, "Grace Hopper")
    connected(second, page)
    second.get_by_role("button", name="Files").click()
    for name, data in (("letter.txt", b"To whom it may concern"), ("diet.txt", b"No salt")):
        says(second, "#side", name, "Arrived whole.")
        assert saved(second, "#side", name) == (name, data)
    page.get_by_role("button", name="Files").click()
    says(page, "#side", "letter.txt", "Delivered. The checksums agree.")
    expect(page.locator("#side .files-list li")).to_have_count(2)
    page.locator("#side .files-input").set_input_files(payload("last.txt", b"1"))
    says(second, "#side", "last.txt", "Arrived whole.")
    expect(second.locator("#side .files-list li")).to_have_count(3)


def send_on(page: Page, button: str, room: str) -> None:
    more(page)
    page.get_by_role("button", name=button).click()
    box = page.get_by_role("dialog", name="Send Grace Hopper on")
    box.get_by_label("To the waiting room of").select_option(label=room)
    box.get_by_role("button", name="Send on").click()
    expect(page.locator("#ended")).to_have_text(f"Grace Hopper waits in the room of {room} now.")


@pytest.fixture
def three(clinic: Practice, person: Callable[..., Person]) -> tuple[Page, Page, Page]:
    """A nurse and a doctor with a room each, and a patient who is with the nurse."""
    rooms, own = [clinic.room(name="Nurse"), clinic.room(name="Doctor")], f"localhost:{clinic.port}"
    nurse, doctor, patient = (person(colour, own=own) for colour in ("red", "blue", "green"))
    for member, room in zip((nurse, doctor), rooms, strict=True):
        sign_in(member.context, clinic.url, room.login)
        open_dashboard(member.page, clinic.url)
    check_in(patient.page, rooms[0].url, "Grace Hopper")
    start(nurse.page, "Grace Hopper")
    connected(nurse.page, patient.page)
    return nurse.page, doctor.page, patient.page


def test_what_a_call_brought_that_ends_by_sending_on_can_still_be_saved(three: tuple[Page, Page, Page]) -> None:
    nurse, doctor, page = three
    page.get_by_role("button", name="Files").click()
    page.locator("#side .files-input").set_input_files(payload("letter.txt", b"To whom it may concern"))
    says(page, "#side", "letter.txt", "Delivered. The checksums agree.")
    send_on(nurse, "Send on", "Doctor")
    expect(nurse.locator(".files-after")).to_be_visible()
    assert asks_before_leaving(nurse)
    assert saved(nurse, "#after", "letter.txt")[1] == b"To whom it may concern"
    assert not asks_before_leaving(nurse)
    expect(doctor.locator(".card")).to_have_count(1)  # who sees nothing of it
    expect(doctor.locator(".files-list li")).to_have_count(0)


def test_what_was_for_somebody_who_has_left_holds_up_nothing_and_can_be_sent_to_who_is_there(
    three: tuple[Page, Page, Page],
) -> None:
    nurse, doctor, page = three
    nurse.route("**/files-desk.js", lambda route: None)  # nothing is taken there
    page.get_by_role("button", name="Files").click()
    page.locator("#side .files-input").set_input_files([payload(f"{n}.bin", b"1") for n in range(4)])
    says(page, "#side", "3.bin", "Waits for its turn.")
    send_on(nurse, "Send on", "Doctor")
    says(page, ".waiting", "0.bin", "Waits until the other side is there.")
    page.locator(".waiting .files-input").set_input_files(payload("4.bin", b"4"))
    doctor.locator(".files-card > summary").click()
    says(doctor, ".card", "4.bin", "Arrived whole.")
    start(doctor, "Grace Hopper")
    connected(doctor, page)
    doctor.get_by_role("button", name="Files").click()
    for n in range(4):  # hers is open since the first call
        says(page, "#side", f"{n}.bin", "It did not arrive whole. Send it again.")
    page.locator("#side .files-input").set_input_files(payload("5.bin", b"5"))
    says(doctor, "#side", "5.bin", "Arrived whole.")
    expect(doctor.locator("#side .files-list li")).to_have_count(2)
    row(page, "#side", "0.bin").get_by_role("button", name="Send again").click()
    says(doctor, "#side", "0.bin", "Arrived whole.")


#: Drops three files of 101 MiB each, which are little to make, and a small one.
LARGE = """() => {
  const mib = new Blob([new Uint8Array(1048576)]), carried = new DataTransfer();
  for (const n of [1, 2, 3]) carried.items.add(new File(Array(101).fill(mib), `${n}.mp4`));
  carried.items.add(new File(["Twice a day"], "plan.txt"));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


def test_what_is_large_waits_for_the_call_and_holds_up_nothing(pair: Callable[..., tuple[Person, Person]]) -> None:
    provider, patient = pair()
    patient.page.evaluate(LARGE)
    for n in (1, 2, 3):
        says(patient.page, ".waiting", f"{n}.mp4", "It is large, and goes when the call begins.")
    says(patient.page, ".waiting", "plan.txt", "Delivered. The checksums agree.")
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    provider.page.get_by_role("button", name="Files").click()
    says(provider.page, "#side", "1.mp4", "Large. Choose where to save it.")


def test_what_is_dropped_where_no_files_are_given_is_not_sent(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    practice = serve(f"{TOML}[clinic.main.files]\nwaiting = false\n")
    room, own = practice.room(), f"localhost:{practice.port}"
    provider, patient = person("red", own=own), person("green", own=own)
    board, page = provider.page, patient.page
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(board, practice.url)
    check_in(page, room.url, "Grace Hopper")
    for each in (board, page):
        expect(each.locator("hc-part[data-plugin=files][data-mounted]").first).to_be_attached()
    page.evaluate(DROP, [".waiting", [["early.txt", "Before the call"]]])
    board.evaluate(DROP, [".files-card", [["plan.txt", "Twice a day"]]])
    start(board, "Grace Hopper")
    connected(board, page)
    for each in (board, page):
        each.get_by_role("button", name="Files").click()
    page.evaluate(DROP, ["#side", [["later.txt", "In the call"]]])
    says(board, "#side", "later.txt", "Arrived whole.")
    for each in (board, page):
        expect(each.locator("#side .files-list li")).to_have_count(1)


def test_the_keyboard_stays_at_a_file_whose_buttons_come_and_go(
    clinic: Practice, pair: Callable[..., tuple[Person, Person]]
) -> None:
    provider, patient = pair(dashboard=False)
    page = patient.page
    page.locator(".waiting .files-input").set_input_files(payload("letter.txt", b"1"))
    says(page, ".waiting", "letter.txt", "Waits until the other side is there.")
    letter = row(page, ".waiting", "letter.txt")
    letter.get_by_role("button", name="Cancel").press("Enter")
    expect(letter.get_by_role("button", name="Send again")).to_be_focused()
    page.keyboard.press("Enter")
    expect(letter.get_by_role("button", name="Cancel")).to_be_focused()
    open_dashboard(provider.page, clinic.url)
    says(page, ".waiting", "letter.txt", "Delivered. The checksums agree.")
    expect(letter).to_be_focused()


def test_what_was_under_way_at_the_end_of_the_visit_says_so(pair: Callable[..., tuple[Person, Person]]) -> None:
    """Also what waited for its turn: neither has the other side refused it, nor can it be sent again."""
    provider, patient = pair()
    board, page = provider.page, patient.page
    start(board, "Grace Hopper")
    connected(board, page)
    board.route("**/files-desk.js", lambda route: None)  # nothing is taken there
    page.get_by_role("button", name="Files").click()
    names = [f"{n}.bin" for n in range(4)]
    page.locator("#side .files-input").set_input_files([payload(name, b"1") for name in names])
    says(page, "#side", "3.bin", "Waits for its turn.")
    end(board)
    for name in names:
        says(page, ".files-after", name, "The visit ended before it arrived.")


def test_a_request_that_is_open_as_the_call_begins_is_asked_again_and_answered_once(
    pair: Callable[..., tuple[Person, Person]],
) -> None:
    """The call closes every dialog: that is no answer of the patient's."""
    provider, patient = pair()
    board, page = provider.page, patient.page
    board.locator(".files-card > summary").click()
    ask(board, "The letter of your clinic")
    dialog = page.get_by_role("dialog", name="Your provider asks for a file")
    expect(dialog).to_be_visible()
    start(board, "Grace Hopper")
    connected(board, page)
    expect(dialog).to_contain_text("The letter of your clinic")
    none = board.locator(".toast", has_text="The patient has no file for you at the moment.")
    expect(none).to_have_count(0)
    dialog.get_by_role("button", name="Not now").click()
    expect(none).to_have_count(1)
    expect(dialog).to_have_count(0)


def test_what_is_chosen_or_comes_as_the_call_begins_is_not_lost(pair: Callable[..., tuple[Person, Person]]) -> None:
    """The browser's own dialog is open for seconds, and all that files need still comes: the call's part goes on."""
    provider, patient = pair()
    board, page = provider.page, patient.page
    held: list[Any] = []
    page.route("**/files-desk.js", lambda route: held.append(route))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Send files").click()
    page.evaluate(DROP, [".waiting", [["early.txt", "Before the call"]]])
    board.evaluate(DROP, [".files-card", [["plan.txt", "Twice a day"]]])
    says(board, ".card", "plan.txt", "0% · 0 byte a second")
    assert held
    start(board, "Grace Hopper")
    connected(board, page)
    for each in (board, page):
        expect(each.locator(".bar hc-part[data-plugin=files][data-mounted]")).to_be_attached()
        each.get_by_role("button", name="Files").click()
    chooser.value.set_files(payload("letter.txt", b"To whom it may concern"))
    page.route("**/files-desk.js", lambda route: route.continue_())
    for route in held:
        route.continue_()
    for name, data in (("letter.txt", b"To whom it may concern"), ("early.txt", b"Before the call")):
        says(board, "#side", name, "Arrived whole.")
        assert saved(board, "#side", name) == (name, data)
    says(page, "#side", "plan.txt", "Arrived whole.")
    assert saved(page, "#side", "plan.txt") == ("plan.txt", b"Twice a day")


#: Counts what goes into DataChannels, and closes the one for words, by which the whole connection is made anew.
COUNTING = """() => {
  window.went = 0;
  const send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function (data) {
    if (typeof data !== "string") window.went += data.byteLength;
    return send.call(this, data);
  };
}"""
BREAK = "channels.findLast(channel => channel.label === 'hc').close()"
FAR = "part => [...document.querySelectorAll('#side .files-list progress')].some(bar => bar.value > part)"


def test_fifty_megabytes_both_ways_over_a_connection_that_breaks(
    pair: Callable[..., tuple[Person, Person]], tmp_path: Path
) -> None:
    provider, patient = pair()
    people = (provider, patient)
    for each in people:
        each.page.evaluate(COUNTING)
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    expect(provider.page.locator(".bar hc-part[data-plugin=files][data-mounted]")).to_be_attached()
    assert not [url for each in people for url in each.urls if re.search(r"files-desk|transfer\.js|hashes/", url)]
    sums = {}
    for each, name in zip(people, ("scan.bin", "film.bin"), strict=True):
        path = tmp_path / name
        path.write_bytes(os.urandom(50 * MIB))
        sums[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        each.page.get_by_role("button", name="Files").click()
        each.page.locator("#side .files-input").set_input_files(path)
    wait(provider.page, FAR, 0.2)
    provider.page.evaluate(BREAK)
    for each, mine, theirs in ((provider, "scan.bin", "film.bin"), (patient, "film.bin", "scan.bin")):
        says(each.page, "#side", mine, "Delivered. The checksums agree.")
        says(each.page, "#side", theirs, "Arrived whole.")
        name, got = saved(each.page, "#side", theirs)
        assert name == theirs
        assert hashlib.sha256(got).hexdigest() == sums[theirs]
        assert {shown_sum(each.page, "#side", n) for n in sums} == set(sums.values())
        assert each.page.evaluate("window.went") < 62 * MIB, "it began anew after the break"

    provider.page.evaluate(
        "() => { const part = new Blob([new Uint8Array(2 ** 24)]), all = new DataTransfer();"
        " all.items.add(new File(Array(20).fill(part), 'film of the stomach.bin'));"
        " const input = document.querySelector('#side .files-input'); input.files = all.files;"
        " input.dispatchEvent(new Event('change')); }"
    )
    says(patient.page, "#side", "stomach", "Large. Choose where to save it.")
    provider.page.get_by_role("button", name="Cancel: film of the stomach.bin").click()
    says(provider.page, "#side", "stomach", "You cancelled this.")
    says(patient.page, "#side", "stomach", "The other side cancelled this.")


NAMES = """async names => {
  const part = document.querySelector("hc-part[data-plugin=files]");
  const { safe, shown } = await import(part.dataset.module.replace("files.js", "files-name.js"));
  return names.map(name => [safe(name), shown(safe(name)).stem, shown(safe(name)).ending]);
}"""


def test_names_deceive_nobody_and_lead_nowhere(clinic: Practice, person: Callable[..., Person]) -> None:
    """Paths, control characters, right-to-left overrides, endless names; and all words of it are in a catalogue."""
    patient = person("green", own=f"localhost:{clinic.port}", locale="en-XA", viewport=PHONE)
    page = patient.page
    page.goto(clinic.room().url)
    page.locator("#name").fill("Grace Hopper")
    page.locator("#check-in button").click()
    expect(page.locator(".waiting .files-pick")).to_be_visible()
    endless = "x" * 5000
    made = page.evaluate(
        NAMES,
        [
            "report.pdf",
            "../../etc/passwd",
            "C:\\Windows\\system32\\cmd.exe",
            "invoice\u202efdp.exe",
            "a\x00b\x1b[31m\n.txt",
            f"{endless}.pdf",
            f"letter.pdf{' ' * 300}.exe",
            "",
            "..",
            ".bashrc",
            "CON.txt",
            'a<b>c:"d|e?f*.txt',
            "تقرير.pdf",
            None,
            {"toString": "x"},
        ],
    )
    names = [name for name, _, _ in made]
    assert names[:5] == ["report.pdf", "passwd", "cmd.exe", "invoicefdp.exe", "ab[31m.txt"]
    assert names[7:13] == ["file", "file", "bashrc", "_CON.txt", "a_b_c__d_e_f_.txt", "تقرير.pdf"]
    assert names[6] == "letter.pdf .exe"
    assert names[13:] == ["file", "file"]
    for name, stem, ending in made:
        assert 0 < len(name) <= 120
        assert len(stem + ending) <= 44
        assert not re.search(r"[/\\\x00-\x1f\u202a-\u202e\u2066-\u2069]", name)
    assert made[5][1:] == ["x" * 26 + "…" + "x" * 13, ".pdf"]
    assert made[6][2] == ".exe", "what it is stays in sight"

    page.locator(".waiting .files-input").set_input_files(
        [
            payload(f"{endless[:200]}.pdf", b"1"),
            payload("<img src=x onerror=alert(1)>.svg", b"2"),
            payload("empty", b""),
        ]
    )
    expect(page.locator(".files-list li")).to_have_count(3)
    expect(page.locator(".files-list img")).to_have_count(0)
    expect(page.locator(".files-state").first).not_to_be_empty()
    assert (
        bare(page, only=".files", names=re.compile(r"x+…x+|\.pdf|_img src=x onerror=alert.*|\.svg|empty|SHA-256|file"))
        == []
    )
    audit(page, "three files wait", only=".waiting .files")


#: A place on the disk, as a browser's own dialog gives it: counts what is written, and holds nothing of it.
PLACE = """() => {
  window.written = 0;
  window.showSaveFilePicker = async ({ suggestedName }) => {
    window.suggested = suggestedName;
    return { createWritable: async () => new WritableStream({ write(chunk) { window.written += chunk.length; } }) };
  };
}"""
GIGABYTE = """() => {
  const part = new Uint8Array(2 ** 24);
  for (let at = 0; at < part.length; at += 65536) crypto.getRandomValues(part.subarray(at, at + 65536));
  const all = new DataTransfer(), input = document.querySelector("#side .files-input");
  all.items.add(new File(Array(64).fill(new Blob([part])), "film.bin"));
  input.files = all.files;
  input.dispatchEvent(new Event("change"));
  let text = "";
  for (let at = 0; at < part.length; at += 32768) text += String.fromCharCode(...part.subarray(at, at + 32768));
  return btoa(text);
}"""


@pytest.mark.nightly
def test_a_gigabyte_goes_to_the_disk_while_it_comes(pair: Callable[..., tuple[Person, Person]]) -> None:
    """python -m pytest -m nightly tests/plugins/test_files.py"""
    provider, patient = pair()
    patient.page.evaluate(PLACE)
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    for each in (provider, patient):
        each.page.get_by_role("button", name="Files").click()
    part = base64.b64decode(provider.page.evaluate(GIGABYTE))
    row(patient.page, "#side", "film.bin").get_by_role("button", name="Receive").click()
    for page, words in ((provider.page, "Delivered. The checksums agree."), (patient.page, "Saved.")):
        expect(row(page, "#side", "film.bin").locator(".files-state")).to_have_text(words, timeout=600_000)
    whole: Any = hashlib.sha256()
    for _ in range(64):
        whole.update(part)
    assert patient.page.evaluate("[suggested, written]") == ["film.bin", 2**30]
    assert {shown_sum(each.page, "#side", "film.bin") for each in (provider, patient)} == {whole.hexdigest()}
    for each in (provider, patient):
        assert each.page.evaluate("performance.memory.usedJSHeapSize") < 256 * MIB
