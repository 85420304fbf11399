"""A practice whose server answers questions about itself, for tests that hold a plugin to the rules."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .practice import Practice

WINDOW = Path(__file__).parent / "window.py"


@dataclass
class Watched(Practice):
    """One site and a server with a window (window.py)."""

    without: str = ""  #: a plugin that this server has never had

    def __post_init__(self) -> None:
        left_out = ("--without", self.without) if self.without else ()
        self.command = (sys.executable, "-P", "-W", "error", str(WINDOW), *left_out, "run")

    def ask(self, question: str, **about: Any) -> dict[str, Any]:
        """The answer to a question; see window.Window. Raises RuntimeError where there is none."""
        control = self.folder.with_suffix(".asked")
        whole = control.with_suffix(".part")
        whole.write_text(json.dumps({"ask": question, **about}), encoding="utf-8")
        whole.replace(control)
        end = time.monotonic() + 30
        while control.exists():
            if time.monotonic() > end:
                raise RuntimeError(f"the server never answered {question}: {self.log.read_text()}")
            time.sleep(0.005)  # the condition is the answer; this only paces the asking
        answer: dict[str, Any] = json.loads(control.with_suffix(".answer").read_text(encoding="utf-8"))
        if "error" in answer:
            raise RuntimeError(f"{question}: {answer['error']}")
        return answer
