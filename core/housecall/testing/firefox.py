"""Firefox as Linux distributions bring it, by WebDriver BiDi; driver_shim.cjs makes good what Playwright misses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Playwright

from .parts import find

PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
}


@pytest.fixture(scope="session")
def firefox(engines: Playwright) -> Iterator[Browser]:
    program = find("firefox-esr") or find("firefox")
    if program is None:
        pytest.skip("Firefox is not installed: apt-get install firefox-esr")
    try:
        browser = engines.firefox.launch(
            channel="moz-firefox", executable_path=program, firefox_user_prefs=dict(PREFERENCES)
        )
        browser.new_context(reduced_motion="reduce").close()
    except Error as error:
        pytest.skip(f"this Firefox and this Playwright do not fit together; see driver_shim.cjs: {error}")
    yield browser
    browser.close()
