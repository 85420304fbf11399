"""Nobody in between: both sides show the same pictures, and what people find is kept and told."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from housecall.testing.acts import Visit

PICTURES, DIGITS = ".pictures li span:last-child", ".by-number"


def open_check(page: Page) -> list[str]:
    """Press the shield: the four words and the digits that the dialog shows."""
    page.get_by_role("button", name="in between").click()
    expect(page.get_by_role("dialog").locator(PICTURES)).to_have_count(4, timeout=20_000)
    return [*page.locator(PICTURES).all_text_contents(), page.locator(DIGITS).inner_text()]


def shield(page: Page, state: str) -> None:
    expect(page.locator(f".shield[data-safety='{state}']")).to_be_visible()


def test_both_sides_show_the_same_four_pictures_and_digits(visit: Visit) -> None:
    mine, theirs = open_check(visit.provider), open_check(visit.patient)
    assert len(mine) == 5
    assert mine == theirs


def test_what_was_compared_is_marked_by_a_tick(visit: Visit) -> None:
    for page in (visit.provider, visit.patient):
        open_check(page)
        page.get_by_role("button", name="They are the same").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        shield(page, "good")
    expect(
        visit.patient.get_by_role("button", name="Compared: nobody is in between you and Dr Ada Smith.")
    ).to_be_focused()
