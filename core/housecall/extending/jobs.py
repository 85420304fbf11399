"""One loop for the jobs of all plugins: each by its interval, for every clinic that has its plugin on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

from ..logs import log
from .hooks import Raised, place
from .nouns import Job
from .registry import Registry

LOOK = 30.0  #: seconds after which the loop looks at the latest what has been switched on or off

Key = tuple[str, str, str]  #: (clinic, plugin, job)


class Jobs:
    """What is due, and what runs. The first run is one interval after the start, or after switching on."""

    def __init__(self, registry: Registry, spawn: Callable[..., None], clock: Callable[[], float] = time.monotonic):
        self.registry, self.spawn, self.clock = registry, spawn, clock
        self._due: dict[Key, float] = {}
        self._running: set[Key] = set()

    def keep(self, sleep: Callable[[float], None]) -> None:
        """Run what is due, for ever."""
        while True:
            sleep(self.tick())

    def tick(self) -> float:
        """Start what is due now, each beside us; the seconds until it is worth looking again."""
        now, wanted = self.clock(), dict(self._wanted())
        self._due = {key: self._due.get(key, now + job.every) for key, job in wanted.items()}
        for key, job in wanted.items():
            if self._due[key] <= now and key not in self._running:
                self._due[key] = now + job.every
                self._running.add(key)
                self.spawn(self._run, key, job)
        return max(1.0, min([LOOK, *(due - now for due in self._due.values())]))

    def _wanted(self) -> Iterator[tuple[Key, Job]]:
        for plugin in self.registry.on_anywhere():
            for clinic in self.registry.clinics_with(plugin.id):
                for job in plugin.own.jobs:
                    yield (clinic, plugin.id, job.name), job

    def _run(self, key: Key, job: Job) -> None:
        clinic, plugin, name = key
        try:
            assert job.run is not None
            with self.registry.hooks.context():
                job.run(clinic)
        except Exception as error:
            log("job", level=logging.ERROR, exc_info=True, plugin=plugin, job=name, clinic=clinic)
            self.registry.failed(clinic, Raised(plugin=plugin, hook=f"the job {name}", error=place(error)))
        finally:
            self._running.discard(key)
