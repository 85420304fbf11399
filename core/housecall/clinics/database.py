"""The database: its connection, its one write lock, its migrations, and how something is erased for good."""

from __future__ import annotations

import ast
import contextlib
import fcntl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, ParamSpec, TypeVar

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from .models import Base

if TYPE_CHECKING:
    from alembic.config import Config

P = ParamSpec("P")
Row = TypeVar("Row")

MIGRATIONS = Path(__file__).parent / "migrations"
PATIENCE = 200  #: ms to wait for another process that writes
PRAGMAS = (
    "journal_mode=WAL",
    "foreign_keys=ON",
    f"busy_timeout={PATIENCE}",
    "synchronous=NORMAL",
    "secure_delete=ON",
)

db = SQLAlchemy(session_options={"expire_on_commit": False})

_writing = threading.Lock()  # green once patched: two writers in SQLite's own wait would hold up everybody


class NotMigrated(Exception):
    """The database is not at this version, and is not one that we change unasked."""


@event.listens_for(Engine, "connect")
def _on_connect(connection: Any, _: object) -> None:
    if type(connection).__module__.startswith("sqlite3"):
        connection.isolation_level = None  # sqlite3 must not begin or commit behind SQLAlchemy's back
        for pragma in PRAGMAS:
            connection.execute("PRAGMA " + pragma)


@event.listens_for(Engine, "begin")
def _on_begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":  # writers take the lock at once, not half-way
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def init_app(app: Flask) -> None:
    """Connect an application to `SQLALCHEMY_DATABASE_URI`."""
    db.init_app(app)


@contextlib.contextmanager
def write() -> Iterator[Session]:
    """A short write transaction, one at a time: commits at the end, rolls back when something raises.

    Nothing that waits (mail, HTTP, a hash) may stand inside: everybody else's write would wait with it.
    """
    engine = db.engine.execution_options(writes=True)
    try:
        with _writing, Session(engine, expire_on_commit=False) as session, session.begin():
            yield session
    finally:
        Remembered.forget()
    db.session.rollback()  # what this request read before is read anew


class Remembered(Generic[P, Row]):
    """A read that each request makes: its row is kept for a second, and no longer than until this process writes.

    The second is for what another process writes. The row is detached, and everybody's: it is there to be read.
    """

    HOLDS = 1.0  #: seconds
    MANY = 1000  #: answers of one read; what is asked may come from outside
    writes = 0  #: how often this process has written
    clock: ClassVar[Callable[[], float]] = time.monotonic

    def __init__(self, read: Callable[P, Row | None]):
        self.read = read
        self._kept: dict[tuple[object, ...], tuple[int, float, Row]] = {}
        update_wrapper(self, read)

    @classmethod
    def forget(cls) -> None:
        cls.writes += 1

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Row | None:
        key, writes, now = (id(db.engine), *args, *kwargs.items()), Remembered.writes, Remembered.clock()
        kept = self._kept.get(key)
        if kept is not None and kept[0] == writes and now - kept[1] < self.HOLDS:
            return kept[2]
        row = self.read(*args, **kwargs)
        if row is None:
            return None
        db.session.expunge(row)
        if len(self._kept) >= self.MANY:
            self._kept.clear()
        self._kept[key] = (writes, now, row)
        return row


def erase(engine: Engine, *, patience: int = PATIENCE) -> bool:
    """Empty SQLite's journal, so that deleted rows are gone from the disk; False while a reader is in the way.

    `patience` are the ms to wait for readers, in which nothing else happens in this process: 0 where one can come back.
    """
    if engine.dialect.name != "sqlite":
        return True
    with _outside_transactions(engine) as connection:
        connection.execute(f"PRAGMA busy_timeout={patience}")
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.execute(f"PRAGMA busy_timeout={PATIENCE}")
    return not busy


def harden(engine: Engine) -> None:
    """Have what was written until now survive a power cut, too: WAL alone promises that for a crash of ours only."""
    if engine.dialect.name == "sqlite":
        with _outside_transactions(engine) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def prepare(url: str) -> None:
    """Bring an empty database or a SQLite file up to date; raises NotMigrated for any other that is behind."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        if engine.dialect.name != "sqlite" and not _empty(engine) and not at_head(engine):
            raise NotMigrated("The database is of an older version. Back it up, then: housecall migrate")
        upgrade(engine)
    finally:
        engine.dispose()


def upgrade(engine: Engine) -> None:
    """Run the core's migrations; a SQLite file that needs some is copied to `backup` beside it first."""
    with _one_upgrader(engine):
        if at_head(engine):
            return
        if engine.dialect.name == "sqlite" and not _empty(engine):
            _copy(engine)
        _upgrade(_config(engine))


def upgrade_plugin(owner: str, versions: Path) -> None:
    """Run a plugin's own migrations, which have a version table of their own."""
    config = _config(db.engine, owner=owner, versions=versions)
    with _one_upgrader(db.engine):
        _upgrade(config)


def _upgrade(config: Config) -> None:
    from alembic import command  # 11 MiB that a server which is up to date does without

    command.upgrade(config, "head")


def plugin_behind(owner: str, versions: Path) -> bool:
    """Whether a plugin's tables are not at the head of its own migrations."""
    return _present(db.engine, f"alembic_version_{owner}") != _heads(versions)


def _present(engine: Engine, table: str = "alembic_version") -> set[str]:
    """The revisions that a database has."""
    if not inspect(engine).has_table(table):
        return set()
    with engine.connect() as connection:
        return set(connection.scalars(text(f'select version_num from "{table}"')))  # noqa: S608


def _heads(versions: Path) -> set[str]:
    """The revisions of a folder of migrations that no other one builds on, as its files say in their own lines."""
    named: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for path in versions.glob("*.py"):
        for line in ast.parse(path.read_text("utf-8")).body:
            target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
            if isinstance(target, ast.Name) and target.id in named and (value := ast.literal_eval(line.value)):  # type: ignore[attr-defined]
                named[target.id] |= {value} if isinstance(value, str) else set(value)
    return named["revision"] - named["down_revision"]


def tables_of_plugin(owner: str, others: Iterable[str] = ()) -> list[str]:
    """The tables that a plugin has made, models or no models. `others` are the ids of all plugins.

    The prefix alone does not say it: `room_member` is not of a plugin `room`, nor `tally_book_page` of `tally`.
    """
    longer = tuple(f"{other}_" for other in others if other.startswith(f"{owner}_"))
    known = {name: table.info.get("owner", "core") for name, table in Base.metadata.tables.items()}
    return [
        name
        for name in sorted(inspect(db.engine).get_table_names())
        if name.startswith(f"{owner}_") and not name.startswith(longer) and known.get(name, owner) == owner
    ]


def declared_by(owner: str) -> list[str]:
    """The tables that a loaded plugin's models declare, made or not."""
    return sorted(name for name, table in Base.metadata.tables.items() if table.info.get("owner") == owner)


def drop_plugin(owner: str, others: Iterable[str] = ()) -> list[str]:
    """Drop a plugin's tables and its version table; their names."""
    engine, dropped = db.engine, []
    names = tables_of_plugin(owner, others)
    with engine.begin() as connection:
        for name in (*names, f"alembic_version_{owner}"):
            connection.execute(text(f'drop table if exists "{name}"'))
            dropped.append(name)
    erase(engine)
    return dropped


def at_head(engine: Engine) -> bool:
    """Whether the database is at this version's schema."""
    return _present(engine) == _heads(MIGRATIONS / "versions")


def drift(engine: Engine, owner: str = "core") -> list[Any]:
    """The differences between the migrated schema and an owner's models; a test wants none."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def theirs(obj: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        if kind != "table":
            return True
        model = Base.metadata.tables.get(name or "")
        whose = model.info.get("owner", "core") if model is not None else None
        return whose == owner or (whose is None and (name or "").startswith(f"{owner}_"))

    with engine.connect() as connection:
        version = "alembic_version" if owner == "core" else f"alembic_version_{owner}"
        options = {"compare_type": True, "include_object": _ours if owner == "core" else theirs}
        context = MigrationContext.configure(connection, opts={**options, "version_table": version})
        return list(compare_metadata(context, Base.metadata))


def problems() -> Iterator[str]:
    """What `housecall check` says of the database."""
    try:
        if not at_head(db.engine):
            yield "The database is of another version; `housecall run` (SQLite) or `housecall migrate` updates it."
    except Exception as error:
        yield f"The database cannot be opened: {type(error).__name__}"


def _ours(obj: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """The core's own tables; those of plugins are theirs to compare."""
    return kind != "table" or (
        not (name or "").startswith("alembic_version")
        and obj.info.get("owner", "core") == "core"
        and not _foreign(name)
    )


def _foreign(name: str | None) -> bool:
    """Whether a table that the database has belongs to some plugin: it is called `<plugin>_…`."""
    return (name or "") not in Base.metadata.tables and "_" in (name or "")


def _config(engine: Engine, *, owner: str = "core", versions: Path | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    table = "alembic_version"
    if versions is not None:
        config.set_main_option("version_locations", str(versions))
        table = f"alembic_version_{owner}"
    config.attributes.update(engine=engine, owner=owner, version_table=table, metadata=Base.metadata)
    return config


def _empty(engine: Engine) -> bool:
    query = (
        "select count(*) from sqlite_master"
        if engine.dialect.name == "sqlite"
        else ("select count(*) from information_schema.tables where table_schema = current_schema()")
    )
    with engine.connect() as connection:
        return bool(connection.execute(text(query)).scalar_one() == 0)


def _copy(engine: Engine) -> None:
    """A consistent copy of a SQLite file, named by the version that it has."""
    path = Path(str(engine.url.database))
    version = min(_present(engine), default="unversioned")
    target = path.parent / "backup" / f"{path.stem}-{version}.db"
    target.parent.mkdir(mode=0o700, exist_ok=True)
    target.unlink(missing_ok=True)
    with _outside_transactions(engine) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)


@contextlib.contextmanager
def _outside_transactions(engine: Engine) -> Iterator[Any]:
    """SQLite's own connection: SQLAlchemy's would begin a transaction first."""
    raw = engine.raw_connection()
    try:
        yield raw.driver_connection
    finally:
        raw.close()


@contextlib.contextmanager
def _one_upgrader(engine: Engine) -> Iterator[None]:
    """Several starters at once migrate one after another."""
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(f"{path}.migrate.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    key = {"key": zlib.crc32(b"housecall-migrate")}
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), key)
        connection.commit()
        try:
            yield
        finally:
            connection.execute(text("select pg_advisory_unlock(:key)"), key)
            connection.commit()
