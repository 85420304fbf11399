"""What we ship keeps every rule; and each rule finds the plugin that was made to break it, and no other rule does."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from housecall.testing import PluginContract

ROOT = Path(__file__).resolve().parent.parent.parent
BAD = Path(__file__).resolve().parent / "bad"

UNREADABLE = "manifest/unknown_slot"

#: folder below bad/ -> the test that finds it, and a word of what it says
FOUND = {
    UNREADABLE: ("test_its_manifest_is_right", "waiting.side"),
    "nothing/does_nothing": ("test_it_adds_something", "does_nothing adds nothing"),
    "imports/reaches_in": ("test_it_uses_public_names_only", "housecall.clinics"),
    "files/asks_far": ("test_its_pages_run_nothing_inline_and_ask_no_other_host", "cdn.example.org"),
    "words/bare_word": ("test_its_templates_are_whole_and_its_words_in_a_catalogue", "Planted words"),
    "modules/begins_once": ("test_its_modules_begin_and_end_twice", "once is enough"),
    "off/shows_itself": ("test_off_is_as_unknown", "X-Planted"),
    "events/handler_raises": ("test_its_events_are_refused_outside_their_rules", "'failed'"),
    "data/undeclared": ("test_what_it_touches_is_declared", "it has events and no"),
    "tables/drifts": ("test_its_tables_are_its_own", "its migrations do not make"),
    "hooks/hook_raises": ("test_its_hooks_are_called_and_do_not_raise", "KeyError"),
    "live/stays": ("test_switched_off_in_a_visit_it_is_gone_and_the_call_goes_on", "it leaves behind"),
    "access/nameless": ("test_everybody_can_use_its_parts", "button-name"),
}


class TestChat(PluginContract):
    folder = ROOT / "plugins/chat"


class TestFiles(PluginContract):
    folder = ROOT / "plugins/files"


class TestTeleconsent(PluginContract):
    folder = ROOT / "plugins/teleconsent"


class TestLedger(PluginContract):
    """Every noun: tables, hooks, a job, a handler, a step, a secret, a page of its own."""

    folder = Path(__file__).resolve().parent / "good/ledger"
    toml = "[clinic.main.ledger]\nkey = 'of brass'"


class TestKeptBack(PluginContract):
    """One that only housecall.toml switches on."""

    folder = Path(__file__).resolve().parent / "good/kept_back"


def contract(folder: Path, place: Path) -> subprocess.CompletedProcess[str]:
    """Hold a plugin to the contract in a process of its own, as its author does."""
    place.joinpath("conftest.py").write_text('pytest_plugins = ["housecall.testing"]\n', encoding="utf-8")
    place.joinpath("test_planted.py").write_text(
        "from pathlib import Path\n\nfrom housecall.testing import PluginContract\n\n\n"
        f"class TestPlanted(PluginContract):\n    folder = Path({str(folder)!r})\n",
        encoding="utf-8",
    )
    run = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", "--rootdir", place, place]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(run, capture_output=True, text=True, cwd=place, env=environ, timeout=300)


def outcomes(told: str) -> dict[str, set[str]]:
    """The names of tests by how they ended."""
    found: dict[str, set[str]] = {}
    for kind, name in re.findall(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) \S*::(\w+)", told, re.M):
        found.setdefault(kind, set()).add(name)
    return found


def planted(name: str) -> type[PluginContract]:
    """The contract of a plugin that was made to break one rule: the test of this rule fails, and all others pass."""
    test, word = FOUND[name]
    rule = getattr(PluginContract, test)

    @functools.wraps(rule)
    def finds_it(self: PluginContract, **given: Any) -> None:
        with pytest.raises((AssertionError, pytest.fail.Exception), match=re.escape(word)):
            rule(self, **given)

    return type(f"Test_{Path(name).name}", (PluginContract,), {"folder": BAD / name, test: finds_it})


globals().update({made.__name__: made for made in map(planted, FOUND) if made.folder != BAD / UNREADABLE})


def test_of_a_plugin_that_cannot_be_read_nothing_else_passes_for_judged(tmp_path: Path) -> None:
    test, word = FOUND[UNREADABLE]
    done = contract(BAD / UNREADABLE, tmp_path)
    ended = outcomes(done.stdout)
    assert ended == {"FAILED": {test}, "ERROR": {n for n in dir(PluginContract) if n.startswith("test_")} - {test}}
    assert word in done.stdout
    assert "Not judged" in done.stdout


def test_what_the_scaffold_writes_keeps_every_rule(tmp_path: Path) -> None:
    new = [sys.executable, "-m", "housecall", "plugin", "new", "wave_back", "--dir", tmp_path]
    subprocess.run(new, check=True, capture_output=True)
    run = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", tmp_path / "tests"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env=environ, timeout=300)
    assert outcomes(done.stdout) == {"PASSED": {n for n in dir(PluginContract) if n.startswith("test_")}}, done.stdout


def test_every_planted_plugin_has_its_rule() -> None:
    assert {f"{path.parent.parent.name}/{path.parent.name}" for path in BAD.glob("*/*/plugin.toml")} == set(FOUND)
    rules = {name for name in dir(PluginContract) if name.startswith("test_")}
    general = {"test_the_server_loads_it", "test_a_visit_goes_its_way_with_it"}
    assert {test for test, _ in FOUND.values()} == rules - general
