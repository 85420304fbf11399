"""What the rest of the house may know of the async mode: four functions, given by server.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any


def inline(function: Callable[..., Any], *args: Any) -> Any:
    """Call `function` where we stand: right where nobody else waits for this thread."""
    return function(*args)


def thread(function: Callable[..., Any], *args: Any) -> None:
    """Start `function` beside us."""
    threading.Thread(target=function, args=args, daemon=True).start()


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """How to do something slow, later or one at a time. The defaults are those of plain threads."""

    mode: str = "threading"  #: Socket.IO's async_mode
    offload: Callable[..., Any] = inline  #: runs CPU-heavy work off the loop and waits for its result
    spawn: Callable[..., None] = thread  #: starts a task that runs beside
    sleep: Callable[[float], None] = time.sleep  #: seconds
    lock: Callable[[], AbstractContextManager[Any]] = threading.Lock
