"""What people do to find out that nobody is in between."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

PICTURES, DIGITS = ".pictures li span:last-child", ".by-number"


def open_check(page: Page) -> list[str]:
    """Press the shield: the four words and the digits that the dialog shows."""
    page.locator(".shield").click()
    expect(page.get_by_role("dialog").locator(PICTURES)).to_have_count(4)
    return [*page.locator(PICTURES).all_text_contents(), page.locator(DIGITS).inner_text()]


def shield(page: Page, state: str) -> None:
    """The shield of the one tile shows this: "good", "finding", or "" for not compared."""
    expect(page.locator(f".shield[data-safety='{state}']")).to_be_visible()


def device_link(dashboard: Page) -> str:
    """The link that names this browser's key."""
    dashboard.get_by_label("A link for visits on this device").check()
    field = dashboard.locator(".links .copied")
    expect(field).to_have_value(re.compile(r"/room-[\w-]+#k=[\w-]{22}$"))
    return field.input_value()
