"""A page whose modules a test imports alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from housecall.testing.people import meet
from housecall.testing.practice import Practice


@pytest.fixture(scope="module")
def page(chromium: Browser, practice: Practice) -> Iterator[Page]:
    """A patient's page, on which nobody does anything. Its console stays clean."""
    somebody = meet(chromium, practice.url)
    somebody.page.goto(practice.room().url)
    yield somebody.page
    somebody.context.close()
    somebody.check(f"localhost:{practice.port}")
