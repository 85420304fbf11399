"""What `housecall` offers to plugins: every name is there, and pages of a plugin stand in the house's frame."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import housecall
from housecall.testing import Practice, Visit, Visitor, media_flows

PLUGIN = {
    "plugin.toml": """
id = "tally"
name = "Tally"
version = "1.0"
api = "1.0"
summary = "Counts."

[settings.key]
type = "text"
label = "Key"
secret = true

[settings.goal]
type = "int"
label = "Goal"
default = 3
""",
    "__init__.py": """
from flask import Blueprint

from housecall import admins_only, clinic_id, hookimpl, member, members_only, page, settings

pages = Blueprint("tally_pages", __name__)


@pages.get("/today")
def today():
    me = member()
    return page("today.html", n=settings("tally")["goal"], clinic_name=clinic_id(), me=me.role if me else "a visitor")


@pages.get("/key")
@admins_only
def key():
    return settings("tally")["key"]


@pages.get("/mine")
@members_only
def mine():
    return member().name


@hookimpl
def blueprints():
    return [pages]
""",
    "templates/today.html": """{% extends "base.html" %}
{% block content %}<main id="main"><h1>{{ _("Today: %(n)s", n=n) }}</h1><p>{{ plugin }} {{ clinic_name }} {{ me }}</p>
<link rel="stylesheet" href="{{ asset('tally.css') }}"></main>{% endblock %}
""",
    "static/tally.css": "p { color: inherit; }",
}


@pytest.fixture
def tally(serve: Callable[..., Practice], tmp_path: Path) -> Practice:
    folder = tmp_path / "tally"
    for name, text in PLUGIN.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    toml = '[clinic.main]\nname = "Elm"\nplugins = ["tally"]\n[clinic.main.tally]\nkey = "s3cret"\n'
    return serve(toml, plugins=(folder,))


def test_every_name_is_there_and_no_other() -> None:
    for name in housecall.__all__:
        assert getattr(housecall, name).__doc__, name
    assert set(housecall.__all__) <= set(dir(housecall))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = housecall.nothing
    offered = {name for names in housecall._HOMES.values() for name in names}
    assert offered == set(housecall.__all__)


def test_types_are_known_without_loading_anything() -> None:
    code = "import sys, housecall; housecall.Field; print('flask' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_page_of_a_plugin_stands_in_our_frame(tally: Practice) -> None:
    room = tally.room(role="provider")
    visitor, provider = Visitor(tally.url), Visitor(tally.url, login=room.login)
    shown = visitor.get("/-/tally/today")
    assert shown.status_code == 200
    assert "<h1>Today: 3</h1><p>tally main a visitor</p>" in shown.text
    assert "Skip to the content" in shown.text
    assert 'href="/-/asset/tally/' in shown.text
    assert "/icon.svg" in shown.text
    assert "Today: 3</h1><p>tally main provider" in provider.get("/-/tally/today").text
    assert (
        "[Tódáý: 3]"
        in visitor.http.get(f"{tally.url}/-/tally/today", headers={"Accept-Language": "en-XA"}, timeout=10).text
    )


def test_the_guards_guard(tally: Practice) -> None:
    provider, owner = tally.room(role="provider"), tally.room(role="owner")
    assert Visitor(tally.url).get("/-/tally/mine").status_code == 303
    assert Visitor(tally.url, login=provider.login).get("/-/tally/mine").text == "Dr Ada Smith"
    assert Visitor(tally.url, login=provider.login).get("/-/tally/key").status_code == 404
    assert Visitor(tally.url, login=owner.login).get("/-/tally/key").text == "s3cret"


def test_outside_of_a_plugins_page_there_is_none() -> None:
    with pytest.raises(RuntimeError, match="plugin's own pages"):
        housecall.page("today.html")
    with pytest.raises(RuntimeError, match="given their clinic"):
        housecall.clinic_id()
    assert housecall.member() is None


def test_a_whole_visit_is_one_fixture(visit: Visit) -> None:
    for page in (visit.provider, visit.patient):
        media_flows(page)
    assert visit.patient.url == visit.room.url
