"""A real coturn on loopback."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from housecall.testing.parts import find


@contextmanager
def running(folder: Path, configuration: str, port: int, tls: int) -> Iterator[None]:
    """coturn with our file, moved to loopback and to free ports: what loopback forbids is taken out, nothing else."""
    program = find("turnserver")
    if program is None:
        pytest.skip("coturn is not installed: apt-get install coturn")
    ours = re.sub(
        r"^(denied-peer-ip=(127|::1).*|log-file=.*|simple-log|tls-listening-port=.*)\n", "", configuration, flags=re.M
    )
    more = f"listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nallow-loopback-peers\nlistening-port={port}\n"
    more += f"tls-listening-port={tls}\npidfile={folder / 'pid'}\nuserdb={folder / 'db'}\nlog-file=stdout\n"
    path = folder / "coturn.conf"
    path.write_text(ours + more, encoding="utf-8")
    with (folder / "coturn.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(path)], stdout=log, stderr=subprocess.STDOUT)
    try:
        _until_it_listens(process, port)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)  # the condition is the answer; this only paces the asking
    raise RuntimeError("coturn does not listen")
