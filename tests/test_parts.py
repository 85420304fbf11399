"""A missing outside part is named by the one line to type."""

from __future__ import annotations

import os

import pytest

import parts

LINE = (
    "sudo apt-get install -y --no-install-recommends chromium coturn postgresql iproute2 nftables firefox-esr xvfb"
    " evilwm kannel kannel-extras"
)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with none of the parts, used by somebody who is not root; nothing is installed."""
    monkeypatch.setattr(parts, "find", lambda program: None)
    monkeypatch.setattr(parts, "axe", lambda: None)
    monkeypatch.setattr(parts, "localstripe", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(parts.subprocess, "run", None)
    return monkeypatch


def test_what_is_missing_is_named_by_the_line_to_type(
    bare: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bare.setattr(parts, "_playwright_chromium", lambda: True)
    assert parts.main() == 0
    assert capsys.readouterr().out.strip().endswith(LINE)


def test_without_any_browser_it_says_so_and_fails(bare: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    bare.setattr(parts, "_playwright_chromium", lambda: False)
    assert parts.main() == 1
    assert "sudo apt-get install -y chromium" in capsys.readouterr().err
