"""What all tests share: in CI a skip is a failure, because CI installs every part."""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["housecall.testing"]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and exitstatus == 0 and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("CI: a skipped test is a failure; its part is missing.", red=True)
