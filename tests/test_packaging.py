"""What people install: the wheel holds everything, and the locks name no address."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from itertools import islice
from pathlib import Path

import pytest
import requests

from housecall.testing.practice import free_port

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return next(out.glob("housecall-*.whl"))


def test_the_wheel_holds_everything_that_a_server_needs(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "housecall/static/vendor/socket.io.js",
        "housecall/bundled/whiteboard/static/vendor/pdf-worker.js",
        "housecall/static/js/patient.js",
        "housecall/web/templates/patient.html",
        "housecall/clinics/migrations/versions/0001_first.py",
        "housecall/clinics/common_passwords.txt",
        "housecall/themes/calm/theme.toml",
        "housecall/testing/practice.py",
        "housecall/bundled/chat/plugin.toml",
        "housecall/bundled/backdrop/static/vendor/selfie_segmentation/selfie_segmentation_landscape.tflite",
        "housecall/scaffold/plugin/plugin.toml",
        "housecall/scaffold/test_plugin.txt",
    ):
        assert needed in names, needed
    own = [name for name in names if not name.startswith(("housecall/testing/", "housecall/scaffold/"))]
    assert not [name for name in own if "test" in name or "node_modules" in name]


def test_the_installed_wheel_runs_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """Unpacked before everything else on the path, it makes a site and finds its themes and migrations there."""
    place = tmp_path / "lib"
    zipfile.ZipFile(wheel).extractall(place)
    environ = {**os.environ, "PYTHONPATH": str(place)}
    code = "import housecall, pathlib; print(pathlib.Path(housecall.__file__).parent)"
    run = [sys.executable, "-W", "error"]
    where = subprocess.run([*run, "-c", code], env=environ, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert where.stdout.strip() == str(place / "housecall")
    (tmp_path / "housecall.toml").write_text('[clinic.main]\nname = "Elm"\ntheme = "clam"\n', encoding="utf-8")
    for command, code_, words in (
        ("migrate", 0, "up to date"),
        ("check", 1, "there is no theme 'clam'; did you mean 'calm'"),
    ):
        done = subprocess.run(
            [*run, "-m", "housecall", command], env=environ, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == code_, done.stderr
        assert words in done.stdout


def test_a_newcomer_installs_the_wheel_and_opens_both_links(wheel: Path, tmp_path: Path) -> None:
    """A fresh environment, pip, and the command `housecall` in an empty folder. Only the dependencies are lent."""
    place, empty = tmp_path / "venv", tmp_path / "empty"
    venv.create(place, with_pip=False)
    empty.mkdir()
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin/python"), "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--no-index", str(wheel)], check=True, capture_output=True)
    packages = next(place.glob("lib/python*/site-packages"))
    # behind the wheel's own files on the path; the checkout's own hook for imports is not among what is lent
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PORT": str(free_port())}
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            [place / "bin/housecall", "demo"], cwd=empty, env=environ, text=True, stdout=subprocess.PIPE, stderr=log
        ) as demo,
    ):
        try:
            assert demo.stdout
            links = dict(re.findall(r"^(provider|patient) +(\S+)$", "".join(islice(demo.stdout, 2)), flags=re.M))
            assert set(links) == {"provider", "patient"}, (tmp_path / "log").read_text(encoding="utf-8")
            for link, words in (("provider", "One moment"), ("patient", "Your name")):
                answer = requests.get(links[link], timeout=30)
                assert answer.status_code == 200
                assert words in answer.text
            files = subprocess.run(
                [place / "bin/python", "-c", "import housecall; print(housecall.__file__)"],
                cwd=empty,
                env=environ,
                text=True,
                capture_output=True,
                check=True,
            )
            assert Path(files.stdout.strip()).is_relative_to(place)
        finally:
            demo.terminate()
    assert list(empty.iterdir()) == []


def test_the_lock_file_has_hashes_and_no_addresses() -> None:
    lock = json.loads((ROOT / "web/package-lock.json").read_text(encoding="utf-8"))
    for name, package in lock["packages"].items():
        if name:
            assert package["integrity"].startswith("sha512-")
            assert "resolved" not in package


def test_versions_of_browser_libraries_are_exact() -> None:
    package = json.loads((ROOT / "web/package.json").read_text(encoding="utf-8"))
    for version in {**package["dependencies"], **package["devDependencies"]}.values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_no_third_party_code_is_committed() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in tracked if "vendor/" in name or "node_modules" in name or ".min." in name]


def test_types_are_strict_and_style_is_kept() -> None:
    tools = Path(sys.executable).parent
    for command in (
        [tools / "mypy"],
        [tools / "ruff", "check", "."],
        [tools / "ruff", "format", "--check", "core", "tests"],
    ):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
