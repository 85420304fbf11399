"""`housecall run` with a window: one plugin may be left out, switches are moved from outside, calls of hooks are kept.

A script, so that nothing of the tests is imported before the server is patched: `window.py [--without ID] run DIR`.
Asked by a file beside the site's folder (see watched.py).
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

    from housecall.config import Site
    from housecall.runtime import Runtime

#: (plugin, hook) -> what each call came to: nothing, or the error.
CALLS: defaultdict[tuple[str, str], list[str]] = defaultdict(list)


def watch_hooks() -> None:
    """Keep a list of the calls of hooks."""
    from housecall.extending.hooks import Hooks, Raised

    one, contribute, configure = Hooks._one, Hooks.contribute, Hooks.configure

    def watched(self: Hooks, hook: str, clinic: str, plugin: str, *rest: Any) -> Iterator[Any]:
        error = ""
        for answer in one(self, hook, clinic, plugin, *rest):
            error = answer.error if isinstance(answer, Raised) else ""
            yield answer
        CALLS[plugin, hook].append(error)

    def contributed(self: Hooks, plugin: str, hook: str) -> list[Any]:
        if any(name == plugin for name, _, _ in self._all(hook)):
            CALLS[plugin, hook].append("")
        return contribute(self, plugin, hook)

    def configured(self: Hooks, plugin: str, table: Any) -> bool:
        taken = configure(self, plugin, table)
        if taken:
            CALLS[plugin, "configure"].append("")
        return taken

    Hooks._one, Hooks.contribute = watched, contributed  # type: ignore[method-assign, assignment]
    Hooks.configure = configured  # type: ignore[method-assign]


def leave_out(plugin: str) -> None:
    """This server has never had this plugin."""
    from housecall.extending import registry

    folders = registry._folders
    registry._folders = lambda site: ((source, path) for source, path in folders(site) if path.name != plugin)


class Window:
    """What a test may ask of the server: each method is one question."""

    def __init__(self, app: Flask):
        self.app, self.house = app, app.extensions["housecall"]
        self.registry = self.house.registry

    def look(self, control: Path) -> None:
        """Runs for ever: takes a question, answers it."""
        while True:
            self.house.runtime.sleep(0.005)  # a contract asks hundreds of questions
            if not control.exists():
                continue
            asked = json.loads(control.read_text(encoding="utf-8"))
            with self.app.app_context():
                try:
                    answer = getattr(self, asked.pop("ask"))(**asked)
                except Exception as error:
                    answer = {"error": f"{type(error).__name__}: {error}"}
            control.with_suffix(".answer").write_text(json.dumps(answer), encoding="utf-8")
            control.unlink()

    def state(self, plugin: str) -> dict[str, Any]:
        """What the server knows of a plugin."""
        from housecall import fields
        from housecall.clinics.models import Base

        found = [each for each in self.registry.found if each.id == plugin]
        if not found or found[0].manifest is None:
            return {"found": bool(found), "loaded": False, "problem": found[0].problem if found else ""}
        own = found[0].own
        return {
            "found": True,
            "loaded": found[0].loaded,
            "problem": found[0].problem,
            "restricted": own.restricted,
            "fragments": [{"slot": f.slot, "module": f.module, "template": f.template} for f in own.fragments],
            "events": [
                {
                    "name": e.name,
                    "from": e.sources,
                    "to": e.to,
                    "path": e.path,
                    "states": e.states,
                    "size": e.size,
                    "fields": [fields.describe(field) for field in e.fields],
                    "handled": e.handler is not None,
                }
                for e in own.events
            ],
            "transfers": [{"name": t.name, "from": t.sources, "states": t.states} for t in own.transfers],
            "steps": [step.id for step in own.steps],
            "secrets": [field.id for field in own.settings if field.secret],
            "settings": [field.id for field in own.settings],
            "data": [data.what for data in own.data],
            "jobs": [job.name for job in own.jobs],
            "hooks": sorted({hook for hook in self._hooks() if self._implements(plugin, hook)}),
            "pages": [
                [rule.rule, sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
                for rule in self.app.url_map.iter_rules()
                if rule.rule.startswith(f"/-/{plugin}/") and not rule.arguments
            ],
            "assets": [self.house.assets_of(found[0]).url(name) for name in self.house.assets_of(found[0]).files],
            "tables": sorted(t.name for t in Base.metadata.tables.values() if t.info.get("owner") == plugin),
        }

    def _hooks(self) -> list[str]:
        from housecall.extending.hookspecs import KINDS

        return list(KINDS)

    def _implements(self, plugin: str, hook: str) -> bool:
        return any(name == plugin for name, _, _ in self.registry.hooks._all(hook))

    def turn(self, clinic: str, plugin: str, on: bool) -> dict[str, Any]:
        """Switch it; one that only housecall.toml may switch goes off as one that failed too often does."""
        registry, before = self.registry, {p.id for p in self.registry.on(clinic)}
        if registry.by_id[plugin].own.restricted:
            registry.suspended.pop((clinic, plugin), None)
            if not on:
                registry.suspended[clinic, plugin] = "a test"
            registry._switched(clinic, before)
        else:
            registry.turn(clinic, plugin, on, actor=None)
        return {"on": registry.is_on(clinic, plugin), "restricted": registry.by_id[plugin].own.restricted}

    def tables(self, plugin: str) -> dict[str, Any]:
        """The tables that are there, and how a plugin's differ from its models."""
        from sqlalchemy import inspect

        from housecall.clinics.database import db, drift

        names = sorted(inspect(db.engine).get_table_names())
        return {"names": names, "drift": [str(each) for each in drift(db.engine, plugin)]}

    def calls(self, plugin: str) -> dict[str, list[str]]:
        return {hook: errors for (name, hook), errors in CALLS.items() if name == plugin}

    def admin(self, clinic: str, plugin: str) -> dict[str, Any]:
        """What admins and the clock do: ask how it is and what it allows, check its settings, do its jobs, end logins,
        send something of each kind to nobody. The errors of jobs by name."""
        from housecall.extending import settings
        from housecall.message import KINDS, Message

        own, failed = self.registry.by_id[plugin].own, {}
        values = settings.whole(self.house.site, clinic, own, ("clinic", clinic), {})
        self.registry.hooks.ask("check_settings", clinic, only=plugin, values=values)
        self.registry.hooks.ask("health", clinic, only=plugin)
        for what in ("members", "rooms", "plugin:chat"):
            self.registry.hooks.ask("allow", clinic, only=plugin, what=what, amount=1)
        self.registry.hooks.ask("signed_out", clinic, only=plugin, member="nobody", login="")
        for kind in KINDS:
            to = {"mail": "nobody@housecall.invalid", "text": "+10000000000"}.get(kind, "nobody")
            message = Message(id="x" * 22, clinic=clinic, kind=kind, owner=plugin, to=to, text="Nothing.")
            self.registry.hooks.ask("can_deliver", clinic, only=plugin, kind=kind)
            self.registry.hooks.ask("deliver", clinic, only=plugin, message=message)
        for job in own.jobs:
            try:
                if job.run is not None:
                    job.run(clinic)
            except Exception as error:
                failed[job.name] = f"{type(error).__name__}: {error}"
        return failed

    def say(self, clinic: str, role: str, state: str, said: dict[str, Any]) -> dict[str, Any]:
        """What the gate answers to a page of this role in a visit of this state, and to whom it went."""
        from housecall.visits import Seat, Visit
        from housecall.web.say import Gate, Party, Refused

        roles = ("provider", "patient", "guest")
        seats = tuple(Seat(id=f"seat-{each}", role=each, present=True, key=f"page-{each}") for each in roles)  # type: ignore[arg-type]
        visit = Visit(id="v", clinic=clinic, room="r", name="", media="video", arrived=0, state=state, seats=seats)  # type: ignore[arg-type]
        told: list[str] = []
        visits: Any = SimpleNamespace(
            get=lambda name: visit if name == "v" else None,
            view=self.house.visits.view,
            step=lambda *_: None,
        )
        parties = [Party(sid=each, who=f"seat-{each}", role=each, page=f"page-{each}") for each in roles]
        gate = Gate(
            visits=visits,
            registry=self.registry,
            parties=lambda _: iter(parties),
            emit=lambda sid, _: told.append(sid),
        )
        try:
            return {"ok": True, **gate.say(clinic, role, {}, {"visit": "v", **said}), "told": told}
        except Refused as refused:
            return {"code": refused.code, "fields": refused.fields}

    def blob(self, clinic: str, role: str, state: str, transfer: str) -> dict[str, Any]:
        """With which status the server refuses a piece of a transfer from a page of this role; 0 where it takes it."""
        from housecall.web.blobs import refusal

        return {"status": refusal(self.registry, clinic, transfer, [role], state)}


def main(arguments: list[str]) -> int:
    from housecall import cli, server

    without = arguments[1] if arguments[0] == "--without" else ""
    arguments = arguments[2:] if without else arguments
    control = Path(arguments[-1]).with_suffix(".asked")
    prepare = server._prepare

    def prepared(site: Site, runtime: Runtime) -> Flask | None:
        watch_hooks()
        if without:
            leave_out(without)
        app = prepare(site, runtime)
        if app is not None:
            app.extensions["housecall"].runtime.spawn(Window(app).look, control)
        return app

    server._prepare = prepared
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
