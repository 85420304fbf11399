"""What a plugin may use beside its pages: what it seals, who waits, calls of other servers, settings that stay here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask

from housecall import clinics, config, fingerprint, queue, seal, unseal
from housecall.app import create_app
from housecall.clinics.database import db
from housecall.fields import FieldError, read
from housecall.runtime import Runtime, inline
from housecall.testing import Practice, Visitor
from housecall.testing.beginning import prepare
from plugin_folders import plain, write

PLUGIN = {
    **plain(
        "bell",
        '[settings.shown]\nlabel = "Shown"\ndefault = "in the open"\n'
        '[settings.kept]\nlabel = "Kept"\ndefault = "behind the door"\nprivate = true\n'
        '[settings.fixed]\nlabel = "Fixed"\ntoml = true\nprivate = true\n'
        '[settings.near]\nlabel = "Near"\nscope = "room"\ndefault = "under the bed"\nprivate = true\n'
        '[[fragment]]\nslot = "waiting.main"\ntemplate = "bell.html"\n'
        '[[fragment]]\nslot = "dashboard.aside"\ntemplate = "bell.html"\n',
        """
from flask import Blueprint, request

from housecall import clinic_id, member, settings, webhook

pages = Blueprint("bell_pages", __name__)


@pages.route("/rung", methods=["GET", "POST"])
@webhook
def rung():
    return {"by": member().role if member() else "nobody", "said": len(request.get_data()), "clinic": clinic_id()}


@pages.post("/plain")
def plain():
    return {}


@pages.get("/fixed")
def fixed():
    return {"fixed": settings("bell")["fixed"]}


@hookimpl
def blueprints():
    return [pages]
""",
    ),
    "templates/bell.html": "<p>{{ settings.shown }}|{{ settings.get('kept', 'unknown') }}</p>",
}
TOML = '[clinic.main]\nname = "Elm"\nplugins = ["bell"]\n[clinic.main.bell]\nfixed = "by the owner"\n'


@pytest.fixture
def practice(serve: Callable[..., Practice], tmp_path: Path) -> Practice:
    return serve(TOML, folder=write(tmp_path / "site", PLUGIN))


def test_another_server_calls_without_a_form_and_nobody_is_signed_in(practice: Practice) -> None:
    owner = practice.room(role="owner")
    cookies = {"hc-login": owner.login}
    for ask in (requests.get, requests.post):
        told = ask(f"{practice.url}/-/bell/rung", cookies=cookies, timeout=30)
        assert told.json() == {"by": "nobody", "said": 0, "clinic": "main"}
    elsewhere = {"Origin": "https://other.example", "Sec-Fetch-Site": "cross-site"}
    assert requests.post(f"{practice.url}/-/bell/rung", headers=elsewhere, data=b"x", timeout=30).json()["said"] == 1
    assert requests.post(f"{practice.url}/-/bell/rung", data=b"x" * 300_000, timeout=30).status_code == 413
    assert requests.post(f"{practice.url}/-/bell/plain", cookies=cookies, timeout=30).status_code == 403


def test_a_private_setting_is_on_no_page_of_a_visit(practice: Practice) -> None:
    room = practice.room(role="owner")
    member = Visitor(practice.url, login=room.login)
    for page in (Visitor(practice.url).get(f"/{room.slug}").text, member.get("/dashboard").text):
        assert "in the open|unknown" in page
        assert "in the open" in page.split('id="page"')[1]
        for kept in ("behind the door", "by the owner", "under the bed"):
            assert kept not in page
    assert "behind the door" in member.get("/admin/settings/bell").text
    assert "under the bed" in member.get("/admin/rooms").text


def test_what_only_housecall_toml_sets_no_form_changes(practice: Practice) -> None:
    member = Visitor(practice.url, login=practice.room(role="owner").login)
    assert member.get("/-/bell/fixed").json() == {"fixed": "by the owner"}
    form = {"set-bell": "1", "set-bell-shown": "a", "set-bell-kept": "b", "set-bell-fixed": "by a page"}
    assert member.post("/admin/settings/bell", form).status_code == 303
    assert member.get("/-/bell/fixed").json() == {"fixed": "by the owner"}
    practice.stop()
    practice.toml = TOML.partition("[clinic.main.bell]")[0]
    practice.start()
    assert "Only housecall.toml can set this." in member.get("/admin/settings/bell").text
    assert member.post("/admin/settings/bell", form).status_code == 303
    assert member.get("/-/bell/fixed").json() == {"fixed": None}


def test_only_the_practice_has_settings_of_housecall_toml() -> None:
    with pytest.raises(FieldError, match="not what each room has"):
        read("fixed", {"label": "Fixed", "toml": True, "scope": "room"}, "settings.fixed")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    (tmp_path / "housecall.toml").write_text(
        '[clinic.main]\nname = "Elm"\nhost = "elm.example"\n[clinic.oak]\nname = "Oak"\nhost = "oak.example"\n'
    )
    site = config.load(tmp_path, environ={})
    prepare(site.database)
    made = create_app(site, Runtime(spawn=inline))
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()


def test_what_is_sealed_opens_in_its_own_place_only(app: Flask) -> None:
    sealed = seal("bell_rope.number 1", "+3247000001")
    assert "3247" not in sealed
    assert sealed != seal("bell_rope.number 1", "+3247000001")
    assert unseal("bell_rope.number 1", sealed) == "+3247000001"
    assert unseal("bell_rope.number 2", sealed) is None
    assert unseal("bell_rope.number 1", sealed[:-4] + "AAAA") is None


def test_a_fingerprint_tells_the_same_from_another_and_nothing_else(app: Flask) -> None:
    first = fingerprint("bell main", "+3247000001")
    assert first == fingerprint("bell main", "+3247000001")
    assert len({first, fingerprint("bell oak", "+3247000001"), fingerprint("bell main", "+3247000002")}) == 3
    assert fingerprint("bell", "main1") != fingerprint("bellm", "ain1"), "where the place ends is part of it"
    other = clinics.sealing.fingerprint(b"another key of thirty-two bytes!", "bell main", "+3247000001")
    assert other != first


def test_the_queue_has_those_who_have_not_ended_and_no_names(app: Flask) -> None:
    visits = app.extensions["housecall"].visits
    ids = []
    for clinic, room in (("main", "a"), ("main", "b"), ("oak", "c"), ("main", "a")):
        visit, _ = visits.arrive(clinic=clinic, room=room, name="Quetzalcoatl")
        while app.extensions["housecall"].now() <= visit.arrived:
            pass  # who comes in the same ms has a place by chance
        ids.append(visit.id)
    assert [view.id for view in queue("main")] == [ids[0], ids[1], ids[3]]
    assert [view.id for view in queue("main", "a")] == [ids[0], ids[3]]
    assert queue("oak", "a") == []
    assert "Quetzalcoatl" not in repr(queue("main"))
