"""A PDF that somebody uploads: its text and pictures of its pages, and nothing else of it, no script and no attachment.

It is read in a process of its own, with little memory and little time: such a file may have been made to do harm.
"""

import base64
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LARGEST = 5_000_000  #: bytes of the file
PICTURES = 2_000_000  #: bytes of the pictures of its pages together: each signed document holds them


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One page: a PNG, and its size in pixels."""

    width: int
    height: int
    png: bytes


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What stands in a PDF, or the code of what is wrong."""

    title: str = ""
    text: str = ""
    pages: tuple[Picture, ...] = ()
    problem: str = ""  #: missing, large, pages, encrypted, broken, slow, empty, none


def read(data):
    """What stands in a PDF."""
    if not data:
        return Taken(problem="none")
    if len(data) > LARGEST:
        return Taken(problem="large")
    command = [sys.executable, "-P", str(Path(__file__).with_name("pdf_read.py"))]
    try:
        done = subprocess.run(command, input=data, capture_output=True)  # noqa: S603  our own file
        said = json.loads(done.stdout)
    except ValueError:  # it was killed by its limits, and said nothing
        return Taken(problem="slow")
    pages = tuple(Picture(**page | {"png": base64.b64decode(page["png"])}) for page in said.pop("pages", ()))
    if sum(len(page.png) for page in pages) > PICTURES:
        return Taken(problem="large")
    return Taken(**said, pages=pages)
