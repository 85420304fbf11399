"""Plugins are found, loaded and on: three things, each with what can be wrong with it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from plugin_world import MAIN, on, problem, world

from housecall import clinics
from housecall.config import ConfigError
from housecall.extending import registry as registries
from housecall.extending.hooks import Raised
from housecall.extending.registry import Locked, bundled
from plugin_folders import LAMP, TALLY, plain, write

BUNDLED = sorted(place.parent.name for place in bundled().glob("*/plugin.toml"))


def test_found_is_not_loaded_and_loaded_is_not_on(tmp_path: Path) -> None:
    write(tmp_path, plain("anna"), plain("berta"))
    with world(tmp_path, '[server]\nload = ["anna"]\n' + MAIN) as registry:
        assert {"anna", "berta"} <= registry.ids
        assert registry.by_id["anna"].loaded
        assert not registry.by_id["berta"].loaded
        assert on(registry) == []
        registry.turn("main", "anna", True, actor=None)
        assert on(registry) == ["anna"]
        for absent in ("berta", "nobody"):
            with pytest.raises(KeyError):
                registry.turn("main", absent, True, actor=None)


def test_one_clinic_has_on_what_another_has_not(tmp_path: Path) -> None:
    write(tmp_path, plain("anna"))
    toml = '[clinic.one]\nname = "One"\nhost = "one.example"\n[clinic.two]\nname = "Two"\nhost = "two.example"\n'
    with world(tmp_path, toml) as registry:
        registry.turn("one", "anna", True, actor=None)
        assert (on(registry, "one"), on(registry, "two")) == (["anna"], [])
        assert registry.clinics_with("anna") == ["one"]


def test_a_switch_is_kept_told_and_audited(tmp_path: Path) -> None:
    write(tmp_path, plain("anna"))
    told: list[object] = []
    with world(tmp_path) as registry:
        ada = clinics.members.create(
            "main", email="ada@elm.example", first_name="Ada", last_name="Smith", role="owner", password=None
        ).id
        registry.on_switched.append(lambda *what: told.append(what))
        for enabled in (True, True, False, True):
            registry.turn("main", "anna", enabled, actor=ada)
        rows = clinics.database.db.session.scalars(clinics.database.db.select(clinics.models.Audit)).all()
        assert [(row.action, row.object, row.actor_id) for row in rows[-2:]] == [
            ("plugin.off", "anna", ada),
            ("plugin.on", "anna", ada),
        ]
    assert told == [("main", ["anna"], []), ("main", [], ["anna"]), ("main", ["anna"], [])]
    with world(tmp_path) as registry:
        assert on(registry) == ["anna"]


def test_housecall_toml_holds_the_switches(tmp_path: Path) -> None:
    write(tmp_path, plain("anna"), plain("berta"), plain("clara", "restricted = true\n"))
    with world(tmp_path) as registry:
        registry.turn("main", "berta", True, actor=None)
        with pytest.raises(Locked, match=r"only housecall\.toml may switch this on: clinic\.main\.plugins"):
            registry.turn("main", "clara", True, actor=None)
    with world(tmp_path, MAIN + 'plugins = ["anna", "clara"]\n') as registry:
        assert on(registry) == ["anna", "clara"]
        for plugin in ("anna", "berta"):
            with pytest.raises(Locked, match=r"housecall\.toml says which plugins are on: clinic\.main\.plugins"):
                registry.turn("main", plugin, plugin == "berta", actor=None)


def test_a_restricted_plugin_stays_off_whatever_a_row_says(tmp_path: Path) -> None:
    write(tmp_path, plain("clara", "restricted = true\n"))
    with world(tmp_path) as registry:
        clinics.switches.turn("main", "clara", True, actor=None)
        registry.read_switches("main")
        assert on(registry) == []


def test_a_name_that_no_plugin_has_is_a_mistake_with_its_line_and_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, plain("anna"))
    toml = '[server]\nload = ["ana"]\n[clinic.main]\nname = "Elm"\nplugins = ["ann"]\n[clinic.main.anne]\nx = 1\n'
    with pytest.raises(ConfigError) as caught, world(tmp_path, toml):
        pass
    told = str(caught.value).splitlines()
    assert len(told) == 3
    for line, where, name in (
        (2, "server.load", "ana"),
        (5, "clinic.main.plugins", "ann"),
        (6, "clinic.main.anne", "anne"),
    ):
        assert any(f"line {line}: {where}: there is no plugin {name!r}; did you mean 'anna'?" in each for each in told)


def test_of_two_with_one_id_both_are_named_and_the_sites_is_quarantined(tmp_path: Path) -> None:
    (taken,) = BUNDLED[:1]
    write(tmp_path, **{taken: plain(taken)})
    with world(tmp_path) as registry:
        told = problem(registry, taken)
        assert str(bundled() / taken) in told
        assert str(tmp_path / "plugins" / taken) in told
        assert registry.by_id[taken].source == "bundled"
        registry.turn("main", taken, True, actor=None)
        assert on(registry) == [taken]


@pytest.mark.parametrize(
    ("plugin", "toml", "told"),
    [
        (plain("anna", 'requires = ["no_such_module"]\n'), "", "needs the Python module 'no_such_module'"),
        (plain("anna", 'sumary = "x"\n'), "", "line 5: sumary: this name is not known; did you mean 'summary'?"),
        (
            LAMP,
            "[clinic.main.lamp]\nwats = 4\n",
            "line 4: clinic.main.lamp.wats: this name is not known; did you mean 'watts'?",
        ),
        (
            LAMP,
            "[clinic.main.lamp]\nwatts = 400\n",
            "line 4: clinic.main.lamp.watts: this value is not right (too_big)",
        ),
        (LAMP, "[clinic.main.lamp]\nglow = 4\n", "clinic.main.lamp.glow: each room has its own"),
        (LAMP, '[clinic.main.lamp]\nkey = "env:NOT_SET"\n', "clinic.main.lamp.key: env:NOT_SET points at nothing"),
    ],
)
def test_what_is_wrong_with_a_plugin_quarantines_it_and_the_server_starts(
    tmp_path: Path, plugin: dict[str, str], toml: str, told: str
) -> None:
    write(tmp_path, plugin, plain("berta"))
    name = plugin["plugin.toml"].split('"')[1]
    with world(tmp_path, MAIN + toml) as registry:
        assert told in problem(registry, name)
        with pytest.raises(KeyError):
            registry.turn("main", name, True, actor=None)
        registry.turn("main", "berta", True, actor=None)
        assert on(registry) == ["berta"]


def test_a_bundled_plugin_that_lacks_something_names_the_extra_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "ours", plain("anna", 'requires = ["no_such_module"]\n'))
    monkeypatch.setattr("housecall.extending.registry.bundled", lambda: tmp_path / "ours/plugins")
    with world(tmp_path / "site") as registry:
        told = problem(registry, "anna", "bundled")
        assert told == "needs the Python module 'no_such_module': pip install 'housecall[anna]'"


def test_a_declared_job_that_no_hook_gives_quarantines(tmp_path: Path) -> None:
    write(tmp_path, plain("anna", '[[job]]\nname = "sweep"\nevery = "1 hour"\n', "\n"))
    with world(tmp_path) as registry:
        assert "the job 'sweep' of plugin.toml is given by no jobs() hook" in problem(registry, "anna")


MODEL = """\
from sqlalchemy.orm import Mapped, mapped_column, relationship
from housecall.clinics.models import Base

class Odd(Base):
    __tablename__ = "{name}"
    __table_args__ = {{"info": {{"owner": "{owner}"}}}}
    id: Mapped[int] = mapped_column(primary_key=True)
"""


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Nothing is forgotten by the garbage collector's grace."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    ("name", "owner", "more", "told"),
    [
        ("odd_one", "anna", "", "the table 'odd_one' must be called anna_…"),
        ("anna_odd", "core", "", "the table 'anna_odd' must say whose it is"),
        ("anna_odd", "anna", "", "the table 'anna_odd' needs migrations/versions"),
        ("anna_odd", "anna", "    even = relationship('Even')\n", "failed to locate a name ('Even')"),
        ("anna_odd", "anna", "    __mapper_args__ = {'primary_key': ['none']}\n", "it could not be imported: "),
    ],
)
@pytest.mark.usefixtures("uncollected")
def test_a_model_that_cannot_be_the_plugins_own_quarantines_and_leaves_no_trace(
    tmp_path: Path, name: str, owner: str, more: str, told: str
) -> None:
    migrations = {"migrations/versions/0001_first.py": ""} if more else {}
    models = {"models.py": MODEL.format(name=name, owner=owner) + more}
    write(tmp_path, plain("anna", python="\n") | models | migrations)
    with world(tmp_path) as registry:
        assert told in problem(registry, "anna")
        registry.turn("main", BUNDLED[0], True, actor=None)
    assert name not in clinics.models.Base.metadata.tables
    assert not [each for each in clinics.models.Base.registry.mappers if each.class_.__name__ == "Odd"]


def test_a_plugin_that_keeps_failing_is_suspended_until_somebody_switches_it_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, plain("anna", python="@hookimpl\ndef health(clinic):\n    raise ValueError\n"))
    clock = [0.0]
    monkeypatch.setattr(registries.time, "monotonic", lambda: clock[0])
    told: list[object] = []
    with world(tmp_path) as registry:
        registry.turn("main", "anna", True, actor=None)
        registry.on_switched.append(lambda *what: told.append(what))
        for _ in range(40):  # four seconds apart: never twenty in a minute
            clock[0] += 4
            registry.hooks.ask("health", "main")
        assert on(registry) == ["anna"]
        clock[0] += 100
        for n in range(20):
            assert on(registry) == ["anna"], n
            registry.hooks.ask("health", "main")
        assert on(registry) == []
        assert told == [("main", [], ["anna"])]
        assert "health failed 20 times in a minute: ValueError" in registry.suspended["main", "anna"]
        registry.turn("main", "anna", True, actor=None)
        assert on(registry) == ["anna"]
        registry.failed("main", Raised(plugin="anna", hook="health", error="x"))
        assert on(registry) == ["anna"]


def test_a_suspension_holds_for_one_clinic(tmp_path: Path) -> None:
    write(tmp_path, plain("anna"))
    toml = '[clinic.one]\nname = "One"\nhost = "one.example"\n[clinic.two]\nname = "Two"\nhost = "two.example"\n'
    with world(tmp_path, toml) as registry:
        for clinic in ("one", "two"):
            registry.turn(clinic, "anna", True, actor=None)
        for _ in range(20):
            registry.failed("one", Raised(plugin="anna", hook="health", error="x"))
        assert (on(registry, "one"), on(registry, "two")) == ([], ["anna"])


def test_the_demo_has_every_bundled_plugin_on_and_none_of_the_sites(tmp_path: Path) -> None:
    write(tmp_path, plain("anna"))
    with world(tmp_path, demo=True) as registry:
        assert on(registry) == [name for name in BUNDLED if not registry.by_id[name].own.restricted]
        assert BUNDLED


def test_safe_mode_knows_nothing_of_the_sites_own(tmp_path: Path) -> None:
    write(tmp_path, plain("anna", python="1 / 0\n"))
    with world(tmp_path, MAIN + 'plugins = ["anna"]\n[clinic.main.anna]\nx = 1\n', safe=True) as registry:
        assert sorted(registry.ids) == BUNDLED


def test_tables_are_told_apart_by_more_than_their_prefix(tmp_path: Path) -> None:
    with world(tmp_path) as registry:
        engine = clinics.database.db.engine
        with engine.begin() as connection:
            for name in ("room_service", "bell", "bell_ring", "bell_tower_step"):
                connection.exec_driver_sql(f"create table {name} (id integer)")
        assert clinics.database.tables_of_plugin("room") == ["room_service"]  # room_member is the core's
        assert clinics.database.tables_of_plugin("bell", {*registry.ids, "bell", "bell_tower"}) == ["bell_ring"]
        clinics.database.drop_plugin("bell", {"bell", "bell_tower"})
        assert clinics.database.tables_of_plugin("bell") == ["bell_tower_step"]


def test_tables_that_cannot_be_made_keep_a_plugin_off(tmp_path: Path) -> None:
    broken = TALLY | {
        "migrations/versions/0001_first.py": "revision = 'x'\ndown_revision = None\ndef upgrade(): 1 / 0\n"
    }
    broken = {k: v.replace("tally", "sums").replace("Tally", "Sums") for k, v in broken.items()}
    write(tmp_path, broken)
    try:
        with world(tmp_path) as registry:
            with pytest.raises(registries.Unready, match="its tables could not be made: ZeroDivisionError"):
                registry.turn("main", "sums", True, actor=None)
            assert on(registry) == []
            assert clinics.switches.of("main") == {}
    finally:  # the models of all tests in this process share one catalogue
        clinics.models.Base.metadata.remove(clinics.models.Base.metadata.tables["sums_count"])
