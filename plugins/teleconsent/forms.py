"""The forms: those that come with the plugin (forms/), and the practice's own."""

import hashlib
import time
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from sqlalchemy import delete, func, select

from housecall import Field, db, write

from .models import Own, Page

FOLDER = Path(__file__).parent / "forms"
SUPPLIED = ("telehealth", "minor", "release", "photography")
OWN = "own"
LONGEST = 30_000  #: characters of a practice's own form
MOST = 2**31 - 1  #: that a database counts versions and pages to
MARKS = {"h": "## ", "li": "- ", "p": ""}  #: kind of a block -> how it stands in Markdown


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Somebody who signs."""

    id: str
    label: str
    required: bool = False


PATIENT = Signer(id="patient", label="Patient, or who may sign for the patient", required=True)


@dataclass(frozen=True, kw_only=True)
class Form:
    """One version of a form, in English or as the practice wrote it."""

    id: str
    title: str
    version: str
    blocks: tuple[tuple[str, str], ...]  #: (kind, text); kinds are those of MARKS
    source: tuple[str, ...] = ()  #: what the text answers to
    fields: tuple[Field, ...] = ()
    signers: tuple[Signer, ...] = (PATIENT,)
    pages: tuple[tuple[int, int], ...] = ()  #: of one that was a PDF: width and height of their pictures, in pixels
    places: tuple[
        tuple[int, float, float], ...
    ] = ()  #: where to sign on these: page, and its left upper corner in parts

    def said(self, words, practice, lang):
        """The form for browsers, in words of `lang`, with the practice's name and the SHA-256 of its text."""
        title = str(words(self.title))
        blocks = [[kind, str(words(text)).replace("{practice}", practice)] for kind, text in self.blocks]
        return {
            "id": self.id,
            "version": self.version,
            "lang": lang,
            "practice": practice,
            "title": title,
            "blocks": blocks,
            "sha256": hashlib.sha256(written(title, blocks).encode()).hexdigest(),
            "fields": [_described(field) for field in self.worded(words)],
            "pages": [list(size) for size in self.pages],
            "places": [list(place) for place in self.places],
            "signers": [
                {"id": each.id, "label": str(words(each.label)), "required": each.required} for each in self.signers
            ],
        }

    def worded(self, words):
        """The fields in these words."""
        for field in self.fields:
            yield replace(
                field,
                label=str(words(field.label)),
                help=str(words(field.help)) if field.help else "",
                choices=tuple((value, str(words(label))) for value, label in field.choices),
            )


def written(title, blocks):
    """Title and blocks as one text: what its SHA-256 is made of, here and in teleconsent-form.js."""
    return "\n\n".join([f"# {title}", *(MARKS[kind] + text for kind, text in blocks)]) + "\n"


def parsed(markdown):
    """The blocks of a text: lines that begin with # are headings, with - or * points; all else is paragraphs."""
    blocks, gap = [], True
    for line in markdown.replace("\r\n", "\n").split("\n"):
        text = line.strip()
        if not text:
            gap = True
        elif text.startswith("#"):
            blocks.append(("h", text.lstrip("#").strip()))
            gap = True
        elif text.startswith(("- ", "* ")):
            blocks.append(("li", text[2:].strip()))
            gap = False
        elif gap:
            blocks.append(("p", text))
            gap = False
        else:
            kind, before = blocks.pop()
            blocks.append((kind, f"{before} {text}"))
    return tuple((kind, text) for kind, text in blocks if text)


@cache
def supplied(name):
    """One of the forms that come with the plugin."""
    table = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    return Form(
        id=name,
        title=table["title"],
        version=table["version"],
        source=tuple(table["source"]),
        fields=tuple(_field(id, each) for id, each in table.get("fields", {}).items()),
        signers=tuple(Signer(**each) for each in table["signer"]),
        blocks=parsed((FOLDER / f"{name}.md").read_text("utf-8")),
    )


def _field(id, table):
    return Field(id=id, **table | {"choices": tuple(map(tuple, table.get("choices", ())))})


def _described(field):
    """A field as fields.js reads it."""
    return {
        "id": field.id,
        "type": field.type,
        "label": field.label,
        "default": field.default,
        "required": field.required,
        "min": field.low,
        "max": field.high,
        "pattern": field.pattern,
        "choices": [list(pair) for pair in field.choices],
    }


def _counted(number):
    """Whether it is a number of a version or a page at all; they come out of addresses and files."""
    return str(number).isdecimal() and len(str(number)) <= len(str(MOST)) and int(number) <= MOST


def find(clinic, name, version=None):
    """A form of a practice, or None; without a version that which is in use."""
    if name in SUPPLIED:
        form = supplied(name)
        return form if version in (None, form.version) else None
    return own(clinic, version) if name == OWN else None


def own(clinic, version=None):
    """The practice's own form, or None."""
    if version is None:
        version = latest(clinic)
    row = db.session.get(Own, (clinic, int(version))) if _counted(version) else None
    return _of(row) if row and row.ready else None


def unfinished(clinic, version):
    """A form of a PDF whose places are to be marked, or None."""
    row = db.session.get(Own, (clinic, version)) if _counted(version) else None
    return _of(row) if row and not row.ready else None


def _of(row):
    sizes = select(Page.width, Page.height).where(Page.clinic_id == row.clinic_id, Page.version == row.version)
    pages = tuple((width, height) for width, height in db.session.execute(sizes.order_by(Page.number)))
    places = tuple((page, x, y) for page, x, y in row.places)
    return replace(draft(row.title, row.text, version=str(row.version)), pages=pages, places=places)


def picture(clinic, version, number, *, inside):
    """A page of a form that was a PDF, as a PNG, or None. inside: for who may see it before it is in use."""
    if not (_counted(version) and _counted(number)):
        return None
    of = db.session.get(Own, (clinic, version))
    row = db.session.get(Page, (clinic, version, number)) if of and (of.ready or inside) else None
    return row.png if row else None


def draft(title, text, *, version):
    """A form as somebody of the practice has written it."""
    return Form(id=OWN, title=title, version=version, blocks=parsed(text))


def latest(clinic):
    """The version of the own form that is in use; 0 where there is none."""
    return db.session.scalar(select(func.max(Own.version)).where(Own.clinic_id == clinic, Own.ready)) or 0


def every(version):
    """The own forms of all practices that have this version."""
    if not _counted(version):
        return
    for row in db.session.scalars(select(Own).where(Own.version == int(version))):
        yield draft(row.title, row.text, version=str(row.version))


def text_of_own(clinic):
    """Title and text as they were typed last."""
    row = db.session.get(Own, (clinic, latest(clinic)))
    return (row.title, row.text) if row else ("", "")


def keep(clinic, title, text, member, pages=()):
    """Keep a new version of the own form; says its number. One with pages is in use when it is `finished`."""
    with write() as session:
        last = session.scalar(select(func.max(Own.version)).where(Own.clinic_id == clinic)) or 0
        if pages:  # who begins with another PDF is through with those before, and may have taken the wrong file
            session.execute(delete(Own).where(Own.clinic_id == clinic, ~Own.ready))
        made = time.time_ns() // 1_000_000
        key = {"clinic_id": clinic, "version": last + 1}
        own = Own(**key, title=title, text=text, ready=not pages, places=[], made_by=member, made=made)
        session.add(own)
        session.flush()
        for number, page in enumerate(pages):
            session.add(Page(**key, number=number, width=page.width, height=page.height, png=page.png))
    return last + 1


def finish(clinic, version, title, places):
    """From now on a form of a PDF is in use, to be signed at these places."""
    with write() as session:
        row = session.get(Own, (clinic, version))
        row.title, row.places, row.ready = title, places, True


def all_of(clinic):
    """The forms that a provider may ask for."""
    mine = own(clinic)
    return [*map(supplied, SUPPLIED), *([mine] if mine else [])]
