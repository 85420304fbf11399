"""Every hook: what it is for, when it is called, an example. The reference in docs/hooks.md is made of this page.

Hooks are of three kinds. *contribute*: called once, when the plugin is loaded; the answer is a list of nouns.
*ask*: the answers are used now. *tell*: after the fact, in the background; answers are ignored.
Write each with `@hookimpl`, and take of its arguments those that you need. Wrappers are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import pluggy
from flask import Blueprint

from ..message import Delivery, Message
from ..visits import Actor, VisitView
from .nouns import Event, Fragment, Job, Step
from .tables import Table

hookspec = pluggy.HookspecMarker("housecall")
hookimpl = pluggy.HookimplMarker("housecall")

#: hook -> its kind; "own" asks or tells one plugin only, the one that it is about; "first": one answer ends the asking.
KINDS: Mapping[str, str] = {
    "configure": "contribute own",
    "blueprints": "contribute",
    "events": "contribute",
    "fragments": "contribute",
    "settings": "contribute",
    "jobs": "contribute",
    "commands": "contribute",
    "checkin_steps": "ask",
    "refuse_check_in": "ask",
    "refuse_move": "ask",
    "allow": "ask",
    "check_settings": "ask own",
    "health": "ask",
    "deliver": "ask first",
    "can_deliver": "ask",
    "visit_changed": "tell",
    "signed_out": "tell",
    "toggled": "tell own",
}


@hookspec
def configure(table: Table) -> None:
    """The plugin's table of the whole server, `[server.<plugin>]` of housecall.toml: the first that it is given,
    before all else, and empty where there is none. It keeps what it needs; a mistake that it notes keeps it from
    being loaded. A table of a plugin that has no such hook is a mistake.

    `table.read(known)` answers the entries that are known (name to type: str, int, bool, list, dict) and notes all
    others as mistakes; `table.each(name, known)` does so for each `[[server.<plugin>.<name>]]` and says what place
    that is. Both follow `env:NAME` and `file:PATH`. `table.wrong(place, sentence)` notes what else is wrong, and
    `table.one_of(place, name, known)` a name that is none of the known; `table.plugins` are the ids of all plugins
    that this server has found.

    Example:

    ```python
    from housecall import hookimpl

    LIMITS = {"rooms": 3}


    @hookimpl
    def configure(table):
        LIMITS.update(table.read({"rooms": int}))
        if LIMITS["rooms"] < 1:
            table.wrong("rooms", "this must be 1 or more")
    ```
    """


@hookspec
def blueprints() -> list[Blueprint]:
    """Pages of the plugin, mounted below `/-/<plugin>/`. Where the plugin is off they do not exist.

    Example:

    ```python
    from flask import Blueprint

    from housecall import hookimpl

    pages = Blueprint("tally_pages", __name__)


    @pages.get("/today")
    def today():
        return {"visits": 3}


    @hookimpl
    def blueprints():
        return [pages]
    ```
    """
    return []


@hookspec
def events() -> list[Event]:
    """Events whose handler is Python. Such an event goes by the socket and is readable here: keep patients out of it.

    `handler(context, body)` runs in an application context after the gate: `context.visit` is a VisitView,
    `context.seat` and `context.role` say who sends; `context.emit(name, body, to="others")` sends another of the
    plugin's events; `context.step_done(step)` marks a step. What it returns is the sender's answer.

    Example:

    ```python
    from housecall import Event, hookimpl


    def here(context, body):
        context.emit("arrived", {}, to="patient")
        return {"told": True}


    @hookimpl
    def events():
        return [
            Event(name="here", sources=("provider",), path="server", handler=here),
            Event(name="arrived", sources=("provider",), to="patient", path="server"),
        ]
    ```
    """
    return []


@hookspec
def fragments() -> list[Fragment]:
    """Fragments that depend on something only Python knows. All others belong in plugin.toml.

    Example:

    ```python
    from housecall import Fragment, hookimpl


    @hookimpl
    def fragments():
        return [Fragment(slot="admin.home", template="tile.html")]
    ```
    """
    return []


@hookspec
def settings() -> list[Any]:
    """Settings that depend on something only Python knows, as `Field`s. All others belong in plugin.toml.

    Example:

    ```python
    import zoneinfo

    from housecall import Field, hookimpl


    @hookimpl
    def settings():
        zones = tuple((zone, zone) for zone in sorted(zoneinfo.available_timezones()))
        return [Field(id="zone", type="choice", label="Time zone", choices=zones, default="UTC")]
    ```
    """
    return []


@hookspec
def jobs() -> list[Job]:
    """Work done again and again: `run(clinic)` every `every` seconds, for each clinic that has the plugin on.

    Example:

    ```python
    from housecall import Job, hookimpl


    def sweep(clinic):
        print("nothing older than a year in", clinic)


    @hookimpl
    def jobs():
        return [Job(name="sweep", every=3600, run=sweep)]
    ```
    """
    return []


@hookspec
def commands() -> list[click.Command]:
    """Commands of `housecall` itself, for sites on which some clinic has the plugin on: `housecall NAME … [--dir DIR]`.

    Each runs in an application context. What `housecall` knows by itself comes first.

    Example:

    ```python
    import click

    from housecall import hookimpl


    @click.command("count-rings")
    def count_rings():
        click.echo("Nobody rang.")


    @hookimpl
    def commands():
        return [count_rings]
    ```
    """
    return []


@hookspec
def checkin_steps(view: VisitView) -> list[Step]:
    """Steps for this visit's check-in, besides those of plugin.toml. Asked at check-in, which fixes the steps
    of the visit, and again whenever the patient's page shows their forms: the same view must have the same answer.

    Example:

    ```python
    from housecall import Field, Step, hookimpl


    @hookimpl
    def checkin_steps(view):
        if view.media == "audio":
            return []
        return [Step(id="light", title="Is there enough light?", fields=(Field(id="light", type="bool", label="Yes"),))]
    ```
    """
    return []


@hookspec
def refuse_check_in(clinic: str, room: str, invite: str) -> str | None:
    """A sentence that says why nobody may check in to a room now, or None; the person reads it on the welcome page.

    `invite` is the id of the one-visit link that they come by (see `visit_link`), or empty. Plugins that raise do
    not keep anybody out.

    Example:

    ```python
    from housecall import hookimpl

    CANCELLED = {"an-id-of-a-link"}


    @hookimpl
    def refuse_check_in(clinic, room, invite):
        return "This appointment was cancelled." if invite in CANCELLED else None
    ```
    """
    return None


@hookspec
def refuse_move(view: VisitView, to: str, actor: Actor) -> str | None:
    """A sentence that says why this visit may not go to state `to` now, or None. An end is never asked about.

    One that raises counts as `on_refuse` in plugin.toml says: "allow" (default) or "block".

    Example:

    ```python
    from housecall import hookimpl


    @hookimpl
    def refuse_move(view, to, actor):
        if to == "in_call" and not any(role == "guest" for _, role, _, _ in view.seats):
            return "The interpreter is not here yet."
        return None
    ```
    """
    return None


@hookspec
def allow(clinic: str, what: str, amount: int) -> str | None:
    """A sentence that says why this clinic may not have so much of something, and what to do about it, or None.

    `what` is "members" (accounts that can sign in) or "rooms", and `amount` how many there would be: asked before one
    more is made or enabled. Or it is "plugin:<id>" with the amount 1: asked before that plugin is switched on, and
    again at each start and `housecall.reconsider(clinic)`. One that is refused then is held back: it keeps its settings
    and what it has stored, and comes back when it is allowed again. Nothing else that is there is taken away.

    Not asked: what housecall.toml has on, and plugins that answer this hook themselves. Where nobody answers, or an
    answer fails, everything is allowed. Answer at once: from memory or from the database.

    Example:

    ```python
    from housecall import hookimpl


    @hookimpl
    def allow(clinic, what, amount):
        if what == "rooms" and amount > 3:
            return "Three rooms are all that there is here. Ask the person who runs this server for more."
        return None
    ```
    """
    return None


@hookspec
def check_settings(clinic: str, values: dict[str, Any]) -> dict[str, str]:
    """Of the plugin's own settings, which do not go together: field id to a sentence. Asked before they are saved.

    Example:

    ```python
    from housecall import hookimpl


    @hookimpl
    def check_settings(clinic, values):
        if values["opens"] >= values["closes"]:
            return {"closes": "This must be later than the opening time."}
        return {}
    ```
    """
    return {}


@hookspec
def health(clinic: str) -> str | None:
    """What is wrong at the moment, in one sentence for the admin page and `housecall check`, or None.

    Example:

    ```python
    from housecall import hookimpl


    @hookimpl
    def health(clinic):
        return None
    ```
    """
    return None


@hookspec
def deliver(message: Message) -> Delivery | None:
    """Carry a message to somebody outside; None for one of a kind that this plugin does not carry. The first answer
    counts, by the ids of the plugins; a mail that none takes goes to the mail server of housecall.toml.

    It runs in the background, with an application context, and may take its time; set a limit to each wait. "later"
    may only be said when the carrier has surely not taken the message: it comes again after 1, 2, 4 … minutes. In
    doubt, as after a time-out when all was sent, say "unsure": then a person decides. A hook that raises counts as
    "unsure". Nothing of the message may be kept or logged, nor stand in `reason`.

    Example:

    ```python
    from housecall import Delivery, hookimpl


    @hookimpl
    def deliver(message):
        if message.kind != "text":
            return None
        if not message.to.startswith("+"):
            return Delivery(state="refused", reason="The number begins with + and its country.")
        return Delivery(state="sent", reference="17")
    ```
    """
    return None


@hookspec
def can_deliver(clinic: str, kind: str) -> bool | None:
    """Whether messages of a kind ("mail", "text", "push") can be posted in this clinic now; None: not ours to say.

    Asked when a page is made that would offer it, so it answers from the settings and asks nobody outside.

    Example:

    ```python
    from housecall import hookimpl


    @hookimpl
    def can_deliver(clinic, kind):
        return True if kind == "text" else None
    ```
    """
    return None


@hookspec
def visit_changed(view: VisitView, old: str | None, new: str, actor: Actor) -> None:
    """A visit went from state `old` (None: it is new) to `new`.

    Example:

    ```python
    from housecall import hookimpl


    @hookimpl
    def visit_changed(view, old, new, actor):
        if new == "ended":
            print("a visit has ended in", view.room)
    ```
    """


@hookspec
def signed_out(clinic: str, member: str, login: str) -> None:
    """Somebody ended a login: by signing out, or on the page of logins. `login` is its id (`SignedIn.login`).

    An empty `login` means each that the member has ever had, those too that had run out: a new password was set, or the
    account was disabled. A login that only runs out is not told.

    Example:

    ```python
    from housecall import hookimpl

    devices: dict[str, set[str]] = {}  # member -> logins by which a device was named


    @hookimpl
    def signed_out(member, login):
        devices[member] = devices.get(member, set()) - {login} if login else set()
    ```
    """


@hookspec
def toggled(clinic: str, enabled: bool) -> None:
    """The plugin was switched on or off in a clinic.

    Example:

    ```python
    from housecall import hookimpl


    @hookimpl
    def toggled(clinic, enabled):
        print("on" if enabled else "off", "in", clinic)
    ```
    """
