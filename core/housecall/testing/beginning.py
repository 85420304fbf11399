"""What every first start makes, made once for all servers of these tests: the tables, and our files as they are served.

Made by the product's own functions. A server then finds what it would find at its second start, and no clinic yet.
Making this takes longer than all else that a start does.
"""

from __future__ import annotations

import atexit
import functools
import operator
import os
import shutil
import tempfile
from pathlib import Path

from .. import clinics
from ..extending import registry, theming
from ..web.assets import STATIC, Assets
from ..web.kept import Kept


@functools.cache
def _place() -> Path:
    place = Path(tempfile.mkdtemp(prefix="housecall-begun-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place


@functools.cache
def tables() -> Path:
    """A SQLite file of this version, in which nothing stands."""
    path = _place() / "housecall.db"
    clinics.database.prepare(f"sqlite:///{path}")
    return path


@functools.cache
def assets() -> Path:
    """The folder `data/assets`, with the files of core, plugins and themes."""
    folder = _place() / "assets"
    kept, served = Kept(folder), [Assets(STATIC, "core", lean=True)]
    for parent, prefix in ((registry.bundled(), ""), (theming.shipped(), "theme-")):
        served += [Assets(each / "static", prefix + each.name) for each in sorted(parent.iterdir())]
    for each in served:
        if each.files:
            kept.keep(each)
            kept.press(each, {name: each.pressed(name, operator.call) for name in each.small})
    return folder


def begin(data: Path) -> None:
    """Make the folder `data` of a site that has never run."""
    data.mkdir(mode=0o700)
    shutil.copytree(assets(), data / "assets", copy_function=_link)
    shutil.copyfile(tables(), data / "housecall.db")


def prepare(url: str) -> None:
    """As `clinics.database.prepare`; a SQLite file that is not there is a copy of one that was prepared before."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(tables(), path)
    clinics.database.prepare(url)


def _link(source: str, target: str) -> None:
    """The same file once more, where the file system can: no server writes into one of these."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
