"""Every page of docs/ladder is typed in, block by block, and what it builds does what the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as default
from pathlib import Path

import pytest
from playwright.sync_api import expect

from housecall.testing import Person, Practice, Visitor, check_in, open_dashboard, sign_in, start

LADDER = Path(__file__).resolve().parent.parent.parent / "docs/ladder"
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.S | re.M)


@dataclass
class Reader:
    """Somebody who types in a page: files are written, commands run, and what a page says they print, they print."""

    serve: Callable[..., Practice]
    folder: Path
    lib: Path
    practice: Practice | None = None
    written: list[str] = default(default_factory=list)

    def read(self, page: str) -> Reader:
        text = (LADDER / page).read_text(encoding="utf-8")
        blocks = list(BLOCK.finditer(text))
        assert len(blocks) * 2 == text.count("```"), f"{page} has a block that is not read"
        for block in blocks:
            kind, file, body = block.groups()
            if file:
                path = self.folder / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(body, encoding="utf-8")
                self.written.append(file)
            else:
                assert kind == "console", f"{page}: a block of {kind} names no file"
                self.console(body)
        return self

    def console(self, body: str) -> None:
        for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
            command, _, printed = part.partition("\n")
            told = self.run(shlex.split(command))
            for line in printed.splitlines():
                pattern = ".*".join(map(re.escape, line.split("…")))
                assert re.search(pattern, told), f"{command} does not print {line!r}, but:\n{told}"

    def run(self, words: list[str]) -> str:
        """What a command prints. Servers begin and stay; packages go into a folder of the test's own."""
        match words:
            case ["cd", where]:
                self.folder = (self.folder / where).resolve()
                return ""
            case ["mkdir", where]:
                (self.folder / where).mkdir()
                return ""
            case ["housecall", "run"]:
                toml = (self.folder / "housecall.toml").read_text(encoding="utf-8")
                self.practice = self.serve(toml, folder=self.folder)
                return self.practice.log.read_text(encoding="utf-8")
            case ["housecall", *_]:
                words = [sys.executable, "-W", "error", "-m", *words]
            case ["python", "-m", "pip", "install", "."]:
                quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
                words = [sys.executable, "-m", "pip", "install", *quiet, "--target", str(self.lib), "."]
            case ["python", "-m", "pytest"]:
                words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--rootdir", "."]
            case _:
                raise AssertionError(f"nobody knows how to type {words}")
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(words, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=300)
        told = done.stdout + done.stderr
        assert done.returncode == (1 if words[-1] == "check" else 0), told
        return told

    @property
    def running(self) -> Practice:
        assert self.practice is not None, "the page has started no server"
        return self.practice


@pytest.fixture
def reader(serve: Callable[..., Practice], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    lib, place = tmp_path / "lib", tmp_path / "place"
    lib.mkdir()
    place.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(lib))
    return Reader(serve, place, lib)


Pair = tuple[Person, Person]


@pytest.fixture
def pair(reader: Reader, person: Callable[..., Person]) -> Callable[[], Pair]:
    """A provider with an open dashboard and a patient who waits, in the practice of the page."""

    def make() -> Pair:
        practice = reader.running
        room, own = practice.room(), f"localhost:{practice.port}"
        provider, patient = person("red", own=own), person("green", own=own)
        sign_in(provider.context, practice.url, room.login)
        open_dashboard(provider.page, practice.url)
        check_in(patient.page, room.url, "Grace")
        expect(provider.page.locator(".card")).to_be_visible()
        return provider, patient

    return make


def test_0_run(reader: Reader) -> None:
    practice = reader.read("0-run.md").running
    assert "Our practice" in Visitor(practice.url).get("/").text
    assert Visitor(practice.url).get(f"/{practice.room().slug}").status_code == 200


def test_1_settings(reader: Reader) -> None:
    practice = reader.read("1-settings.md").running
    owner = Visitor(practice.url, login=practice.room(role="owner").login)
    page = owner.get("/admin/settings/chat").text
    assert "housecall.toml" in page
    assert '<meta name="color-scheme" content="dark">' in page
    given = owner.get("/admin/settings/chat.toml").text
    assert tomllib.loads(given)["clinic"]["main"]["chat"]["waiting"] is False
    practice.stop()
    before = practice.toml.partition("[clinic.main.chat]")[0]
    practice.toml = before + given.replace("waiting = false", "waiting = true")
    practice.start()
    assert "waiting = true" in owner.get("/admin/settings/chat.toml").text, "what is pasted holds"


def test_2_theme(reader: Reader) -> None:
    practice = reader.read("2-theme.md").running
    page = Visitor(practice.url).get(f"/{practice.room().slug}").text
    for said in ("Welcome to the meadow", "Come in", "<strong>list of medicines</strong>", "/-/asset/theme-meadow/"):
        assert said in page
    owner = Visitor(practice.url, login=practice.room(role="owner").login)
    assert "Meadow" in owner.get("/admin/look").text


def test_3_plugin_without_python(reader: Reader, pair: Callable[[], Pair]) -> None:
    reader.read("3-plugin-without-python.md")
    provider, patient = pair()
    patient.page.get_by_role("button", name="Ring the bell").click()
    expect(provider.page.locator(".card .rung")).to_be_visible()
    expect(patient.page.locator(".toast")).to_have_text("Your provider has heard the bell.")


def test_4_plugin_with_python(reader: Reader, pair: Callable[[], Pair]) -> None:
    practice = reader.read("4-plugin-with-python.md").running
    provider, patient = pair()
    expect(provider.page.locator(".turnstile")).to_have_text("Visits ended: 0")
    start(provider.page, "Grace")
    provider.page.locator("#end").click()
    provider.page.locator("#ending button[value=end]").click()
    expect(patient.page.locator("main[data-state=after]")).to_be_visible()
    provider.page.reload()
    expect(provider.page.locator(".turnstile")).to_have_text("Visits ended: 1")
    assert Visitor(practice.url).get("/-/turnstile/ended").status_code != 200, "members only"


def test_5_package(reader: Reader) -> None:
    practice = reader.read("5-package.md").running
    room = practice.room()
    assert "Please wipe your feet" in Visitor(practice.url, login=room.login).get("/dashboard").text


def test_the_ladder_names_every_rung() -> None:
    pages = {path.name for path in LADDER.glob("[0-9]-*.md")}
    listed = re.findall(r"\((\d-[\w-]+\.md)\)", (LADDER / "README.md").read_text(encoding="utf-8"))
    assert sorted(pages) == listed


@pytest.mark.parametrize("page", [*LADDER.glob("*.md"), *LADDER.parent.glob("*.md")], ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert "://" in link or (page.parent / link).exists(), link
