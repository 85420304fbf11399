"""A patient is sent on to another room, from the queue and out of the call, and nobody checks in twice."""

from __future__ import annotations

import signal
from collections.abc import Callable

from playwright.sync_api import Page, expect

from housecall.testing.acts import check_in, connected, end, media_flows, open_dashboard, start
from housecall.testing.people import Person, sign_in
from housecall.testing.practice import Practice


def send_on(page: Page, button: str, room: str) -> None:
    page.get_by_role("button", name=button).click()
    dialog = page.get_by_role("dialog", name="Send Grace Hopper on")
    rooms = dialog.get_by_label("To the waiting room of")
    expect(rooms.locator("option:enabled")).to_have_text([room])  # the one where the patient is, is not offered
    rooms.select_option(room)
    dialog.get_by_role("button", name="Send on").click()
    expect(page.locator("#ended")).to_have_text(f"Grace Hopper waits in the room of {room} now.")


def test_a_patient_is_sent_on_and_back_and_stays_there_when_the_server_dies(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    practice = serve()
    rooms, own = [practice.room(name="Nurse"), practice.room(name="Doctor")], f"localhost:{practice.port}"
    nurse, doctor = (person(colour, own=own) for colour in ("red", "blue"))
    patient = person("green", own=own)
    for member, room in zip((nurse, doctor), rooms, strict=True):
        sign_in(member.context, practice.url, room.login)
        open_dashboard(member.page, practice.url)
    for each in (nurse, doctor, patient):
        each.expected += ["WebSocket connection", "net::ERR_"]
    check_in(patient.page, rooms[0].url, "Grace Hopper")
    start(nurse.page, "Grace Hopper")
    connected(nurse.page, patient.page)
    send_on(nurse.page, "Send on", "Doctor")
    expect(nurse.page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    expect(nurse.page.locator("#elsewhere")).to_be_hidden()
    expect(patient.page.locator("main[data-state=waiting]")).to_be_visible()
    expect(patient.page.get_by_text("You were sent on to Doctor.")).to_be_visible()
    expect(patient.page.locator("#place")).to_have_text("You are next.")
    expect(doctor.page.locator(".card .name")).to_have_text("Grace Hopper")
    expect(doctor.page.locator(".card .sent")).to_have_text("Sent by Dr Ada Smith")

    practice.stop(signal.SIGKILL)
    practice.start()
    expect(doctor.page.locator("#link-lost")).to_be_hidden()
    expect(doctor.page.locator(".card .name")).to_have_text("Grace Hopper")
    expect(doctor.page.locator(".card .away")).to_be_hidden()
    expect(nurse.page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    expect(patient.page.get_by_text("You were sent on to Doctor.")).to_be_visible()

    send_on(doctor.page, "Send on Grace Hopper", "Nurse")
    expect(patient.page.locator("#sent-on")).to_be_hidden()
    start(nurse.page, "Grace Hopper")
    connected(nurse.page, patient.page)
    media_flows(nurse.page)
    media_flows(patient.page)

    nurse.page.get_by_role("button", name="Send on").click()
    end(patient.page)  # the question has nobody left whom it is about
    expect(nurse.page.locator("#ended")).to_contain_text("The visit has ended")
    expect(nurse.page.locator("dialog[open]")).to_have_count(0)
