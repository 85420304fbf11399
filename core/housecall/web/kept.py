"""Files of the browser side that outlive a start: what pages of earlier versions still import, and Brotli's work."""

from __future__ import annotations

import logging
import os
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ..logs import log
from .assets import Assets

VERSIONS = 3  #: kept of each owner, the present one included; a page is open for the hours of a visit
DIGEST = re.compile(r"[0-9a-f]{16}")


class Kept:
    """Below `data/assets`: of each owner one folder for each version, as it went over the line, and `<owner>.br`."""

    def __init__(self, folder: Path):
        self.folder = folder

    def keep(self, assets: Assets) -> None:
        """Write down what this version serves, and forget versions that nobody has open any more."""
        here = self.folder / assets.owner / assets.hash
        try:
            if not here.is_dir():
                part = here.with_suffix(".part")
                shutil.rmtree(part, ignore_errors=True)
                for name in assets.files:
                    (part / name).parent.mkdir(parents=True, exist_ok=True)
                    (part / name).write_bytes(assets.served(name))
                part.mkdir(parents=True, exist_ok=True)
                part.rename(here)
            os.utime(here)
            for old in sorted(here.parent.iterdir(), key=lambda path: path.stat().st_mtime)[:-VERSIONS]:
                shutil.rmtree(old, ignore_errors=True)
        except OSError:  # a full disk: only who has an older page open would ever notice
            log("kept", level=logging.WARNING, exc_info=True)

    def find(self, owner: str, digest: str, name: str) -> bytes | None:
        """A file of an earlier version, if it is still there."""
        here = self.folder / owner / digest
        path = (here / name).resolve()
        if not DIGEST.fullmatch(digest) or not path.is_relative_to(here.resolve()) or not path.is_file():
            return None
        return path.read_bytes()

    def pressed(self, assets: Assets) -> dict[str, bytes]:
        """What an earlier start of the same version has pressed, by name; nothing where that cannot be read whole."""
        try:
            with zipfile.ZipFile(self._archive(assets)) as archive:
                same = archive.comment == assets.hash.encode()
                return {name: archive.read(name) for name in archive.namelist()} if same else {}
        except (OSError, zipfile.BadZipFile):
            return {}

    def press(self, assets: Assets, pressed: Mapping[str, bytes]) -> None:
        """Write down what was pressed, with its checksums, for the next start."""
        here = self._archive(assets)
        part = here.with_suffix(".part")
        try:
            here.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(part, "w") as archive:
                for name, data in pressed.items():
                    archive.writestr(zipfile.ZipInfo(name), data)  # of no time: a clock may be anywhere
                archive.comment = assets.hash.encode()
            part.replace(here)
        except OSError:  # the next start takes a second more of the processor's time
            log("kept", level=logging.WARNING, exc_info=True)

    def _archive(self, assets: Assets) -> Path:
        return self.folder / f"{assets.owner}.br"
