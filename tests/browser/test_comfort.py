"""Comfort in a long call: layouts, one's own picture in another place, full screen, a small window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from housecall.testing.access import PHONE, audit
from housecall.testing.acts import begin, check_in, connected, end, guest_joins, more, start, wait
from housecall.testing.people import Person
from housecall.testing.practice import Practice, Room

#: Stands for the browser's own small window, which headless browsers do not have: a frame of the page.
SMALL = """{
  Object.defineProperty(window, "documentPictureInPicture", { value: { async requestWindow() {
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.title = "small";
    frame.contentWindow.close = () => { frame.contentWindow.dispatchEvent(new Event("pagehide")); frame.remove(); };
    return frame.contentWindow;
  } } });
}"""

#: Stands for the window in which other browsers show one video of the page.
ABOVE = """{
  let above = null;
  delete window.documentPictureInPicture;
  Object.defineProperty(document, "pictureInPictureEnabled", { value: true });
  Object.defineProperty(document, "pictureInPictureElement", { get: () => above });
  HTMLVideoElement.prototype.requestPictureInPicture = async function () { above = this; };
  document.exitPictureInPicture = async () => {
    const left = above;
    above = null;
    left.dispatchEvent(new Event("leavepictureinpicture"));
  };
}"""

#: How many observers of attributes there are.
WATCHES = """{
  window.watches = new Set();
  window.MutationObserver = class extends MutationObserver {
    observe(target, what) {
      if (what.attributeFilter) watches.add(this);
      super.observe(target, what);
    }
    disconnect() {
      watches.delete(this);
      super.disconnect();
    }
  };
}"""

#: The picture in it, and whether it is that of the tile, goes on, and is of another track than this one.
IN_IT = "document.querySelector('iframe[title=small]')?.contentDocument.querySelector('video')"
PLAYING = f"""before => {{
  const video = {IN_IT}, [track] = video?.srcObject?.getVideoTracks() ?? [];
  return track?.readyState === "live" && track.id !== before && video.videoWidth > 0 &&
    document.querySelector(".tile video").srcObject === video.srcObject;
}}"""


def view(page: Page) -> Any:
    more(page)
    page.locator("#view").click()
    return page.locator("dialog[open]")


def pick(page: Page, select: str, value: str) -> None:
    """In the dialog, by keyboard alone."""
    dialog = view(page)
    dialog.locator(select).focus()
    dialog.locator(select).select_option(value)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def place(page: Page, selector: str) -> tuple[str, str]:
    """In which corner of the stage something stands."""
    stage, box = (page.locator(each).bounding_box() for each in ("#stage", selector))
    assert stage
    assert box
    assert box["y"] + box["height"] < page.locator(".bar").bounding_box()["y"], "it stands on the bar"  # type: ignore[index]
    x, y = box["x"] + box["width"] / 2 - stage["x"], box["y"] + box["height"] / 2 - stage["y"]
    return "top" if y < stage["height"] / 2 else "bottom", "left" if x < stage["width"] / 2 else "right"


def test_ones_own_picture_full_screen_and_a_small_window(practice: Practice, person: Callable[..., Person]) -> None:
    room = practice.room()
    provider, patient = person("red", login=room.login), person("green", viewport=PHONE)
    provider.context.add_init_script(SMALL)
    begin(practice, room, provider.page, patient.page)
    for page in (provider.page, patient.page):
        assert page.locator("link[href$='comfort.css']").count() == 0, "it is loaded when it is asked for"
        own = page.locator("#self-stage")
        expect(own).to_be_visible()
        for corner in ("top-left", "bottom-left", "bottom-right"):
            pick(page, "#view-own", corner)
            assert place(page, "#self-stage") == tuple(corner.split("-"))
        pick(page, "#view-own", "hidden")
        expect(own).to_be_hidden()
        pick(page, "#view-own", "")
        assert place(page, "#self-stage") == ("top", "right")
        box, stage = own.bounding_box(), page.locator("#stage").bounding_box()
        assert box
        assert stage
        page.mouse.move(box["x"] + 20, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(stage["x"] + 60, stage["y"] + stage["height"] - 250, steps=5)
        page.mouse.up()
        expect(own).to_have_attribute("data-corner", "bottom-left")
        view(page)
        audit(page, "view")
        page.keyboard.press("Escape")

    page = provider.page
    view(page).get_by_role("button", name="Full screen").click()
    wait(page, "() => document.fullscreenElement?.id === 'main'", None)
    expect(page.locator("#queue")).to_be_hidden()
    expect(page.locator(".tile video")).to_be_visible()
    view(page).get_by_role("button", name="Leave full screen").click()
    wait(page, "() => !document.fullscreenElement", None)
    expect(page.locator("#queue")).to_be_visible()

    view(page).get_by_role("button", name="Small window").click()
    small = page.frame_locator("iframe[title=small]")
    wait(page, PLAYING, "")
    track = page.evaluate(f"{IN_IT}.srcObject.getVideoTracks()[0].id")
    small.get_by_role("button", name="Mute").click()
    expect(patient.page.locator(".tile[data-muted=true]")).to_be_visible()
    expect(small.get_by_role("button", name="Unmute")).to_be_visible()
    patient.page.reload()  # another track comes
    wait(page, PLAYING, track)
    view(page).get_by_role("button", name="Full screen").click()
    wait(page, "() => document.fullscreenElement?.id === 'main'", None)
    page.get_by_role("button", name="End visit").click()
    page.get_by_role("button", name="End it now").click()
    expect(page.locator("iframe")).to_have_count(0)
    wait(page, "() => !document.fullscreenElement", None)


def test_a_small_window_hides_what_the_tile_hides(practice: Practice, person: Callable[..., Person]) -> None:
    """A camera that is off, video that pauses, a curtain: no last picture stands above all else, and it is said why."""
    room = practice.room()
    provider, patient, otto = person("red", login=room.login), person("green"), person("blue")
    for each in (provider, otto):
        each.context.add_init_script(SMALL)
        each.context.add_init_script(WATCHES)
    patient.context.add_init_script(ABOVE)
    page = provider.page
    begin(practice, room, page, patient.page)
    before = page.evaluate("watches.size")
    view(page).get_by_role("button", name="Small window").click()
    why = page.frame_locator("iframe[title=small]").locator("p")

    def shown() -> None:
        wait(page, PLAYING, "")
        expect(why).to_be_hidden()

    def hidden(words: str) -> None:
        wait(page, f"() => {IN_IT}.srcObject === null", None)
        expect(why).to_have_text(words)

    shown()
    patient.page.get_by_role("button", name="Turn camera off").click()
    hidden("Grace Hopper's camera is off")
    patient.page.get_by_role("button", name="Turn camera on").click()
    shown()
    page.get_by_label("Picture at most").select_option("sound")
    hidden("You chose sound only. Video comes back when you choose it again.")
    page.get_by_label("Picture at most").select_option("hd")
    shown()
    assert page.evaluate("watches.size") == before + 1
    page.evaluate("document.querySelector('iframe[title=small]').contentWindow.close()")
    assert page.evaluate("watches.size") == before, "one goes on after the window has gone"

    view(patient.page).get_by_role("button", name="Small window").click()
    wait(patient.page, "() => document.pictureInPictureElement?.matches('.tile video')", None)
    page.get_by_role("button", name="Turn camera off").click()
    wait(patient.page, "() => !document.pictureInPictureElement", None)
    page.get_by_role("button", name="Turn camera on").click()

    guest_joins(page, otto.page, "interpreter", "Otto")
    page = otto.page
    expect(page.locator(".tile[data-state=connected]")).to_have_count(2)
    view(page).get_by_role("button", name="Small window").click()
    why = page.frame_locator("iframe[title=small]").locator("p")
    shown()
    provider.page.get_by_role("button", name="Guests", exact=True).click()
    provider.page.get_by_role("button", name="Hide picture from Otto (interpreter)").click()
    hidden("You hear Patient. The picture is hidden from you.")
    provider.page.get_by_role("button", name="Show picture to Otto (interpreter)").click()
    shown()


def large(page: Page, name: str) -> None:
    expect(page.locator(".tile[data-large] .who")).to_have_text(name)
    sizes = page.locator(".tile").evaluate_all(
        "all => all.map(tile => [tile.matches('[data-large]'), tile.clientWidth * tile.clientHeight])"
    )
    assert all(size > 1.9 * other for is_large, size in sizes if is_large for small, other in sizes if not small)


def test_layouts_of_three(practice: Practice, person: Callable[..., Person]) -> None:
    """One large: whoever speaks, or whom one chooses, such as an interpreter; side by side; all the same; on phones."""
    room = practice.room()
    provider, patient = person("red", login=room.login).page, person("green", viewport=PHONE).page
    otto = person("blue").page
    begin(practice, room, provider, patient)
    guest_joins(provider, otto, "interpreter", "Otto")
    for page in (provider, patient, otto):
        expect(page.locator(".tile[data-state=connected]")).to_have_count(2)
    otto.get_by_role("button", name="Mute").click()
    pick(provider, "#view-layout", "speaker")
    large(provider, "Grace Hopper")
    patient.get_by_role("button", name="Mute").click()
    otto.get_by_role("button", name="Unmute").click()
    large(provider, "Otto (interpreter)")
    pick(provider, "#view-large", "0")
    large(provider, "Grace Hopper")
    pick(patient, "#view-layout", "speaker")
    pick(patient, "#view-large", "1")
    large(patient, "Otto (interpreter)")
    audit(patient, "one large")
    pick(provider, "#view-layout", "beside")
    widths = provider.locator(".tile").evaluate_all("all => all.map(tile => tile.clientWidth)")
    assert max(widths) - min(widths) < 20
    pick(provider, "#view-layout", "grid")
    assert provider.locator("[data-large]").count() == 0
    otto.get_by_role("button", name="Leave").click()
    otto.get_by_role("button", name="Leave now").click()
    large_or_alone = patient.locator(".tile")
    expect(large_or_alone).to_have_count(1)
    expect(patient.locator(".tiles")).to_have_attribute("data-layout", "grid")


def test_who_speaks_is_large_in_the_next_call_too(practice: Practice, person: Callable[..., Person]) -> None:
    """Nobody has to choose the layout again that still holds."""
    room = practice.room()
    provider = person("red", login=room.login).page
    for first in (True, False):
        patient, otto = person("green").page, person("blue").page
        begin(practice, room, provider, patient) if first else again(room, provider, patient)
        guest_joins(provider, otto, "interpreter", "Otto")
        for page in (provider, patient, otto):
            expect(page.locator(".tile[data-state=connected]")).to_have_count(2)
        if first:
            pick(provider, "#view-layout", "speaker")
        expect(provider.locator(".tiles")).to_have_attribute("data-layout", "speaker")
        patient.get_by_role("button", name="Mute").click()
        large(provider, "Otto (interpreter)")
        end(provider)
        expect(otto.get_by_role("heading", name="Your visit has ended")).to_be_visible()


def again(room: Room, provider: Page, patient: Page) -> None:
    """Another visit, on the page of the provider that has had one."""
    check_in(patient, room.url, "Grace Hopper")
    start(provider, "Grace Hopper")
    connected(provider, patient)
