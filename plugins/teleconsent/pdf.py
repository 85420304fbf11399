"""The text of a PDF that somebody uploads, and nothing else of it: no script, no picture, no attachment comes with it.

It is read in a process of its own, with little memory and little time: such a file may have been made to do harm.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LARGEST = 5_000_000  #: bytes
SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A title and a text, or the code of what is wrong."""

    title: str = ""
    text: str = ""
    problem: str = ""  #: missing, large, pages, encrypted, broken, slow, empty, none


def text_of(data):
    """What stands in a PDF."""
    if not data:
        return Taken(problem="none")
    if len(data) > LARGEST:
        return Taken(problem="large")
    command = [sys.executable, "-P", str(Path(__file__).with_name("pdf_text.py"))]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS)  # noqa: S603  our own file
        return Taken(**json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        return Taken(problem="slow")
    except ValueError:  # it was killed by its limits, and said nothing
        return Taken(problem="slow")
