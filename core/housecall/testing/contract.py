"""PluginContract: the rules that every plugin keeps, each shown by a test against a real server and real browsers.

```python
from pathlib import Path

from housecall.testing import PluginContract


class TestTally(PluginContract):
    folder = Path(__file__).parent.parent / "plugins/tally"
```
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from playwright.sync_api import Browser
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from .. import clinics
from ..extending import manifest as manifests
from ..extending.hookspecs import KINDS
from ..extending.nouns import EVENT_BYTES, SEATS, STATES, Manifest
from ..extending.registry import bundled
from . import files
from .likeness import answers
from .practice import Room
from .tour import Tour, walk
from .visitor import Visitor
from .watched import Watched

OFF = "off.example"  #: the host of the clinic that has the plugin off

TOML = """\
[server]
[clinic.main]
name = "Elm Street Practice"
host = "localhost"
[clinic.off]
name = "Oak Lane Practice"
host = "off.example"
"""

#: A value that passes, by type of field.
SAMPLES: dict[str, Any] = {
    "bool": True,
    "color": "#102030",
    "email": "grace@elm.example",
    "phone": "+15550100",
    "url": "https://elm.example/",
    "date": "2030-01-02",
    "time": "10:30",
    "file": "data:image/png;base64,iVBORw0K",
    "signature": "data:image/png;base64,iVBORw0K",
}


#: What no event is made of.
MALFORMED: tuple[dict[str, Any], ...] = ({"body": "text"}, {"id": 1}, {"more": 1}, {"sealed": {"iv": 1}}, {"to": 5})


@dataclass(frozen=True, kw_only=True)
class House:
    """A server that has the plugin: on in the clinic main, off in the clinic off."""

    practice: Watched
    known: dict[str, Any]  #: what it knows of the plugin
    before: dict[str, Any]  #: the tables before it was on anywhere
    room: Room
    room_off: Room
    owners_off: Room


def _site(folder: Path, contract: Any, *, without: str = "") -> Watched:
    """A site that has the plugin, or a server that has never had it."""
    plugin: Path = contract.folder
    own = plugin.resolve() == (bundled() / plugin.name).resolve() or without
    toml = TOML if without else f"{TOML}{contract.toml}\n"
    return Watched(folder, toml=toml, plugins=() if own else (plugin,), without=without, ahead=True)


@pytest.fixture(scope="class")
def plugin_manifest(request: pytest.FixtureRequest) -> Manifest:
    """The plugin's manifest, where it can be read."""
    try:
        return manifests.read(request.cls.folder)
    except manifests.ManifestError as error:
        pytest.fail(f"Not judged, because its manifest is not right:\n{error}", pytrace=False)


@pytest.fixture(scope="class")
def plugin_server(
    request: pytest.FixtureRequest, plugin_manifest: Manifest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """A server that has found the plugin, and where it is off."""
    practice = _site(tmp_path_factory.mktemp("with") / "site", request.cls)
    practice.start()
    yield practice
    practice.stop()


def _switch_on(practice: Watched, known: dict[str, Any], plugin: str) -> None:
    """On in the clinic main, as an admin does it; where only housecall.toml may, by that and a new start."""
    if known["restricted"]:
        practice.stop()
        practice.toml = practice.toml.replace('host = "localhost"\n', f'host = "localhost"\nplugins = ["{plugin}"]\n')
        practice.start()
    assert practice.ask("turn", clinic="main", plugin=plugin, on=True)["on"], f"{plugin} cannot be switched on"


@pytest.fixture(scope="class")
def plugin_house(plugin_server: Watched, plugin_manifest: Manifest) -> House:
    """The server with the plugin switched on in one of two clinics."""
    known = plugin_server.ask("state", plugin=plugin_manifest.id)
    if not known["loaded"]:
        pytest.fail(f"Not judged, because the server does not load it: {known['problem']}", pytrace=False)
    before = plugin_server.ask("tables", plugin=plugin_manifest.id)
    _switch_on(plugin_server, known, plugin_manifest.id)
    return House(
        practice=plugin_server,
        known=known,
        before=before,
        room=plugin_server.room(),
        room_off=plugin_server.room(clinic="off"),
        owners_off=plugin_server.room(clinic="off", role="owner"),
    )


@pytest.fixture(scope="class")
def plugin_walk(
    request: pytest.FixtureRequest, plugin_house: House, plugin_manifest: Manifest, chromium: Browser
) -> Tour:
    """One visit, from check-in to after the call, with the plugin on, and off and on again."""
    toured = Tour(plugin_manifest.id)
    walk(chromium, plugin_house.practice, plugin_house.room, plugin_manifest.id, toured, names=request.cls.names)
    return toured


@pytest.fixture(scope="class")
def plugin_tour(plugin_walk: Tour) -> Tour:
    """What was seen in a visit that was walked to its end."""
    if plugin_walk.wrong["visit"]:
        pytest.fail(f"Not judged, because the visit came to no end: {plugin_walk.wrong['visit']}", pytrace=False)
    return plugin_walk


class PluginContract:
    """Subclass it with `folder`, the plugin's; each test is one rule. What a rule has nothing to say about passes only
    after that was seen: that there are no models, no events, no modules.
    """

    folder: ClassVar[Path]
    toml: ClassVar[str] = ""  #: more of housecall.toml, such as "[clinic.main.tally]\\nkey = 'x'"
    names: ClassVar[str] = ""  #: a regular expression of texts that are the same in all languages

    def test_its_manifest_is_right(self) -> None:
        """plugin.toml is what docs/contracts.md §10 says, and says in a sentence what the plugin is for."""
        try:
            manifest = manifests.read(self.folder)
        except manifests.ManifestError as error:
            pytest.fail(str(error), pytrace=False)
        assert manifest.summary, "plugin.toml has no summary; the admin page shows it"

    def test_the_server_loads_it(self, plugin_server: Watched, plugin_manifest: Manifest) -> None:
        """It is imported, its hooks and settings are taken, nothing quarantines it."""
        known = plugin_server.ask("state", plugin=plugin_manifest.id)
        assert known["loaded"], f"the server does not load it: {known['problem']}"

    def test_it_adds_something(self, plugin_house: House) -> None:
        """A plugin without a fragment, event, step, setting, job or hook is none."""
        kinds = ("fragments", "events", "transfers", "steps", "settings", "jobs", "hooks")
        assert any(plugin_house.known[kind] for kind in kinds), (
            f"{self.folder.name} adds nothing: it has no fragment, no event, no step, no setting, no job and no hook"
        )

    def test_it_uses_public_names_only(self, plugin_manifest: Manifest) -> None:
        """Of Housecall, its Python imports what `housecall` itself offers; all else may change at any time."""
        _nothing(files.foreign_imports(self.folder))

    def test_its_pages_run_nothing_inline_and_ask_no_other_host(self, plugin_tour: Tour) -> None:
        """Nothing in templates or static is inline code or comes from elsewhere, nor was anything asked elsewhere."""
        _nothing(files.foreign_code(self.folder))
        _nothing(plugin_tour.wrong["pages"])

    def test_its_templates_are_whole_and_its_words_in_a_catalogue(self, plugin_tour: Tour, plugin_house: House) -> None:
        """In English and in the pseudo-locale each template renders, closes its tags, and says no bare word."""
        _nothing(plugin_tour.wrong["words"])
        room, practice = plugin_house.room, plugin_house.practice
        visitor = Visitor(practice.url, host=f"localhost:{practice.port}")
        member = Visitor(practice.url, host=f"localhost:{practice.port}", login=room.login)
        for language in ("en", "en-XA"):
            for asker in (visitor, member):
                asker.http.headers["Accept-Language"] = language
            for page in (visitor.get(f"/{room.slug}").text, member.get("/dashboard").text):
                for part in page.split("<hc-part ")[1:]:
                    tag = part.split(">")[0]
                    if f'data-plugin="{self.folder.name}"' in tag:
                        assert "data-broken" not in tag, f"{language}: {tag} cannot be rendered; see the server's log"
        shown = {fragment["slot"] for fragment in plugin_house.known["fragments"] if fragment["slot"] in VISITED}
        assert shown <= plugin_tour.seen, f"never shown in a visit: {', '.join(sorted(shown - plugin_tour.seen))}"

    def test_its_modules_begin_and_end_twice(self, plugin_tour: Tour, plugin_house: House) -> None:
        """Each exports mount(host), is shown, goes when it is switched off, comes back, and the console is silent."""
        for fragment in plugin_house.known["fragments"]:
            if fragment["module"]:
                source = (self.folder / "static" / fragment["module"]).read_text(encoding="utf-8")
                assert "export" in source, f"{fragment['module']} exports nothing"
                assert "mount" in source, f"{fragment['module']} has no mount(host)"
        _nothing(plugin_tour.wrong["modules"])
        if any(fragment["slot"] in VISITED for fragment in plugin_house.known["fragments"]):
            assert plugin_tour.mounts > 1, "none of its parts was ever mounted"
        else:
            assert plugin_tour.mounts == 0

    def test_a_visit_goes_its_way_with_it(self, plugin_walk: Tour) -> None:
        """Check-in, call and end are as without it."""
        _nothing(plugin_walk.wrong["visit"])
        assert len(plugin_walk.states) >= 6, f"the visit was seen in too few states: {plugin_walk.states}"

    def test_off_is_as_unknown(
        self, plugin_house: House, plugin_manifest: Manifest, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """A clinic that has it off, beside one that has it on, answers as one of a server that has never had it."""
        plugin = plugin_manifest.id
        bare = _site(tmp_path_factory.mktemp("without") / "site", type(self), without=plugin).start()
        try:
            assert not bare.ask("state", plugin=plugin)["found"]
            rooms = (bare.room(clinic="off"), bare.room(clinic="off", role="owner"))
            never = answers(bare, *rooms, OFF, plugin, plugin_house.known)
            tables = bare.ask("tables", plugin=plugin)
        finally:
            bare.stop()
        house = plugin_house
        off = answers(house.practice, house.room_off, house.owners_off, OFF, plugin, house.known)
        assert off.keys() == never.keys()
        for asked, answer in off.items():
            assert answer == never[asked], f"{asked}: the answer shows that the plugin is there"
        assert plugin_house.before["names"] == tables["names"], "a plugin that is off has made tables"

    def test_its_events_are_refused_outside_their_rules(self, plugin_house: House, plugin_manifest: Manifest) -> None:
        """The gate takes each event from its roles, in its states, of its size and shape, and from nobody else."""
        plugin = plugin_manifest.id

        def say(event: dict[str, Any], role: str, state: str, clinic: str = "main", **said: Any) -> dict[str, Any]:
            whole = {"event": f"{plugin}:{event['name']}", "id": "1", **_said(event, role), **said}
            return plugin_house.practice.ask("say", clinic=clinic, role=role, state=state, said=whole)

        for event in plugin_house.known["events"]:
            name, sender, state = event["name"], event["from"][0], event["states"][0]
            for role in SEATS:
                for each in STATES:
                    answer = say(event, role, each)
                    code = _expected(event, role, each)
                    told = f"{name} of a {role} while {each}: {answer}"
                    assert answer.get("code", "") == code, told
            assert say(event, sender, state, clinic="off")["code"] == "unknown"
            if event["path"] == "peer":
                continue  # seen above: this server takes it from nobody
            big = "x" * (min(event["size"], EVENT_BYTES) * 4 // 3 + 2100)
            most: dict[str, Any] = {"sealed": _sealed(big, _other(sender))}
            if event["path"] == "server":
                most = {"body": {"big": big}}
            assert say(event, sender, state, **most).get("code") == "too_big", f"{name} may be of any size"
            for wrong in MALFORMED:
                assert say(event, sender, state, **wrong).get("code") == "invalid", f"{name} was taken with {wrong}"
            if event["path"] == "server":
                strange = say(event, sender, state, body={"no_such_field": 1})
                assert strange.get("code") == "invalid", f"{name} was taken with a field that is not declared"
        if not plugin_house.known["events"]:
            assert not plugin_manifest.events
        for transfer in plugin_house.known["transfers"]:
            name = f"{plugin}:{transfer['name']}"
            for clinic, role, state in itertools.product(("main", "off"), SEATS, STATES):
                known = 404 if clinic == "off" else 403 if role not in transfer["from"] else 0
                expected = known or (0 if state in transfer["states"] else 409)
                asked = {"clinic": clinic, "role": role, "state": state, "transfer": name}
                assert plugin_house.practice.ask("blob", **asked)["status"] == expected, asked

    def test_what_it_touches_is_declared(self, plugin_house: House) -> None:
        """With an event, a step, a secret or a table it touches somebody's data: `[[data]]` says whose and why."""
        known = plugin_house.known
        touches = [kind for kind in ("events", "transfers", "steps", "secrets", "tables") if known[kind]]
        assert known["data"] or not touches, (
            f"it has {', '.join(touches)} and no [[data]] in plugin.toml; the privacy notice is made of these"
        )

    def test_its_tables_are_its_own(
        self, plugin_house: House, plugin_manifest: Manifest, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """Tables are called after it, made by its own migrations as its models say, and a purge leaves nothing."""
        plugin, known = plugin_manifest.id, plugin_house.known
        now = plugin_house.practice.ask("tables", plugin=plugin)
        fresh = sorted(set(now["names"]) - set(plugin_house.before["names"]))
        version = f"alembic_version_{plugin}"
        if known["tables"]:
            assert fresh == sorted([*known["tables"], version])
            assert all(name.startswith(f"{plugin}_") for name in known["tables"])
            assert now["drift"] == [], "its migrations do not make what its models say"
        else:
            assert fresh == [], "it made tables that no model of its own declares"
            assert not (self.folder / "models.py").exists(), "models.py declares no table"
        self._purge_leaves_nothing(plugin, known, tmp_path_factory.mktemp("purge") / "site")

    def _purge_leaves_nothing(self, plugin: str, known: dict[str, Any], folder: Path) -> None:
        practice = _site(folder, type(self)).start()
        toml = practice.toml
        try:
            _switch_on(practice, known, plugin)
            practice.ask("turn", clinic="main", plugin=plugin, on=False)
        finally:
            practice.stop()
        (folder / "housecall.toml").write_text(toml, encoding="utf-8")
        with practice.lasting():
            clinics.settings.save("main", plugin, "clinic", "main", {"planted": True}, actor=None)
        purge = [sys.executable, "-m", "housecall", "plugin", "purge", plugin, "--yes", "--dir", str(folder)]
        done = subprocess.run(purge, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        engine = create_engine(f"sqlite:///{folder / 'data/housecall.db'}", poolclass=NullPool)
        with engine.connect() as connection:
            names = inspect(connection).get_table_names()
            left = [name for name in names if name.startswith(f"{plugin}_") or name == f"alembic_version_{plugin}"]
            for table, column in (("setting", "owner"), ("plugin_state", "plugin")):
                query = text(f'select count(*) from {table} where "{column}" = :plugin')  # noqa: S608
                left += [table] * connection.execute(query, {"plugin": plugin}).scalar_one()
        engine.dispose()
        assert left == [], f"a purge leaves: {left}"

    def test_its_hooks_are_called_and_do_not_raise(
        self, plugin_tour: Tour, plugin_house: House, plugin_manifest: Manifest
    ) -> None:
        """Each has a known name, is no wrapper, was called in a visit or by the clock, and raised nothing."""
        marked = list(files.hook_names(self.folder))
        for name, wraps in marked:
            assert name in KINDS, f"there is no hook {name!r}; known: {', '.join(sorted(KINDS))}"
            assert not wraps, f"{name} is a wrapper"
        practice, plugin = plugin_house.practice, plugin_manifest.id
        failed = practice.ask("admin", clinic="main", plugin=plugin)
        assert failed == {}, "its jobs raise"
        calls = practice.ask("calls", plugin=plugin)
        assert sorted(calls) == plugin_house.known["hooks"], "some of its hooks were never called"
        assert {name for name, _ in marked} >= set(plugin_house.known["hooks"])
        raised = {hook: sorted({error for error in errors if error}) for hook, errors in calls.items() if any(errors)}
        assert raised == {}, f"its hooks raise: {json.dumps(raised)}"

    def test_switched_off_in_a_visit_it_is_gone_and_the_call_goes_on(self, plugin_tour: Tour) -> None:
        """Its parts leave both pages at once, nothing of it stays behind, picture and sound flow on."""
        assert plugin_tour.switched_off == 1
        _nothing(plugin_tour.wrong["live"])

    def test_everybody_can_use_its_parts(self, plugin_tour: Tour) -> None:
        """axe-core finds nothing in its parts, light and dark, on a screen of 390 px, and nothing is wider than it."""
        _nothing(plugin_tour.wrong["access"])


#: The slots that a visit passes; what stands in others is a form of members.
VISITED = (
    "checkin.step",
    "waiting.main",
    "waiting.aside",
    "dashboard.banner",
    "dashboard.aside",
    "dashboard.card",
    "call.stage",
    "call.bar",
    "call.more",
    "call.side",
    "call.after",
)


def _nothing(found: Iterable[str]) -> None:
    """Nothing was found that is wrong; else each is said in full."""
    if said := "\n".join(found):
        pytest.fail(said, pytrace=False)


def _other(role: str) -> str:
    return "patient" if role != "patient" else "provider"


def _sealed(data: str, to: str) -> dict[str, Any]:
    return {"iv": "x", "data": data, "keys": {f"page-{to}": "x"}}


def _said(event: dict[str, Any], role: str) -> dict[str, Any]:
    """What a page of this role would rightly say."""
    receiver = event["to"] if event["to"] in SEATS else _other(role)
    to = {"to": f"seat-{receiver}"} if event["to"] == "one" or event["path"] == "best" else {}
    if event["path"] == "server":
        return {**to, "body": {field["id"]: _sample(field) for field in event["fields"]}}
    return {**to, "sealed": _sealed("x", receiver)}


def _sample(field: dict[str, Any]) -> Any:
    """A value that the field takes."""
    kind, low = field["type"], field["min"] or 1
    if kind in ("choice", "choices"):
        values = [value for value, _ in field["choices"]]
        return values[0] if kind == "choice" else values[: max(low, 1)]
    if kind in ("int", "money", "duration"):
        return low
    if kind in SAMPLES:
        return SAMPLES[kind]
    return field["default"] or "x" * low


def _expected(event: dict[str, Any], role: str, state: str) -> str:
    """The code with which the gate answers; empty where it takes what is said."""
    if role not in event["from"]:
        return "forbidden"
    if state not in event["states"]:
        return "closed"
    return "forbidden" if event["path"] == "peer" else ""
