"""Plugins that tests write into a site's own folder."""

from __future__ import annotations

from pathlib import Path

#: A setting of most types, for the practice, for each room and for each member; and its own word in check_settings.
LAMP = {
    "plugin.toml": """\
id = "lamp"
name = "Lamp"
version = "1.2"
api = "1.0"
summary = "A lamp over the door of the waiting room."

[settings.opens]
type = "time"
label = "Lit from"
default = "08:00"
required = true

[settings.closes]
type = "time"
label = "Lit until"
default = "18:00"
required = true

[settings.wait]
type = "duration"
label = "Goes out after"
help = "When nobody has come."
default = 900
min = 60
max = 7200

[settings.watts]
type = "int"
label = "Watts"
min = 1
max = 100

[settings.price]
type = "money"
label = "Price of the bulb"

[settings.shape]
type = "choice"
label = "Shape"
choices = [["round", "Round"], ["long", "Long"]]
default = "round"

[settings.words]
type = "long"
label = "Words beside it"

[settings.key]
type = "text"
secret = true
label = "Key of the switchboard"

[settings.glow]
type = "int"
scope = "room"
label = "Glow in this room"
default = 5
min = 0
max = 10

[settings.dimmed]
type = "bool"
scope = "member"
label = "Dim the lamp for me"

[settings.hours]
type = "int"
scope = "member"
label = "Hours in its light"
max = 24

[[data]]
what = "the time when somebody passed the door"
whose = ["patient", "guest", "member"]
purpose = "to light the way"
kept = "30 days"
recipient = "Elm Street Lighting"

[[outgoing]]
host = "api.lamp.example"
why = "to switch the bulb"
""",
    "__init__.py": """\
from housecall.extending.hookspecs import hookimpl


@hookimpl
def check_settings(clinic, values):
    assert clinic and set(values) >= {"glow", "dimmed", "key"}
    if values["opens"] >= values["closes"]:
        return {"closes": "This must be later than the opening time."}
    if values["glow"] == 9 and values["key"] != "open sesame":
        return {"glow": "So much light needs the key."}
    return {}


@hookimpl
def health(clinic):
    return "The bulb is loose."
""",
}

#: Parts with a module on the pages that have no visit.
POSTER = {
    "plugin.toml": 'id = "poster"\nname = "Poster"\nversion = "1.0"\napi = "1.0"\n'
    + "".join(
        f'[[fragment]]\nslot = "{slot}"\ntemplate = "poster.html"\nmodule = "poster.js"\nstyle = "poster.css"\n'
        for slot in ("account.home", "admin.home", "sign_in.methods", "room.settings")
    )
    + '[settings.paper]\ntype = "text"\nlabel = "Paper"\nscope = "room"\ndefault = "white"\n',
    "templates/poster.html": '<section class="poster"><h2>{{ _("Poster") }}</h2><p class="live"></p></section>',
    "static/poster.css": ".poster { padding: 1rem; }\n",
    "static/poster.js": """\
export function mount(host) {
  const words = `${host.slot} ${host.settings.paper ?? "-"} ${host.me.role || "nobody"} ${host.visit}`;
  host.root.querySelector(".live").textContent = words;
  host.ui.notice(host.text("Hung up"));
}
""",
}

#: With a table, a page, a job, an event: all that Python adds.
TALLY = {
    "plugin.toml": """\
id = "tally"
name = "Tally"
version = "0.1"
api = "1.0"
summary = "Counts what happens."

[[job]]
name = "count"
every = "1 hour"

[[step]]
id = "mood"
title = "How are you?"

[step.fields.mood]
type = "text"
label = "Mood"
""",
    "__init__.py": """\
from flask import Blueprint

from housecall.extending.hookspecs import hookimpl
from housecall.extending.nouns import Event, Job

pages = Blueprint("tally_pages", __name__)


@pages.get("/today")
def today():
    return {"visits": 3}


@hookimpl
def blueprints():
    return [pages]


@hookimpl
def events():
    return [Event(name="shout", sources=("provider",), path="server", handler=lambda context, body: {})]


@hookimpl
def jobs():
    return [Job(name="count", every=3600, run=print)]
""",
    "models.py": """\
from sqlalchemy.orm import Mapped, mapped_column

from housecall.clinics.models import Base


class Count(Base):
    __tablename__ = "tally_count"
    __table_args__ = {"info": {"owner": "tally"}}

    id: Mapped[int] = mapped_column(primary_key=True)
""",
    "migrations/versions/0001_first.py": """\
import sqlalchemy as sa
from alembic import op

revision = "tally0001"
down_revision = None


def upgrade():
    op.create_table("tally_count", sa.Column("id", sa.BigInteger(), primary_key=True))
""",
}


def write(site: Path, *plugins: dict[str, str], **more: dict[str, str]) -> Path:
    """Put plugins into a site's folder `plugins`, each by the id of its manifest, `more` by the names given here."""
    named = {files["plugin.toml"].split('"')[1]: files for files in plugins} | more
    for name, files in named.items():
        for path, text in files.items():
            place = site / "plugins" / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
    return site


def plain(name: str, toml: str = "", python: str | None = None) -> dict[str, str]:
    """The least that a plugin needs, and more of its manifest or its Python."""
    files = {"plugin.toml": f'id = "{name}"\nname = "{name.title()}"\nversion = "1.0"\napi = "1.0"\n{toml}'}
    if python is not None:
        files["__init__.py"] = "from housecall.extending.hookspecs import hookimpl\n" + python
    return files
