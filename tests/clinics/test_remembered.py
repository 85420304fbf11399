"""What each request asks for is read from the database once a second, and anew once something was written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import event, text

from housecall import clinics
from housecall.clinics.database import Remembered, db


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(Remembered, "clock", staticmethod(clock))
    return clock


@pytest.fixture
def asked(app: Flask) -> Iterator[list[str]]:
    """What the database was asked."""
    said: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            said.append(statement)

    engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


def desk(slug: str = "desk") -> str:
    return str(clinics.rooms.create("elm", slug=slug, name="Desk", owner_id=None).id)


def elsewhere(statement: str) -> None:
    """What another process writes."""
    with db.engine.begin() as other:
        other.execute(text(statement))
    db.session.rollback()


def test_a_room_and_its_clinic_are_read_once(app: Flask, clock: Clock, asked: list[str]) -> None:
    desk()
    asked.clear()
    rooms = {id(clinics.rooms.find("elm", "desk")) for _ in range(5)}
    houses = {id(clinics.clinic.find("elm.test")) for _ in range(5)}
    assert len(rooms) == len(houses) == 1
    assert len(asked) == 2


def test_what_this_process_writes_is_there_at_once(app: Flask, clock: Clock) -> None:
    room = desk()
    found = clinics.rooms.find("elm", "desk")
    assert found is not None
    assert found.name == "Desk"
    change = {"slug": "desk", "name": "Reception", "owner_id": None, "media": "audio", "reserved": (), "actor": None}
    clinics.rooms.update("elm", room, **change)  # type: ignore[arg-type]
    again = clinics.rooms.find("elm", "desk")
    assert again is not None
    assert (again.id, again.name, again.media) == (room, "Reception", "audio")
    clinics.clinic.find("elm.test")
    clinics.clinic.choose_theme("elm", "evening", actor=None)
    look = clinics.clinic.find("elm.test")
    assert look is not None
    assert look.theme == "evening"


def test_what_another_process_writes_is_there_after_a_second(app: Flask, clock: Clock) -> None:
    desk()
    clinics.rooms.find("elm", "desk")
    elsewhere("update room set name = 'Elsewhere'")
    clock.now += Remembered.HOLDS
    found = clinics.rooms.find("elm", "desk")
    assert found is not None
    assert found.name == "Elsewhere"


def test_what_is_not_there_is_asked_for_again(app: Flask, clock: Clock) -> None:
    assert clinics.rooms.find("elm", "desk") is None
    elsewhere(
        "insert into room (id, clinic_id, slug, name, media, content, created)"
        " values ('r1', 'elm', 'desk', 'Desk', 'video', '{}', 1)"
    )
    assert clinics.rooms.find("elm", "desk") is not None


def test_a_write_while_a_read_is_under_way_is_not_missed(app: Flask, clock: Clock) -> None:
    class Found:
        pass

    told = []

    def read() -> Found:
        told.append("asked")
        if len(told) == 1:
            Remembered.forget()  # somebody writes before the answer is kept
        row = Found()
        return row

    remembered = Remembered(read)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db.session, "expunge", lambda row: None)
        first, second, third = remembered(), remembered(), remembered()
    assert first is not second
    assert second is third


def test_strangers_do_not_fill_it(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Remembered, "MANY", 10)
    for number in range(25):
        clinics.clinic.find(f"host{number}.test")
    assert len(clinics.clinic.find._kept) <= 10
