"""`python -m benchmarks`: runs the parts, servers interleaved, and writes each row as soon as it is there."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import playwright.sync_api

from . import measures, report, running

ROWS = running.HERE / "rows.jsonl"
PACKAGES = ("eventlet", "flask-socketio", "python-engineio", "python-socketio", "playwright")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    memory = next(int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    found = subprocess.run([running.node(), "--version"], capture_output=True, text=True, check=True)
    return {
        "cpu": cpu,
        "cores": len(running.CORES),
        "gib": round(memory / 1024**2),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "node": found.stdout.strip(),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def commit() -> str:
    """The commit that was measured, with a plus if the product's files differed from it."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=running.HERE.parent, capture_output=True, text=True).stdout

    changed = git("status", "--porcelain", "--", "core", "plugins", "themes", "web", "pyproject.toml").strip()
    return git("rev-parse", "--short", "HEAD").strip() + ("+" if changed else "")


def run(part: str, *, rounds: int, scale: measures.Scale, out: Path) -> int:
    """Measure one part; its new rows replace the old ones of `out`. Returns how many runs failed."""
    measure, failed = measures.PARTS[part], 0
    kept = [row for row in report.read(out) if row["part"] != part and row.get("of") != part]
    about = {"part": "machine", "of": part, "on": dt.date.today().isoformat(), "commit": commit(), **machine()}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(json.dumps(row) + "\n" for row in [*kept, about]), encoding="utf-8")
    for number in range(1, rounds + 1):
        for server in measure.servers:  # interleaved: a slow hour of the machine is slow for all
            try:
                for figures in measure.run(server, scale):
                    row = {"part": part, "server": server, "round": number, **figures}
                    with out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(row) + "\n")
                    print(json.dumps(row), flush=True)
            except (RuntimeError, OSError, playwright.sync_api.Error) as error:
                failed += 1
                print(f"FAILED {part} {server}: {error}", file=sys.stderr, flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="parts, with commas: " + " ".join(measures.PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small counts, one round: does it all work?")
    parser.add_argument("--out", type=Path, default=None, help="the rows; those of --quick go to build/bench")
    options = parser.parse_args()
    parts = options.only.split(",") if options.only else list(measures.PARTS)
    if wrong := [part for part in parts if part not in measures.PARTS]:
        parser.error(f"unknown: {' '.join(wrong)}; there are {' '.join(measures.PARTS)}")
    if len(running.CORES) < 2:
        parser.error("two cores are needed: one for the server, one for the client")
    try:
        running.node()
    except running.Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    out = options.out or (Path("build/bench/rows.jsonl") if options.quick else ROWS)
    scale, rounds = (measures.QUICK, 1) if options.quick else (measures.FULL, options.rounds)
    failed = sum(run(part, rounds=rounds, scale=scale, out=out) for part in parts)
    report.write(out)
    print(f"The tables are in {os.path.relpath(out.parent)}/README.md" + (f"; {failed} runs failed" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
