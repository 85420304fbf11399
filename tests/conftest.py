"""What all tests share: in CI a skip is a failure, because CI installs every part."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from people import chromium, person
from practice import Practice, Room

__all__ = ["chromium", "person"]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and exitstatus == 0 and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("CI: a skipped test is a failure; its part is missing.", red=True)


@pytest.fixture(scope="session")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """One server for all tests of this process; each test makes its own room."""
    running = Practice(tmp_path_factory.mktemp("practice") / "site").start()
    yield running
    running.stop()


@pytest.fixture
def room(practice: Practice) -> Room:
    return practice.room()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Practice]]:
    """Starts servers of a test's own, each with a site of its own; ask for it before `person`, who goes first."""
    running: list[Practice] = []

    def start(toml: str | None = None, *, folder: Path | None = None, **more: Any) -> Practice:
        if toml is not None:
            more["toml"] = toml
        practice = Practice(folder or tmp_path / f"site-{len(running)}", **more).start()
        running.append(practice)
        return practice

    yield start
    for practice in running:
        practice.stop()
