"""The outbox: sealed until it ends, erased then, and through every crash nothing is lost and nothing is sent twice."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from housecall import clinics
from housecall.clinics import outbox
from housecall.clinics.database import db, erase
from housecall.clinics.models import Outbox, new_id
from housecall.config import ClinicConfig
from housecall.extending.hooks import Answer, Raised
from housecall.message import Attachment, Delivery, Message
from housecall.postroom import Postroom
from housecall.runtime import Runtime

KEY = b"k" * 32
MINUTE, HOUR = 60_000, 3_600_000
START = 1_800_000_000_000
ON_SQLITE = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def message(**more: Any) -> Message:
    told = {
        "id": new_id(),
        "clinic": "elm",
        "kind": "mail",
        "owner": "core",
        "to": "grace@navy.example",
        "text": "Come.",
    }
    return Message(**{**told, **more})


def added(at: int = START, *, due: int = 0, expires: int = 0, **more: Any) -> Message:
    made = message(**more)
    outbox.add(KEY, made, due=due, expires=expires, at=at)
    return made


def state(made: Message) -> str:
    found = outbox.find("elm", made.id)
    return found.state if found else ""


def try_once(made: Message, told: str, at: int, **more: Any) -> None:
    taken = outbox.claim(KEY, at)
    assert taken == made
    outbox.settle(made, Delivery(state=told, **more), at)


# -- what stands in it


def test_a_message_comes_out_as_it_went_in(app: Flask) -> None:
    calendar = Attachment(name="a.ics", type="text/calendar; method=REQUEST", body=b"\x00\xffBEGIN", inline=True)
    made = added(subject="Übung", html="<p>Ü", reply_to="ada@elm.example", attachments=(calendar,), owner="invites")
    assert outbox.claim(KEY, START) == made


def test_what_it_says_is_sealed_and_bound_to_its_row(app: Flask) -> None:
    first, second = added(text="Zq-mark-1", subject="Zq-mark-2"), added(to="zq-mark-3@navy.example")
    rows = {row.id: row for row in db.session.scalars(db.select(Outbox))}
    for row in rows.values():
        assert "zq-mark" not in " ".join(str(value).lower() for value in vars(row).values())
    with clinics.database.write() as session:
        session.get_one(Outbox, second.id).sealed = rows[first.id].sealed  # somebody moves it
    assert {taken.id for taken in iter(lambda: outbox.claim(KEY, START), None)} == {first.id}
    assert outbox.find("elm", second.id) == outbox.Posted(state="failed", tries=1, reason=outbox.UNREADABLE)


def test_nothing_of_it_is_in_its_repr() -> None:
    made = message(text="Zq", subject="Zq", html="Zq", to="zq@navy.example", reply_to="zq@elm.example",
                   attachments=(Attachment(name="a", type="text/plain", body=b"Zq"),))  # fmt: skip
    assert "zq" not in repr(made).lower()
    assert "Zq" not in repr(Attachment(name="a", type="text/plain", body=b"Zq"))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"kind": "fax"}, "kind is one of mail, text, push"),
        ({"to": "nobody"}, "to is no address"),
        ({"to": ""}, "to is no address"),
        ({"to": "a@b.example\r\nBcc: c@d.example"}, "to is one line"),
        ({"to": "a@b.example, c@d.example"}, "to is no address"),
        ({"subject": "Hello\nBcc: c@d.example"}, "subject is one line"),
        ({"subject": "x" * 201}, "subject has at most 200"),
        ({"text": "x" * 20_001}, "text has at most"),
        ({"reply_to": "a@b.example\r\nX: y"}, "reply_to is one line"),
        ({"reply_to": "nobody"}, "reply_to is no address"),
        ({"attachments": (Attachment(name="a\r\nX: y", type="text/plain", body=b""),)}, "name of an attachment"),
        ({"attachments": (Attachment(name="../a", type="text/plain", body=b""),)}, "name of an attachment"),
        ({"attachments": (Attachment(name="a", type="text/plain\r\nX: y", body=b""),)}, "type of an attachment"),
        ({"attachments": (Attachment(name="a", type="multipart/mixed", body=b""),)}, "type of an attachment"),
        ({"attachments": (Attachment(name="a", type="a/b", body=b"x" * (2**21 + 1)),)}, "at most 2097152 bytes"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_the_name_of_its_field(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told) as refused:
        message(**wrong)
    assert "c@d" not in str(refused.value)


@pytest.mark.parametrize(
    ("due", "expires"),
    [(START + 5, START + 5), (0, START), (0, START - 1), (START + 400 * 24 * HOUR, 0), (START - 9, START - 5)],
)
def test_a_time_that_cannot_be_kept_is_refused(app: Flask, due: int, expires: int) -> None:
    with pytest.raises(ValueError, match="expires lies after due"):
        added(due=due, expires=expires)
    assert outbox.next_due() is None


# -- its states


def test_it_waits_until_it_is_due_and_goes_once(app: Flask) -> None:
    made = added(due=START + HOUR)
    assert outbox.next_due() == START + HOUR
    assert outbox.claim(KEY, START) is None
    assert outbox.claim(KEY, START + HOUR) == made
    assert state(made) == "sending"
    assert outbox.claim(KEY, START + HOUR) is None
    outbox.settle(made, Delivery(state="sent"), START + HOUR)
    assert state(made) == "sent"
    assert outbox.claim(KEY, START + 2 * HOUR) is None
    outbox.sweep(START + 2 * HOUR - 1)
    assert state(made) == "sent"
    outbox.sweep(START + 2 * HOUR)
    assert outbox.find("elm", made.id) is None


def test_later_is_tried_again_ever_more_slowly_until_it_is_too_late(app: Flask) -> None:
    made, at, waits = added(), START, []
    while state(made) == "waiting":
        try_once(made, "later", at, reason="It was busy.")
        due = outbox.next_due()
        if due is not None:
            waits.append((due - at) // MINUTE)
            at = due
    assert waits[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert sum(waits) < 24 * 60
    found = outbox.find("elm", made.id)
    assert found
    assert found.state == "failed"
    assert found.reason == f"{outbox.TOO_LATE} It was busy."


def test_a_message_that_nobody_could_try_in_time_fails(app: Flask) -> None:
    made = added(expires=START + MINUTE)
    assert outbox.claim(KEY, START + MINUTE) is None
    outbox.sweep(START + MINUTE)
    assert outbox.find("elm", made.id) == outbox.Posted(state="failed", tries=0, reason=outbox.TOO_LATE)


def test_what_was_interrupted_is_unsure_and_goes_again_only_when_somebody_says_so(app: Flask) -> None:
    made = added()
    outbox.claim(KEY, START)
    assert outbox.recover(START) == 1
    assert outbox.unsure("elm") == 1
    assert outbox.claim(KEY, START + 23 * HOUR) is None
    assert not outbox.again("oak", made.id, START), "another clinic's"
    assert outbox.again("elm", made.id, START)
    assert not outbox.again("elm", made.id, START)
    try_once(made, "sent", START)
    assert not outbox.again("elm", made.id, START)


def test_what_nobody_decides_about_is_erased_when_it_expires_and_its_row_an_hour_later(app: Flask) -> None:
    made = added(expires=START + HOUR)
    try_once(made, "unsure", START)
    outbox.sweep(START + HOUR)
    row = db.session.get(Outbox, made.id)
    assert row
    assert (row.state, row.sealed) == ("unsure", "")
    assert not outbox.again("elm", made.id, START + HOUR)
    outbox.sweep(START + 2 * HOUR)
    db.session.rollback()
    assert outbox.find("elm", made.id) is None


def test_only_what_waits_can_be_taken_back(app: Flask) -> None:
    waits, goes = added(due=START + HOUR), added()
    assert outbox.claim(KEY, START) == goes
    assert not outbox.withdraw("elm", goes.id)
    assert not outbox.withdraw("oak", waits.id), "another clinic's"
    assert outbox.withdraw("elm", waits.id)
    assert outbox.find("elm", waits.id) is None
    assert not outbox.withdraw("elm", waits.id)


def test_a_reason_holds_nothing_of_the_address(app: Flask) -> None:
    mail, text = added(), added(kind="text", to="+3247000001")
    for _ in range(2):
        taken = outbox.claim(KEY, START)
        assert taken
        said = "550 grace@navy.example, 3247000001 and +3247000001 are unknown."
        outbox.settle(taken, Delivery(state="refused", reason=said), START)
    assert outbox.find("elm", mail.id).reason == "550 …, 3247000001 and +3247000001 are unknown."  # type: ignore[union-attr]
    assert outbox.find("elm", text.id).reason == "550 grace@navy.example, … and … are unknown."  # type: ignore[union-attr]


# -- what carriers report afterwards


def test_a_report_finds_its_message_by_the_carriers_reference_or_by_the_id(app: Flask) -> None:
    first, second = added(), added()
    for _ in range(2):
        taken = outbox.claim(KEY, START)
        assert taken
        outbox.settle(taken, Delivery(state="sent", reference=f"carrier {taken.id}"), START)
    row = db.session.get(Outbox, first.id)
    assert row
    assert row.reference == outbox.digest(f"carrier {first.id}")
    db.session.rollback()
    assert not outbox.report("oak", f"carrier {first.id}", "delivered", "", START)
    assert not outbox.report("elm", "carrier x", "delivered", "", START)
    assert not outbox.report("elm", "", "delivered", "", START)
    assert outbox.report("elm", f"carrier {first.id}", "delivered", "", START)
    assert outbox.report("elm", second.id, "bounced", "The phone is off.", START)
    assert (state(first), outbox.find("elm", second.id).reason) == ("delivered", "The phone is off.")  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="delivered or bounced"):
        outbox.report("elm", second.id, "read", "", START)


@pytest.mark.parametrize("order", list(itertools.permutations(["delivered", "bounced", "delivered"])))
def test_of_reports_in_any_order_and_twice_the_first_counts(app: Flask, order: tuple[str, ...]) -> None:
    made = added()
    try_once(made, "sent", START)
    assert [outbox.report("elm", made.id, said, "", START) for said in order] == [True, False, False]
    assert state(made) == order[0]


def test_a_report_that_is_faster_than_the_answer_stays(app: Flask) -> None:
    made = added()
    outbox.claim(KEY, START)
    assert outbox.report("elm", made.id, "delivered", "", START)
    outbox.settle(made, Delivery(state="unsure", reason="No answer came."), START)
    assert state(made) == "delivered"


def test_a_delivery_ends_the_doubt_also_when_it_was_to_be_sent_again(app: Flask) -> None:
    made = added()
    assert not outbox.report("elm", made.id, "delivered", "", START), "nobody has tried yet"
    try_once(made, "unsure", START)
    outbox.again("elm", made.id, START)
    assert outbox.report("elm", made.id, "delivered", "", START)
    assert outbox.claim(KEY, START) is None
    assert state(made) == "delivered"


# -- erased


def files(app: Flask) -> bytes:
    path = Path(app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///"))
    return b"".join(each.read_bytes() for each in path.parent.iterdir() if each.name.startswith(path.name))


@ON_SQLITE  # PostgreSQL erases when it vacuums
@pytest.mark.parametrize("end", ["sent", "refused", "withdrawn", "late", "delivered"])
def test_what_has_ended_is_gone_from_the_disk_even_sealed(app: Flask, end: str) -> None:
    made = added(text="x" * 9000, expires=START + HOUR)
    row = db.session.get(Outbox, made.id)
    assert row
    sealed = row.sealed.encode()
    db.session.remove()
    parts = [sealed[at : at + 60] for at in range(0, len(sealed) - 60, 60)]
    assert any(part in files(app) for part in parts), "this test reads nothing"
    if end == "withdrawn":
        assert outbox.withdraw("elm", made.id)
    elif end == "late":
        outbox.sweep(START + HOUR)
    elif end == "delivered":
        try_once(made, "unsure", START)
        outbox.report("elm", made.id, "delivered", "", START)
    else:
        try_once(made, end, START)
    db.session.remove()
    assert erase(db.engine, patience=0)
    left = files(app)
    assert not [part for part in parts if part in left]


@ON_SQLITE
def test_a_reader_in_the_way_holds_up_nobody_and_the_journal_is_emptied_after_it(app: Flask) -> None:
    room, taken = postroom(app, Carrier({}))
    made = added(at=room.now())
    reader = db.engine.connect()
    reader.exec_driver_sql("select count(*) from outbox").scalar()
    assert room.round() <= 1.0, "it comes back soon"
    assert state(made) == "sent"
    assert len(taken) == 1
    reader.close()
    db.session.remove()
    room.round()
    assert room.round() > 1.0


# -- the post room, through every crash


class Crash(BaseException):
    """The process ends here."""


class Carrier(dict[str, Any]):
    """Answers of a carrier by message id, "sent" without one; what it has taken."""

    def __init__(self, answers: dict[str, list[str]], point: Callable[[str], None] = lambda _: None):
        self.answers, self.point, self.taken = answers, point, list[str]()

    def ask(self, hook: str, clinic: str, **_: Any) -> list[Answer]:
        return []

    def ask_all(self, hook: str, clinic: str, *, message: Message) -> Iterator[Answer | Raised]:
        left = self.answers.get(message.id)
        said = left.pop(0) if left else "sent"
        self.point("before the carrier has it")
        if said in ("sent", "lost answer", "raises after"):
            self.taken.append(message.id)
        self.point("after the carrier had its chance")
        if said.startswith("raises"):
            yield Raised(plugin="carrier", hook=hook, error="ValueError")
        else:
            yield Answer(plugin="carrier", value=Delivery(state="unsure" if said == "lost answer" else said))


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> int:
        return self.at


def site(**more: Any) -> Any:
    class Site:
        secret, mail = KEY, None
        clinics = {"elm": ClinicConfig(id="elm", name="Elm")}  # noqa: RUF012

    return Site()


def postroom(app: Flask, carrier: Carrier, clock: Clock | None = None) -> tuple[Postroom, list[str]]:
    runtime = Runtime(spawn=lambda function, *arguments: function(*arguments), sleep=lambda _: None)
    made = Postroom(site(), carrier, runtime, context=nullcontext, now=clock or Clock())  # type: ignore[arg-type]
    return made, carrier.taken


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Callable[[str], None]]:
    """Makes the process crash at the n-th point: between any two steps, before and after each commit."""
    real_write, real_harden = outbox.write, outbox.harden
    current: list[Callable[[str], None]] = [lambda _: None]

    @contextmanager
    def write() -> Iterator[Any]:
        current[0]("before a transaction")
        with real_write() as session:
            yield session
            current[0]("before a commit")
        current[0]("after a commit")

    def harden(engine: Any) -> None:
        current[0]("before it is on the disk")
        real_harden(engine)

    monkeypatch.setattr(outbox, "write", write)
    monkeypatch.setattr(outbox, "harden", harden)

    def crash_at(number: int) -> Callable[[str], None]:
        counter = itertools.count(1)

        def point(name: str) -> None:
            if next(counter) == number:
                raise Crash(name)

        current[0] = point
        return point

    return crash_at


def live(app: Flask, carrier: Carrier, clock: Clock) -> None:
    """One life of a server: it starts, and works until nothing is left to do."""
    room, _ = postroom(app, carrier, clock)
    outbox.recover(clock())
    for _ in range(40):
        room.round()
        due = outbox.next_due()
        if due is None:
            return
        clock.at = max(clock.at, due)
    raise AssertionError("it never came to an end")


def judge(ids: list[str], taken: list[str]) -> None:
    """Each message ended, and what was told of it is true."""
    for id in ids:
        found, times = outbox.find("elm", id), taken.count(id)
        assert found, "it was lost"
        assert times <= 1, "it was sent twice"
        assert found.state in ("sent", "failed", "unsure"), found
        if found.state == "sent":
            assert times == 1
        elif found.state == "failed":
            assert times == 0
        else:
            assert found.reason, "nobody is told why"


ENDS = ("sent", "refused", "later", "unsure", "lost answer", "raises before", "raises after")


@ON_SQLITE  # the same code; a crash is a rollback there, too
@pytest.mark.parametrize("first", ENDS)
def test_a_crash_between_any_two_steps_loses_nothing_and_sends_nothing_twice(
    app: Flask, points: Callable[[int], Callable[[str], None]], first: str
) -> None:
    crashed = 0
    for number in itertools.count(1):
        with clinics.database.write() as session:
            session.execute(delete(Outbox))
        points(0)
        clock = Clock()
        made = [added(), added(due=START + 3 * MINUTE)]
        carrier = Carrier({made[0].id: [first]}, points(number))
        try:
            live(app, carrier, clock)
        except Crash:
            crashed += 1
            db.session.remove()
            carrier.point = points(0)
            live(app, carrier, clock)
        else:
            judge([each.id for each in made], carrier.taken)
            break
        judge([each.id for each in made], carrier.taken)
    assert crashed > 10, "this test crashes nowhere"


@ON_SQLITE
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.sampled_from(ENDS), max_size=4), min_size=1, max_size=4),
    st.lists(st.integers(1, 60), max_size=4),
    st.lists(st.integers(0, 30), min_size=4, max_size=4),
)
def test_many_messages_through_many_crashes(
    app: Flask,
    points: Callable[[int], Callable[[str], None]],
    answers: list[list[str]],
    crashes: list[int],
    dues: list[int],
) -> None:
    with clinics.database.write() as session:
        session.execute(delete(Outbox))
    points(0)
    clock = Clock()
    made = [added(due=START + due * MINUTE) for due, _ in zip(dues, answers, strict=False)]
    carrier = Carrier({each.id: list(said) for each, said in zip(made, answers, strict=True)})
    for number in [*crashes, 0]:
        carrier.point = points(number)
        try:
            live(app, carrier, clock)
        except Crash:
            db.session.remove()
    judge([each.id for each in made], carrier.taken)


def test_with_nobody_to_carry_it_a_message_fails_at_once(app: Flask) -> None:
    class Nobody(Carrier):
        def ask_all(self, hook: str, clinic: str, *, message: Message) -> Iterator[Answer | Raised]:
            yield from ()

    room, _ = postroom(app, Nobody({}))
    made = added()
    assert not room.deliverable("elm", "mail")
    room.round()
    assert outbox.find("elm", made.id) == outbox.Posted(
        state="failed", tries=1, reason="Nothing is set up here that could send this."
    )


def test_at_most_four_are_on_their_way(app: Flask) -> None:
    begun: list[Message] = []
    room, _ = postroom(app, Carrier({}))
    object.__setattr__(room.runtime, "spawn", lambda function, made: begun.append(made))
    made = [added() for _ in range(6)]
    room.round()
    assert len(begun) == 4
    assert sorted(state(each) for each in made) == ["sending"] * 4 + ["waiting"] * 2
    room._send(begun[0])
    room.round()
    assert len(begun) == 5


def test_what_the_database_does_not_take_is_written_down_later(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    real, tries = outbox.settle, []

    def settle(*given: Any) -> None:
        tries.append(given)
        if len(tries) < 3:
            raise OSError("the disk is full")
        real(*given)

    monkeypatch.setattr(outbox, "settle", settle)
    room, taken = postroom(app, Carrier({}))
    made = added()
    room.round()
    assert (len(tries), len(taken), state(made)) == (3, 1, "sent")
