"""The practice's server is killed: in a call, in the queue, and while a cable is out."""

from __future__ import annotations

import signal

from playwright.sync_api import expect

from housecall.testing.acts import check_in, end, media_flows, open_dashboard, unchanged
from housecall.testing.lab import PATIENCE, Lab, back, interrupted


def test_a_killed_server_leaves_picture_sound_and_chat(lab: Lab) -> None:
    """`kill -9` in mid-call: nobody sees or hears anything of it, words go through, and the visit can be ended."""
    lab.toml += 'plugins = ["chat"]\n'
    visit = lab.visit()
    provider, patient = visit.provider, visit.patient
    visit.practice.stop(signal.SIGKILL)
    expect(provider.locator("#link-lost")).to_be_visible()
    back(visit)
    provider.get_by_role("button", name="Chat").click()
    patient.get_by_role("button", name="Chat").click()
    for page, far, words in ((patient, provider, "Can you hear me?"), (provider, patient, "I can")):
        page.locator("#side .chat-form textarea").fill(words)
        page.keyboard.press("Enter")
        expect(far.locator("#side .chat-log p").last).to_have_text(words)
    for page in (provider, patient):
        media_flows(page)
        expect(page.locator("#line")).to_be_hidden()
    end(provider)
    expect(patient.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    expect(provider.get_by_text("The visit has ended after 1 minute.")).to_be_visible()
    visit.practice.start()
    expect(provider.locator("#link-lost")).to_be_hidden(timeout=PATIENCE)
    expect(provider.locator(".card")).to_have_count(0)


def test_a_killed_server_leaves_the_queue_as_it_was(lab: Lab) -> None:
    """Nobody checks in twice, and the order stays."""
    practice = lab.open()
    room = practice.room()
    provider = lab.person("a", "red", practice, login=room.login).page
    first, second = lab.person("b", "green", practice), lab.person("b", "blue", practice)
    open_dashboard(provider, practice.url)
    check_in(first.page, room.url, "Grace Hopper")
    check_in(second.page, room.url, "Katherine Johnson")
    names = provider.locator(".card .name")
    expect(names).to_have_text(["Grace Hopper", "Katherine Johnson"])
    practice.stop(signal.SIGKILL)
    for page in (provider, first.page, second.page):
        expect(page.locator("#link-lost")).to_be_visible()
    practice.start()
    for page in (provider, first.page, second.page):
        expect(page.locator("#link-lost")).to_be_hidden(timeout=PATIENCE)
    expect(names).to_have_text(["Grace Hopper", "Katherine Johnson"])
    expect(provider.locator(".card .away:visible")).to_have_count(0)
    expect(first.page.locator("#place")).to_have_text("You are next.")
    expect(second.page.locator("#place")).to_have_text("1 person is before you.")
    for each in (first, second):
        assert sum(url.endswith("/check-in") for url in each.urls) == 1
        expect(each.page.locator("#again-name")).to_be_hidden()


def test_a_server_that_is_down_while_a_cable_is_out(lab: Lab) -> None:
    """The connection has failed when the cable is back, and only the server could bring the two together again."""
    visit = lab.visit()
    visit.practice.stop(signal.SIGKILL)
    expect(visit.provider.locator("#link-lost")).to_be_visible()
    lab.net.cable("b", plugged=False)
    unchanged(visit.provider, "frames", seconds=25)
    interrupted(visit.provider)
    interrupted(visit.patient)
    lab.net.cable("b", plugged=True)
    visit.practice.start()
    back(visit)
