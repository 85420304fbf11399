"""A plugin that breaks whatever it can: contained, named, and a visit in two browsers does not notice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from housecall.testing import (
    Person,
    Practice,
    Visitor,
    check_in,
    connected,
    end,
    media_flows,
    open_dashboard,
    sign_in,
    start,
)

MANIFEST = """
id = "hostile"
name = "Hostile"
version = "1"
api = "1.0"

[[fragment]]
slot = "waiting.main"
template = "raises.html"

[[fragment]]
slot = "waiting.main"
template = "open.html"

[[fragment]]
slot = "waiting.main"
template = "script.html"

[[fragment]]
slot = "waiting.aside"
module = "throws.js"

[[fragment]]
slot = "dashboard.card"
module = "mount.js"

[[fragment]]
slot = "dashboard.aside"
module = "broken.js"

[[fragment]]
slot = "call.stage"
module = "listens.js"

[[fragment]]
slot = "call.side"
module = "floods.js"

[settings.word]
label = "A word"

[[step]]
id = "raises"
title = "A step that raises"
template = "raises.html"

[[event]]
name = "noise"
from = ["provider", "patient"]
path = "best"

[[event]]
name = "loud"
from = ["provider", "patient"]
path = "server"
"""
FILES = {
    "plugin.toml": MANIFEST,
    "templates/raises.html": "{{ nobody.knows }}",
    "templates/open.html": "</section></main><div>",
    "templates/script.html": "<script>alert(1)</script>",
    "static/throws.js": "throw new Error('at import');",
    "static/mount.js": "export function mount() { throw new Error('at mount'); }",
    "static/broken.js": "export function mount( {",
    "static/listens.js": """
export function mount(host) {
  const bad = () => { throw new Error("in a listener"); };
  host.visit.on("change", bad);
  host.channel.on("noise", bad);
  host.channel.on("loud", async () => bad());
  return bad;
}""",
    "static/floods.js": """
export async function mount(host) {
  const refused = {};
  const attempt = async (...given) => {
    try {
      const ack = await host.channel.send(...given);
      if (ack?.error) throw { code: ack.error };
    } catch (error) {
      refused[error.code] = (refused[error.code] ?? 0) + 1;
    }
  };
  await attempt("../chat:message", { text: "forged" });
  await attempt("nothing", {});
  await attempt("noise", "x".repeat(20000));
  await attempt("loud", { field: 1 });
  await attempt("loud", "no object");
  host.root.dataset.visit = JSON.stringify(host.visit.id);
  try { host.visit.id = "another"; } catch { refused.frozen = 1; }
  for (let i = 0; i < 3000; i++) { attempt("noise", { i }); attempt("loud", {}); }
  for (let i = 0; i < 1000; i++) host.channel.history("noise");
  setTimeout(() => { host.root.dataset.refused = JSON.stringify(refused); }, 3000);
}""",
    "__init__.py": """
from flask import Blueprint

from housecall import Event, Job, hookimpl

pages = Blueprint("hostile_pages", __name__)


@pages.get("/page")
def page():
    raise RuntimeError("in a page")


def fails(*given):
    raise RuntimeError("in Python")


@hookimpl
def blueprints():
    return [pages]


@hookimpl
def events():
    return [Event(name="handled", sources=("provider",), path="server", handler=fails)]


@hookimpl
def jobs():
    return [Job(name="job", every=1, run=fails)]


@hookimpl
def checkin_steps(view):
    return "not a list"


@hookimpl
def refuse_move(view, to, actor):
    raise SystemError("in refuse_move")


@hookimpl
def visit_changed(view, old, new, actor):
    view.state = "ended"


@hookimpl
def check_settings(clinic, values):
    raise RuntimeError("in check_settings")


@hookimpl
def toggled(clinic, enabled):
    raise RuntimeError("in toggled")


@hookimpl
def health(clinic):
    raise RuntimeError("in health")
""",
}


def plant(folder: Path) -> None:
    for name, text in FILES.items():
        path = folder / "plugins/hostile" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def elm(serve: Callable[..., Practice], tmp_path: Path) -> Practice:
    plant(tmp_path / "elm")
    return serve('[clinic.main]\nname = "Elm"\nplugins = ["chat", "hostile"]\n', folder=tmp_path / "elm")


def test_a_visit_does_not_notice(elm: Practice, person: Callable[..., Person]) -> None:
    room, own = elm.room(), f"localhost:{elm.port}"
    provider, patient = person("red", own=own), person("green", own=own)
    for each in (provider, patient):
        each.expected += ["hostile", "Failed to load resource"]  # our own warnings, each with its name
    sign_in(provider.context, elm.url, room.login)
    open_dashboard(provider.page, elm.url)
    check_in(patient.page, room.url, "Grace")
    expect(patient.page.locator(".waiting .broken-part").first).to_be_visible()
    expect(patient.page.locator('hc-part[data-plugin="hostile"][data-broken]')).to_have_count(4)
    patient.page.locator(".waiting .chat-form textarea").fill("Still here")
    patient.page.keyboard.press("Enter")
    expect(provider.page.locator(".card .chat-log p")).to_have_text(["Still here"])
    start(provider.page, "Grace")
    connected(provider.page, patient.page)
    media_flows(provider.page)
    media_flows(patient.page)
    flood = patient.page.locator('#side hc-part[data-plugin="hostile"]')
    patient.page.wait_for_function(
        "() => document.querySelector('#side hc-part[data-plugin=hostile]')?.dataset.refused"
    )
    refused = json.loads(flood.get_attribute("data-refused") or "{}")
    assert refused["unknown"] == 2, refused
    assert refused["too_big"] == 1
    assert refused["invalid"] == 2
    assert refused["frozen"] == 1
    assert refused["slow_down"] > 3000
    for page, words in ((provider.page, "From the provider"), (patient.page, "From the patient")):
        page.get_by_role("button", name="Chat").click()
        page.locator("#side .chat-form textarea").fill(words)
        page.keyboard.press("Enter")
    for page in (provider.page, patient.page):
        expect(page.locator("#side .chat-log p")).to_have_count(3)
    expect(provider.page.locator("#side .chat-log")).not_to_contain_text("forged")
    media_flows(provider.page)
    end(provider.page)
    expect(patient.page.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    log = elm.log.read_text()
    for hook in ("refuse_move", "visit_changed", "checkin_steps"):
        assert any('"plugin": "hostile"' in line and f'"hook": "{hook}"' in line for line in log.splitlines()), hook
    assert "Traceback" not in log


def test_its_own_pages_fail_by_themselves(elm: Practice) -> None:
    room = elm.room(role="owner")
    visitor = Visitor(elm.url, login=room.login)
    elm.expected.append('"rule": "/-/hostile/page"')
    assert visitor.get("/-/hostile/page").status_code == 500
    assert "in a page" not in visitor.get("/-/hostile/page").text
    assert visitor.get("/help").status_code == 200
    assert "its health check failed: RuntimeError at __init__.py:" in visitor.get("/admin/plugins").text


def test_what_its_python_does_wrong_is_its_own(elm: Practice) -> None:
    """Its handler, the check of its settings and its step's template raise: each is answered, none takes more down."""
    room = elm.room(role="owner")
    owner, patient = Visitor(elm.url, login=room.login), Visitor(elm.url)
    assert patient.check_in(room.slug, "Grace").status_code == 201
    with patient.seat(room.id) as seat, owner.dashboard() as board:
        visit = seat.hear("welcome")["visit"]
        assert list(visit["steps"]) == ["hostile:raises"], "what its hook gave is no step"
        handled = board.ask("say", {"event": "hostile:handled", "visit": visit["id"], "id": "1", "body": {}})
        assert handled["error"] == "failed"
        assert "in Python" not in str(handled)
        assert seat.ask("step", {"id": "hostile:raises", "done": True})["ok"]
    saved = owner.post("/admin/settings/hostile", {"set-hostile": "1", "set-hostile-word": "kept"})
    assert saved.status_code == 303
    assert 'value="kept"' in owner.get("/admin/settings/hostile").text
    assert patient.get(f"/{room.slug}").status_code == 200
    log = elm.log.read_text()
    assert '"hook": "check_settings"' in log
    assert "Traceback" not in log


def test_nobody_speaks_into_the_visit_of_others(elm: Practice) -> None:
    """A page that speaks for itself, without our modules: into another visit, as another plugin, as nobody's event."""
    rooms = [elm.room(), elm.room()]
    people = [Visitor(elm.url), Visitor(elm.url)]
    for each, room in zip(people, rooms, strict=True):
        assert each.check_in(room.slug, "Grace").status_code == 201
    with people[0].seat(rooms[0].id) as one, people[1].seat(rooms[1].id) as two:
        visits = [seat.hear("welcome")["visit"]["id"] for seat in (one, two)]
        sealed = {"iv": "x", "data": "x", "keys": {one.key: "x"}}
        for event in ("hostile:noise", "chat:message", "core:answers"):
            said = {"event": event, "visit": visits[0], "id": "1", "sealed": sealed}
            assert two.ask("say", said)["error"] == "unknown", event
        for event in ("tally:noise", "hostile:nothing", "noise", "hostile:chat:message", "../chat:message", ""):
            said = {"event": event, "visit": visits[1], "id": "1", "sealed": sealed}
            assert two.ask("say", said)["error"] in ("unknown", "invalid"), event
        assert one.ask("ready", {"colour": "green", "reason": ""})["ok"]
        assert not [name for name, _ in one.past if name == "said"]


def test_one_that_keeps_failing_is_suspended_and_named(elm: Practice) -> None:
    room = elm.room(role="owner")
    owner = Visitor(elm.url, login=room.login)
    patient = Visitor(elm.url)
    for _ in range(25):
        assert patient.check_in(room.slug, "Grace").status_code == 201
    assert owner.get("/-/hostile/page").status_code == 404, "off, as if nobody knew it"
    page = owner.get("/admin/plugins").text
    assert "Suspended" in page
    assert "failed 20 times in a minute" in page
