"""`housecall verify-consent FILE`: whether a signed document is what was signed.

A document agrees with itself when every line on its pages is in the record that it holds, and the record's text has the
SHA-256 that it says. That alone does not show who made it: for that there are receipts, if the practice keeps them.
"""

import datetime as dt
import hashlib
import json
import logging
import re
import unicodedata
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from housecall import clinic_name

from . import forms as known
from . import receipts, seen

ROOT = {"/Type", "/Pages", "/Lang", "/Names", "/AF"}  #: what the root of a document has
NONE = "It is not a signed document of Housecall, or it is damaged"
ALONE = "that the file agrees with itself does not show who made it."
MISSED = "No receipt of exactly this file was kept here, though its practice kept receipts when it was signed."
SLACK = 300_000  #: ms that a page may need from a signature to its receipt
MISSING = "This command reads PDF with pypdf: pip install 'housecall[teleconsent]'"
MOMENT, CODE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.A), re.compile(r"[\w.-]{1,40}", re.A)
STEERING = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  #: categories of what is not seen as a letter
JOINERS = "\u200c\u200d"  #: without which some names are spelled wrong
RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_SPACE = re.compile(r"\s+")


@dataclass
class Found:
    """What a document says, and what is wrong with it."""

    record: dict = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    pictures: int = 0  #: lines that are pictures, because the standard fonts have no letters for them


def look(data):
    """Read a document and compare it with itself; one that is made to do harm may make the reader raise anything."""
    from pypdf import PdfReader

    found = Found()
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it thinks of a broken file, we say in our own words
    reader = PdfReader(BytesIO(data), strict=True)  # others may read what is said twice in another way
    if reader.is_encrypted:
        found.problems.append("It is encrypted; what is signed here never is.")
    elif data.count(b"startxref") > 1:
        found.problems.append("Something was added to it after it was signed.")
    else:
        found.record = json.loads(reader.attachments["consent.json"][0])
        found.problems += list(_wrong(reader, found))
    return found


def _wrong(reader, found):
    record, form = found.record, found.record["form"]
    if not MOMENT.fullmatch(record["at"]) or not all(CODE.fullmatch(form[key]) for key in ("id", "version", "lang")):
        yield "Its record says when it was signed, or of which form it is, in a way in which no page writes it."
    others = list(_others(reader.trailer["/Root"]))
    yield from (f"It holds something that was not there when it was signed: {key}" for key in others)
    if _sha(known.written(form["title"], form["blocks"])) != form["sha256"]:
        yield "The text in its record is not the text that has the SHA-256 which it states."
    drawn = [seen.look(page, number, form) for number, page in enumerate(reader.pages)]
    found.pictures = sum(page.pictures for page in drawn)
    strange = [f"Page {number} {page.problem}" for number, page in enumerate(drawn, 1) if page.problem]
    yield from strange
    if others or strange:
        return  # what else is read there need not be what is seen
    for number, (page, lines) in enumerate(zip(drawn, record["printed"], strict=False), 1):
        different = next((pair for pair in zip(page.lines, lines, strict=False) if pair[0] != visual(pair[1])), None)
        if different:
            yield f"Page {number} says “{different[0]}”, the record says “{different[1]}”."
        elif len(page.lines) != len(lines):
            yield f"Page {number} has {len(page.lines)} lines, the record has {len(lines)}."
    if len(drawn) != len(record["printed"]):
        yield f"It has {len(drawn)} pages, the record has {len(record['printed'])}."
    yield from _not_said(record)
    first = [record["signers"][0]] * len(form["places"])  # where it is to stand on the pages of a PDF
    signed = [stroke for signer in (*first, *record["signers"]) for stroke in signer["strokes"]]
    if [stroke for page in drawn for stroke in page.strokes] != [_shown(stroke) for stroke in signed]:
        yield "The drawn signature is not that of the record."
    if sum(page.rules for page in drawn) != len(record["signers"]):
        yield "Lines were drawn on it, or are missing."


def _others(root):
    """What a document has besides its pages and its record."""
    yield from set(root) - ROOT
    names, tree = root["/Names"].get_object(), root["/Pages"].get_object()
    yield from set(names) - {"/EmbeddedFiles"}
    yield from set(tree) - {"/Type", "/Kids", "/Count"}  # what stands there would count for each page
    if any(kid.get_object()["/Type"] != "/Page" for kid in tree["/Kids"]):
        yield "/Kids"
    files = names["/EmbeddedFiles"].get_object()
    [_, file, *more], same = files["/Names"], [each.get_object() for each in root["/AF"]]
    file = file.get_object()
    yield from {*files, *file, *file["/EF"]} - {"/Names", "/Type", "/F", "/UF", "/EF", "/Desc"}
    if more or same != [file] or "/UF" in file["/EF"]:
        yield "/EmbeddedFiles"


def _not_said(record):
    """What the record holds and its pages do not say in this order."""
    form, foot = record["form"], f"SHA-256 {record['form']['sha256']}"
    body = []
    for page in record["printed"]:
        if page[-1] != foot:
            yield "A page does not state the SHA-256 of the text."
        body += [line for line in page[:-2] if line != "•"]
    whole, at = _squeezed("".join(body)), 0
    signers = [text for signer in record["signers"] for text in (signer["label"], signer["name"], record["at"])]
    answers = [text for label, value in record["answers"] for text in (label, value)]
    for text in (form["title"], "".join(text for _, text in form["blocks"]), *answers, *signers, form["sha256"]):
        place = whole.find(_squeezed(text), at)
        if place < 0:
            yield f"Its pages do not say “{text[:60]}” where the record does."
        else:
            at = place + len(_squeezed(text))


def visual(text):
    """The letters of a line from left to right as they are seen: as `visual` in teleconsent-line.js."""
    base = next(("R" if RTL.match(c) else "L" for c in text if c.isalpha()), "L")
    sides = [
        "L" if unicodedata.category(c) == "Nd" else "R" if RTL.match(c) else "L" if c.isalpha() else "" for c in text
    ]
    runs, i = [], 0
    while i < len(text):
        end = i
        if sides[i] and sides[i] != base:
            stop = next((j for j in range(i, len(text)) if sides[j] == base), len(text))
            end = max(j for j in range(i, stop) if sides[j])
        runs.append(text[i : end + 1][::-1])
        i = end + 1
    return "".join(run[::-1] for run in reversed(runs)) if base == "R" else "".join(runs)


def _shown(stroke):
    """A stroke as it is drawn; a dot has some length."""
    return stroke if len(stroke) > 2 else [*stroke, stroke[0] + 1, stroke[1]]


def _squeezed(text):
    """A text without what a line break changes, without signs that only steer (`plain` in teleconsent-line.js)."""
    kept = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in ("Cc", "Cf"))
    return _SPACE.sub("", kept)


def _sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def known_text(form):
    """What this server knows of the text: a sentence, and whether it speaks against the document."""
    name, version = form["id"], form["version"]
    if name in known.SUPPLIED and form["lang"] == "en":
        own = known.supplied(name)
        if version != own.version:
            return f"Its text is another version of “{own.title}” than Housecall has now: {version}.", False
        if own.said(str, form["practice"], "en")["sha256"] == form["sha256"]:
            return f"Its text is “{own.title}”, version {version}, as it comes with Housecall.", False
        return f"Its text is not that of “{own.title}”, version {version}, which comes with Housecall.", True
    for own in known.every(version) if name == known.OWN else ():
        if own.said(str, form["practice"], form["lang"])["sha256"] == form["sha256"]:
            return f"Its text is the practice's own form, version {version}.", False
    return f"This server cannot compare its text: {name}, version {version}, language {form['lang']}.", False


@click.command("verify-consent")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def verify_consent(files):
    """Check signed forms: text, what was filled in, signature; and the receipt, if the practice keeps them."""
    try:
        import pypdf  # noqa: F401  a practice that never checks a document does without
    except ImportError:
        raise click.ClickException(MISSING) from None
    bad = False
    for file in files:
        said, problems = judged(file.read_bytes())
        name = f"{file}: " if len(files) > 1 else ""
        for line in said:
            click.echo(shown(f"{name}{line}"))
        for problem in problems:
            click.echo(shown(f"{name}{problem}"), err=True)
        bad = bad or bool(problems)
    if bad:
        click.get_current_context().exit(1)


def shown(text):
    """A text on one line of a terminal, which it can neither steer nor fill so that it seems to say something else."""
    steering = (c not in JOINERS and unicodedata.category(c) in STEERING for c in text)
    kept = (c.encode("unicode_escape").decode() if steers else c for c, steers in zip(text, steering, strict=True))
    return _SPACE.sub(" ", "".join(kept))


def judged(data):
    """What is to be said of a document, and what is wrong with it."""
    try:
        said, problems, signed = _agreeing(data)
    except SQLAlchemyError:
        raise  # that is not for the file to answer
    except Exception as error:  # whatever such a file makes a reader do: the next one is judged all the same
        said, problems, signed = [], [f"{NONE} ({type(error).__name__})."], None
    kept = receipts.find(hashlib.sha256(data).hexdigest())
    for each in kept:
        what = f"{each.form}, version {each.version}, at {_when(each.at)}"
        said.append(f"A receipt of exactly this file was kept: {what}.")
    if signed and not kept:
        why = _unkept(*signed)
        (said if why else problems).append(f"{why}: {ALONE}" if why else MISSED)
    return said, problems


def _unkept(practice, at):
    """Why there need not be a receipt of what was signed then at this practice; "" where there was one."""
    begun = [first for clinic, first in receipts.begin().items() if _called(clinic) == practice]
    if not begun:
        return f"This server keeps no receipts of “{practice}”"
    if at < receipts.oldest():
        return f"Receipts are kept for {receipts.YEARS} years, and it says that it was signed before"
    if at < min(begun) - SLACK:
        return f"Receipts of “{practice}” begin at {_when(min(begun))}, and it says that it was signed before"
    return ""


def _called(clinic):
    try:
        return clinic_name(clinic)
    except KeyError:  # it is not in housecall.toml any more
        return ""


def _agreeing(data):
    """Whether a document agrees with itself and what is known of its text; if so, where and when it was signed."""
    found, said, signed = look(data), [], None
    problems = found.problems
    if not problems:
        text, bad = known_text(found.record["form"])
        if bad:
            problems.append(text)
        else:
            names = ", ".join(signer["name"] for signer in found.record["signers"])
            moment = dt.datetime.fromisoformat(found.record["at"])
            signed = found.record["form"]["practice"], moment.timestamp() * 1000
            said += [f"It agrees with itself. {text}", f"Signed by {names} at {found.record['at']}."]
    if found.pictures:
        said.append(f"{found.pictures} of its lines or pages are pictures, which only a receipt can vouch for.")
    return said, problems, signed


def _when(ms):
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
