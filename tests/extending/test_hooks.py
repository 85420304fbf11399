"""Hooks: each plugin answers for itself; what it does wrong is its own, and told by name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from plugin_world import on, problem, world

from housecall.app import Ports
from housecall.extending.hooks import Answer, Raised
from housecall.extending.registry import Registry
from plugin_folders import plain, write

HEALTHY = '@hookimpl\ndef health(clinic):\n    return "fine in " + clinic\n'
ILL = "@hookimpl\ndef health(clinic):\n    raise ValueError('a secret')\n"


def switched_on(registry: Registry, *plugins: str) -> Registry:
    for plugin in plugins:
        registry.turn("main", plugin, True, actor=None)
    return registry


def test_a_raising_plugin_spares_the_others_and_is_named(tmp_path: Path) -> None:
    write(tmp_path, plain("anna", python=HEALTHY), plain("berta", python=ILL), plain("clara", python=HEALTHY))
    with world(tmp_path) as registry:
        switched_on(registry, "anna", "berta", "clara")
        assert [(a.plugin, a.value) for a in registry.hooks.ask("health", "main")] == [
            ("anna", "fine in main"),
            ("clara", "fine in main"),
        ]
        (raised,) = [a for a in registry.hooks.ask_all("health", "main") if isinstance(a, Raised)]
        assert raised.plugin == "berta"
        assert raised.error.startswith("ValueError at __init__.py:")
        assert "secret" not in raised.error


def test_only_plugins_that_are_on_are_asked(tmp_path: Path) -> None:
    write(tmp_path, plain("anna", python=HEALTHY), plain("berta", python=HEALTHY))
    with world(tmp_path) as registry:
        switched_on(registry, "berta")
        assert [a.plugin for a in registry.hooks.ask("health", "main")] == ["berta"]
        assert registry.hooks.ask("health", "elsewhere") == []
        assert registry.hooks.ask("health", "main", only="anna") == []


@pytest.mark.parametrize(
    ("hook", "answer"),
    [("health(clinic)", "7"), ("check_settings(clinic, values)", "'no'"), ("checkin_steps(view)", "'no'")],
)
def test_an_answer_of_the_wrong_type_is_a_failure_of_that_plugin(tmp_path: Path, hook: str, answer: str) -> None:
    write(tmp_path, plain("anna", python=f"@hookimpl\ndef {hook}:\n    return {answer}\n"))
    with world(tmp_path) as registry:
        switched_on(registry, "anna")
        given = {"values": {}, "view": None}
        (raised,) = registry.hooks.ask_all(hook.partition("(")[0], "main", **given)
        assert isinstance(raised, Raised)
        assert raised.error.startswith("TypeError")


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ("@hookimpl\ndef helth(clinic): ...\n", "there is no hook 'helth'; did you mean 'health'?"),
        ("@hookimpl(specname='helth')\ndef health(clinic): ...\n", "there is no hook 'helth'; did you mean 'health'?"),
        ("@hookimpl\ndef health(clinik): ...\n", "health takes 'clinik'; did you mean 'clinic'?"),
        ("@hookimpl(wrapper=True)\ndef health(clinic):\n    return (yield)\n", "health is a wrapper"),
        ("@hookimpl(hookwrapper=True)\ndef health(clinic):\n    yield\n", "health is a wrapper"),
        ("@hookimpl\ndef jobs():\n    return 7\n", "jobs gave int, not a list"),
        ("@hookimpl\ndef blueprints():\n    return ['page']\n", "blueprints() gave a str"),
        (
            "@hookimpl\ndef commands():\n    return [print]\n",
            "commands() gave a builtin_function_or_method, not a click",
        ),
        ("1 / 0\n", "it could not be imported: ZeroDivisionError at __init__.py:2"),
        ("raise SystemExit\n", "it could not be imported: SystemExit"),
    ],
)
def test_a_hook_that_cannot_be_used_quarantines_its_plugin(tmp_path: Path, python: str, told: str) -> None:
    write(tmp_path, plain("anna", python=python), plain("berta", python=f"from flask import request\n{HEALTHY}"))
    with world(tmp_path) as registry:
        assert told in problem(registry, "anna")
        switched_on(registry, "berta")
        assert [a.value for a in registry.hooks.ask("health", "main")] == ["fine in main"]


@pytest.mark.parametrize(
    "more",
    [
        "pages.before_app_request(lambda: None)",
        "pages.app_errorhandler(404)(lambda e: 'mine')",
        "pages.app_template_filter('x')(str)",
        "pages.record(lambda state: state.app.add_url_rule('/mine', 'mine', str))",
    ],
)
def test_a_blueprint_that_reaches_beyond_its_address_quarantines_its_plugin(tmp_path: Path, more: str) -> None:
    python = f"from flask import Blueprint\npages = Blueprint('p', __name__)\n{more}\n@hookimpl\ndef blueprints():\n"
    write(tmp_path, plain("anna", python=python + "    return [pages]\n"))
    with world(tmp_path) as registry:
        assert "the whole application" in problem(registry, "anna") or "answers at /mine" in problem(registry, "anna")


REFUSING = "@hookimpl\ndef refuse_move(view, to, actor):\n    {}\n"


@pytest.mark.parametrize(
    ("toml", "body", "reasons"),
    [
        ("", "return 'Not yet.'", ["Not yet."]),
        ("", "return None", []),
        ("", "raise ValueError", []),
        ('on_refuse = "allow"\n', "raise ValueError", []),
        ('on_refuse = "block"\n', "return None", []),
        ('on_refuse = "block"\n', "raise ValueError", ["Anna: ValueError at __init__.py:4"]),
        ('on_refuse = "block"\n', "return 7", ["Anna: TypeError"]),
    ],
)
def test_a_refusal_that_raises_counts_as_its_manifest_says(
    tmp_path: Path, toml: str, body: str, reasons: list[str]
) -> None:
    write(tmp_path, plain("anna", toml, REFUSING.format(body)), plain("berta", python=REFUSING.format("return None")))
    with world(tmp_path) as registry:
        switched_on(registry, "anna", "berta")
        view: Any = SimpleNamespace(clinic="main")
        refused = Ports(None, None, registry, None).refuse(view, "in_call", None)  # type: ignore[arg-type]
        assert len(refused) == len(reasons)
        assert all(given.reason.startswith(wanted) for given, wanted in zip(refused, reasons, strict=True))


def test_what_is_told_runs_beside_and_its_failure_is_attributed(tmp_path: Path) -> None:
    write(tmp_path, plain("anna", python="@hookimpl\ndef visit_changed(view, new):\n    raise ValueError(new)\n"))
    with world(tmp_path) as registry:
        switched_on(registry, "anna")
        later: list[Any] = []
        registry.hooks.spawn = lambda *call: later.append(call)
        told: list[Raised] = []
        registry.hooks.failed = lambda clinic, raised: told.append(raised)
        registry.hooks.tell("visit_changed", "main", view=None, old=None, new="waiting", actor=None)
        assert told == []
        for function, *arguments in later:
            function(*arguments)
        assert [(each.plugin, each.hook) for each in told] == [("anna", "visit_changed")]


def test_a_plugin_hears_that_it_was_switched(tmp_path: Path) -> None:
    python = "heard = []\n@hookimpl\ndef toggled(clinic, enabled):\n    heard.append((clinic, enabled))\n"
    write(tmp_path, plain("anna", python=python))
    with world(tmp_path) as registry:
        switched_on(registry, "anna")
        registry.turn("main", "anna", False, actor=None)
        assert registry.by_id["anna"].module is not None
        assert registry.by_id["anna"].module.heard == [("main", True), ("main", False)]
        assert on(registry) == []


def test_a_hook_runs_in_an_application_context(tmp_path: Path) -> None:
    python = "from flask import current_app\n@hookimpl\ndef health():\n    return current_app.name\n"
    write(tmp_path, plain("anna", python=python))
    with world(tmp_path) as registry:
        switched_on(registry, "anna")
        with ThreadPoolExecutor(1) as beside:  # a thread has no context of its own
            answers = beside.submit(registry.hooks.ask, "health", "main").result()
        assert answers == [Answer(plugin="anna", value="housecall")]
