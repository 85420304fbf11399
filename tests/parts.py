"""Finds the outside parts that the tests talk to; installs what it may, names the line to type for the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from housecall.testing.parts import AXE, find

ROOT = Path(__file__).resolve().parent.parent
PARTS = ROOT / "tests/.parts"  #: what the tests bring from npm; git-ignored

DEBIAN = {  # what the tests look for -> the Debian package that brings it
    "chromium": "chromium",
    "turnserver": "coturn",
    "initdb": "postgresql",
    "ip": "iproute2",
    "nft": "nftables",
    "firefox-esr": "firefox-esr",
    "Xvfb": "xvfb",
    "evilwm": "evilwm",
    "bearerbox": "kannel",
    "fakesmsc": "kannel-extras",
}

LOCALSTRIPE = "localstripe==1.15.10"


def main() -> int:
    missing = [program for program in DEBIAN if not find(program)]
    packages = " ".join(DEBIAN[program] for program in missing)
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {packages} for the tests ...")
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        for package in packages.split():  # one by one: one that is unknown keeps no other away
            subprocess.run(
                ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package],
                check=False,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                stdout=subprocess.DEVNULL,
            )
        missing = [program for program in DEBIAN if not find(program)]
    elif missing:
        print(f"Some tests need more. On Debian and Ubuntu: sudo apt-get install -y --no-install-recommends {packages}")
    if "chromium" in missing and not _playwright_chromium():
        print("The browser tests need Chromium: sudo apt-get install -y chromium", file=sys.stderr)
        return 1
    axe()
    localstripe()
    return 0


def axe() -> None:
    """axe-core, which looks at pages as an auditor of accessibility does; from npm, as web/package-lock.json says."""
    stamp = PARTS / ".lock"
    lock = (ROOT / "web/package-lock.json").read_bytes()
    if AXE.exists() and stamp.exists() and stamp.read_bytes() == lock:
        return
    sys.path.insert(0, str(ROOT))
    import hatch_build

    PARTS.mkdir(exist_ok=True)
    hatch_build.install(PARTS)
    stamp.write_bytes(lock)


def localstripe() -> None:
    """A Stripe that others wrote, in an environment of its own: its licence is not ours, so it is only run."""
    place = PARTS / "localstripe"
    if (place / "bin/localstripe").exists():
        return
    PARTS.mkdir(exist_ok=True)
    venv.create(place, with_pip=True, clear=True)
    subprocess.run([place / "bin/python", "-m", "pip", "install", "--quiet", LOCALSTRIPE], check=False)


def _playwright_chromium() -> bool:
    """Where no package manager may be used, Playwright brings its own Chromium into the user's cache."""
    done = subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
