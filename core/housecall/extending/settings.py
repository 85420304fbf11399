"""A plugin's typed settings: housecall.toml before what was set on a page before the declared default."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from .. import clinics, fields
from ..clinics.sealing import Unsealable, seal, unseal
from ..config import Site
from ..fields import Field
from ..reading import nearest
from .nouns import Manifest

REFERENCES = ("env:", "file:")

Scope = tuple[str, str]  #: (scope, id): ("clinic", clinic), ("room", room) or ("member", member)


def mistakes_in(site: Site, declared: Iterable[Field], table: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a plugin's table in housecall.toml: name to a sentence."""
    known = {field.id: field for field in declared}
    wrong = {name: f"this name is not known; {nearest(name, known)}" for name in table if name not in known}
    given = {}
    for name, value in table.items():
        try:
            if name in known and known[name].scope != "clinic":
                wrong[name] = f"each {known[name].scope} has its own: this is set on pages, not here"
            elif name in known:
                given[name] = _resolved(site, value)
        except (KeyError, OSError):
            wrong[name] = f"{value} points at nothing"
    _, codes = fields.clean([known[name] for name in given], given)
    return wrong | {name: f"this value is not right ({code})" for name, code in codes.items()}


def values(site: Site, clinic: str, manifest: Manifest, *scopes: Scope, secrets: bool = False) -> dict[str, Any]:
    """What holds here and now. `scopes` name the room and the member whose settings count; secrets only on demand."""
    wanted = dict(scopes) | {"clinic": clinic}
    asked = [field for field in manifest.settings if field.scope in wanted and (secrets or not field.secret)]
    if not asked:
        return {}
    held = clinics.settings.within(clinic, manifest.id, wanted)
    return {
        field.id: _value(site, clinic, manifest.id, field, wanted[field.scope], held.get(field.scope, {}))
        for field in asked
    }


def _value(site: Site, clinic: str, owner: str, field: Field, scope_id: str, held: Mapping[str, Any]) -> Any:
    if locked(site, clinic, owner, field):
        given = _resolved(site, site.clinics[clinic].tables[owner][field.id])
        good, _ = fields.clean([field], {field.id: given})  # it passed when the server started
        return good.get(field.id)
    stored = held.get(field.id)
    if stored is None:
        return _default(field)
    if field.secret:
        try:
            return unseal(site.secret, _place(clinic, owner, field, scope_id), stored)
        except Unsealable:
            return None
    return stored


def _default(field: Field) -> Any:
    """What holds where nothing was set: as `fields.clean` gives it for an empty value."""
    values, _ = fields.clean([replace(field, required=False)], {})
    return values[field.id]


def locked(site: Site, clinic: str, owner: str, field: Field) -> bool:
    """Whether housecall.toml holds this setting, so that the page cannot change it."""
    config = site.clinics.get(clinic)
    return field.scope == "clinic" and config is not None and field.id in config.tables.get(owner, {})


def draft(
    site: Site, clinic: str, manifest: Manifest, scope: Scope, given: Mapping[str, Any], drop: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, str]]:
    """What a form gave for one scope, cleaned, and the errors by field, as codes; nothing is kept yet.

    A secret or a file that is left empty stays what it is, unless `drop` names it; what housecall.toml holds is left
    out.
    """
    kind, stored = scope[0], stored_in(clinic, manifest.id, scope)
    wanted = [
        f
        for f in manifest.settings
        if f.scope == kind
        and not f.toml
        and not locked(site, clinic, manifest.id, f)
        and not (stays(f) and f.id in stored and f.id not in drop and not given.get(f.id))
    ]
    return fields.clean(wanted, {f.id: given[f.id] for f in wanted if f.id in given})


def keep(
    site: Site, clinic: str, manifest: Manifest, scope: Scope, cleaned: Mapping[str, Any], *, actor: str | None
) -> None:
    """Store what `draft` cleaned, secrets sealed; what it left out stays, what no field declares any more goes."""
    kind, scope_id = scope
    own = {field.id: field for field in manifest.settings if field.scope == kind}
    values = {k: v for k, v in clinics.settings.of(clinic, manifest.id, kind, scope_id).items() if k in own}
    for name, value in cleaned.items():
        if own[name].secret and value:
            value = seal(site.secret, _place(clinic, manifest.id, own[name], scope_id), str(value))
        values[name] = value
    clinics.settings.save(clinic, manifest.id, kind, scope_id, values, actor=actor)


def whole(site: Site, clinic: str, manifest: Manifest, scope: Scope, cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting as it would be with `cleaned` kept, for `check_settings`; those of other scopes as they begin."""
    begin = {field.id: _default(field) for field in manifest.settings}
    return begin | values(site, clinic, manifest, scope, secrets=True) | dict(cleaned)


def stays(field: Field) -> bool:
    """Whether an empty input means that nothing changes: what is stored is not in the form."""
    return field.secret or field.type == "file"


def stored_in(clinic: str, owner: str, scope: Scope) -> set[str]:
    """The settings of one scope that a page has set."""
    return {name for name, value in clinics.settings.of(clinic, owner, *scope).items() if value is not None}


def as_toml(site: Site, clinic: str, manifest: Manifest) -> str:
    """The clinic's settings as a table to paste into housecall.toml; a secret only as the place to put it."""
    lines, now = [f"[clinic.{clinic}.{manifest.id}]"], values(site, clinic, manifest)
    for field in manifest.settings:
        if field.scope != "clinic":
            continue
        if field.secret:
            lines.append(f'# {field.id} = "env:{manifest.id.upper()}_{field.id.upper()}"')
        else:
            value = now[field.id]
            if value is None:
                lines.append(f"# {field.id} =")
            elif isinstance(value, str) and value.startswith(REFERENCES):  # as a text it would point at something
                lines.append(f"# {field.id} = {_toml(value)}  # only a page can set a text that begins so")
            else:
                lines.append(f"{field.id} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, int):
        return str(value)
    escaped = (
        str(value)
        .replace("\\", "\\\\")
        .replace('"', '\\"')
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        .replace("\t", "\\t")
    )
    return f'"{escaped}"'


def problems(site: Site, manifest: Manifest) -> list[str]:
    """Stored settings that no field declares any more, or that do not pass it, for `housecall check`."""
    known = {field.id: field for field in manifest.settings}
    found = []
    for row in clinics.settings.all_of(manifest.id):
        plain = {k: v for k, v in row.values.items() if k in known and not known[k].secret and v is not None}
        _, codes = fields.clean([known[k] for k in plain], plain)
        for name in sorted((set(row.values) - set(known)) | set(codes)):
            why = codes.get(name, "is not known any more")
            found.append(f"setting {manifest.id}.{name} of {row.scope} {row.scope_id}: {why}")
    return found


def _place(clinic: str, owner: str, field: Field, scope_id: str) -> str:
    return f"setting.values {clinic} {owner} {field.scope} {scope_id} {field.id}"


def _resolved(site: Site, value: Any) -> Any:
    return site.refer(value) if isinstance(value, str) else value
