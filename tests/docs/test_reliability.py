"""docs/reliability.md says what tests hold and what was measured."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

from benchmarks import recovery, report

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
LINES = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")][
    1:
]
NOT_A_FAULT = {"test_each_fault_is_one_and_ends"}  #: of tests/lab


def names_in(folder: str) -> set[str]:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "tests" / folder).glob("test_*.py"))
    return {name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.M)}


def test_every_test_that_it_names_is_there_and_every_fault_of_the_lab_is_on_it() -> None:
    named = set(re.findall(r"\btest_\w+", PAGE))
    assert named <= names_in("lab") | names_in("browser")
    assert names_in("lab") - NOT_A_FAULT <= named
    assert all(line[4].startswith("test_") for line in LINES)


def test_its_seconds_are_the_medians_of_the_raw_rows() -> None:
    rows = [row for row in report.read(ROOT / "benchmarks/rows.jsonl") if row["part"] == "recovery" and "fault" in row]
    said = {name: line[3] for line in LINES for name in re.findall(r"\(`([^`]+)`\)", line[0])}
    assert set(said) == set(recovery.FAULTS)
    for fault, seconds in said.items():
        of = [row for row in rows if row["fault"] == fault]
        assert of, f"{fault} was not measured"
        found = [statistics.median(row[key] for row in of) for key in ("provider_s", "patient_s")]
        assert seconds == " / ".join(f"{each:.1f}" for each in found), fault
