"""What our own modules and style sheets leave out on their way to a browser: comments, and nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from housecall.web.assets import STATIC, Assets

TRAPS = """\
// a line of comment
const at = "https://elm.example/"; // behind code
const said = "one; // two"; const more = `three; // four`;
  // and one that is indented, don't forget
const one = 1, // first
  two = 2; // it's the second
"""
LEFT = """\

const at = "https://elm.example/";
const said = "one; // two"; const more = `three; // four`;

const one = 1,
  two = 2; // it's the second
"""


def test_comments_are_left_out_where_they_are_nothing_else_for_sure(tmp_path: Path) -> None:
    for folder in ("js", "vendor"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "traps.js").write_text(TRAPS, encoding="utf-8")
    own, other = Assets(tmp_path, "core", lean=True), Assets(tmp_path, "plugin")
    assert own.served("js/traps.js").decode() == LEFT
    assert own.served("vendor/traps.js").decode() == TRAPS, "what others wrote stays as it is"
    assert other.served("js/traps.js").decode() == TRAPS


def test_no_line_loses_anything_else() -> None:
    own, lost = Assets(STATIC, "core", lean=True), Counter[str]()
    for name in own.files:
        lines, served = own.files[name].read_text("utf-8").split("\n"), own.served(name).decode().split("\n")
        for line, left in zip(lines, served, strict=True):
            assert line.startswith(left), name
            gone = line.removeprefix(left).strip()
            assert not gone or gone.startswith("//") or (gone.startswith("/*") and gone.endswith("*/")), (name, line)
            lost[name.split("/", 1)[0]] += len(gone)
    assert lost["js"] > 10_000
    assert lost["css"] > 1000
    assert set(+lost) == {"js", "css"}
