"""Plugins: found (a folder with a manifest), loaded (imported by this server), on (switched on for a clinic)."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import logging
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import click
from flask import Blueprint

from .. import clinics
from .. import plugins as namespace
from ..clinics.models import Base
from ..config import ConfigError, Site
from ..logs import log
from ..reading import Mistake, nearest
from . import confined
from . import manifest as manifests
from .hooks import HookError, Hooks, Raised, place
from .manifest import ManifestError
from .nouns import SEATS, Event, Fragment, Manifest, Step, Transfer
from .settings import mistakes_in
from .tables import Table

GROUP = "housecall.plugins"  #: entry points of installed packages
TOO_MANY = 20  #: failures in a minute after which a plugin is suspended for a clinic
MINUTE = 60.0

#: What core itself sends between the pages of a visit, by the rules that hold for plugins.
CORE_EVENTS = {
    "core:answers": Event(name="answers", sources=("patient",), to="provider", path="best"),
    "core:transfer": Event(name="transfer", sources=SEATS, to="one", path="best", rate=100.0),
}


@dataclass(eq=False)
class Plugin:
    """One folder with a plugin.toml."""

    id: str
    folder: Path
    source: str  #: "bundled", "site" or the name of the package that brings it
    manifest: Manifest | None = None
    problem: str = ""  #: why it is quarantined
    loaded: bool = False
    module: ModuleType | None = field(default=None, repr=False)
    blueprints: tuple[Blueprint, ...] = field(default=(), repr=False)
    commands: tuple[click.Command, ...] = field(default=(), repr=False)

    @property
    def own(self) -> Manifest:
        """The manifest of a plugin that has one."""
        assert self.manifest is not None
        return self.manifest

    @property
    def versions(self) -> Path | None:
        """The folder of its migrations, if it has tables."""
        folder = self.folder / "migrations/versions"
        return folder if self.module is not None and folder.is_dir() else None


class Unready(Exception):
    """A plugin that cannot be switched on now; the text says why."""


class Withheld(Exception):
    """A plugin that another one does not allow this clinic to have on; the text says why."""


class Locked(Exception):
    """A switch that housecall.toml holds; the text says so."""


def bundled() -> Path:
    """Where the plugins that Housecall comes with are: inside the wheel, or at the top of a checkout."""
    here = Path(__file__).resolve().parent.parent
    shipped = here / "bundled"
    return shipped if shipped.is_dir() else here.parent.parent / "plugins"


def find(site: Site) -> Iterator[Plugin]:
    """Every plugin's folder, the bundled ones first; what is wrong with one stands in its `problem`."""
    seen: dict[str, Plugin] = {}
    for source, folder in _folders(site):
        plugin = Plugin(id=folder.name, folder=folder, source=source)
        try:
            plugin.manifest = manifests.read(folder)
        except ManifestError as error:
            plugin.problem = str(error)
        if first := seen.get(plugin.id):
            plugin.problem = f"{plugin.id} is there already: {first.folder} ({first.source}) and {folder} ({source})"
        seen.setdefault(plugin.id, plugin)
        yield plugin


def _folders(site: Site) -> Iterator[tuple[str, Path]]:
    for source, parent in (("bundled", bundled()), ("site", site.folder / "plugins")):
        if (source == "bundled" or not site.safe) and parent.is_dir():
            for folder in sorted(parent.iterdir()):
                if (folder / "plugin.toml").is_file():
                    yield source, folder
    if not site.safe:
        for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda point: point.name):
            try:
                spec = importlib.util.find_spec(point.value)
            except Exception:  # a package that is half removed must not keep the server from its start
                log("plugin", level=logging.ERROR, exc_info=True, plugin=point.name)
                continue
            for location in (spec.submodule_search_locations or []) if spec else []:
                yield point.dist.name if point.dist else "package", Path(location)


class Registry:
    """The plugins of one server, and which clinic has which of them on."""

    def __init__(self, site: Site, make_hooks: Callable[..., Hooks]):
        self.site = site
        self.hooks = make_hooks(on=self.is_on, failed=self.failed)
        self.found = list(find(site))
        self.by_id = {plugin.id: plugin for plugin in self.found if not plugin.problem}
        self.ids = frozenset(plugin.id for plugin in self.found)
        self.on_switched: list[Callable[[str, list[str], list[str]], None]] = []  #: (clinic, on, off)
        self.suspended: dict[tuple[str, str], str] = {}  #: (clinic, plugin) -> why
        self.withheld: dict[tuple[str, str], str] = {}  #: (clinic, plugin) -> why one that is switched on is not on
        self._prepared: set[str] = set()  #: plugins whose tables are there
        self._failures: defaultdict[tuple[str, str], deque[float]] = defaultdict(lambda: deque(maxlen=TOO_MANY))
        self._on: dict[str, tuple[Plugin, ...]] = {}
        self._check_names()
        for plugin in list(self.by_id.values()):
            if site.load is None or plugin.id in site.load:
                self._load(plugin)

    def _check_names(self) -> None:
        """A plugin that housecall.toml names must be there. Raises ConfigError."""
        known, mistakes = {plugin.id for plugin in self.found}, []
        named = [("server.load", name) for name in self.site.load or ()]
        named += [("server.plugins", name) for name in self.site.plugins]
        named += [(f"server.{name}", name) for name in self.site.tables]
        for clinic in self.site.clinics.values():
            named += [(f"clinic.{clinic.id}.plugins", name) for name in clinic.plugins or ()]
            named += [(f"clinic.{clinic.id}.{name}", name) for name in clinic.tables]
        for where, name in named:
            if name not in known:
                what = f"there is no plugin {name!r}; {nearest(name, known)}"
                mistakes.append(Mistake(where=where, what=what, line=self.site.line(where)))
        if mistakes and not self.site.safe:
            raise ConfigError(self.site.folder / "housecall.toml", mistakes)

    # -- loading

    def _load(self, plugin: Plugin) -> None:
        """Import a plugin and take what it contributes; whatever is wrong quarantines it."""
        own = plugin.own
        try:
            for name in own.requires:
                if importlib.util.find_spec(name) is None:
                    extra = f": pip install 'housecall[{own.id}]'" if plugin.source == "bundled" else ""
                    raise HookError(f"needs the Python module {name!r}{extra}")
            if (plugin.folder / "__init__.py").is_file():
                plugin.module = self._import(plugin)
                self.hooks.register(own.id, plugin.module)
            self._configure(plugin)
            if plugin.module is not None:
                more = {
                    kind: tuple(self.hooks.contribute(own.id, kind))
                    for kind in ("events", "fragments", "settings", "jobs")
                }
                named = {job.name for job in more["jobs"]}
                declared = tuple(job for job in own.jobs if job.name not in named)
                if missing := [job.name for job in declared]:
                    raise HookError(f"the job {missing[0]!r} of plugin.toml is given by no jobs() hook")
                plugin.manifest = manifests.with_more(replace(own, jobs=()), plugin.folder, **more)
                plugin.blueprints = tuple(self.hooks.contribute(own.id, "blueprints"))
                for blueprint in plugin.blueprints:
                    confined.check(blueprint)
                plugin.commands = tuple(self.hooks.contribute(own.id, "commands"))
                for command in plugin.commands:
                    if not isinstance(command, click.Command) or not command.name:
                        raise HookError(f"commands() gave a {type(command).__name__}, not a click.Command with a name")
            self._check_tables_of_toml(plugin)
        except (ManifestError, HookError, confined.Reaches) as error:
            plugin.problem = str(error)
        except (Exception, SystemExit) as error:
            log("plugin", level=logging.ERROR, exc_info=True, plugin=plugin.id)
            plugin.problem = f"it could not be imported: {place(error)}: {error}"
        plugin.loaded = True
        if plugin.problem:
            self.quarantine(plugin, plugin.problem)

    def _configure(self, plugin: Plugin) -> None:
        """What housecall.toml says to a plugin for the whole server, which the plugin itself reads."""
        table = Table(self.site, plugin.id, self.ids)
        if not self.hooks.configure(plugin.id, table) and plugin.id in self.site.tables:
            table.wrong("", "this plugin has no settings of the whole server")
        if table.mistakes:
            raise HookError("\n".join(f"housecall.toml: {mistake}" for mistake in table.mistakes))

    def _check_tables_of_toml(self, plugin: Plugin) -> None:
        """What housecall.toml sets for a plugin, by the settings that it declares here and in its Python."""
        wrong = []
        for clinic in self.site.clinics.values():
            for name, what in mistakes_in(self.site, plugin.own.settings, clinic.tables.get(plugin.id, {})).items():
                where = f"clinic.{clinic.id}.{plugin.id}.{name}"
                wrong.append(Mistake(where=where, what=what, line=self.site.line(where)))
        if wrong:
            raise HookError("\n".join(f"housecall.toml: {mistake}" for mistake in wrong))

    def quarantine(self, plugin: Plugin, problem: str) -> None:
        """Out of use, with the reason that the admin page shows."""
        plugin.problem, plugin.loaded = problem, False
        self.by_id.pop(plugin.id, None)
        self._on = {clinic: tuple(p for p in on if p is not plugin) for clinic, on in self._on.items()}

    def _import(self, plugin: Plugin) -> ModuleType:
        """The plugin's package as `housecall.plugins.<id>`, and its models, whose tables must be its own."""
        name = f"housecall.plugins.{plugin.id}"
        before, mapped = set(Base.metadata.tables), set(Base.registry._managers)
        spec = importlib.util.spec_from_file_location(
            name, plugin.folder / "__init__.py", submodule_search_locations=[str(plugin.folder)]
        )
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
            if (plugin.folder / "models.py").is_file():
                importlib.import_module(f"{name}.models")
            self._check_tables(plugin, set(Base.metadata.tables) - before)
            Base.registry.configure()  # a relationship to nothing would fail every later query, whoever makes it
        except BaseException:
            for manager in set(Base.registry._managers) - mapped:  # SQLAlchemy forgets none or, publicly, all
                del Base.registry._managers[manager]
                Base.registry._dispose_cls(manager.class_)
            for table in set(Base.metadata.tables) - before:
                Base.metadata.remove(Base.metadata.tables[table])
            for loaded in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
                del sys.modules[loaded]
            raise
        setattr(namespace, plugin.id, module)
        return module

    def _check_tables(self, plugin: Plugin, fresh: Iterable[str]) -> None:
        for name in sorted(fresh):
            table = Base.metadata.tables[name]
            if not name.startswith(f"{plugin.id}_"):
                raise HookError(f"the table {name!r} must be called {plugin.id}_…")
            if table.info.get("owner") != plugin.id:
                raise HookError(f'the table {name!r} must say whose it is: {{"info": {{"owner": "{plugin.id}"}}}}')
            if not (plugin.folder / "migrations/versions").is_dir():
                raise HookError(f"the table {name!r} needs migrations/versions with what makes it")
            for key in table.foreign_keys:
                target = key.target_fullname.split(".")[0]
                owner = (
                    Base.metadata.tables[target].info.get("owner", "core") if target in Base.metadata.tables else "?"
                )
                if owner not in ("core", plugin.id):
                    raise HookError(f"the table {name!r} points at {target!r}, which is another plugin's")

    # -- switching

    def read_switches(self, clinic: str) -> None:
        """Look anew at what a clinic has on. Needs an application context; all that follows does not."""
        rows, before = clinics.switches.of(clinic), self.on(clinic)
        wanted = [self.by_id[id] for id in sorted(self.by_id) if self.by_id[id].loaded]
        wanted = [plugin for plugin in wanted if self._wanted(clinic, plugin, rows)]
        asked = [plugin for plugin in wanted if self._is_asked_about(clinic, plugin)]
        self._on[clinic] = tuple(plugin for plugin in wanted if plugin not in asked or plugin in before)
        refused = {plugin.id: self.allow(clinic, f"plugin:{plugin.id}", 1) for plugin in asked}
        held = {(clinic, plugin): why for plugin, why in refused.items() if why}
        self.withheld = {key: why for key, why in self.withheld.items() if key[0] != clinic} | held
        out = held | self.suspended  # who was asked may have failed once too often
        self._on[clinic] = tuple(p for p in wanted if (clinic, p.id) not in out and self.by_id.get(p.id) is p)

    def _wanted(self, clinic: str, plugin: Plugin, rows: dict[str, bool]) -> bool:
        config = self.site.clinics.get(clinic)
        if plugin.id in self.site.plugins:
            wanted = True
        elif config is not None and config.plugins is not None:
            wanted = plugin.id in config.plugins
        elif plugin.own.restricted:
            wanted = False
        else:
            wanted = rows.get(plugin.id, self.site.demo and plugin.source == "bundled")
        return wanted and (clinic, plugin.id) not in self.suspended

    def locked(self, clinic: str, plugin: Plugin) -> str:
        """Why the switch of a plugin cannot be moved on the page, or nothing."""
        config = self.site.clinics.get(clinic)
        if plugin.id in self.site.plugins:
            return "housecall.toml has it on in every clinic: server.plugins"
        if config is not None and config.plugins is not None:
            return f"housecall.toml says which plugins are on: clinic.{clinic}.plugins"
        if plugin.own.restricted:
            return f"only housecall.toml may switch this on: clinic.{clinic}.plugins"
        return ""

    def turn(self, clinic: str, plugin_id: str, enabled: bool, *, actor: str | None) -> None:
        """Switch a plugin on or off in a clinic, at once.

        Raises KeyError (not loaded here), Locked, Withheld or Unready.
        """
        plugin = self.by_id[plugin_id]
        if not plugin.loaded:
            raise KeyError(plugin_id)
        if why := self.locked(clinic, plugin):
            raise Locked(why)
        if enabled:
            asked = self._is_asked_about(clinic, plugin)
            if asked and (why := self.allow(clinic, f"plugin:{plugin_id}", 1)):
                raise Withheld(why)
            self.prepare(plugin)
            self.suspended.pop((clinic, plugin_id), None)
            self._failures.pop((clinic, plugin_id), None)
        before = {p.id for p in self.on(clinic)}
        clinics.switches.turn(clinic, plugin_id, enabled, actor=actor)
        self._switched(clinic, before)
        self.hooks.tell("toggled", clinic, only=plugin_id, enabled=enabled)

    def reconsider(self, clinic: str) -> None:
        """Ask again what this clinic may have on: what is not held back any more comes back, with all that it had."""
        for name in [name for where, name in self.withheld if where == clinic]:
            plugin = self.by_id[name]
            if not self._has_tables(plugin):
                try:
                    self.prepare(plugin)
                except Unready as why:
                    self.quarantine(plugin, str(why))
        self._switched(clinic, {p.id for p in self.on(clinic)})

    def allow(self, clinic: str, what: str, amount: int) -> str:
        """Why this clinic may not have so much of something, as a plugin that is on here says; nothing where it may."""
        for plugin in self.hooks.who("allow"):
            if self.is_on(clinic, plugin) and self._has_tables(self.by_id[plugin]):
                for answer in self.hooks.ask("allow", clinic, only=plugin, what=what, amount=amount):
                    return str(answer.value)
        return ""

    def limitable(self, clinic: str) -> list[Plugin]:
        """The plugins of which others say whether this clinic may have them."""
        return [plugin for plugin in self.by_id.values() if plugin.loaded and self._is_asked_about(clinic, plugin)]

    def _is_asked_about(self, clinic: str, plugin: Plugin) -> bool:
        """Whether others say if a clinic may have a plugin: not where housecall.toml holds it, nor of their own."""
        return not self.locked(clinic, plugin) and plugin.id not in self.hooks.who("allow")

    def _has_tables(self, plugin: Plugin) -> bool:
        if plugin.versions is None or plugin.id in self._prepared:
            return True
        if clinics.database.plugin_behind(plugin.id, plugin.versions):
            return False
        self._prepared.add(plugin.id)
        return True

    def _switched(self, clinic: str, before: set[str]) -> None:
        self.read_switches(clinic)
        now = {p.id for p in self.on(clinic)}
        if now != before:
            for listener in self.on_switched:
                listener(clinic, sorted(now - before), sorted(before - now))

    def prepare(self, plugin: Plugin) -> None:
        """Make a plugin's tables, when it is first on anywhere. Raises Unready."""
        if plugin.versions is None:
            return
        try:
            clinics.database.upgrade_plugin(plugin.id, plugin.versions)
        except Exception as error:
            log("plugin", level=logging.ERROR, exc_info=True, plugin=plugin.id)
            raise Unready(f"its tables could not be made: {place(error)}") from error
        self._prepared.add(plugin.id)

    def failed(self, clinic: str, raised: Raised) -> None:
        """A plugin's own code raised: too often, and it is off in this clinic until somebody switches it on again."""
        times = self._failures[clinic, raised.plugin]
        times.append(time.monotonic())
        if len(times) == TOO_MANY and times[-1] - times[0] < MINUTE and (clinic, raised.plugin) not in self.suspended:
            self.suspended[clinic, raised.plugin] = f"{raised.hook} failed {TOO_MANY} times in a minute: {raised.error}"
            log("suspended", level=logging.ERROR, plugin=raised.plugin, clinic=clinic, hook=raised.hook)
            before = {p.id for p in self.on(clinic)}
            with self.hooks.context():
                self._switched(clinic, before)

    # -- looking

    def on(self, clinic: str) -> tuple[Plugin, ...]:
        """The plugins that a clinic has on, by id."""
        return self._on.get(clinic, ())

    def on_anywhere(self) -> list[Plugin]:
        """The plugins that some clinic has on, by id."""
        found = {plugin.id: plugin for on in self._on.values() for plugin in on}
        return [found[name] for name in sorted(found)]

    def clinics_with(self, plugin_id: str) -> list[str]:
        """The clinics that have a plugin on."""
        return [clinic for clinic, on in self._on.items() if any(plugin.id == plugin_id for plugin in on)]

    def is_on(self, clinic: str, plugin_id: str) -> bool:
        return any(plugin.id == plugin_id for plugin in self.on(clinic))

    def get(self, clinic: str, plugin_id: str) -> Plugin | None:
        """A plugin that this clinic has on; None for one that is off, as for one that nobody knows."""
        return next((plugin for plugin in self.on(clinic) if plugin.id == plugin_id), None)

    def event(self, clinic: str, name: str) -> tuple[Plugin | None, Event] | None:
        """A declared event by its full name, `<plugin>:<event>`; those of core belong to no plugin."""
        if name in CORE_EVENTS:
            return None, CORE_EVENTS[name]
        plugin = self.get(clinic, name.partition(":")[0])
        for event in plugin.own.events if plugin else ():
            if f"{plugin.id}:{event.name}" == name:  # type: ignore[union-attr]
                return plugin, event
        return None

    def transfer(self, clinic: str, name: str) -> Transfer | None:
        """A declared transfer by its full name; None where its plugin is off, as for one that nobody knows."""
        plugin, _, own = name.partition(":")
        found = self.get(clinic, plugin)
        return next((each for each in found.own.transfers if each.name == own), None) if found else None

    def fragments(self, clinic: str, slot: str) -> list[tuple[Plugin, Fragment]]:
        """What stands in a slot, in its order."""
        found = [(plugin, f) for plugin in self.on(clinic) for f in plugin.own.fragments if f.slot == slot]
        return sorted(found, key=lambda pair: (pair[1].order, pair[0].id))

    def steps(self, clinic: str, more: Iterable[tuple[str, Step]] = ()) -> list[tuple[Plugin, Step]]:
        """The steps of a check-in: those of manifests, and `more` that hooks gave (plugin id, step)."""
        found = [(plugin, step) for plugin in self.on(clinic) for step in plugin.own.steps]
        found += [(plugin, step) for name, step in more if (plugin := self.get(clinic, name))]
        return sorted(found, key=lambda pair: (pair[1].order, pair[0].id))

    def csp(self, clinic: str) -> set[str]:
        """What the pages of a clinic need besides what all may do, for the plugins that it has on."""
        on = self.on(clinic)
        workers = {"worker"} if any(plugin.own.worker for plugin in on) else set()
        return workers | {source for plugin in on for source in plugin.own.csp}
