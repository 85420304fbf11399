"""`housecall turn` and the proof of a relay by `housecall check`, with a real coturn that reads what we wrote."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import segno

from coturn import running
from housecall import relay
from housecall.cli import NO_MAIL
from housecall.config import IceServer
from housecall.testing.certificate import certificate as self_signed
from housecall.testing.parts import find
from housecall.testing.practice import free_port


def told(server: IceServer) -> list[str]:
    """What is wrong with a relay; in a thread of its own, since the browsers of other tests have a loop in ours."""
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(lambda: list(relay.problems(server))).result()


def housecall(*arguments: object, code: int = 0) -> str:
    run = [sys.executable, "-W", "error", "-m", "housecall", *map(str, arguments)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of localhost that signs itself, and its key."""
    return self_signed(tmp_path_factory.mktemp("tls"))


def test_what_turn_writes_is_a_relay_and_check_proves_each_way(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = certificate
    said = housecall("turn", "localhost", tmp_path, "--cert", cert, "--key", key)
    assert "turns:localhost:443?transport=tcp" in said
    secret = (tmp_path / "data/turn-secret").read_text()
    written = tmp_path / "turnserver.conf"
    assert f"static-auth-secret={secret}\n" in written.read_text()
    assert written.stat().st_mode & 0o077 == (tmp_path / "data/turn-secret").stat().st_mode & 0o077 == 0
    port, tls = free_port(), free_port()
    urls = [f"turn:localhost:{port}?transport=udp", f"turn:localhost:{port}?transport=tcp", f"turns:localhost:{tls}"]
    (tmp_path / "housecall.toml").write_text(
        '[server]\nurl = "https://elm.example.org"\ntrusted_proxies = 1\n[clinic.main]\nname = "Elm"\n'
        f'[[clinic.main.ice]]\nurls = {urls}\nsecret = "file:data/turn-secret"\n',
        encoding="utf-8",
    )
    housecall("migrate", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with running(tmp_path, written.read_text(), port, tls):
        assert housecall("check", tmp_path) == f"{NO_MAIL}\nEverything is in order.\n"
        monkeypatch.delenv("SSL_CERT_FILE")
        assert f"turns:localhost:{tls}: its certificate is not good" in housecall("check", tmp_path, code=1)
    said = housecall("check", tmp_path, code=1)
    assert said.count("is coturn running") == 3


def test_each_failure_has_its_one_fix(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, relay.configuration("localhost", "right"), port, free_port()):
        ways = (f"turn:localhost:{port}?transport=udp", f"turn:localhost:{port}?transport=tcp")
        assert told(IceServer(urls=ways, secret="right")) == []
        refused = told(IceServer(urls=ways, secret="wrong"))
        assert len(refused) == 2
        assert all("refuses our credentials" in each for each in refused)
        assert "speaks no TLS" in told(IceServer(urls=(f"turns:localhost:{port}",), secret="right"))[0]
        assert told(IceServer(urls=("stun:localhost",))) == []


def test_a_relay_that_forbids_its_own_address_is_told(tmp_path: Path) -> None:
    """Two browsers behind strict networks meet at the relay: it must let them."""
    port = free_port()
    forbids = relay.configuration("localhost", "right") + "denied-peer-ip=126.0.0.0-127.255.255.254\n"
    with running(tmp_path, forbids, port, free_port()):
        assert "denied-peer-ip" in told(IceServer(urls=(f"turn:localhost:{port}?transport=tcp",), secret="right"))[0]


def test_the_networks_behind_a_relay_are_out_of_reach(tmp_path: Path) -> None:
    """Both directions: a private address is forbidden, a public one is not."""
    program = find("turnutils_uclient")
    if program is None:
        pytest.skip("coturn is not installed: apt-get install coturn")
    port = free_port()
    with running(tmp_path, relay.configuration("localhost", "right"), port, free_port()):
        user, password = relay.credentials(IceServer(urls=(f"turn:localhost:{port}",), secret="right"))
        said = {}
        for peer in ("10.1.2.3", "192.168.1.1", "169.254.169.254", "8.8.8.8"):
            run = [
                program,
                "-u",
                user,
                "-w",
                password,
                "-p",
                str(port),
                "-e",
                peer,
                "-n",
                "1",
                "-m",
                "1",
                "-t",
                "127.0.0.1",
            ]
            try:
                done = subprocess.run(run, capture_output=True, text=True, timeout=5)
                said[peer] = "403" in done.stdout + done.stderr
            except subprocess.TimeoutExpired as late:  # it waits for answers of a peer that it may speak to
                said[peer] = b"403" in (late.stdout or b"") + (late.stderr or b"")
    assert said == {"10.1.2.3": True, "192.168.1.1": True, "169.254.169.254": True, "8.8.8.8": False}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("turn.example.org", "--cert", "c.pem"), "belong together"),
        (("turn example",), "no host name"),
        (("-x.example",), ""),
        (("turn.example.org\nrealm=x",), "no host name"),
    ],
)
def test_a_wrong_word_writes_nothing(arguments: tuple[str, ...], word: str, tmp_path: Path) -> None:
    run = [sys.executable, "-m", "housecall", "turn", *arguments]
    done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert word in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "road"),
    [
        ("turn:a.example", relay.Road(host="a.example", port=3478, transport="udp", tls=False)),
        ("turns:a.example", relay.Road(host="a.example", port=5349, transport="tcp", tls=True)),
        ("turn:[2001:db8::1]:99?transport=tcp", relay.Road(host="2001:db8::1", port=99, transport="tcp", tls=False)),
        ("stun:a.example", None),
    ],
)
def test_addresses_are_read_as_browsers_do(url: str, road: relay.Road | None) -> None:
    assert relay.Road.read(url) == road


def on_a_terminal(*arguments: object) -> str:
    """What a command prints where a person sits."""
    ours, theirs = pty.openpty()
    run = [sys.executable, "-W", "error", "-m", "housecall", *map(str, arguments)]
    with subprocess.Popen(run, stdout=theirs, stderr=subprocess.STDOUT) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # what Linux says at the end of a terminal
                break
            if not part:
                break
            said += part
        process.wait(60)
    os.close(ours)
    return said.decode().replace("\r\n", "\n")


def test_check_shows_a_qr_code_that_is_the_link(tmp_path: Path) -> None:
    """Read back from the characters: with its margin, dark on light, and it is the code of the printed link."""
    (tmp_path / "housecall.toml").write_text(
        '[server]\nurl = "https://elm.example.org"\ntrusted_proxies = 1\n[clinic.main]\nname = "Elm"\n'
        '[[clinic.main.ice]]\nurls = ["turn:127.0.0.1:9?transport=tcp"]\nsecret = "s3cret"\n',
        encoding="utf-8",
    )
    housecall("migrate", tmp_path)
    said = on_a_terminal("check", tmp_path)
    link = re.search(r"^https://elm\.example\.org/-/relay#\S+$", said, re.M)
    assert link, said
    drawn: list[list[int]] = []
    for line in re.findall(r"\x1b\[30;107m([█▀▄ ]+)\x1b\[0m", said):
        drawn.append([int(each in "█▀") for each in line])
        drawn.append([int(each in "█▄") for each in line])
    code = [list(row) for row in segno.make(link[0], micro=False).matrix_iter(border=4)]
    assert drawn[: len(code)] == code
    assert "/-/relay" not in housecall("check", tmp_path, code=1), "a log is nobody's terminal"


def test_turn_says_what_port_443_needs(tmp_path: Path) -> None:
    said = housecall("turn", "turn.example.org", tmp_path, "--cert", "c.pem", "--key", "k.pem")
    assert "an address of its own" in said
    assert r"[Service]\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n" in said
    assert "CAP_NET" not in housecall("turn", "turn.example.org", tmp_path)
