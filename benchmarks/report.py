"""Tables and pictures out of raw rows: `python -m benchmarks.report [ROWS]` writes README.md and *.svg beside them."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import charts

Row = dict[str, Any]

CLOSED: Row = {"what": "signal", "rate": None}
QUIET = 5.0  #: per cent of a run in which the server waited for its core; latencies of busier runs are not shown
ORDER = ("stock", "tuned", "node", "demo", "bare", "sound", "housecall")
HEAD = """# How fast, beside what

`make bench` made this page and its pictures from [the raw rows](rows.jsonl); nothing here is typed by hand.

* **stock**: bare Flask-SocketIO on eventlet, as documented. **tuned**: the same with all that is known to help.
  **node**: Node's socket.io. **demo**: a page with socket.io's client and twenty lines that make a call.
* The server runs on one core, the load client on another; servers take turns within a round. A figure is the median
  of its rounds, with the lowest and the highest in brackets.
* Trust CPU per operation first. Latency is shown only at a fixed rate, from runs in which the server waited for its
  core for at most 5 % of the time ("no quiet run": there was none).
* Every handshake offers permessage-deflate, as browsers do. Housecall is the whole application: ticket, checks, rate
  counters. Four limits count as ever but are lifted, because one client plays everybody (`launch.py`): signals of a
  seat, check-ins at a door, sign-ins by network and by account; and a device check may give any reason.

`make bench ONLY=relay` (or several: `ONLY=relay,frame`) runs a part, `ROUNDS=3` fewer rounds, `QUICK=1` only finds out
whether all works. Linux, two cores, Node 20 and Chromium are needed.
"""


def read(path: Path) -> list[Row]:
    """The rows of a file; none if there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


@dataclass(frozen=True)
class Figure:
    """Several runs of one thing."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        if not self.values:
            return "no quiet run"
        return f"{_short(self.median)} [{_short(min(self.values))}-{_short(max(self.values))}]"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


class Rows:
    """The rows of one part."""

    def __init__(self, rows: list[Row], part: str):
        self.all = [row for row in rows if row["part"] == part]
        self.about = next((row for row in rows if row["part"] == "machine" and row["of"] == part), {})
        self.servers = [name for name in ORDER if any(row["server"] == name for row in self.all)]

    def __bool__(self) -> bool:
        return bool(self.all)

    def figure(self, server: str, key: str, *, quiet: bool = False, **where: Any) -> Figure:
        """All runs of a server that are `where`."""
        found = [
            row
            for row in self.all
            if row["server"] == server and all(row.get(name) == value for name, value in where.items())
        ]
        return Figure(
            tuple(
                float(row[key])
                for row in found
                if row.get(key) is not None and (not quiet or row.get("waited_pct", 0) <= QUIET)
            )
        )

    def kinds(self, key: str) -> list[Any]:
        return sorted({row[key] for row in self.all if row.get(key) is not None})


def table(head: list[str], body: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def ratios(rows: Rows, key: str, **where: Any) -> str:
    """How many times what each floor needs a house needs, in the same run."""
    own = rows.figure("housecall", key, **where)
    if not own.values:
        return ""
    floors = [(name, rows.figure(name, key, **where)) for name in rows.servers if name != "housecall"]
    return ", ".join(f"{own.median / f.median:.2f} × {name}" for name, f in floors if f.values and f.median)


def medians(rows: Rows, key: str, **where: Any) -> dict[str, float]:
    figures = {name: rows.figure(name, key, **where) for name in rows.servers}
    return {name: figure.median for name, figure in figures.items() if figure.values}


def half_load(rows: Rows, server: str) -> tuple[list[int], dict[str, Figure]]:
    """The rates of the runs at half of saturation, and the latencies of the quiet ones."""
    found = [row for row in rows.all if row["server"] == server and row["rate"] and row["what"] == "signal"]
    found = [row for row in found if row["size"] == 2048]
    quiet = [row for row in found if row["waited_pct"] <= QUIET and "p99" in row]
    return [row["rate"] for row in found], {key: Figure(tuple(r[key] for r in quiet)) for key in ("p50", "p99")}


Pictures = dict[str, str]


def relay(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## A signal from one browser to the other"
    sizes, closed = rows.kinds("size"), CLOSED
    sizes = [size for size in sizes if rows.figure(rows.servers[0], "us", size=size, **closed).values]
    yield "µs of the server's CPU for each, in a closed loop (1,000,000 / µs is what one core can do in a second):"
    body = [[name, *(str(rows.figure(name, "us", size=size, **closed)) for size in sizes)] for name in rows.servers]
    yield table(["", *(f"{size:,} B" for size in sizes)], body)
    yield "Housecall needs " + "; ".join(f"{ratios(rows, 'us', size=s, **closed)} at {s:,} B" for s in sizes) + "."
    yield "At half of what each server can do (2,048 B, so at different rates), and a chat message at an equal rate:"
    body = []
    for name in rows.servers:
        half, late = half_load(rows, name)
        at = f"{min(half):,}-{max(half):,}/s" if half else ""
        chat = rows.figure(name, "us", size=1000)
        body.append([name, at, str(late["p50"]), str(late["p99"]), str(chat)])
    yield table(["", "rate", "p50 ms", "p99 ms", "chat: µs"], body)
    groups = {f"{size:,} B": medians(rows, "us", size=size, **closed) for size in sizes}
    pictures["relay"] = charts.bars("CPU for one relayed signal", "µs", groups)


def memory(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## Memory of those who wait"
    counts = rows.kinds("waiting")
    yield "KiB for each waiting patient, by how many wait; and the whole process:"
    crowd = 1000 if 1000 in counts else counts[-1]
    body = [
        [
            name,
            *(str(rows.figure(name, "kib", waiting=n)) for n in counts),
            str(rows.figure(name, "idle_mib", waiting=crowd)),
            str(rows.figure(name, "mib", waiting=crowd)),
        ]
        for name in rows.servers
    ]
    yield table(["", *(f"{n:,}" for n in counts), "MiB idle", f"MiB with {crowd:,}"], body)
    yield f"Housecall needs {ratios(rows, 'kib', waiting=crowd)} for each of {crowd:,}."
    pictures["memory"] = charts.bars(
        "Memory for one waiting patient", "KiB", {f"{n:,} waiting": medians(rows, "kib", waiting=n) for n in counts}
    )


def checkin(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## From a check-in to three dashboards"
    yield "50 a second. At Housecall each is a POST with a form's token, and one more who waits; floors relay an event."
    body = [
        [
            name,
            str(rows.figure(name, "waiting")),
            str(rows.figure(name, "p50", quiet=True)),
            str(rows.figure(name, "p99", quiet=True)),
            str(rows.figure(name, "us")),
            str(rows.figure(name, "unheard")),
        ]
        for name in rows.servers
    ]
    yield table(["", "waiting at first", "p50 ms", "p99 ms", "CPU µs", "not heard by all"], body)


def change(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## What a change costs, by how many wait"
    yield (
        "µs of CPU for one change of a waiting patient that three dashboards show, 50 a second. What the server does "
        "for those who only wait (their pings) was measured just before, and is taken off:"
    )
    counts = rows.kinds("waiting")
    body = [[name, *(str(rows.figure(name, "alone_us", waiting=n)) for n in counts)] for name in rows.servers]
    yield table(["", *(f"{n:,} waiting" for n in counts)], body)
    yield "Per cent of the core for those who only wait:"
    body = [[name, *(str(rows.figure(name, "idle_pct", waiting=n)) for n in counts)] for name in rows.servers]
    yield table(["", *(f"{n:,} waiting" for n in counts)], body)
    yield "Its p99 in ms:"
    body = [[name, *(str(rows.figure(name, "p99", quiet=True, waiting=n)) for n in counts)] for name in rows.servers]
    yield table(["", *(f"{n:,} waiting" for n in counts)], body)
    groups = {f"{n:,} waiting": medians(rows, "alone_us", waiting=n) for n in counts}
    pictures["change"] = charts.bars("CPU for one change of a waiting patient", "µs", groups)


def stalls(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## The longest stall"
    yield (
        "The longest gap of a 5 ms heartbeat inside the server under five sign-ins, ten frames of 64 KB and two pages "
        "of a history of 5,000 visits a second; how long the server itself worked in it (the rest was the machine's). "
        "*first*: the first moments, in which pages are compiled."
    )
    keys = ("longest", "worked", "over_25", "page_p99")
    body = [
        [
            f"{n:,} waiting{', first' if first else ''}",
            *(str(rows.figure("housecall", k, waiting=n, first=first)) for k in keys),
        ]
        for n in rows.kinds("waiting")
        for first in (True, False)
    ]
    yield table(["", "longest ms", "its own work", "gaps above 25 ms", "page p99 ms"], body)


def restart(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## All come back after a restart"
    body = []
    for n in rows.kinds("waiting"):
        found = [row for row in rows.all if row["waiting"] == n]
        kept = sum(row["in_order"] for row in found)
        figures = (str(rows.figure("housecall", key, waiting=n)) for key in ("cpu_ms", "took_ms", "longest"))
        body.append([f"{n:,}", *figures, f"{kept} of {len(found)}"])
    yield table(["browsers", "server CPU ms", "took ms", "longest stall ms", "order kept"], body)


def frame(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## From the link to the first frame"
    yield "Two pages in headless Chromium with fake devices on this machine; ms until the slower side shows the other:"
    keys = ("ms", "click_ms", "requests", "kib", "code_kib", "provider_code_kib")
    body = [[name, *(str(rows.figure(name, key)) for key in keys)] for name in rows.servers]
    yield table(["", "from the link", "from the click", "requests", "KiB", "scripts, styles", "the provider's"], body)
    if ratios(rows, "ms"):
        yield f"Housecall takes {ratios(rows, 'ms')} from the link, {ratios(rows, 'click_ms')} from the click."
    groups = {"from the link": medians(rows, "ms"), "from the click": medians(rows, "click_ms")}
    pictures["frame"] = charts.bars("Until the first frame of the other side", "ms", groups)


def click(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## From the provider's click to the first frame"
    yield (
        "The same two pages, but nobody hurries: the patient has waited for two seconds when Start is pressed. "
        "Both pages of the demo have their cameras on by then; a provider of Housecall turns on hers by the click."
    )
    keys = ("ms", "provider_ms", "camera_ms")
    body = [[name, *(str(rows.figure(name, key)) for key in keys)] for name in rows.servers]
    yield table(["", "the slower side, ms", "the provider's side, ms", "of it until her camera is on, ms"], body)
    if ratios(rows, "ms"):
        yield f"Housecall takes {ratios(rows, 'ms')}."


def weight(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## What the patient's page weighs"
    yield 'Asked for until "Check in" can be pressed, as compressed:'
    body = [[name, *(str(rows.figure(name, key)) for key in ("requests", "kib", "code_kib"))] for name in rows.servers]
    yield table(["", "requests", "KiB", "scripts and styles KiB"], body)


def lighthouse(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## What Lighthouse says of it"
    yield "The patient's page, on the slow phone and the slow line that Lighthouse imitates:"
    keys = ("score", "fcp_ms", "lcp_ms", "tbt_ms")
    body = [[str(rows.figure("housecall", key)) for key in keys]]
    yield table(["performance, of 100", "first paint ms", "largest paint ms", "blocked ms"], body)


def recovery(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## How long a fault is heard and seen"
    yield (
        "Two browsers and the practice on hosts of a network of their own; seconds from the moment in which the "
        "network lets a call through again (or closes a way for good) until picture and sound are back. "
        "[What each side sees](../docs/reliability.md):"
    )
    body = [
        [
            fault,
            *(str(rows.figure("housecall", key, fault=fault)) for key in ("provider_s", "patient_s")),
            str(len(rows.figure("housecall", "patient_s", fault=fault).values)),
        ]
        for fault in dict.fromkeys(row["fault"] for row in rows.all)
    ]
    yield table(["", "at the provider, s", "at the patient, s", "runs"], body)


def page_cpu(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## What a page in a call costs"
    yield "CPU of one page's process in a connected call of 640 x 480 both ways, per cent of a core:"
    yield table(["", "%"], [[name, str(rows.figure(name, "pct"))] for name in rows.servers])
    if ratios(rows, "pct"):
        yield f"Housecall needs {ratios(rows, 'pct')}."


def files(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "## How fast a file goes"
    yield (
        "From browser to browser on one machine, MB/s; **bare** is a page of one DataChannel without a checksum, "
        "**sound** the same in a call by sound, as Housecall's is:"
    )
    yield from _speeds(rows)


def _speeds(rows: Rows) -> Iterator[str]:
    yield table(["", "MB/s"], [[name, str(rows.figure(name, "mb_s"))] for name in rows.servers])
    if ratios(rows, "mb_s"):
        yield f"Housecall reaches {ratios(rows, 'mb_s')}."


def line(rows: Rows, pictures: Pictures) -> Iterator[str]:
    yield "### Over a line"
    yield (
        "From host to host, where the one that gives sends at most 50 Mbit/s (6.25 MB/s with all that is around "
        "it), MB/s:"
    )
    yield from _speeds(rows)


PARTS: dict[str, Callable[[Rows, Pictures], Iterator[str]]] = {
    "relay": relay,
    "memory": memory,
    "checkin": checkin,
    "change": change,
    "stalls": stalls,
    "restart": restart,
    "recovery": recovery,
    "frame": frame,
    "click": click,
    "page_cpu": page_cpu,
    "files": files,
    "line": line,
    "weight": weight,
    "lighthouse": lighthouse,
}


def about(rows: Rows) -> str:
    """What a part was measured on."""
    it = rows.about
    rounds = len({row["round"] for row in rows.all})
    versions = ", ".join(f"{n} {it[n]}" for n in ("python", "node", "eventlet", "flask-socketio") if n in it)
    return (
        f"<sub>n = {rounds}, {it.get('on')}, commit {it.get('commit')}; {it.get('cores')} cores of {it.get('cpu')}, "
        f"{it.get('gib')} GiB, Linux {it.get('kernel')}; {versions}.</sub>"
    )


def goals(of: dict[str, Rows]) -> Iterator[list[str]]:
    """Each goal that has a figure: what was asked, what was found, whether it is met."""

    def judge(name: str, most: float, figure: Figure, over: Figure | None = None) -> Iterator[list[str]]:
        if figure.values and (over is None or over.values):
            found = figure.median / over.median if over else figure.median
            yield [name, f"{most:,.4g}", f"{found:,.4g}", "yes" if found <= most else f"no, by {found / most - 1:.0%}"]

    own, here = "housecall", of["relay"]
    for size in (200, 2048, 6500):
        found, floor = (here.figure(name, "us", size=size, **CLOSED) for name in (own, "tuned"))
        yield from judge(f"relay of {size:,} B, × tuned", 1.18, found, floor)
    yield from judge("relay at half load, p99 ms", 8, half_load(here, own)[1]["p99"])
    yield from judge("KiB for a waiting patient", 70, of["memory"].figure(own, "kib", waiting=1000))
    yield from judge("MiB with 1,000 waiting", 150, of["memory"].figure(own, "mib", waiting=1000))
    yield from judge("check-in to dashboards, p50 ms", 2, of["checkin"].figure(own, "p50", quiet=True))
    yield from judge("check-in to dashboards, p99 ms", 5, of["checkin"].figure(own, "p99", quiet=True))
    few, many = (of["change"].figure(own, "alone_us", waiting=n) for n in (10, 1000))
    yield from judge("a change with 1,000 waiting, × with 10", 1.25, many, few)
    yield from judge("longest stall, ms", 25, of["stalls"].figure(own, "longest", first=False, waiting=1000))
    yield from judge("1,000 come back, server CPU ms", 2000, of["restart"].figure(own, "cpu_ms", waiting=1000))
    for part, key, name, most in (
        ("frame", "ms", "link to first frame, × demo", 1.6),
        ("frame", "click_ms", "click to first frame as soon as the card is there, × demo", 1.3),
        ("click", "ms", "click to first frame of a patient who waits, × demo", 1.3),
    ):
        yield from judge(name, most, of[part].figure(own, key), of[part].figure("demo", key))
    yield from judge("a page in a call, CPU, × demo", 1.15, *(of["page_cpu"].figure(n, "pct") for n in (own, "demo")))
    yield from judge("patient's page: KiB of scripts and styles", 45, of["weight"].figure(own, "code_kib"))
    yield from judge("patient's page: requests", 12, of["weight"].figure(own, "requests"))
    yield from judge("call page: KiB of scripts and styles", 60, of["frame"].figure(own, "code_kib"))

    for part, name in (("files", "a file on one machine"), ("line", "a file over 50 Mbit/s")):
        bare, whole = (medians(of[part], "mb_s").get(name) for name in ("bare", own))
        if bare and whole:
            share = whole / bare
            yield [f"{name}, × bare (at least)", "0.9", f"{share:.2f}", "yes" if share >= 0.9 else "no"]
    score = of["lighthouse"].figure(own, "score")
    if score.values:
        yield [
            "Lighthouse, performance of 100 (at least)",
            "98",
            str(score.median),
            "yes" if score.median >= 98 else "no",
        ]


def write(path: Path) -> None:
    """README.md and the pictures beside the rows."""
    rows = read(path)
    of = {part: Rows(rows, part) for part in PARTS}
    text, pictures = [HEAD], dict[str, str]()
    if judged := list(goals(of)):
        text += ["## Goals", table(["", "at most", "found", "met"], judged)]
    for part, found in of.items():
        if found:
            text += [*PARTS[part](found, pictures)]
            if part in pictures:
                text.append(f"![{part}]({part}.svg)\n")
            text.append(about(found))
    path.with_name("README.md").write_text("\n\n".join(part.strip() for part in text) + "\n", encoding="utf-8")
    for name, picture in pictures.items():
        path.with_name(f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("rows.jsonl"))
