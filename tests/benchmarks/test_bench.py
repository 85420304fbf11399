"""The benchmarks work: each part with tiny counts yields sane rows, and the report shows them. No figure is judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import measures, report, running
from housecall.testing.netlab import Impossible

#: Which servers a part is tried on: the three floors speak the same, so one of them does for most parts.
TRIED = [
    ("relay", "stock"),
    ("relay", "node"),
    *((part, "housecall") for part in ("relay", "memory", "checkin", "change", "stalls", "restart")),
    ("change", "tuned"),
]
SECONDS = measures.Scale(
    pairs=2, warm=0.2, secs=1, long=0.3, waiting=(2, 4), crowd=4, hold=0.1, stalls=0.5, stalls_at=(4,), past=50, file=1
)  #: shorter still than QUICK


@pytest.fixture(scope="module", autouse=True)
def ready() -> None:
    """Node with npm's packages, as they come with what the tests need."""
    running.node()


@pytest.mark.parametrize(("part", "server"), TRIED)
def test_a_part_yields_rows(part: str, server: str, tmp_path: Path) -> None:
    rows = list(measures.PARTS[part].run(server, SECONDS))
    assert rows
    for row in rows:
        assert row.get("lost", 0) == row.get("failed", 0) == row.get("unheard", 0) == 0, row
        if part in ("relay", "checkin", "change"):
            assert row["us"] > 0
            assert row["per_s"] > 0
        if part == "memory":
            assert row["mib"] >= row["idle_mib"] > 10
        if part == "restart":
            assert row["in_order"] is True
            assert row["back"] == row["waiting"]
    if part == "stalls":  # a single short row may end before its first sign-in does
        assert all(sum(row[done] for row in rows) > 0 for done in ("signed_in", "pages", "frames"))
    _reported(part, server, rows, tmp_path)


@pytest.mark.parametrize("server", ["demo", "housecall"])
def test_a_page_yields_its_weight(server: str, tmp_path: Path) -> None:
    rows = list(measures.PARTS["weight"].run(server, SECONDS))
    assert rows[0]["requests"] >= 3
    assert rows[0]["kib"] >= rows[0]["code_kib"] > 1
    _reported("weight", server, rows, tmp_path)


def test_the_demo_shows_a_first_frame(tmp_path: Path) -> None:
    rows = list(measures.PARTS["frame"].run("demo", SECONDS))
    assert 0 < rows[0]["click_ms"] <= rows[0]["ms"]
    _reported("frame", "demo", rows, tmp_path)


def test_a_page_in_a_call_yields_its_cpu(tmp_path: Path) -> None:
    rows = list(measures.PARTS["page_cpu"].run("demo", SECONDS))
    assert rows[0]["pct"] > 0
    _reported("page_cpu", "demo", rows, tmp_path)


@pytest.mark.parametrize(
    ("part", "server"), [*(("files", each) for each in ("bare", "sound", "housecall")), ("line", "housecall")]
)
def test_a_file_yields_its_speed(part: str, server: str, tmp_path: Path) -> None:
    try:
        rows = list(measures.PARTS[part].run(server, SECONDS))
    except Impossible as why:
        pytest.skip(str(why))
    assert rows[0]["mb_s"] > 0
    _reported(part, server, rows, tmp_path)


def _reported(part: str, server: str, rows: list[dict[str, Any]], folder: Path) -> None:
    path = folder / "rows.jsonl"
    about = {"part": "machine", "of": part}
    made = [about, *({"part": part, "server": server, "round": 1, **row} for row in rows)]
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    report.write(path)
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "n = 1" in text
    assert server in text.partition("## ")[2] or part in ("stalls", "restart")  # these two name no server
