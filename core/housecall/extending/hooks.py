"""The only caller of hooks: each implementation by itself, for clinics that have it on, with its errors kept apart."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pluggy

from ..logs import log
from ..message import Delivery
from ..reading import nearest
from . import hookspecs
from .hookspecs import KINDS
from .tables import Table

RETURNS: dict[str, tuple[type, ...]] = {
    "checkin_steps": (list, tuple),
    "refuse_check_in": (str,),
    "refuse_move": (str,),
    "allow": (str,),
    "check_settings": (dict,),
    "health": (str,),
    "deliver": (Delivery,),
    "can_deliver": (bool,),
}


class HookError(Exception):
    """A module whose hooks cannot be used; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one plugin said."""

    plugin: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class Raised:
    """One plugin's hook failed: raised, or gave something of the wrong type."""

    plugin: str
    hook: str
    error: str  #: class and place, never the message: that may hold anything


class Hooks:
    """All implementations, and how they are called.

    on(clinic, plugin) says whether one counts; failed(clinic, Raised) hears of each failure; context() gives the
    application context in which plugins run; spawn(function, *args) runs beside.
    """

    def __init__(
        self,
        *,
        on: Callable[[str, str], bool],
        failed: Callable[[str, Raised], None],
        context: Callable[[], AbstractContextManager[Any]],
        spawn: Callable[..., None],
    ):
        self.on, self.failed, self.context, self.spawn = on, failed, context, spawn
        self._manager = pluggy.PluginManager("housecall")
        self._manager.add_hookspecs(hookspecs)

    def register(self, plugin: str, module: ModuleType) -> None:
        """Take a module's hooks. Raises HookError for one that is misspelt, wrapped or asks for unknown arguments."""
        for name, function in vars(module).items():
            if not inspect.isroutine(function):
                continue  # SQLAlchemy's func has an attribute of every name, Flask's request none outside of one
            options = getattr(function, "housecall_impl", None)
            if not isinstance(options, dict):
                continue
            known = options.get("specname") or name
            if known not in KINDS:
                raise HookError(f"there is no hook {known!r}; {nearest(known, KINDS)}")
            if options.get("hookwrapper") or options.get("wrapper"):
                raise HookError(f"{name} is a wrapper: a plugin answers for itself and does not stand around others")
            wanted = list(inspect.signature(function).parameters)
            offered = list(inspect.signature(getattr(hookspecs, known)).parameters)
            if unknown := [argument for argument in wanted if argument not in offered]:
                raise HookError(f"{name} takes {unknown[0]!r}; {nearest(unknown[0], offered)}")
        self._manager.register(module, name=plugin)

    def contribute(self, plugin: str, hook: str) -> list[Any]:
        """What a plugin adds at load. What it raises is the loader's to tell."""
        given: list[Any] = []
        for name, function, _ in self._all(hook):
            if name == plugin:
                answer = function()
                if not isinstance(answer, (list, tuple)):
                    raise HookError(f"{hook} gave {type(answer).__name__}, not a list")
                given.extend(answer)
        return given

    def configure(self, plugin: str, table: Table) -> bool:
        """Give a plugin its table of housecall.toml; whether it takes one. What it raises is the loader's to tell."""
        own = [function for name, function, _ in self._all("configure") if name == plugin]
        for function in own:
            function(table)
        return bool(own)

    def who(self, hook: str) -> list[str]:
        """The plugins that have a hook, by id."""
        return [plugin for plugin, _, _ in self._all(hook)]

    def ask(self, hook: str, clinic: str, *, only: str | None = None, **arguments: Any) -> list[Answer]:
        """The answers of the plugins that this clinic has on, by plugin id; None is no answer, nor is a failure."""
        return [answer for answer in self.ask_all(hook, clinic, only=only, **arguments) if isinstance(answer, Answer)]

    def ask_all(
        self, hook: str, clinic: str, *, only: str | None = None, **arguments: Any
    ) -> Iterator[Answer | Raised]:
        """As `ask`, with the failures in between: for a hook whose failure counts as an answer."""
        for plugin, function, names in self._all(hook):
            if (only is None or plugin == only) and self.on(clinic, plugin):
                yield from self._one(hook, clinic, plugin, function, names, arguments)

    def tell(self, hook: str, clinic: str, *, only: str | None = None, **arguments: Any) -> None:
        """Tell the plugins that this clinic has on, in the background. `only` is told whether it is on or not."""
        for plugin, function, names in self._all(hook):
            if plugin == only or (only is None and self.on(clinic, plugin)):
                self.spawn(lambda *given: list(self._one(*given)), hook, clinic, plugin, function, names, arguments)

    def _one(
        self,
        hook: str,
        clinic: str,
        plugin: str,
        function: Callable[..., Any],
        names: tuple[str, ...],
        arguments: dict[str, Any],
    ) -> Iterator[Answer | Raised]:
        try:
            given = {"clinic": clinic, **arguments}
            with self.context():
                value = function(**{name: given[name] for name in names})
            if value is None:
                return
            if hook in RETURNS and not isinstance(value, RETURNS[hook]):
                raise TypeError(hook)
        except Exception as error:
            log("hook", level=logging.ERROR, exc_info=True, plugin=plugin, hook=hook, clinic=clinic)
            raised = Raised(plugin=plugin, hook=hook, error=place(error))
            self.failed(clinic, raised)
            yield raised
        else:
            yield Answer(plugin=plugin, value=value)

    def _all(self, hook: str) -> list[tuple[str, Callable[..., Any], tuple[str, ...]]]:
        found = getattr(self._manager.hook, hook).get_hookimpls()
        return sorted(
            ((impl.plugin_name, impl.function, tuple(impl.argnames)) for impl in found), key=lambda impl: impl[0]
        )


def place(error: BaseException) -> str:
    """The class of an exception and the line that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next:
        trace = trace.tb_next
    where = f" at {trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{where}"
