"""What lasts, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, select, text, update

from housecall import clinics
from housecall.clinics import audit, history, images, invitations, lifetimes, logins, members, models, rooms
from housecall.clinics.database import db, write
from housecall.config import ClinicConfig

DAY = 24 * 3600 * 1000


def inline(function: object, *args: object) -> object:
    return function(*args)  # type: ignore[operator]


def everything() -> str:
    """All rows of all tables of ours, as text; those of plugins may be known to this process and not be here."""
    own = [table for table in models.Base.metadata.sorted_tables if "owner" not in table.info]
    return "\n".join(repr(tuple(row)) for table in own for row in db.session.execute(select(table)))


def test_a_password_is_kept_as_argon2id_only(ada: models.Member) -> None:
    assert "correct horse" not in everything()
    assert ada.password_hash is not None
    assert ada.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_right_password_and_no_other(ada: models.Member) -> None:
    def ask(email: str, password: str) -> models.Member | None:
        return members.check_password("elm", email, password, offload=inline)

    assert ask("ada@elm.example", "correct horse battery staple") is not None
    assert ask(" ADA@elm.example", "correct horse battery staple") is not None
    for email, password in (("ada@elm.example", "wrong"), ("eve@elm.example", "x"), ("ada@elm.example", "")):
        assert ask(email, password) is None
    assert members.check_password("oak", "ada@elm.example", "correct horse battery staple", offload=inline) is None


def test_an_unknown_account_costs_as_many_hashes_as_a_known_one(ada: models.Member) -> None:
    calls: list[str] = []

    def counting(function: object, *args: object) -> object:
        calls.append(getattr(function, "__name__", ""))
        return inline(function, *args)

    members.check_password("elm", "ada@elm.example", "wrong", offload=counting)
    members.check_password("elm", "eve@elm.example", "wrong", offload=counting)
    assert calls == ["verify", "verify"]


def test_an_old_hash_is_renewed_at_sign_in(ada: models.Member) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("correct horse battery staple")
    with write() as session:
        session.get_one(models.Member, ada.id).password_hash = weak
    members.check_password("elm", "ada@elm.example", "correct horse battery staple", offload=inline)
    stored = members.by_id(ada.id)
    assert stored is not None
    assert "m=19456" in (stored.password_hash or "")


@pytest.mark.parametrize(
    "password", ["short", "password123", "12345678", "aaaaaaaaaa", "Smith2026!", "ada@elm.example"]
)
def test_a_weak_password_is_refused(ada: models.Member, password: str) -> None:
    with pytest.raises(clinics.Refused) as refused:
        members.set_password(ada.id, password, offload=inline)
    assert set(refused.value.fields) == {"password"}


def test_a_login_is_kept_as_a_hash_and_a_shortened_address(ada: models.Member) -> None:
    token = logins.start(ada.id, "password", agent="Mozilla/5.0 (X11; Linux) Firefox/131.0", address="203.0.113.77")
    rows = everything()
    assert token not in rows
    assert "203.0.113.77" not in rows
    assert "203.0.113.0/24" in rows
    assert "131.0" not in rows
    found = logins.find(token)
    assert found is not None
    assert found.agent == "Firefox, Linux"
    assert logins.find(token + "x") is None
    assert logins.network("2001:db8:1:2:3::4") == "2001:db8:1::/48"


def test_a_login_ends_when_idle_and_after_twelve_hours_but_never_in_a_call(
    ada: models.Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, start = logins.start(ada.id, "password", agent="", address=""), models.now()

    def at(ms: int) -> None:
        monkeypatch.setattr(logins, "now", lambda: start + ms)

    at(logins.IDLE - 1000)
    assert logins.find(token) is not None  # used: begins anew
    at(2 * logins.IDLE - 2000)
    assert logins.find(token) is not None
    at(4 * logins.IDLE)
    assert logins.find(token) is None
    assert logins.find(token, in_call=True) is not None
    at(logins.ABSOLUTE + logins.IDLE)
    assert logins.find(token) is None
    assert logins.find(token, in_call=True) is not None


def test_revoking_ends_a_login_and_tells(ada: models.Member) -> None:
    told: list[str] = []
    logins.on_revoked.append(told.append)
    token = logins.start(ada.id, "password", agent="", address="")
    logins.revoke(logins.digest(token))
    logins.on_revoked.remove(told.append)
    assert logins.find(token) is None
    assert told == [logins.digest(token)]


def test_an_invitation_makes_one_account(app: Flask, ada: models.Member) -> None:
    token = invitations.make("elm", "provider", made_by=ada.id)
    assert token not in everything()

    def join(email: str) -> models.Member:
        return members.join(
            "elm",
            role="provider",
            email=email,
            first_name="Grace",
            last_name="Hopper",
            password="a fine long phrase",
            adult=True,
            invitation=token,
            reserved={"help"},
            offload=inline,
        )

    member = join("grace@elm.example")
    assert member.adult_at is not None
    assert [room.slug for room in members.rooms_of(member)] == ["hopper"]
    with pytest.raises(clinics.Refused):
        join("eve@elm.example")
    assert members.by_email("elm", "eve@elm.example") is None
    assert invitations.find(token) is None


def test_an_invitation_runs_out(ada: models.Member, monkeypatch: pytest.MonkeyPatch) -> None:
    token, start = invitations.make("elm", "provider", made_by=ada.id), models.now()
    monkeypatch.setattr(invitations, "now", lambda: start + 7 * DAY + 1000)
    assert invitations.find(token) is None


def test_a_reset_link_is_worth_nothing_once_the_password_has_changed(ada: models.Member) -> None:
    token = invitations.reset_token(b"k" * 32, ada)
    assert invitations.reset_member(b"k" * 32, token) is not None
    assert invitations.reset_member(b"x" * 32, token) is None
    members.set_password(ada.id, "another fine phrase", offload=inline)
    assert invitations.reset_member(b"k" * 32, token) is None


def test_who_may_serve_a_room(ada: models.Member) -> None:
    grace = members.create("elm", email="g@elm.example", first_name="G", last_name="H", role="provider", password=None)
    own = rooms.create("elm", slug="own", name="Own", owner_id=grace.id)
    shared = rooms.create("elm", slug="shared", name="Shared", owner_id=None)
    listed = rooms.create("elm", slug="listed", name="Listed", owner_id=ada.id)
    with write() as session:
        session.add(models.RoomMember(room_id=listed.id, member_id=grace.id))
    assert {room.id for room in members.rooms_of(grace)} == {own.id, listed.id}
    assert {room.id for room in members.rooms_of(ada)} == {own.id, shared.id, listed.id}


@pytest.mark.parametrize("slug", ["ab", "-abc", "abc-", "Abc", "a b c", "x" * 41, "ümlaut", "help"])
def test_a_bad_slug_is_refused(app: Flask, slug: str) -> None:
    with pytest.raises(clinics.Refused) as refused:
        rooms.create("elm", slug=slug, name="R", owner_id=None, reserved={"help"})
    assert set(refused.value.fields) == {"slug"}


def test_a_slug_is_suggested_from_the_name(app: Flask) -> None:
    for wanted in ("drsmith", "dradasmith", "smith-2", "smith-3"):
        with write() as session:
            slug = rooms.suggest(session, "elm", "Dr. Ada Smith", {"help"})
        assert slug == wanted
        rooms.create("elm", slug=slug, name="R", owner_id=None)
    with write() as session:
        assert rooms.suggest(session, "elm", "Жанна", set()) == "room"


def test_a_clinic_is_found_by_its_host(app: Flask) -> None:
    assert clinics.clinic.find("anything.example") is not None
    clinics.clinic.upsert(
        [ClinicConfig(id="elm", name="Elm", host="elm.example"), ClinicConfig(id="oak", name="Oak", host="oak.example")]
    )
    assert getattr(clinics.clinic.find("ELM.example"), "id", None) == "elm"
    assert getattr(clinics.clinic.find("oak.example"), "id", None) == "oak"
    assert clinics.clinic.find("other.example") is None
    clinics.clinic.upsert([ClinicConfig(id="elm", name="Elm", host="new.example")])
    assert clinics.clinic.find("oak.example") is None
    assert clinics.clinic.by_id("oak") is not None


def row(visit: str, ended: int, **more: object) -> dict[str, object]:
    return {
        "visit_id": visit,
        "clinic_id": "elm",
        "room_id": "room",
        "member_id": None,
        "arrived": ended - 600_000,
        "started": ended - 90_000,
        "ended": ended,
        "outcome": "completed",
        "media": "video",
        "seats": 2,
        **more,
    }


def test_history_is_written_once_and_read_with_totals(app: Flask) -> None:
    now = models.now()
    for _ in range(2):
        history.record(**row("one", now))
    history.record(**row("two", now - 8 * DAY, outcome="left", started=None))
    history.record(**row("other", now, room_id="elsewhere"))
    listing = history.listing(["room"])
    assert listing.totals == {"visits": 2, "completed": 1, "minutes": 2}
    assert [r.outcome for r in listing.rows] == ["completed", "left"]
    assert [r.minutes for r in listing.rows] == [2, None]
    assert sum(week["visits"] for week in listing.weeks) == 2
    assert len(listing.weeks) == 12
    assert history.exists("one")
    assert not history.exists("three")


def test_history_comes_in_pages(app: Flask) -> None:
    now = models.now()
    with write() as session:
        session.add_all(models.History(**row(f"v{n}", now - n * 1000)) for n in range(120))
    assert [len(history.listing(["room"], page=n).rows) for n in (1, 2, 3, 99)] == [50, 50, 20, 20]


def test_every_lifetime_is_enforced(ada: models.Member) -> None:
    now = models.now()
    history.record(**row("old", now - 800 * DAY))
    history.record(**row("young", now - 600 * DAY))
    logins.start(ada.id, "password", agent="", address="")
    invitations.make("elm", "staff", made_by=ada.id)
    with write() as session:
        audit.add(session, "elm", actor=None, action="old", object="x")
        session.flush()
        session.execute(update(models.Audit).where(models.Audit.action == "old").values(at=now - 800 * DAY))

    def count(table: type[models.Base]) -> int:
        return len(list(db.session.scalars(select(table))))

    assert lifetimes.sweep(now) == 2
    assert not history.exists("old")
    assert history.exists("young")
    assert (count(models.Login), count(models.Invitation)) == (1, 1)
    assert lifetimes.sweep(now + 8 * DAY) >= 2
    assert (count(models.Login), count(models.Invitation)) == (0, 0)
    lifetimes.sweep(now + 800 * DAY)
    assert (count(models.History), count(models.Audit)) == (0, 0)


def test_a_changed_audit_row_breaks_the_chain(ada: models.Member) -> None:
    for n in range(3):
        rooms.create("elm", slug=f"room-{n}", name="R", owner_id=None, actor=ada.id)
    assert audit.broken_at("elm") is None
    second = list(db.session.scalars(select(models.Audit).order_by(models.Audit.id)))[1]
    with write() as session:
        session.get_one(models.Audit, second.id).action = "nothing"
    assert audit.broken_at("elm") == second.id


def test_the_last_owner_stays(ada: models.Member) -> None:
    for change in (
        lambda: members.set_role("elm", ada.id, "staff", actor=ada.id),
        lambda: members.set_disabled("elm", ada.id, True, actor=ada.id),
    ):
        with pytest.raises(clinics.Refused) as refused:
            change()
        assert refused.value.fields == {"member": "last_owner"}


def test_writers_go_one_after_another(app: Flask) -> None:
    """Ten threads write at once; nobody hears that the database is locked."""
    failed: list[Exception] = []

    def make(n: int) -> None:
        with app.app_context():
            try:
                rooms.create("elm", slug=f"thread-{n}", name="R", owner_id=None)
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=make, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(rooms.of("elm")) == 10


def test_a_write_that_fails_leaves_nothing(ada: models.Member) -> None:
    with pytest.raises(clinics.Refused):
        members.save_profile(
            ada.id,
            {"specialty": "Cardiology", "email": "broken"},
            slugs={},
            photo=None,
            drop_photo=False,
            reserved=(),
            offload=inline,
        )
    stored = members.by_id(ada.id)
    assert stored is not None
    assert stored.specialty == ""


def test_unknown_profile_fields_are_refused(ada: models.Member) -> None:
    with pytest.raises(clinics.Refused) as refused:
        members.update(ada.id, {"role": "owner", "password_hash": "x"})
    assert refused.value.fields == {"role": "unknown", "password_hash": "unknown"}


def test_the_schema_is_that_of_the_models(app: Flask) -> None:
    assert clinics.database.drift(db.engine) == []


def test_an_image_bomb_is_refused_before_it_is_decoded() -> None:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(clinics.Refused) as refused:
        images.encode(bomb, offload=inline)
    assert refused.value.fields == {"photo": "large_picture"}


# -- SQLite's own


def test_what_is_erased_is_gone_from_the_disk(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'housecall.db'}"
    clinics.database.prepare(url)
    app = Flask("housecall")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    clinics.database.init_app(app)
    with app.app_context():
        clinics.clinic.upsert([ClinicConfig(id="elm", name="Elm")])
        room = rooms.create("elm", slug="canary", name="CANARY-7f3a", owner_id=None)

        def on_disk() -> bool:
            return any(b"CANARY-7f3a" in path.read_bytes() for path in tmp_path.glob("housecall.db*"))

        assert on_disk()
        with write() as session:
            session.delete(session.get_one(models.Room, room.id))
        assert on_disk()  # still in the journal
        assert clinics.database.erase(db.engine)
        assert not on_disk()
        db.session.remove()
        db.engine.dispose()


def test_an_older_database_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "housecall.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("create table something (kept text)"))
        connection.execute(text("insert into something values ('treasure')"))
    clinics.database.upgrade(engine)
    engine.dispose()
    (copy,) = (tmp_path / "backup").iterdir()
    assert b"treasure" in copy.read_bytes()
    assert copy.stat().st_mode & 0o077 == 0
    clinics.database.upgrade(create_engine(f"sqlite:///{path}"))
    assert len(list((tmp_path / "backup").iterdir())) == 1


def test_postgresql_is_never_changed_unasked(postgresql: str) -> None:
    engine = create_engine(postgresql)
    with engine.begin() as connection:
        connection.execute(text("create table if not exists somebody_elses (x int)"))
    with pytest.raises(clinics.database.NotMigrated):
        clinics.database.prepare(postgresql)
    engine.dispose()
