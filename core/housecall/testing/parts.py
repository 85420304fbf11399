"""Outside parts that tests talk to: where they are, and the line to type where they are missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
SHIM = Path(__file__).parent / "driver_shim.cjs"  #: what Playwright's driver begins with
AXE = CHECKOUT / "tests/.parts/node_modules/axe-core/axe.min.js"  #: brought by `make test`


def find(program: str) -> str | None:
    """The path of an outside program, PostgreSQL's and Kannel's own folders included; "chromium" under any name."""
    places = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin", "/sbin", "/usr/lib/kannel/test"]
    places += sorted((f"/usr/lib/postgresql/{n}/bin" for n in range(14, 20)), reverse=True)
    names = ("chromium", "chromium-browser", "google-chrome") if program == "chromium" else (program,)
    return next((path for name in names if (path := shutil.which(name, path=os.pathsep.join(places)))), None)


def axe() -> str:
    """The source of axe-core, which looks at pages as an auditor of accessibility does.

    From a checkout of Housecall, or from the package that `housecall[testing]` brings. Raises FileNotFoundError.
    """
    if AXE.is_file():
        return AXE.read_text(encoding="utf-8")
    spec = importlib.util.find_spec("axe_playwright_python")
    for location in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(location).rglob("axe*.js")):
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError("axe-core is not here: pip install 'housecall[testing]', or `make test` in a checkout")
