"""QR codes, for a phone to read: in a terminal, and as a picture for a page."""

from __future__ import annotations

import io
from itertools import zip_longest

import segno

QUIET = 4  #: modules of margin, which readers need (ISO/IEC 18004)
HALVES = {(1, 1): "█", (1, 0): "▀", (0, 1): "▄", (0, 0): " "}  #: (upper, lower) module, dark is 1


def blocks(text: str) -> str:
    """Lines of block characters, two rows of modules in each, black on white whatever the terminal's colours are."""
    rows = [tuple(row) for row in segno.make(text, micro=False).matrix_iter(border=QUIET)]
    lines = zip_longest(rows[::2], rows[1::2], fillvalue=(0,) * len(rows))
    return "\n".join(
        f"\x1b[30;107m{''.join(HALVES[pair] for pair in zip(*line, strict=True))}\x1b[0m" for line in lines
    )


def qr_code(text: str) -> str:
    """An SVG picture of a text: black on white, whatever the page's colours are."""
    out = io.BytesIO()
    made = segno.make(text, micro=False)
    made.save(out, kind="svg", border=QUIET, light="#fff", xmldecl=False, omitsize=True)
    return out.getvalue().decode()
