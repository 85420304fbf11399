"""The command line, as the person types it who runs the practice's server."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from housecall.cli import NO_MAIL
from housecall.testing.practice import PASSWORD, Practice, free_port
from housecall.testing.visitor import Visitor

COMMAND = [sys.executable, "-W", "error", "-m", "housecall"]


def housecall(*arguments: str | Path, code: int = 0, **environ: str) -> str:
    """Run a command to its end; its output and errors together."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, env={**os.environ, **environ}
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_init_check_run_and_members(serve: Callable[..., Practice], tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert "housecall run" in housecall("init", site)
    assert "already there" in housecall("init", site, code=1)
    told = housecall("check", site, code=1)
    assert "server.url is not set" in told
    assert "clinic.main.ice is empty" in told
    assert "The database is of another version" in told
    assert "up to date" in housecall("migrate", site)
    assert "The database is of another version" not in housecall("check", site, code=1)
    link = housecall("member", "add", "--role", "owner", "--dir", site).strip()
    token = re.fullmatch(r"http://localhost:8000/sign-in/link#(\S+)", link)
    assert token
    practice = serve((site / "housecall.toml").read_text(), folder=site)
    visitor = Visitor(practice.url)
    joined = visitor.post(
        "/sign-up",
        {"invitation": token[1], "first_name": "Ada", "last_name": "Smith", "email": "a@elm.example",
         "password": PASSWORD, "adult": "yes"},
        at="/sign-in",
    )  # fmt: skip
    assert joined.status_code == 303
    assert "owner     a@elm.example" in housecall("member", "list", "--dir", site)
    reset = housecall("member", "reset", "a@elm.example", "--dir", site).strip().partition("#")[2]
    assert "A new password" in Visitor(practice.url).post("/sign-in/link", {"link": reset}).text
    assert "No member" in housecall("member", "reset", "b@elm.example", "--dir", site, code=1)
    assert "has no owner yet" in practice.log.read_text()  # printed at the start, before Ada joined


def test_a_good_site_has_nothing_to_complain_about(tmp_path: Path) -> None:
    (tmp_path / "housecall.toml").write_text(
        '[server]\nurl = "https://elm.example.org"\ntrusted_proxies = 1\n'
        '[clinic.main]\nname = "Elm"\nice = [{urls = ["stun:stun.elm.example.org"]}]\n',
        encoding="utf-8",
    )
    housecall("migrate", tmp_path)
    assert housecall("check", tmp_path) == f"{NO_MAIL}\nEverything is in order.\n"


def test_a_broken_file_stops_every_command_with_its_mistakes(tmp_path: Path) -> None:
    (tmp_path / "housecall.toml").write_text('[clinic.main]\nnam = "Elm"\n', encoding="utf-8")
    for command in (
        ["run", tmp_path],
        ["check", tmp_path],
        ["migrate", tmp_path],
        ["member", "list", "--dir", tmp_path],
    ):
        told = housecall(*command, code=1)
        assert "line 2: clinic.main.nam: this name is not known; did you mean 'name'?" in told
        assert "Traceback" not in told
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("arguments", [[], ["dance"], ["member"], ["member", "add", "--role", "king"], ["init"]])
def test_wrong_usage_is_exit_code_two(arguments: list[str]) -> None:
    housecall(*arguments, code=2)


def test_a_clinic_must_be_named_where_there_are_several(tmp_path: Path) -> None:
    (tmp_path / "housecall.toml").write_text(
        '[clinic.elm]\nname = "Elm"\nhost = "elm.example"\n[clinic.oak]\nname = "Oak"\nhost = "oak.example"\n',
        encoding="utf-8",
    )
    assert "--clinic elm|oak" in housecall("member", "add", "--dir", tmp_path, code=1)
    assert "known: elm, oak" in housecall("member", "add", "--clinic", "ash", "--dir", tmp_path, code=1)
    assert housecall("member", "add", "--clinic", "oak", "--dir", tmp_path).startswith(
        "https://oak.example/sign-in/link#"
    )


def test_a_taken_port_is_told(serve: Callable[..., Practice], tmp_path: Path) -> None:
    running = serve()
    other = tmp_path / "two"
    housecall("init", other)
    assert "Choose another port" in housecall("run", other, code=1, PORT=str(running.port))


def test_the_demo_prints_two_links_that_work_and_leaves_nothing(tmp_path: Path) -> None:
    port = free_port()
    environ = {**os.environ, "PORT": str(port), "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([*COMMAND, "demo"], stdout=subprocess.PIPE, text=True, env=environ)
    assert process.stdout is not None
    timer = threading.Timer(60, process.kill)
    timer.start()
    lines = [process.stdout.readline().rstrip("\n") for _ in range(2)]
    timer.cancel()
    provider = re.fullmatch(rf"provider  (http://localhost:{port}/sign-in/link)#(\S+)", lines[0])
    patient = re.fullmatch(rf"patient   (http://localhost:{port})/(drsmith)", lines[1])
    assert provider, lines
    assert patient, lines
    for _ in range(2):  # reusable, in the demo only
        visitor = Visitor(patient[1])
        assert visitor.post("/sign-in/link", {"link": provider[2]}).headers["Location"] == "/dashboard"
        assert visitor.get("/dashboard").status_code == 200
    assert Visitor(patient[1]).get("/drsmith").status_code == 200
    assert list(tmp_path.iterdir())
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert process.stdout.read() == ""
    process.stdout.close()
    assert list(tmp_path.iterdir()) == []


def test_a_visit_on_plain_threads(serve: Callable[..., Practice]) -> None:
    """The exit from eventlet stays a switch."""
    toml = '[server]\nasync_mode = "threading"\n[clinic.main]\nname = "Elm"\n'
    practice = serve(toml)
    room = practice.room()
    patient, member = Visitor(practice.url), Visitor(practice.url, login=room.login)
    assert patient.check_in(room.slug, "Grace").status_code == 201
    with member.dashboard() as board, patient.seat(room.id) as seat:
        visit = seat.hear("welcome")["visit"]
        board.hear("delta")
        ack = board.ask("move", {"visit": visit["id"], "to": "in_call", "rev": None})
        assert ack["ok"]
        signal_ = {"visit": visit["id"], "to": ack["seat"], "life": 0, "candidate": {"candidate": "x"}}
        assert seat.ask("signal", signal_)["reached"]
        assert board.hear("signal")["candidate"] == {"candidate": "x"}
        assert board.ask("move", {"visit": visit["id"], "to": "ended", "rev": None})["ok"]
        assert seat.hear("moved")["state"] == "in_call"
        assert seat.hear("moved")["state"] == "ended"


def test_a_new_plugin_is_found_listed_and_purged(tmp_path: Path) -> None:
    housecall("init", tmp_path / "site")
    site = tmp_path / "site"
    told = housecall("plugin", "new", "tally_book", "--dir", site)
    for made in ("plugins/tally_book/plugin.toml", "tests/test_tally_book.py", "conftest.py"):
        assert str(site / made) in told
        assert "@" not in (site / made).read_text()
    assert "class TestTallyBook(PluginContract)" in (site / "tests/test_tally_book.py").read_text()
    assert "already there" in housecall("plugin", "new", "tally_book", "--dir", site, code=1)
    assert "comes with a plugin 'chat'" in housecall("plugin", "new", "chat", "--dir", site, code=1)
    assert "no id of a plugin" in housecall("plugin", "new", "Tally", "--dir", site, code=1)
    listed = housecall("plugin", "list", "--dir", site)
    assert re.search(r"^tally_book +0.1 +site +loaded, off$", listed, re.M)
    assert re.search(r"^chat +1.0 +bundled +loaded, off$", listed, re.M)
    text = (site / "housecall.toml").read_text()
    (site / "housecall.toml").write_text(text.replace("[clinic.main]", '[clinic.main]\nplugins = ["tally_book"]'))
    assert "loaded, on in main" in housecall("plugin", "list", "--dir", site)
    assert "clinic.main.plugins" in housecall("plugin", "purge", "tally_book", "--yes", "--dir", site, code=1)
    (site / "housecall.toml").write_text(text)
    assert "Nothing was changed" in housecall("plugin", "purge", "tally_book", "--dir", site, code=1)
    assert "Gone: " in housecall("plugin", "purge", "tally_book", "--yes", "--dir", site)
    (site / "plugins/tally_book/plugin.toml").write_text('id = "tally_book"\nnam = "x"\n')
    assert "quarantined: " in housecall("plugin", "list", "--dir", site, code=1)


def test_an_ejected_plugin_stands_beside_its_origin(tmp_path: Path) -> None:
    (tmp_path / "housecall.toml").write_text('[clinic.main]\nname = "Elm"\n', encoding="utf-8")
    housecall("plugin", "eject", "chat", "talk", "--dir", tmp_path)
    listed = housecall("plugin", "list", "--dir", tmp_path)
    assert re.search(r"^talk +1.0 +site +loaded, off$", listed, re.M)
    assert (tmp_path / "plugins/talk/static/chat.js").exists()
    unknown = housecall("plugin", "eject", "nothing", "other", "--dir", tmp_path, code=1)
    assert "known: backdrop, captions, chat" in unknown


def test_a_new_theme_is_one(tmp_path: Path) -> None:
    housecall("theme", "new", "moss", "--dir", tmp_path)
    assert re.search(r"^moss +Moss +site$", housecall("theme", "list", "--dir", tmp_path), re.M)
    assert "not there already" in housecall("theme", "new", "calm", "--dir", tmp_path, code=1)


def test_safe_starts_without_the_sites_own_plugins(serve: Callable[..., Practice], tmp_path: Path) -> None:
    site = tmp_path / "site"
    housecall("init", site)
    housecall("plugin", "new", "wave", "--dir", site)
    broken = site / "plugins/wave/plugin.toml"
    broken.write_text(broken.read_text() + '\n[[fragment]]\nslot = "nowhere"\n')
    toml = (site / "housecall.toml").read_text()
    practice = serve(toml, folder=site)
    assert "The plugin wave (site) is not in use" in practice.log.read_text()
    practice.stop()
    practice.log.unlink()
    serve(toml, folder=site, command=(*COMMAND, "run", "--safe"))
    assert "wave" not in practice.log.read_text()
