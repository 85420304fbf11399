"""The lasting half alone, on a database of its own: SQLite, and PostgreSQL where it is installed."""

from __future__ import annotations

import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from housecall import clinics
from housecall.config import ClinicConfig
from housecall.testing.beginning import prepare
from housecall.testing.parts import find
from housecall.testing.practice import free_port


def inline(function: object, *args: object) -> object:
    return function(*args)  # type: ignore[operator]


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own on a free loopback port; the address of an empty database is made from it."""
    initdb = find("initdb")
    if initdb is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed: pip install 'housecall[postgresql]'")
    folder, port = Path(tempfile.gettempdir(), f"housecall-pg-{secrets.token_hex(4)}"), free_port()
    as_postgres = []
    try:
        folder.mkdir(mode=0o700)
        if pwd.getpwuid(folder.stat().st_uid).pw_name == "root":  # PostgreSQL does not run as root
            shutil.chown(folder, "postgres", "postgres")
            as_postgres = ["runuser", "-u", "postgres", "--"]
        data = folder / "data"
        run = {"check": True, "capture_output": True, "cwd": "/"}
        subprocess.run([*as_postgres, initdb, "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8"], **run)  # type: ignore[call-overload]
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control = str(Path(initdb).parent / "pg_ctl")
        subprocess.run(
            [*as_postgres, control, "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        yield f"postgresql+psycopg2://postgres@127.0.0.1:{port}/postgres"
        subprocess.run([*as_postgres, control, "-D", str(data), "-m", "immediate", "stop"], **run)  # type: ignore[call-overload]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """A migrated database with one clinic, in an application context."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'housecall.db'}"
    else:
        from sqlalchemy import create_engine, text

        server: str = request.getfixturevalue("postgresql")
        name = f"housecall_{secrets.token_hex(4)}"
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"create database {name}"))
        engine.dispose()
        url = server.rsplit("/", 1)[0] + f"/{name}"
    prepare(url)
    made = Flask("housecall")
    made.config["SQLALCHEMY_DATABASE_URI"] = url
    clinics.database.init_app(made)
    with made.app_context():
        clinics.clinic.upsert([ClinicConfig(id="elm", name="Elm")])
        yield made
        clinics.database.db.session.remove()
        clinics.database.db.engine.dispose()


@pytest.fixture
def ada(app: Flask) -> clinics.models.Member:
    return clinics.members.create(
        "elm",
        email="Ada@Elm.Example",
        first_name="Ada",
        last_name="Smith",
        role="owner",
        password="correct horse battery staple",
    )
