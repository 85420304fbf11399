"""The parts of one running server, as pages find them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flask import current_app

from ..config import Site
from ..extending.registry import Plugin, Registry
from ..extending.theming import Themes
from ..postroom import Postroom
from ..runtime import Runtime
from ..visits import Blobs, Visits
from .assets import Assets
from .kept import Kept
from .say import Gate


@dataclass(frozen=True, kw_only=True)
class House:
    """Made once by `create_app`; `app.extensions["housecall"]`."""

    site: Site
    runtime: Runtime
    visits: Visits
    blobs: Blobs
    themes: Themes
    assets: Assets
    kept: Kept  #: assets of earlier versions
    registry: Registry
    postroom: Postroom
    gate: Gate  #: for what the pages of a visit say to each other by way of this server
    now: Callable[[], int]  #: the wall clock, in ms since 1970 UTC
    in_call: Callable[[str | None], bool]  #: whether the login behind a token is in a call
    last_seen: Callable[[str], int]  #: when a dashboard of a member was open for the last time (ms)
    start: Callable[[], None]  #: begins what runs beside the requests
    _assets: dict[str, Assets] = field(default_factory=dict, repr=False)

    def assets_in(self, folder: Path, owner: str) -> Assets:
        """The files that a theme shows."""
        return self._assets.setdefault(owner, Assets(folder / "static", owner))

    def assets_of(self, plugin: Plugin) -> Assets:
        """The files that a plugin shows."""
        if plugin.id not in self._assets:
            self._assets[plugin.id] = Assets(plugin.folder / "static", plugin.id)
        return self._assets[plugin.id]

    def keep(self) -> None:
        """What pages may import now stays there for those that are still open after the next start."""
        for assets in self._served():
            if assets.files:
                self.kept.keep(assets)
                assets.known = self.kept.pressed(assets)

    def press(self) -> None:
        """Whoever comes first after a start does not wait for Brotli, nor does the next start press the same anew.

        What is large is asked for by few, when they use it: it waits for the first of them.
        """
        for assets in self._served():
            pressed = {name: assets.pressed(name, self.runtime.offload) for name in assets.small}
            if pressed != assets.known:
                self.kept.press(assets, pressed)
        give_back()

    def _served(self) -> list[Assets]:
        themes = [self.assets_in(theme.folder, f"theme-{theme.id}") for theme in self.themes.good.values()]
        return [self.assets, *map(self.assets_of, self.registry.by_id.values()), *themes]


def give_back() -> None:
    """Memory that was needed once goes back to the system, which glibc does not do by itself; 6 MiB after Brotli."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # malloc_trim(3); other C libraries have none
    if trim is not None:
        trim(0)


def house() -> House:
    """The house that serves this request."""
    found: House = current_app.extensions["housecall"]
    return found
