"""A hook that nobody uses rots: each is implemented by a plugin that comes with Housecall or by an example."""

from __future__ import annotations

from pathlib import Path

import pytest

from housecall.extending.hookspecs import KINDS
from housecall.testing.files import hook_names

ROOT = Path(__file__).resolve().parents[2]


def users() -> dict[str, set[str]]:
    """Hook to the plugins that implement it."""
    found: dict[str, set[str]] = {}
    for folder in (ROOT / "plugins", ROOT / "examples/plugins"):
        for manifest in folder.glob("*/plugin.toml"):
            for name, _ in hook_names(manifest.parent):
                found.setdefault(name, set()).add(manifest.parent.name)
    return found


@pytest.mark.parametrize("hook", sorted(KINDS))
def test_it_has_a_user(hook: str) -> None:
    assert users().get(hook), f"no plugin below plugins/ or examples/plugins/ implements {hook}"


def test_no_example_uses_a_hook_that_is_not_there() -> None:
    assert set(users()) <= set(KINDS)
