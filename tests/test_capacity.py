"""`housecall bench`: an operator learns how many rooms a server carries. No figure is judged here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from housecall import capacity

COSTS = capacity.Costs(idle=100 * 1024, patient=50, page=3000, check_in=4000, signal=200)


def test_a_bench_says_what_things_cost_and_leaves_nothing_behind(tmp_path: Path) -> None:
    run = [sys.executable, "-W", "error", "-m", "housecall", "bench", "--waiting", "30", "--seconds", "1"]
    done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, timeout=120, env={"TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert int(re.search(r"carries about (\d+) rooms", done.stdout)[1]) > 0  # type: ignore[index]
    for cost in ("the server alone", "a patient who waits", "a welcome page", "a check-in", "a message between pages"):
        assert float(re.search(rf"{cost} +([\d.]+)", done.stdout)[1]) > 0, done.stdout  # type: ignore[index]
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_number_is_refused() -> None:
    for wrong in ("0", "-1", "many"):
        run = [sys.executable, "-m", "housecall", "bench", "--waiting", wrong]
        done = subprocess.run(run, capture_output=True, text=True)
        assert done.returncode == 2
        assert "a number of at least 1" in done.stderr


def test_what_is_short_decides() -> None:
    """Little memory bounds it by memory, much by the processor; none left carries nothing."""
    rooms, short = COSTS.rooms(400 * 1024)
    assert (rooms, short) == (510, "memory")  # 100 MiB for 4 pages of 50 KiB a room
    assert COSTS.rooms(100 * 1024**2) == (4400, "processor")  # 1,800 s for 6 x 67 ms a room
    assert COSTS.rooms(150 * 1024)[0] == 0
