"""`housecall run` on a disk that stands still: what reads or writes a blob waits until the file `turns` is there.

HOUSECALL_DISK names the folder of that file; one byte more in `waiting` for each read or write that came.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from housecall import server

prepare = server._prepare


def stick() -> None:
    from eventlet import patcher

    from housecall.visits import blobs

    disk, rest = Path(os.environ["HOUSECALL_DISK"]), patcher.original("time").sleep  # a real thread rests, as on a disk
    read = Path.read_bytes

    def wait() -> None:
        with (disk / "waiting").open("ab") as out:
            out.write(b".")
        while not (disk / "turns").exists():
            rest(0.02)

    class Stuck(io.FileIO):
        def write(self, data: Any) -> int:
            wait()
            return super().write(data)

    def read_bytes(self: Path) -> bytes:
        if self.parent.name == "passing":
            wait()
        return read(self)

    opened = SimpleNamespace(**{**vars(os), "fdopen": lambda fd, *_, **__: Stuck(fd, "wb")})
    blobs.os = opened  # type: ignore[assignment]
    Path.read_bytes = read_bytes  # type: ignore[method-assign]


def prepared(*given: Any) -> Any:
    app = prepare(*given)
    stick()
    return app


if __name__ == "__main__":
    from housecall.cli import main

    server._prepare = prepared
    sys.exit(main())
