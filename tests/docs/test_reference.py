"""The reference is what the code says, and every example of a hook is a plugin that is taken."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pluggy
import pytest

from housecall.extending import hookspecs
from housecall.extending.hooks import Hooks

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_reference_is_made_of_the_code() -> None:
    run = [sys.executable, "-W", "error", ROOT / "docs/reference.py", "--check"]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def example(hook: str) -> ModuleType:
    """The example of a hook's docstring, run as the module of a plugin."""
    found = re.findall(r"```python\n(.*?)```", inspect.getdoc(getattr(hookspecs, hook)) or "", re.S)
    assert len(found) == 1, f"{hook} needs one example"
    module = ModuleType(f"example_{hook}")
    exec(compile(found[0], f"<{hook}>", "exec"), module.__dict__)  # noqa: S102  our own docstring
    return module


@pytest.mark.parametrize("hook", hookspecs.KINDS)
def test_the_example_of_a_hook_is_a_plugin(hook: str) -> None:
    manager = pluggy.PluginManager("housecall")
    manager.add_hookspecs(hookspecs)
    module = example(hook)
    manager.register(module, name="example")
    manager.check_pending()
    assert [each.plugin_name for each in getattr(manager.hook, hook).get_hookimpls()] == ["example"]
    assert set(inspect.signature(getattr(module, hook)).parameters) <= set(
        inspect.signature(getattr(hookspecs, hook)).parameters
    )


@pytest.mark.parametrize("hook", [hook for hook, kind in hookspecs.KINDS.items() if kind == "contribute"])
def test_what_an_example_contributes_is_taken(hook: str) -> None:
    hooks = Hooks(on=lambda *_: True, failed=lambda *_: None, context=None, spawn=None)  # type: ignore[arg-type]
    hooks.register("example", example(hook))
    assert hooks.contribute("example", hook)
