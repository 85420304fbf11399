"""The steps of a check-in: which there are for a visit, and their forms."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flask import g
from markupsafe import Markup

from .. import fields
from ..clinics.models import Room
from ..extending.hooks import Raised
from ..extending.manifest import mistakes_in_step
from ..extending.nouns import Step
from ..extending.registry import Plugin
from ..fields import Field
from ..logs import log
from ..visits import VisitView
from . import slots
from .house import house


def asked(room: Room) -> dict[str, bool]:
    """What somebody who checks in here has to do: "plugin:step" to whether it is required."""
    view = VisitView(
        id="",
        clinic=g.clinic.id,
        room=room.id,
        state="arriving",
        media=room.media,
        arrived=house().now(),
        started=None,
        seats=(),
    )
    return {f"{plugin.id}:{step.id}": step.required for plugin, step in _all(view)}


def _all(view: VisitView) -> list[tuple[Plugin, Step]]:
    registry, more = house().registry, dict[tuple[str, str], Step]()
    for answer in registry.hooks.ask("checkin_steps", view.clinic, view=view):
        plugin = registry.by_id[answer.plugin]
        taken = {step.id for step in plugin.own.steps}
        for step in answer.value:
            wrong = [str(mistake) for mistake in mistakes_in_step(step, plugin.folder)]
            if not wrong and (step.id in taken or (plugin.id, step.id) in more):
                wrong = [f"checkin_steps: {step.id!r} is there twice"]
            if wrong:
                log("hook", level=logging.ERROR, plugin=plugin.id, hook="checkin_steps", code=wrong[0][:79])
                raised = Raised(plugin=plugin.id, hook="checkin_steps", error="; ".join(wrong))
                registry.failed(view.clinic, raised)
            else:
                more[plugin.id, step.id] = step
    return registry.steps(view.clinic, [(plugin, step) for (plugin, _), step in more.items()])


def confirmed(view: VisitView, key: str) -> bool:
    """Whether only a plugin's own Python may say that a step is done."""
    return any(step.confirmed and f"{plugin.id}:{step.id}" == key for plugin, step in _all(view))


def shown(room: Room, visit: str) -> list[dict[str, Any]]:
    """The steps of a visit that is checked in, each with its form: for the page that holds its ticket."""
    present = house().visits.get(visit)
    if present is None or not present.steps:
        return []
    return list(_shown(room, house().visits.view(present)))


def _shown(room: Room, view: VisitView) -> Iterator[dict[str, Any]]:
    for plugin, step in _all(view):
        key = f"{plugin.id}:{step.id}"
        if key in view.steps:
            yield {
                "id": key,
                "title": slots.words(plugin)(step.title),
                "required": step.required,
                "fields": tuple(_in_words(plugin, field) for field in step.fields),
                "html": _template(plugin, step, room),
            }


def _in_words(plugin: Plugin, field: Field) -> Field:
    """A field whose texts are in the visitor's language."""
    say = slots.words(plugin)
    choices = tuple((value, say(label)) for value, label in field.choices)
    return replace(field, label=say(field.label), help=say(field.help) if field.help else "", choices=choices)


def _template(plugin: Plugin, step: Step, room: Room) -> Markup:
    """A step that is a plugin's own part."""
    if not step.template:
        return Markup()
    key = f"{plugin.id}:{step.id}"
    try:
        html = slots.fragment(
            plugin,
            step.template,
            role="patient",
            settings=slots.seen(plugin, ("room", room.id)),
            room={"id": room.id, "slug": room.slug, "name": room.name},
            step={"id": step.id, "title": slots.words(plugin)(step.title)},
        )
        return slots.part(plugin, "checkin.step", step.module, html, step=key)
    except Exception as error:
        slots.raised(plugin, step.template, error)
        return slots.broken(plugin, "checkin.step", step=key)


def described(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps for the page's modules."""
    return [
        {
            **{key: step[key] for key in ("id", "title", "required")},
            "fields": list(map(fields.describe, step["fields"])),
        }
        for step in steps
    ]
