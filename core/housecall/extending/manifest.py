"""plugin.toml: read and checked as a whole before any of the plugin's code is imported (contracts §10)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import fields, reading
from ..fields import Field
from ..reading import Mistake, Reading, nearest
from .nouns import (
    CSP,
    EVENT_BYTES,
    EVENT_RATE,
    PATHS,
    RECIPIENTS,
    SEATS,
    STATES,
    TAKERS,
    TRANSFER_BYTES,
    Data,
    Event,
    Fragment,
    Job,
    Manifest,
    Outgoing,
    Step,
    Transfer,
)
from .slots import SLOTS

API = "1.0"  #: what this server offers to plugins and themes; a manifest says what it was written for
ID = re.compile(r"[a-z][a-z0-9_]{1,30}")
NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")
FILE = re.compile(r"[\w-]+(/[\w-]+)*\.[a-z0-9]+")
HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?")
RATE = re.compile(r"(\d{1,4})/(s|m)")
EVERY = re.compile(r"(\d{1,4})\s*(seconds?|minutes?|hours?|days?)")
LARGEST = 16 * 1024**3  #: bytes of a transfer, whatever its declaration says
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
KEPT = re.compile(r"never|visit|browser|15 minutes|account|\d+ (hours?|days?|months?|years?)")
RESERVED = ("asset", "theme", "blob", "image", "health", "core", "relay", "posted")

TOP: Mapping[str, type] = {
    "id": str,
    "name": str,
    "version": str,
    "api": str,
    "summary": str,
    "requires": list,
    "restricted": bool,
    "on_refuse": str,
    "csp": list,
    "worker": str,
    "fragment": list,
    "event": list,
    "transfer": list,
    "step": list,
    "settings": dict,
    "data": list,
    "outgoing": list,
    "job": list,
}
FRAGMENT: Mapping[str, type] = {"slot": str, "template": str, "module": str, "style": str, "roles": list, "order": int}
EVENT: Mapping[str, type] = {
    "name": str,
    "from": list,
    "to": str,
    "path": str,
    "states": list,
    "size": int,
    "rate": str,
    "fields": dict,
}
TRANSFER: Mapping[str, type] = {"name": str, "from": list, "to": str, "states": list, "size": int}
STEP: Mapping[str, type] = {
    "id": str,
    "title": str,
    "fields": dict,
    "template": str,
    "module": str,
    "required": bool,
    "confirmed": bool,
    "order": int,
}
DATA: Mapping[str, type] = {"what": str, "whose": list, "purpose": str, "kept": str, "recipient": str}
OUTGOING: Mapping[str, type] = {"host": str, "why": str}
JOB: Mapping[str, type] = {
    "name": str,
    "every": str,  #: such as "15 minutes" or "1 hour"
}


class ManifestError(Exception):
    """A plugin that cannot be used; `mistakes` lists everything that is wrong with its manifest."""

    def __init__(self, mistakes: list[Mistake], file: str = "plugin.toml"):
        self.mistakes = mistakes
        super().__init__("\n".join(f"{file}: {m}" for m in mistakes))


def read(folder: Path) -> Manifest:
    """The manifest of a plugin's folder. Raises ManifestError with every mistake at once."""
    try:
        found = reading.tree(folder / "plugin.toml")
    except FileNotFoundError:
        found = Mistake(where="", what="there is no plugin.toml in this folder")
    if isinstance(found, Mistake):
        raise ManifestError([found])
    tree, text = found
    pass_ = _Manifest(text, folder)
    manifest = pass_.manifest(tree)
    if pass_.mistakes:
        raise ManifestError(sorted(pass_.mistakes, key=lambda m: m.line or 0))
    return manifest


class _Manifest(Reading):
    """One pass over plugin.toml."""

    def __init__(self, text: str, folder: Path):
        super().__init__(text)
        self.folder = folder

    def manifest(self, tree: dict[str, Any]) -> Manifest:
        top = self.table("", tree, TOP)
        for name in ("id", "name", "version", "api"):
            if not top.get(name):
                self.wrong(name, "this is needed")
        own = top.get("id", "")
        if own and (not ID.fullmatch(own) or own in RESERVED):
            self.wrong(
                "id",
                "an id is 2 to 31 small letters, digits and _, begins with a letter and is none of "
                + ", ".join(RESERVED),
            )
        elif own and own != self.folder.name:
            self.wrong("id", f"{own!r} is not the folder's name, {self.folder.name!r}")
        if (api := top.get("api")) and api.split(".")[0] != API.split(".")[0]:
            self.wrong("api", f"this server offers {API}; a plugin for {api} needs another Housecall")
        self.one_of("on_refuse", top.get("on_refuse", "allow"), ("allow", "block"))
        manifest = Manifest(
            id=own,
            name=top.get("name", own),
            version=top.get("version", ""),
            api=top.get("api", ""),
            summary=top.get("summary", ""),
            requires=self.texts("requires", top.get("requires", [])),
            restricted=top.get("restricted", False),
            on_refuse=top.get("on_refuse", "allow"),
            csp=tuple(self.one_of("csp", name, CSP) for name in self.texts("csp", top.get("csp", []))),
            worker=self.file("worker", "static", top.get("worker", ""), ".js"),
            fragments=tuple(self.fragment(t, v) for t, v in self.each("fragment", top)),
            events=tuple(self.event(t, v) for t, v in self.each("event", top)),
            transfers=tuple(self.transfer(t, v) for t, v in self.each("transfer", top)),
            steps=tuple(self.step(t, v) for t, v in self.each("step", top)),
            settings=self.fields("settings", top.get("settings", {})),
            data=tuple(self.data(t, v) for t, v in self.each("data", top)),
            outgoing=tuple(self.outgoing(t, v) for t, v in self.each("outgoing", top)),
            jobs=tuple(self.job(t, v) for t, v in self.each("job", top)),
        )
        self.once("event", [event.name for event in manifest.events])
        self.once("transfer", [transfer.name for transfer in manifest.transfers])
        self.once("step", [step.id for step in manifest.steps])
        self.once("job", [job.name for job in manifest.jobs])
        if manifest.jobs and not (self.folder / "__init__.py").exists():
            self.wrong("job", "a job needs an __init__.py with the function that does it")
        return manifest

    def each(self, name: str, top: dict[str, Any]) -> list[tuple[str, Any]]:
        """The tables of an array, each with the name that a mistake in it is told by."""
        tables = top.get(name, [])
        return [(name if len(tables) == 1 else f"{name}[{i}]", table) for i, table in enumerate(tables, 1)]

    def wrong(self, where: str, what: str) -> None:
        place = where
        while place and place not in self.lines:  # what is missing is told where its table begins
            place = re.sub(r"\.?[^.\[]*$|\[\d+\]$", "", place, count=1)
        self.mistakes.append(Mistake(where=where, what=what, line=self.lines.get(place)))

    def once(self, kind: str, names: list[str]) -> None:
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.wrong(kind, f"{name!r} is declared twice")

    def texts(self, where: str, value: list[Any]) -> tuple[str, ...]:
        if not all(isinstance(item, str) for item in value):
            self.wrong(where, "this must be a list of texts in quotes")
            return ()
        return tuple(value)

    def names(self, where: str, value: list[Any], known: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.one_of(where, name, known) for name in self.texts(where, value))

    def file(self, where: str, below: str, name: str, kind: str) -> str:
        """A file that must be in the plugin's folder, and end as the browser's side wants it."""
        if not name:
            return ""
        path = self.folder / below / name
        if not FILE.fullmatch(name) or not path.is_file():
            kept = [
                p.relative_to(self.folder / below).as_posix() for p in (self.folder / below).rglob("*") if p.is_file()
            ]
            self.wrong(
                where, f"there is no file {below}/{name}; {nearest(name, kept) if kept else 'the folder is empty'}"
            )
        elif not name.endswith(kind):
            self.wrong(where, f"{name!r} must end in {kind}")
        return name

    def fields(self, where: str, tables: dict[str, Any], *, labelled: bool = True) -> tuple[Field, ...]:
        """A table of fields: their ids are its keys. Those that no person sees need no label."""
        made = []
        for name, table in tables.items():
            try:
                if isinstance(table, dict) and not labelled:
                    table = {"label": name, **table}
                made.append(fields.read(name, table, f"{where}.{name}"))
            except fields.FieldError as error:
                for mistake in error.mistakes:
                    self.wrong(mistake.where, mistake.what)
        return tuple(made)

    def fragment(self, where: str, value: Any) -> Fragment:
        table = self.table(where, value, FRAGMENT)
        if "slot" not in table:
            self.wrong(f"{where}.slot", f"this is needed; known: {', '.join(SLOTS)}")
        else:
            self.one_of(f"{where}.slot", table["slot"], SLOTS)
        if not table.get("template") and not table.get("module"):
            self.wrong(where, "a fragment needs a template, a module or both")
        return Fragment(
            slot=table.get("slot", ""),
            template=self.file(f"{where}.template", "templates", table.get("template", ""), ".html"),
            module=self.file(f"{where}.module", "static", table.get("module", ""), ".js"),
            style=self.file(f"{where}.style", "static", table.get("style", ""), ".css"),
            roles=self.names(f"{where}.roles", table.get("roles", list(SEATS)), SEATS),
            order=table.get("order", 100),
        )

    def event(self, where: str, value: Any) -> Event:
        table = self.table(where, value, EVENT)
        name = table.get("name", "")
        if not NAME.fullmatch(name):
            self.wrong(
                f"{where}.name", "an event needs a name of small letters, digits, - and _ (its prefix is added for you)"
            )
        if not table.get("from"):
            self.wrong(f"{where}.from", f"say who may send it: one or more of {', '.join(SEATS)}")
        size = table.get("size", EVENT_BYTES)
        if not 0 < size <= EVENT_BYTES:
            self.wrong(f"{where}.size", f"this must be from 1 to {EVENT_BYTES} bytes")
        rate = RATE.fullmatch(table.get("rate", "20/s"))
        if not rate or not int(rate[1]):
            self.wrong(f"{where}.rate", 'this must be such as "20/s" or "6/m"')
        return Event(
            name=name,
            sources=self.names(f"{where}.from", table.get("from", []), SEATS),
            to=self.one_of(f"{where}.to", table.get("to", "others"), RECIPIENTS),
            path=self.one_of(f"{where}.path", table.get("path", "best"), PATHS),
            states=self.names(f"{where}.states", table.get("states", list(STATES)), STATES),
            size=size,
            rate=int(rate[1]) / (60 if rate[2] == "m" else 1) if rate else EVENT_RATE,
            fields=self.fields(f"{where}.fields", table.get("fields", {}), labelled=False),
        )

    def transfer(self, where: str, value: Any) -> Transfer:
        table = self.table(where, value, TRANSFER)
        name = table.get("name", "")
        if not NAME.fullmatch(name):
            self.wrong(f"{where}.name", "a transfer needs a name of small letters, digits, - and _")
        if not table.get("from"):
            self.wrong(f"{where}.from", f"say who may give it: one or more of {', '.join(SEATS)}")
        size = table.get("size", TRANSFER_BYTES)
        if not 0 < size <= LARGEST:
            self.wrong(f"{where}.size", f"this must be from 1 to {LARGEST} bytes")
        return Transfer(
            name=name,
            sources=self.names(f"{where}.from", table.get("from", []), SEATS),
            to=self.one_of(f"{where}.to", table.get("to", "others"), TAKERS),
            states=self.names(f"{where}.states", table.get("states", list(STATES)), STATES),
            size=size,
        )

    def step(self, where: str, value: Any) -> Step:
        table = self.table(where, value, STEP)
        if not NAME.fullmatch(table.get("id", "")):
            self.wrong(f"{where}.id", "a step needs an id of small letters, digits, - and _")
        if not table.get("title"):
            self.wrong(f"{where}.title", "a step needs a title, as patients read it")
        if bool(table.get("fields")) == bool(table.get("template")):
            self.wrong(where, "a step has either fields or a template")
        return Step(
            id=table.get("id", ""),
            title=table.get("title", ""),
            fields=self.fields(f"{where}.fields", table.get("fields", {})),
            template=self.file(f"{where}.template", "templates", table.get("template", ""), ".html"),
            module=self.file(f"{where}.module", "static", table.get("module", ""), ".js"),
            required=table.get("required", False),
            confirmed=table.get("confirmed", False),
            order=table.get("order", 100),
        )

    def data(self, where: str, value: Any) -> Data:
        table = self.table(where, value, DATA)
        for name in ("what", "purpose", "kept"):
            if not table.get(name):
                self.wrong(f"{where}.{name}", "this is needed: the privacy notice is made of it")
        if table.get("kept") and not KEPT.fullmatch(table["kept"]):
            self.wrong(
                f"{where}.kept",
                'this must be "never", "visit", "browser", "15 minutes", "account" or such as "30 days"',
            )
        whose = self.names(f"{where}.whose", table.get("whose", []), (*SEATS, "member"))
        if not whose:
            self.wrong(f"{where}.whose", f"say whose it is: one or more of {', '.join((*SEATS, 'member'))}")
        return Data(
            what=table.get("what", ""),
            whose=whose,
            purpose=table.get("purpose", ""),
            kept=table.get("kept", ""),
            recipient=table.get("recipient", ""),
        )

    def outgoing(self, where: str, value: Any) -> Outgoing:
        table = self.table(where, value, OUTGOING)
        if not HOST.fullmatch(table.get("host", "")):
            self.wrong(f"{where}.host", "this must be a host name, such as api.example.org")
        if not table.get("why"):
            self.wrong(f"{where}.why", "say why this host is called")
        return Outgoing(host=table.get("host", ""), why=table.get("why", ""))

    def job(self, where: str, value: Any) -> Job:
        table = self.table(where, value, JOB)
        every = EVERY.fullmatch(table.get("every", ""))
        if not NAME.fullmatch(table.get("name", "")):
            self.wrong(f"{where}.name", "a job needs a name of small letters, digits, - and _")
        if not every or not int(every[1]):
            self.wrong(f"{where}.every", 'this must be such as "15 minutes" or "1 hour"')
        seconds = int(every[1]) * SECONDS[every[2].rstrip("s")] if every else 3600
        return Job(name=table.get("name", ""), every=seconds)


class _Contributed(_Manifest):
    """One pass over what a plugin's Python gives: its nouns, by the rules of plugin.toml."""

    def __init__(self, folder: Path):
        super().__init__("", folder)

    def noun(self, where: str, given: Any, kind: type, known: Mapping[str, type]) -> None:
        """Check one noun, `kind`, as the table of plugin.toml that it could have been."""
        if not isinstance(given, kind):
            self.wrong(where, f"this must be a {kind.__name__}")
            return
        names = {"from": "sources"} if kind is Event else {}
        table = {name: getattr(given, names.get(name, name)) for name in known if name != "rate"}
        lists = {name: list(value) if isinstance(value, tuple) else value for name, value in table.items()}
        if "fields" in lists:
            fields_given = lists.pop("fields")
            if not isinstance(fields_given, list) or not all(isinstance(field, Field) for field in fields_given):
                self.wrong(f"{where}.fields", "this must be a tuple of Field")
            elif fields_given and kind is Step:
                lists["fields"] = {"given": {"label": "as a Field"}}  # Field has checked itself
        getattr(self, kind.__name__.lower())(where, lists)


def mistakes_in_step(step: Any, folder: Path) -> list[Mistake]:
    """What is wrong with a step that a hook gave."""
    pass_ = _Contributed(folder)
    pass_.noun("checkin_steps", step, Step, STEP)
    return pass_.mistakes


def with_more(manifest: Manifest, folder: Path, **more: Any) -> Manifest:
    """A manifest with what the plugin's Python contributes. Raises ManifestError with all that is wrong with it."""
    pass_ = _Contributed(folder)
    for kind, noun, known in (("fragments", Fragment, FRAGMENT), ("events", Event, EVENT)):
        for given in more.get(kind, ()):
            pass_.noun(kind, given, noun, known)
    plain: tuple[tuple[str, type], ...] = (("settings", Field), ("jobs", Job))
    for kind, one in plain:
        for given in more.get(kind, ()):
            if not isinstance(given, one):
                pass_.wrong(kind, f"this must be a {one.__name__}")
    if not pass_.mistakes:
        for kind, key in (("events", "name"), ("jobs", "name"), ("settings", "id")):
            pass_.once(kind, [getattr(noun, key) for noun in (*getattr(manifest, kind), *more.get(kind, ()))])
        for job in more.get("jobs", ()):
            if not callable(job.run) or not isinstance(job.every, int) or job.every < 1:
                pass_.wrong(f"jobs.{job.name}", "a job needs `run`, a function of one clinic, and `every`, in seconds")
        for event in more.get("events", ()):
            rate = event.rate
            if type(rate) not in (int, float) or not math.isfinite(rate) or rate <= 0:
                pass_.wrong(f"events.{event.name}.rate", "this must be events a second, such as 20")
            if event.handler is not None and event.path != "server":
                what = 'a handler needs path="server": what goes another way is not readable here'
                pass_.wrong(f"events.{event.name}", what)
    if pass_.mistakes:
        raise ManifestError(pass_.mistakes, "__init__.py")
    added: dict[str, Any] = {kind: (*getattr(manifest, kind), *nouns) for kind, nouns in more.items()}
    return replace(manifest, **added)
