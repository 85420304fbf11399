"""Imports run one way (docs/architecture.md §1); the contracts are in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_imports_run_one_way() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_server_and_transport_name_eventlet() -> None:
    named = {p.name for p in (ROOT / "core").rglob("*.py") if "eventlet" in p.read_text(encoding="utf-8")}
    # config.py and runtime.py know it as the value of a setting, not as a module
    importing = {
        p.name
        for p in (ROOT / "core").rglob("*.py")
        if any("import eventlet" in line or "from eventlet" in line for line in p.read_text("utf-8").splitlines())
    }
    assert importing <= {"server.py", "transport.py"}, named


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, housecall; print(sorted({'flask', 'sqlalchemy', 'eventlet', 'socketio'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys, housecall.cli; print(sorted({'flask', 'sqlalchemy', 'eventlet', 'socketio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


#: Ids of plugins that are words of our own, too: members and rooms have a photo.
OURS = ("photo",)


def test_core_names_no_plugin() -> None:
    plugins = (
        [p.name for p in (ROOT / "plugins").iterdir() if (p / "plugin.toml").exists()]
        if (ROOT / "plugins").is_dir()
        else []
    )
    offered = {"chat", "screenshare", "payments", "teleconsent", "sms", *plugins}
    for path in (ROOT / "core").rglob("*"):
        if path.suffix in (".py", ".js", ".html") and "vendor" not in path.parts:
            text = path.read_text(encoding="utf-8")
            for name in offered:
                if name not in OURS:
                    assert f'"{name}"' not in text, f"{path.relative_to(ROOT)} names the plugin {name}"
                for use in (f'"{name}:', f"/-/{name}/", f'data-plugin="{name}"'):
                    assert use not in text, f"{path.relative_to(ROOT)} uses the plugin {name}"
                assert f"housecall.plugins.{name}" not in text, f"{path.relative_to(ROOT)} names the plugin {name}"
