"""Settings: which value holds, what a form may change, and what lies in the database."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from plugin_world import MAIN, world

from housecall import clinics
from housecall.extending import checkup, settings
from housecall.extending.registry import Registry
from plugin_folders import LAMP, write

SECRET = "open sesame"
FORM = {"opens": "08:00", "closes": "18:00", "wait": "10 min", "watts": "40", "price": "12,50", "shape": "long"}
CLINIC, ROOM, MEMBER = ("clinic", "main"), ("room", "r1"), ("member", "m1")


def values(registry: Registry, *scopes: settings.Scope, secrets: bool = False) -> dict[str, Any]:
    return settings.values(registry.site, "main", registry.by_id["lamp"].own, *scopes, secrets=secrets)


def save(
    registry: Registry, given: dict[str, Any], scope: settings.Scope = CLINIC, drop: tuple[str, ...] = ()
) -> dict[str, str]:
    """Draft, and keep unless something is wrong, as the pages do."""
    own = registry.by_id["lamp"].own
    cleaned, errors = settings.draft(registry.site, "main", own, scope, given, drop)
    if not errors:
        settings.keep(registry.site, "main", own, scope, cleaned, actor=None)
    return errors


def stored(registry: Registry) -> dict[str, Any]:
    return clinics.settings.of("main", "lamp", *CLINIC)


def test_toml_holds_before_the_row_and_the_row_before_the_default(tmp_path: Path) -> None:
    write(tmp_path, LAMP)
    with world(tmp_path) as registry:
        assert values(registry)["wait"] == 900
        assert save(registry, FORM) == {}
        now = values(registry)
        assert (now["wait"], now["watts"], now["price"], now["shape"]) == (600, 40, 1250, "long")
    toml = MAIN + '[clinic.main.lamp]\nwait = "20 min"\nshape = "round"\n'
    with world(tmp_path, toml) as registry:
        now = values(registry)
        assert (now["wait"], now["watts"], now["shape"]) == (1200, 40, "round")
        assert save(registry, FORM | {"watts": "60"}) == {}
        now = values(registry)
        assert (now["wait"], now["watts"], now["shape"]) == (1200, 60, "round")
    with world(tmp_path) as registry:  # what the file held is what the page had set before
        now = values(registry)
        assert (now["wait"], now["watts"], now["shape"]) == (600, 60, "long")


def test_a_value_may_stand_in_the_environment_or_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, LAMP)
    monkeypatch.setenv("LAMP_KEY", SECRET)
    (tmp_path / "words.txt").write_text("Mind the step\n", encoding="utf-8")
    with world(tmp_path, MAIN + '[clinic.main.lamp]\nkey = "env:LAMP_KEY"\nwords = "file:words.txt"\n') as registry:
        now = values(registry, secrets=True)
        assert (now["key"], now["words"]) == (SECRET, "Mind the step")
        assert "key" not in values(registry)


def test_a_page_cannot_point_at_files_or_variables(tmp_path: Path) -> None:
    write(tmp_path, LAMP)
    with world(tmp_path) as registry:
        assert save(registry, FORM | {"words": "file:data/secret", "key": "env:HOME"}) == {}
        now = values(registry, secrets=True)
        assert (now["words"], now["key"]) == ("file:data/secret", "env:HOME")
        table = settings.as_toml(registry.site, "main", registry.by_id["lamp"].own)
        assert "words" not in tomllib.loads(table)["clinic"]["main"]["lamp"]


def test_all_errors_come_at_once_and_nothing_is_kept(tmp_path: Path) -> None:
    write(tmp_path, LAMP)
    with world(tmp_path) as registry:
        wrong = FORM | {"opens": "", "wait": "soon", "watts": "400", "shape": "square", "price": "much"}
        assert save(registry, wrong) == {
            "opens": "required",
            "wait": "invalid",
            "watts": "too_big",
            "shape": "choice",
            "price": "invalid",
        }
        assert stored(registry) == {}


def test_each_room_and_each_member_has_its_own(tmp_path: Path) -> None:
    write(tmp_path, LAMP)
    with world(tmp_path) as registry:
        assert save(registry, {"glow": "7"}, ROOM) == {}
        assert save(registry, {"dimmed": True}, MEMBER) == {}
        assert values(registry, ROOM, MEMBER)["glow"] == 7
        assert values(registry, ROOM, MEMBER)["dimmed"] is True
        other = values(registry, ("room", "r2"), ("member", "m2"))
        assert (other["glow"], other["dimmed"]) == (5, False)
        assert "glow" not in values(registry)


def test_check_settings_sees_every_setting_as_it_would_be(tmp_path: Path) -> None:
    write(tmp_path, LAMP)
    with world(tmp_path) as registry:
        own = registry.by_id["lamp"].own
        save(registry, FORM | {"key": SECRET})
        whole = settings.whole(registry.site, "main", own, ROOM, {"glow": 9})
        assert set(whole) == {field.id for field in own.settings}
        assert (whole["glow"], whole["key"], whole["watts"], whole["dimmed"]) == (9, SECRET, 40, False)


def test_a_secret_is_sealed_stays_when_left_empty_and_goes_when_told(tmp_path: Path) -> None:
    write(tmp_path, LAMP)
    with world(tmp_path) as registry:
        assert save(registry, FORM | {"key": SECRET}) == {}
        sealed = stored(registry)["key"]
        assert SECRET not in str(stored(registry))
        assert values(registry, secrets=True)["key"] == SECRET
        assert save(registry, FORM | {"key": "", "watts": "50"}) == {}
        assert stored(registry)["key"] == sealed
        assert values(registry)["watts"] == 50
        assert save(registry, FORM | {"key": "another"}) == {}
        assert values(registry, secrets=True)["key"] == "another"
        assert save(registry, FORM | {"key": ""}, drop=("key",)) == {}
        assert values(registry, secrets=True)["key"] is None
        clinics.database.erase(clinics.database.db.engine)
    for file in (tmp_path / "data").iterdir():
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file.name


def test_the_database_file_never_holds_the_secrets_text(tmp_path: Path) -> None:
    write(tmp_path, LAMP)
    with world(tmp_path) as registry:
        save(registry, FORM | {"key": SECRET, "words": "an open word"})
        clinics.database.erase(clinics.database.db.engine)  # everything out of the journal, into the file
        written = b"".join(file.read_bytes() for file in (tmp_path / "data").glob("housecall.db*"))
        assert b"an open word" in written
        assert SECRET.encode() not in written


@pytest.mark.parametrize("how", ["another clinic", "another field", "another key", "changed"])
def test_a_sealed_value_opens_only_where_it_was_put(tmp_path: Path, how: str) -> None:
    second = '[settings.spare]\ntype = "text"\nsecret = true\nlabel = "Spare"\n\n[settings.glow]'
    write(tmp_path, LAMP | {"plugin.toml": LAMP["plugin.toml"].replace("[settings.glow]", second)})
    toml = '[clinic.main]\nname = "One"\nhost = "one.example"\n[clinic.two]\nname = "Two"\nhost = "two.example"\n'
    with world(tmp_path, toml) as registry:
        own = registry.by_id["lamp"].own
        save(registry, FORM | {"key": SECRET})
        row = stored(registry)
        if how == "another clinic":
            clinics.settings.save("two", "lamp", "clinic", "two", row, actor=None)
            assert settings.values(registry.site, "two", own, secrets=True)["key"] is None
        elif how == "another field":
            clinics.settings.save("main", "lamp", *CLINIC, row | {"spare": row["key"]}, actor=None)
            assert values(registry, secrets=True)["spare"] is None
        elif how == "changed":
            middle = "A" if row["key"][20] != "A" else "B"
            changed = row["key"][:20] + middle + row["key"][21:]
            clinics.settings.save("main", "lamp", *CLINIC, row | {"key": changed}, actor=None)
            assert values(registry, secrets=True)["key"] is None
    if how == "another key":
        (tmp_path / "data/secret").write_text("ab" * 32)
        with world(tmp_path, toml) as registry:
            assert values(registry, secrets=True)["key"] is None
            assert values(registry)["watts"] == 40


def test_the_download_is_a_table_that_housecall_toml_takes(tmp_path: Path) -> None:
    write(tmp_path, LAMP)
    with world(tmp_path) as registry:
        save(registry, FORM | {"key": SECRET, "words": 'Say "hello"\n\tto C:\\ and ümläut'})
        table = settings.as_toml(registry.site, "main", registry.by_id["lamp"].own)
        before = values(registry)
        assert SECRET not in table
        assert '# key = "env:LAMP_KEY"' in table
    folder = write(tmp_path / "second", LAMP)
    with world(folder, MAIN + table) as registry:
        assert {k: v for k, v in values(registry).items() if k != "key"} == before
        assert all(settings.locked(registry.site, "main", "lamp", f) for f in registry.by_id["lamp"].own.settings[:7])


def test_a_row_that_no_longer_passes_is_told_by_check_and_not_by_a_crash(tmp_path: Path) -> None:
    write(tmp_path, LAMP)
    with world(tmp_path) as registry:
        save(registry, FORM | {"key": SECRET})
        assert list(checkup.problems(registry)) == []
    changed = LAMP["plugin.toml"].replace("max = 100", "max = 30").replace("[settings.price]", "[settings.cost]")
    write(tmp_path, LAMP | {"plugin.toml": changed})
    with world(tmp_path) as registry:
        assert list(checkup.problems(registry)) == [
            "setting lamp.price of clinic main: is not known any more",
            "setting lamp.watts of clinic main: too_big",
        ]
        save(registry, FORM | {"watts": "20"} | {"cost": "1"})
        assert "price" not in stored(registry)
