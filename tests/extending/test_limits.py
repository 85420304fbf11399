"""What a clinic may have: plugins that answer `allow` are asked by every way, and nothing is taken away."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from flask import current_app
from plugin_world import MAIN, on, problem, world

from housecall import clinics, workshop
from housecall.clinics import Refused, limits, members, rooms
from housecall.extending.registry import Locked, Withheld
from plugin_folders import LAMP, TALLY, plain, write

#: Says what there may be: a list that the tests change; None is no answer.
WARDEN = """
MOST = {"members": 2, "rooms": 1}
REFUSED = {"plugin:anna"}
ASKED = []


@hookimpl
def allow(clinic, what, amount):
    ASKED.append((what, amount))
    if what in REFUSED:
        return f"No {what} here. Ask the warden."
    most = MOST.get(what)
    return f"{most} at most. Ask the warden." if most is not None and amount > most else None
"""
HELD = '[server]\nplugins = ["warden"]\n' + MAIN
TWO = '[clinic.one]\nname = "One"\nhost = "one.example"\n[clinic.two]\nname = "Two"\nhost = "two.example"\n'


def warden(registry: Any) -> Any:
    return registry.by_id["warden"].module


def member(n: int, **more: Any) -> Any:
    return members.create(
        "main", email=f"n{n}@elm.example", first_name="Ada", last_name="Smith", role="owner", password=None, **more
    )


def room(n: int) -> Any:
    return rooms.create("main", slug=f"room-{n}", name="Room", owner_id=None)


def join(n: int, role: str = "provider", invitation: str | None = None) -> Any:
    return members.join(
        "main",
        role=role,
        email=f"j{n}@elm.example",
        first_name="Grace",
        last_name="Hopper",
        password="correct horse battery staple",
        adult=True,
        invitation=invitation,
        reserved=(),
        offload=lambda function, *args: function(*args),
    )


def test_without_a_plugin_that_limits_everything_is_allowed(tmp_path: Path) -> None:
    write(tmp_path, plain("anna"))
    with world(tmp_path) as registry:
        for n in range(12):
            member(n)
            room(n)
        registry.turn("main", "anna", True, actor=None)
        assert on(registry) == ["anna"]
        assert registry.allow("main", "rooms", 10**9) == ""


def test_one_that_is_off_limits_nothing(tmp_path: Path) -> None:
    write(tmp_path, plain("warden", python=WARDEN))
    with world(tmp_path) as registry:
        for n in range(4):
            room(n)
        assert warden(registry).ASKED == []


def test_one_more_member_or_room_is_refused_with_the_plugins_words(tmp_path: Path) -> None:
    write(tmp_path, plain("warden", python=WARDEN))
    with world(tmp_path, HELD) as registry:
        member(1)
        member(2)
        room(1)
        assert warden(registry).ASKED == [("members", 1), ("members", 2), ("rooms", 1)]
        for make, field, told in (
            (member, "email", "2 at most."),
            (join, "email", "2 at most."),
            (room, "name", "1 at"),
        ):
            with pytest.raises(Refused) as refused:
                make(3)
            assert refused.value.fields[field].startswith(told)
            assert isinstance(refused.value.fields[field], clinics.Sentence)
        assert (len(members.of("main")), len(rooms.of("main"))) == (2, 1)


def test_who_cannot_sign_in_does_not_count_and_is_asked_about_when_enabled(tmp_path: Path) -> None:
    write(tmp_path, plain("warden", python=WARDEN))
    with world(tmp_path, HELD):
        first, second = member(1), member(2)
        members.set_disabled("main", second.id, True, actor=first.id)
        third = member(3)
        with pytest.raises(Refused) as refused:
            members.set_disabled("main", second.id, False, actor=first.id)
        assert refused.value.fields["member"].startswith("2 at most.")
        members.set_disabled("main", third.id, False, actor=first.id)  # who is enabled already is no more than before
        members.set_disabled("main", third.id, True, actor=first.id)
        members.set_disabled("main", second.id, False, actor=first.id)


def test_a_refused_sign_up_does_not_use_up_the_invitation(tmp_path: Path) -> None:
    write(tmp_path, plain("warden", python=WARDEN))
    with world(tmp_path, HELD) as registry:
        member(1)
        member(2)
        token = clinics.invitations.make("main", "staff", made_by=None)
        with pytest.raises(Refused):
            join(3, role="staff", invitation=token)
        assert clinics.invitations.find(token) is not None
        warden(registry).MOST["members"] = 3
        join(3, role="staff", invitation=token)
        assert clinics.invitations.find(token) is None


def test_a_provider_who_joins_has_an_own_room_only_where_there_may_be_one_more(tmp_path: Path) -> None:
    write(tmp_path, plain("warden", python=WARDEN))
    with world(tmp_path, HELD):
        assert members.rooms_of(join(1))
        assert members.rooms_of(join(2)) == []
        assert len(rooms.of("main")) == 1


def test_what_came_between_the_question_and_the_answer_counts(tmp_path: Path) -> None:
    """Two who come at once: the second is asked about again, so that there is never one too many."""
    write(tmp_path, plain("warden", python=WARDEN))
    with world(tmp_path, HELD) as registry:
        allow, between = registry.allow, iter([True])

        def slow(clinic: str, what: str, amount: int) -> str:
            answer = allow(clinic, what, amount)
            if what == "rooms" and next(between, None):
                room(1)
            return answer

        current_app.extensions[limits.PORT] = slow
        with pytest.raises(Refused):
            room(2)
        assert [each.slug for each in rooms.of("main")] == ["room-1"]


def test_no_plugin_is_asked_inside_a_write(tmp_path: Path) -> None:
    """One that writes there itself would wait for itself for ever."""
    write(tmp_path, plain("warden", python=WARDEN))
    with world(tmp_path, HELD) as registry:
        free: list[bool] = []
        original = registry.hooks.ask

        def watched(*args: Any, **more: Any) -> Any:
            free.append(clinics.database._writing.acquire(blocking=False))
            clinics.database._writing.release()
            return original(*args, **more)

        registry.hooks.ask = watched  # type: ignore[method-assign]
        first = member(1)
        room(1)
        join(2)
        members.set_disabled("main", first.id, False, actor=first.id)
        registry.reconsider("main")
    assert free
    assert all(free)


def test_a_plugin_that_is_refused_is_not_switched_on(tmp_path: Path) -> None:
    write(tmp_path, plain("warden", python=WARDEN), plain("anna"), plain("berta"))
    with world(tmp_path, HELD) as registry:
        with pytest.raises(Withheld, match=r"No plugin:anna here\. Ask the warden\."):
            registry.turn("main", "anna", True, actor=None)
        assert clinics.switches.of("main") == {}
        registry.turn("main", "berta", True, actor=None)
        registry.turn("main", "anna", False, actor=None)  # off is always allowed
        assert on(registry) == ["berta", "warden"]


def test_what_was_on_is_held_back_with_all_that_it_has_and_comes_back(tmp_path: Path) -> None:
    write(tmp_path, plain("warden", python=WARDEN), LAMP)
    told: list[Any] = []
    with world(tmp_path, HELD) as registry:
        registry.on_switched.append(lambda *what: told.append(what))
        registry.turn("main", "lamp", True, actor=None)
        clinics.settings.save("main", "lamp", "clinic", "main", {"watts": 40}, actor=None)
        warden(registry).REFUSED.add("plugin:lamp")
        assert on(registry) == ["lamp", "warden"]  # until it is asked again
        registry.reconsider("main")
        assert on(registry) == ["warden"]
        assert registry.withheld == {("main", "lamp"): "No plugin:lamp here. Ask the warden."}
        assert clinics.switches.of("main") == {"lamp": True}
        assert clinics.settings.of("main", "lamp", "clinic", "main") == {"watts": 40}
        warden(registry).REFUSED.clear()
        registry.reconsider("main")
        assert on(registry) == ["lamp", "warden"]
        assert registry.withheld == {}
    assert told == [("main", ["lamp"], []), ("main", [], ["lamp"]), ("main", ["lamp"], [])]
    other = WARDEN.replace("plugin:anna", "plugin:lamp") + "#\n"  # of another length: by that Python tells it is new
    write(tmp_path, plain("warden", python=other))
    with world(tmp_path, HELD) as registry:  # a new start asks, too
        assert on(registry) == ["warden"]
        assert ("main", "lamp") in registry.withheld


def test_one_that_comes_back_has_its_tables(tmp_path: Path) -> None:
    """It may have been held back since before it had any."""
    model = TALLY["models.py"].replace("tally", "book").replace("Count", "Entry")
    table = TALLY["migrations/versions/0001_first.py"].replace("tally", "book")
    book = plain("book", python="\n") | {"models.py": model, "migrations/versions/0001_first.py": table}
    write(tmp_path, plain("warden", python=WARDEN.replace("plugin:anna", "plugin:book")), book)
    with world(tmp_path, HELD) as registry:
        clinics.switches.turn("main", "book", True, actor=None)
        registry.read_switches("main")
        assert on(registry) == ["warden"]
        warden(registry).REFUSED.clear()
        registry.reconsider("main")
        assert on(registry) == ["book", "warden"]
        assert clinics.database.tables_of_plugin("book") == ["book_count"]
    clinics.models.Base.metadata.remove(clinics.models.Base.metadata.tables["book_count"])


def test_what_housecall_toml_has_on_is_not_asked_about_nor_is_who_answers(tmp_path: Path) -> None:
    write(tmp_path, plain("warden", python=WARDEN), plain("anna"), plain("wanda", python=WARDEN))
    with world(tmp_path, MAIN + 'plugins = ["anna", "warden"]\n') as registry:
        assert on(registry) == ["anna", "warden"]
        assert warden(registry).ASKED == []
    with world(tmp_path, HELD) as registry:
        warden(registry).REFUSED.add("plugin:wanda")
        registry.turn("main", "wanda", True, actor=None)
        assert on(registry) == ["wanda", "warden"]
        assert {what for what, _ in warden(registry).ASKED} <= {"plugin:anna"}


def test_an_answer_that_fails_allows_and_is_told(tmp_path: Path) -> None:
    write(tmp_path, plain("warden", python="@hookimpl\ndef allow(clinic):\n    raise ValueError\n"), plain("anna"))
    with world(tmp_path, HELD) as registry:
        registry.turn("main", "anna", True, actor=None)
        room(1)
        assert on(registry) == ["anna", "warden"]
        for _ in range(30):
            registry.reconsider("main")
        assert registry.suspended[("main", "warden")].startswith("allow failed 20 times in a minute: ValueError")
        assert on(registry) == ["anna"]


def test_one_clinic_is_limited_and_another_is_not(tmp_path: Path) -> None:
    write(tmp_path, plain("warden", python=WARDEN), plain("anna"))
    with world(tmp_path, TWO) as registry:
        registry.turn("one", "warden", True, actor=None)
        with pytest.raises(Withheld):
            registry.turn("one", "anna", True, actor=None)
        registry.turn("two", "anna", True, actor=None)
        assert (on(registry, "one"), on(registry, "two")) == (["warden"], ["anna"])


def test_what_the_server_has_on_is_on_in_every_clinic_and_no_page_moves_it(tmp_path: Path) -> None:
    write(tmp_path, plain("clara", "restricted = true\n"), plain("anna"))
    toml = '[server]\nplugins = ["clara"]\n' + TWO.replace('name = "One"', 'name = "One"\nplugins = ["anna"]')
    with world(tmp_path, toml) as registry:
        assert (on(registry, "one"), on(registry, "two")) == (["anna", "clara"], ["clara"])
        for clinic in ("one", "two"):
            with pytest.raises(Locked, match=r"housecall\.toml has it on in every clinic: server\.plugins"):
                registry.turn(clinic, "clara", False, actor=None)
        with pytest.raises(workshop.NotDone, match=r"take 'clara' out of server\.plugins first"):
            workshop.purge(registry.site, "clara")


# -- a plugin's table of the whole server

READER = """
GIVEN = {}


@hookimpl
def configure(table):
    GIVEN.update(table.read({"key": str, "most": int, "ward": list}))
    for place, ward in table.each("ward", {"name": str, "beds": int}):
        GIVEN[place] = ward
        if ward.get("beds", 1) < 1:
            table.wrong(f"{place}.beds", "a ward has beds")
        table.one_of(f"{place}.name", ward.get("name", ""), ("north", "south"))
"""
TABLE = """\
[server.reader]
key = "file:key.txt"
most = 3

[[server.reader.ward]]
name = "north"
beds = 4

[[server.reader.ward]]
name = "south"
"""


def test_a_plugin_is_given_its_table_of_the_server_before_all_else(tmp_path: Path) -> None:
    write(tmp_path, plain("reader", python=READER))
    (tmp_path / "key.txt").write_text("s3cret\n")
    with world(tmp_path, TABLE + MAIN) as registry:
        given = registry.by_id["reader"].module.GIVEN
        assert (given["key"], given["most"]) == ("s3cret", 3)
        assert (given["ward[1]"], given["ward[2]"]) == ({"name": "north", "beds": 4}, {"name": "south"})
        assert "s3cret" not in repr(registry.site)
    with world(tmp_path) as registry:
        assert registry.by_id["reader"].module.GIVEN == {}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("most = 3", "mots = 3", "line 3: server.reader.mots: this name is not known; did you mean 'most'?"),
        ("most = 3", 'most = "3"', "line 3: server.reader.most: this must be a whole number"),
        ("beds = 4", "bed = 4", "line 7: server.reader.ward[1].bed: this name is not known; did you mean 'beds'?"),
        ("beds = 4", "beds = 0", "line 7: server.reader.ward[1].beds: a ward has beds"),
        ('"south"', '"suoth"', "line 10: server.reader.ward[2].name: 'suoth' is not known; did you mean 'south'?"),
        ("file:key.txt", "env:NOT_SET", "line 2: server.reader.key: env:NOT_SET points at nothing"),
    ],
)
def test_every_mistake_of_it_is_told_with_its_line_and_the_server_starts(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    write(tmp_path, plain("reader", python=READER), plain("anna"))
    (tmp_path / "key.txt").write_text("s3cret")
    assert TABLE.count(before) == 1
    with world(tmp_path, TABLE.replace(before, after) + MAIN) as registry:
        assert f"housecall.toml: {told}" in problem(registry, "reader")
        registry.turn("main", "anna", True, actor=None)


def test_a_table_that_nobody_reads_is_a_mistake(tmp_path: Path) -> None:
    write(tmp_path, plain("anna"), plain("berta", python="\n"))
    with world(tmp_path, "[server.anna]\nx = 1\n[server.berta]\n" + MAIN) as registry:
        told = "housecall.toml: line 1: server.anna: this plugin has no settings of the whole server"
        assert problem(registry, "anna") == told
        assert problem(registry, "berta") == told.replace("line 1", "line 3").replace("anna", "berta")


def test_two_who_come_at_once_are_not_one_too_many(tmp_path: Path) -> None:
    write(tmp_path, plain("warden", python=WARDEN))
    with world(tmp_path, HELD):
        app, done = current_app._get_current_object(), []  # type: ignore[attr-defined]

        def make(n: int) -> None:
            with app.app_context():
                try:
                    room(n)
                    done.append(n)
                except Refused:
                    pass
                finally:
                    clinics.database.db.session.remove()

        threads = [threading.Thread(target=make, args=(n,)) for n in range(6)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        clinics.database.db.session.rollback()
        assert len(done) == 1
        assert len(rooms.of("main")) == 1
