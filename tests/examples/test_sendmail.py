"""examples/plugins/sendmail: mail goes by the machine's own program, with what each of its answers means."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from housecall.message import Attachment, Message
from housecall.testing import PluginContract, Practice, Visitor
from housecall.testing.practice import eventually, free_port

FOLDER = Path(__file__).resolve().parents[2] / "examples/plugins/sendmail"
PROGRAM = """#!{python} -S
import os, pathlib, sys
part = pathlib.Path({place!r} + ".part")
part.write_bytes("\\n".join(sys.argv[1:]).encode() + b"\\n\\n" + sys.stdin.buffer.read())
part.rename({place!r})  # whole, or not there
{end}
"""
MESSAGE = Message(
    id="idididididididididididid"[:22],
    clinic="main",
    kind="mail",
    owner="core",
    to="-grace@navy.example",
    subject="Hello",
    text="Come in.",
    html="<p>Come in.</p>",
    reply_to="ada@elm.example",
    attachments=(Attachment(name="a.ics", type="text/calendar; charset=utf-8", body=b"BEGIN"),),
)


class TestSendmail(PluginContract):
    folder = FOLDER


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a program `sendmail` into the path, which writes down what it is given and ends so."""

    def make(end: str = "") -> Path:
        folder, place = tmp_path / "bin", tmp_path / "taken"
        folder.mkdir(exist_ok=True)
        file = folder / "sendmail"
        file.write_text(PROGRAM.format(python=sys.executable, place=str(place), end=end), encoding="utf-8")
        file.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        return place

    return make


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The plugin's module with its sender set."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("sendmail_example", FOLDER / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "settings", lambda plugin, clinic: {"sender": "desk@elm.example"})
    return module


@pytest.mark.parametrize(
    ("end", "state"),
    [
        ("", "sent"),
        ("sys.exit(75)", "later"),
        ("sys.exit(67)", "refused"),
        ("os.kill(os.getpid(), 9)", "unsure"),
        ("import time; time.sleep(60)", "unsure"),
    ],
)
def test_each_end_of_the_program_is_told(
    program: Callable[[str], Path],
    plugin: types.ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    end: str,
    state: str,
) -> None:
    program(end)
    monkeypatch.setattr(plugin, "LIMIT", 1 if "sleep" in end else 30)
    told = plugin.deliver(MESSAGE)
    assert told.state == state
    assert "grace" not in told.reason


def test_what_it_hands_over_is_the_mail(program: Callable[[str], Path], plugin: types.ModuleType) -> None:
    place = program("")
    plugin.deliver(MESSAGE)
    arguments, _, raw = place.read_bytes().partition(b"\n\n")
    assert arguments.decode().split("\n") == ["-i", "-f", "desk@elm.example", "--", "-grace@navy.example"]
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Message-ID"] == f"<{MESSAGE.id}@elm.example>"
    assert mail["Reply-To"] == "ada@elm.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_body(("plain",)).get_content() == "Come in.\n"  # type: ignore[union-attr]
    assert [part.get_filename() for part in mail.iter_attachments()] == ["a.ics"]  # type: ignore[attr-defined]


def test_without_the_program_it_carries_nothing(plugin: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "program", lambda: None)
    assert plugin.can_deliver("main", "mail") is None
    assert plugin.deliver(MESSAGE) is None


def test_a_practice_without_a_mail_server_sends_by_it(
    serve: Callable[..., Practice], program: Callable[[str], Path]
) -> None:
    place, port = program(""), free_port()
    toml = (
        f'[server]\nurl = "http://localhost:{port}"\n[clinic.main]\nname = "Elm"\nplugins = ["sendmail"]\n'
        '[clinic.main.sendmail]\nsender = "desk@elm.example"\n'
    )
    practice = serve(toml, port=port, plugins=(FOLDER,))
    room, visitor = practice.room(), Visitor(practice.url)
    assert visitor.post("/sign-in/forgot", {"email": room.email}).status_code == 200
    eventually(place.exists)
    assert f"{practice.url}/sign-in/link#" in place.read_text(encoding="utf-8").replace("=\n", "").replace("=3D", "=")
