"""The parts of one running server, as pages find them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import current_app

from ..config import Site
from ..extending.theming import Theme
from ..runtime import Runtime
from ..visits import Visits
from .assets import Assets


@dataclass(frozen=True, kw_only=True)
class House:
    """Made once by `create_app`; `app.extensions["housecall"]`."""

    site: Site
    runtime: Runtime
    visits: Visits
    themes: Mapping[str, Theme]
    assets: Assets
    now: Callable[[], int]  #: the wall clock, in ms since 1970 UTC
    in_call: Callable[[str | None], bool]  #: whether the login behind a token is in a call
    start: Callable[[], None]  #: begins what runs beside the requests


def house() -> House:
    """The house that serves this request."""
    found: House = current_app.extensions["housecall"]
    return found
