"""housecall.toml -> frozen settings; every mistake is reported at once, with its line and the nearest known name."""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from . import reading
from .message import EMAIL
from .reading import Mistake, Reading, nearest

SIGN_UP = ("invitation", "open", "closed")
ASYNC_MODES = ("eventlet", "threading")
CLINIC_ID = re.compile(r"[a-z][a-z0-9-]{0,30}")
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?")
MAIL_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9a-f]*:[0-9a-f:.]*")
ICE_URL = re.compile(r"(stun|stuns|turn|turns):[^\s@/]+")

SERVER_KEYS: Mapping[str, type] = {
    "url": str,
    "bind": str,
    "port": int,
    "secret": str,
    "database": str,
    "async_mode": str,
    "trusted_proxies": int,
    "load": list,
    "plugins": list,
    "mail": dict,
}
MAIL_KEYS: Mapping[str, type] = {
    "host": str,
    "port": int,
    "security": str,
    "user": str,
    "password": str,
    "sender": str,
    "ca": str,
}
MAIL_PORTS: Mapping[str, int] = {"starttls": 587, "tls": 465, "none": 25}  #: security -> the usual port
HERE = ("localhost", "127.0.0.1", "::1")  #: names of this machine
CLINIC_KEYS: Mapping[str, type] = {
    "host": str,
    "name": str,
    "theme": str,
    "plugins": list,
    "sign_up": str,
    "ice": list,
    "core": dict,
}
ICE_KEYS: Mapping[str, type] = {"urls": list, "secret": str, "username": str, "credential": str}
CORE_KEYS: Mapping[str, type] = {"email": str, "phone": str, "address": str, "emergency": str}


class ConfigError(Exception):
    """housecall.toml cannot be used; `mistakes` lists everything that is wrong with it."""

    def __init__(self, path: Path, mistakes: list[Mistake]):
        self.path, self.mistakes = path, mistakes
        super().__init__("\n".join(f"{path.name}: {m}" for m in mistakes))


@dataclass(frozen=True, kw_only=True)
class IceServer:
    """A STUN or TURN server. With `secret`, short-lived TURN credentials are made for each visit (HMAC-SHA1)."""

    urls: tuple[str, ...]
    secret: str | None = field(default=None, repr=False)
    username: str | None = None
    credential: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """`[server.mail]`: the server that takes our mail, and how we come to it."""

    host: str
    port: int
    sender: str  #: the address that mail comes from; its name is the clinic's
    security: str = "starttls"  #: "starttls" (it must be offered), "tls" from the first byte, or "none"
    user: str = ""  #: empty: without signing in
    password: str = field(default="", repr=False)
    ca: Path | None = None  #: a file of certificates to trust instead of the system's

    @property
    def local(self) -> bool:
        """Whether it is on this machine."""
        return self.host in HERE


@dataclass(frozen=True, kw_only=True)
class ClinicConfig:
    """One `[clinic.<id>]` table."""

    id: str
    name: str
    host: str | None = None
    theme: str | None = None  #: none: the practice chooses on its page
    sign_up: str = "invitation"
    ice: tuple[IceServer, ...] = ()
    core: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    plugins: tuple[str, ...] | None = None  #: those that are on; none: the practice's own switches decide
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))  #: plugin -> settings


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything that one server is told: the folder that it lives in, and housecall.toml read and checked."""

    folder: Path
    clinics: Mapping[str, ClinicConfig]
    url: str | None = None
    bind: str = "127.0.0.1"
    port: int = 8000
    secret: bytes = field(repr=False)
    database: str
    async_mode: str = "eventlet"
    trusted_proxies: int = 0
    load: tuple[str, ...] | None = None  #: the plugins to import; none: all that are found
    plugins: tuple[str, ...] = ()  #: those that are on in every clinic
    tables: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )  #: plugin -> what `[server.<plugin>]` says
    mail: MailServer | None = None
    demo: bool = False
    safe: bool = False  #: start without the site's own plugins and themes
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}), repr=False)  #: of housecall.toml

    @property
    def data(self) -> Path:
        """The folder of everything that the server writes."""
        return self.folder / "data"

    def refer(self, value: str, environ: Mapping[str, str] = os.environ) -> str:
        """`env:NAME` and `file:PATH` point at a value; anything else is the value. Raises KeyError or OSError."""
        return refer(value, self.folder, environ)

    def line(self, where: str) -> int | None:
        """The line of housecall.toml that holds a dotted name, or the table that it stands in."""
        while where and where not in self.lines:
            where = where.rpartition(".")[0]
        return self.lines.get(where)

    @property
    def address(self) -> str:
        """The address to print for people: the public one where it is known, else this machine's."""
        return (self.url or f"http://localhost:{self.port}").rstrip("/")

    def address_of(self, clinic: str) -> str:
        """The address of a clinic's front page, without a slash at its end; never what a request says of itself."""
        config = self.clinics.get(clinic)
        if config is None or config.host is None or len(self.clinics) < 2:
            return self.address
        return f"{'http' if self.address.startswith('http:') and self.url else 'https'}://{config.host}"


def load(folder: Path, *, environ: Mapping[str, str] = os.environ, demo: bool = False, safe: bool = False) -> Site:
    """Read `folder`/housecall.toml. `PORT` in `environ` overrides `server.port`.

    Raises ConfigError, which lists every mistake of the file at once.
    """
    path = folder / "housecall.toml"
    try:
        found = reading.tree(path)
    except FileNotFoundError:
        what = f"there is no housecall.toml in {folder}; `housecall init {folder}` makes one"
        found = Mistake(where="", what=what)
    if isinstance(found, Mistake):
        raise ConfigError(path, [found])
    tree, text = found
    settings = _Settings(text, folder=folder, environ=environ)
    site = settings.site(tree, demo=demo, safe=safe)
    if settings.mistakes or site is None:
        raise ConfigError(path, sorted(settings.mistakes, key=lambda m: m.line or 0))
    return site


def refer(value: str, folder: Path, environ: Mapping[str, str]) -> str:
    """What `env:NAME` or `file:PATH` (from `folder`) points at; any other value itself. Raises KeyError or OSError."""
    if value.startswith("env:"):
        return environ[value[4:]]
    if value.startswith("file:"):
        return (folder / value[5:]).read_text(encoding="utf-8").strip()
    return value


def key_file(data: Path) -> bytes:
    """The server's own key, `data/secret`: 32 random bytes in hex, made at the first start, for the owner only."""
    path = data / "secret"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    return bytes.fromhex(path.read_text().strip())


class _Settings(Reading):
    """One pass over housecall.toml."""

    def __init__(self, text: str, *, folder: Path, environ: Mapping[str, str]):
        super().__init__(text)
        self.folder, self.environ = folder, environ

    def site(self, tree: dict[str, Any], *, demo: bool, safe: bool) -> Site | None:
        for name in tree:
            if name not in ("server", "clinic"):
                self.wrong(name, f"this table is not known; {nearest(name, ('server', 'clinic'))}")
        value = tree.get("server", {})
        settings = value if isinstance(value, dict) else {}
        tables = {k: v for k, v in settings.items() if k not in SERVER_KEYS and isinstance(v, dict)}
        value = {k: v for k, v in settings.items() if k not in tables} if isinstance(value, dict) else value
        server = self.table("server", value, SERVER_KEYS)
        clinics = tree.get("clinic", {})
        if not isinstance(clinics, dict) or not clinics:
            self.wrong("clinic", "at least one clinic is needed: [clinic.main] with a name")
            clinics = {}
        read = {name: self.clinic(name, value) for name, value in clinics.items()}
        self.hosts(read)
        url = server.get("url")
        if url is not None:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
                self.wrong("server.url", "this must be an address such as https://elm.example.org, without a path")
        port = self.port(server.get("port", 8000))
        if server.get("trusted_proxies", 0) < 0:
            self.wrong("server.trusted_proxies", "this must be 0 or more")
        if server.get("async_mode", "eventlet") not in ASYNC_MODES:
            self.wrong("server.async_mode", f"this must be one of {', '.join(ASYNC_MODES)}")
        database = self.secret("server.database", server.get("database", "sqlite"))
        if database == "sqlite":
            database = f"sqlite:///{(self.folder / 'data' / 'housecall.db').resolve()}"
        elif database is not None and database.startswith("postgresql://"):
            database = database.replace("postgresql://", "postgresql+psycopg2://", 1)  # psycopg 3 blocks the loop
            if importlib.util.find_spec("psycopg2") is None:
                self.wrong("server.database", "PostgreSQL needs more: pip install 'housecall[postgresql]'")
        elif database is not None and not database.startswith("sqlite:///"):
            self.wrong("server.database", 'this must be "sqlite" or an address that begins with postgresql://')
        key = self.secret("server.secret", server["secret"]) if "secret" in server else None
        if key is not None and len(key) < 32:
            self.wrong("server.secret", "this must have at least 32 characters; leave it out and one is made for you")
        load = self.names("server.load", server["load"]) if "load" in server else None
        mail = self.mail(server["mail"]) if "mail" in server else None
        if mail and url is None:
            self.wrong("server.mail", "mail needs server.url: the links in it begin with that address")
        if self.mistakes or database is None:
            return None
        return Site(
            folder=self.folder,
            clinics=MappingProxyType({c.id: c for c in read.values() if c}),
            url=url.rstrip("/") if url else None,
            bind=server.get("bind", "127.0.0.1"),
            port=port,
            secret=key.encode() if key else key_file(self.folder / "data"),
            database=database,
            async_mode=server.get("async_mode", "eventlet"),
            trusted_proxies=server.get("trusted_proxies", 0),
            load=load,
            plugins=self.names("server.plugins", server.get("plugins", [])),
            tables=MappingProxyType(tables),
            mail=mail,
            demo=demo,
            safe=safe,
            lines=MappingProxyType(self.lines),
        )

    def mail(self, value: Any) -> MailServer | None:
        known, before = self.table("server.mail", value, MAIL_KEYS), len(self.mistakes)
        host, sender = known.get("host", ""), known.get("sender", "")
        if not MAIL_HOST.fullmatch(host):
            self.wrong("server.mail.host", "this must be the name of your mail server, such as mail.example.org")
        if not EMAIL.fullmatch(sender) or not sender.isascii():
            self.wrong("server.mail.sender", "this must be the address that mail comes from: desk@elm.example.org")
        security = known.get("security", "starttls")
        if security not in MAIL_PORTS:
            self.wrong("server.mail.security", f"this must be one of {', '.join(MAIL_PORTS)}")
        port = known.get("port", MAIL_PORTS.get(security, 587))
        if not 0 < port < 65536:
            self.wrong("server.mail.port", "this must be a number from 1 to 65535")
        password = self.secret("server.mail.password", known["password"]) if "password" in known else ""
        if bool(known.get("user")) != bool(known.get("password")):
            self.wrong("server.mail.user", "user and password belong together; without both nobody signs in")
        if security == "none" and known.get("user") and host not in HERE:
            what = 'a password goes to another machine only encrypted: "starttls" or "tls"'
            self.wrong("server.mail.security", what)
        ca = self.folder / known["ca"] if "ca" in known else None
        if ca is not None and not ca.is_file():
            self.wrong("server.mail.ca", f"the file {known['ca']} cannot be read")
        if len(self.mistakes) > before or password is None:
            return None
        user = known.get("user", "")
        return MailServer(host=host, port=port, sender=sender, security=security, user=user, password=password, ca=ca)

    def port(self, written: int) -> int:
        if override := self.environ.get("PORT"):
            if not override.isascii() or not override.isdigit() or not 0 < int(override) < 65536:
                self.mistakes.append(Mistake(where="PORT", what="this variable must be a number from 1 to 65535"))
                return written
            return int(override)
        if not 0 < written < 65536:
            self.wrong("server.port", "this must be a number from 1 to 65535")
        return written

    def clinic(self, name: str, value: Any) -> ClinicConfig | None:
        where = f"clinic.{name}"
        if not CLINIC_ID.fullmatch(name):
            self.wrong(where, "a clinic's id is made of small letters, digits and hyphens and begins with a letter")
        settings = value if isinstance(value, dict) else {}
        tables = {k: v for k, v in settings.items() if k not in CLINIC_KEYS and isinstance(v, dict)}
        value = {k: v for k, v in settings.items() if k not in tables} if isinstance(value, dict) else value
        known = self.table(where, value, CLINIC_KEYS)
        if not known.get("name", "").strip():
            self.wrong(f"{where}.name", "each clinic needs a name, as patients know it")
        host = known.get("host")
        if host is not None and not HOST.fullmatch(host):
            self.wrong(f"{where}.host", "this must be a host name in small letters, such as elm.example.org")
        if known.get("sign_up", "invitation") not in SIGN_UP:
            self.wrong(f"{where}.sign_up", f"this must be one of {', '.join(SIGN_UP)}")
        core = self.table(f"{where}.core", known.get("core", {}), CORE_KEYS)
        ice = [self.ice(f"{where}.ice", entry) for entry in known.get("ice", [])]
        return ClinicConfig(
            id=name,
            name=known.get("name", "").strip(),
            host=host,
            theme=known.get("theme"),
            sign_up=known.get("sign_up", "invitation"),
            ice=tuple(server for server in ice if server),
            core=MappingProxyType(core),
            plugins=self.names(f"{where}.plugins", known["plugins"]) if "plugins" in known else None,
            tables=MappingProxyType(tables),
        )

    def names(self, where: str, value: list[Any]) -> tuple[str, ...]:
        if not all(isinstance(name, str) for name in value):
            self.wrong(where, "this must be a list of plugins, such as ['drawing']")
            return ()
        return tuple(value)

    def hosts(self, clinics: Mapping[str, ClinicConfig | None]) -> None:
        seen: dict[str, str] = {}
        for name, clinic in clinics.items():
            host = clinic.host if clinic else None
            if host is None:
                if len(clinics) > 1:
                    self.wrong(f"clinic.{name}", "where several clinics share a server, each needs its own host")
            elif host in seen:
                self.wrong(f"clinic.{name}.host", f"{host} is already the host of clinic {seen[host]}")
            else:
                seen[host] = name

    def ice(self, where: str, value: Any) -> IceServer | None:
        known = self.table(where, value, ICE_KEYS)
        urls = known.get("urls", [])
        if not urls or not all(isinstance(url, str) and ICE_URL.fullmatch(url) for url in urls):
            self.wrong(f"{where}.urls", 'this must be a list of addresses such as "stun:stun.example.org:3478"')
            return None
        secret = self.secret(f"{where}.secret", known["secret"]) if "secret" in known else None
        credential = self.secret(f"{where}.credential", known["credential"]) if "credential" in known else None
        if any(url.startswith("turn") for url in urls) and not {"secret", "credential"} & set(known):
            self.wrong(f"{where}.urls", "a turn: address needs `secret` (short-lived credentials) or `credential`")
        return IceServer(urls=tuple(urls), secret=secret, username=known.get("username"), credential=credential)

    def secret(self, where: str, value: str) -> str | None:
        """`env:NAME` and `file:PATH` point at the value; anything else is the value itself."""
        try:
            return refer(value, self.folder, self.environ)
        except KeyError:
            self.wrong(where, f"the environment variable {value[4:]} is not set")
        except OSError:
            self.wrong(where, f"the file {value[5:]} cannot be read")
        return None
