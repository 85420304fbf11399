"""What we ship keeps every rule; and each rule finds the plugin that was made to break it."""

from __future__ import annotations

from pathlib import Path

from housecall.testing import PluginContract

ROOT = Path(__file__).resolve().parent.parent.parent


class TestChat(PluginContract):
    folder = ROOT / "plugins/chat"
