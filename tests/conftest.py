"""What all tests share: in CI a skip is a failure, since CI installs every part; real browsers get a second chance."""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["housecall.testing"]

os.environ["PYTHONDONTWRITEBYTECODE"] = ""  # hundreds of servers are started: what the first compiles, the rest find


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test with real browsers lives in real time: on a machine that stood still for a moment it is tried once more.

    What is wrong fails twice. The summary names each that needed it (RERUN): a name that comes back is a race to mend.
    """
    for item in items:
        if "engines" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and exitstatus == 0 and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("CI: a skipped test is a failure; its part is missing.", red=True)
