"""Jobs run by their interval, for each clinic that has the plugin on, and what they do wrong is their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from plugin_world import world

from housecall.extending.jobs import LOOK, Jobs
from housecall.extending.registry import Registry
from plugin_folders import plain, write

TWO = '[clinic.one]\nname = "One"\nhost = "one.example"\n[clinic.two]\nname = "Two"\nhost = "two.example"\n'
PYTHON = """
from flask import current_app
from housecall.extending.nouns import Job
ran, wrong = [], []


def sweep(clinic):
    if wrong:
        raise ValueError(clinic)
    ran.append((clinic, current_app.name))


@hookimpl
def jobs():
    return [Job(name="sweep", every=100, run=sweep)]
"""


class Clock:
    """Time that passes when a test says so; what is spawned waits until it is let go."""

    def __init__(self, registry: Registry):
        self.now = 1000.0
        self.waiting: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self.jobs = Jobs(registry, lambda function, *given: self.waiting.append((function, given)), lambda: self.now)

    def pass_(self, seconds: float) -> float:
        self.now += seconds
        return self.jobs.tick()

    def let_go(self) -> int:
        started, self.waiting = self.waiting, []
        with ThreadPoolExecutor(1) as beside:  # a thread has no application context of its own
            for function, given in started:
                beside.submit(function, *given).result()
        return len(started)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    write(tmp_path, plain("anna", python=PYTHON), plain("berta", python=PYTHON))
    with world(tmp_path, TWO) as made:
        made.turn("one", "anna", True, actor=None)
        yield made


def ran(registry: Registry, plugin: str = "anna") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = registry.by_id[plugin].module.ran  # type: ignore[union-attr]
    return found


def test_the_first_run_is_one_interval_after_the_start_and_then_by_the_interval(registry: Registry) -> None:
    clock = Clock(registry)
    clock.pass_(0)
    for seconds, runs in ((99, 0), (1, 1), (1, 0), (98, 0), (1, 1), (500, 1), (1, 0)):
        clock.pass_(seconds)
        assert clock.let_go() == runs, clock.now
    assert ran(registry) == [("one", "housecall")] * 3


def test_it_runs_for_each_clinic_that_has_it_on(registry: Registry) -> None:
    clock = Clock(registry)
    clock.pass_(0)
    registry.turn("two", "anna", True, actor=None)
    clock.pass_(50)  # the loop sees that it is on in `two`: first run one interval from here
    clock.pass_(60)
    clock.let_go()
    assert [clinic for clinic, _ in ran(registry)] == ["one"]
    registry.turn("one", "anna", False, actor=None)
    clock.pass_(100)
    clock.let_go()
    assert [clinic for clinic, _ in ran(registry)] == ["one", "two"]
    assert ran(registry, "berta") == []


def test_it_never_runs_twice_at_once(registry: Registry) -> None:
    clock = Clock(registry)
    clock.pass_(0)
    for _ in range(5):
        clock.pass_(100)  # the first still waits to be let go
    assert len(clock.waiting) == 1
    clock.let_go()
    clock.pass_(1)
    assert len(clock.waiting) == 1  # it was due all the time
    clock.let_go()
    assert len(ran(registry)) == 2


def test_a_job_that_raises_spares_the_others_and_comes_again(registry: Registry) -> None:
    registry.turn("one", "berta", True, actor=None)
    registry.by_id["anna"].module.wrong.append(True)  # type: ignore[union-attr]
    told: list[Any] = []
    real = registry.failed
    registry.failed = lambda clinic, raised: (told.append((clinic, raised)), real(clinic, raised))[1]  # type: ignore[method-assign]
    clock = Clock(registry)
    clock.pass_(0)
    for n in range(1, 20):
        clock.pass_(100)
        assert clock.let_go() == 2
        assert len(ran(registry, "berta")) == n
    assert {(clinic, each.plugin, each.hook) for clinic, each in told} == {("one", "anna", "the job sweep")}
    assert told[0][1].error.startswith("ValueError at __init__.py")
    assert len(told) == 19
    clock.pass_(100)
    clock.let_go()
    assert registry.clinics_with("anna") == []  # twenty failures within a minute of the real clock: suspended
    clock.pass_(100)
    assert clock.let_go() == 1


def test_the_loop_wakes_for_what_is_due_and_looks_now_and_then(registry: Registry) -> None:
    clock = Clock(registry)
    assert clock.pass_(0) == LOOK
    assert clock.pass_(90) == 10
    assert clock.pass_(9.9) == 1  # never in a hurry
    clock.pass_(1)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now += seconds
        if len(slept) == 10:
            raise StopIteration

    with pytest.raises(StopIteration):
        clock.jobs.keep(sleep)
    assert sum(slept) > 100
    assert max(slept) == LOOK
