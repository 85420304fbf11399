"""docs/joining.md names tests that exist, and every test of joining is on it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs/joining.md").read_text(encoding="utf-8")
STATES = {
    "denied",
    "dismissed",
    "missing",
    "busy",
    "broken",
    "skipped",
    "unplugged",
    "revoked",
    "double tab",
    "blocked autoplay",
    "slept page",
    "in-app browser",
    "link scanner",
}

#: Tests of the same files that show that everybody can use it, rather than a state.
BESIDE = re.compile(r"everybody_can_use|no_text_is_bare|a_computer_is_not_asked")


def cells() -> list[list[str]]:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")
    ]
    return [row for row in rows if row[0] != "state"]


def test_every_cell_names_a_test_that_exists_and_no_test_is_left_out() -> None:
    promised = {re.sub(r"`", "", row[4]) for row in cells()}
    files = sorted({name.partition("::")[0] for name in promised})
    paths = [str(ROOT / "tests/browser" / name) for name in files]
    run = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n0", *paths]
    done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    there = {line.removeprefix("tests/browser/") for line in done.stdout.splitlines() if "::" in line}
    assert promised <= there, promised - there
    ours = {name for name in there if name.split("::")[0] in ("test_check.py", "test_devices.py", "test_joining.py")}
    left = {name for name in ours - promised if not BESIDE.search(name)}
    assert left == set()


def test_every_state_has_its_rows() -> None:
    rows = cells()
    assert {row[0] for row in rows} >= STATES
    for row in rows:
        assert len(row) == 5
        assert all(row), row
        assert {place.strip() for place in row[1].split(",")} <= {"check", "waiting", "call"}, row
