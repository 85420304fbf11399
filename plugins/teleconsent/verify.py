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

from . import forms as known
from . import receipts

SIGNATURE = "/TeleconsentSignature"
#: What teleconsent-pdf.js draws with; whatever else stands on a page was not drawn by it.
OPERATORS = frozenset("BT ET Tf Tm Tz Tj g G RG w J j q Q cm Do m l S BMC EMC".split())  # noqa: SIM905
MISSING = "This command reads PDF with pypdf: pip install 'housecall[teleconsent]'"
RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_SPACE = re.compile(r"\s+")


@dataclass
class Found:
    """What a document says, and what is wrong with it."""

    record: dict = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    pictures: int = 0  #: lines that are pictures, because the standard fonts have no letters for them


@dataclass
class Drawn:
    """What stands on one page."""

    lines: list[str] = field(default_factory=list)
    strokes: list[list[int]] = field(default_factory=list)
    rules: int = 0
    pictures: int = 0
    strange: set[str] = field(default_factory=set)


def look(data):
    """Read a document and compare it with itself."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    found = Found()
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it thinks of a broken file, we say in our own words
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted:
            found.problems.append("It is encrypted; what is signed here never is.")
            return found
        found.record = json.loads(reader.attachments["consent.json"][0])
        found.problems += list(_wrong(reader, found))
    except (PyPdfError, KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        found.problems.append(f"It is not a signed document of Housecall, or it is damaged ({type(error).__name__}).")
    return found


def _wrong(reader, found):
    record, root = found.record, reader.trailer["/Root"]
    form = record["form"]
    for key in ("/OpenAction", "/AA", "/AcroForm", "/URI"):
        if key in root:
            yield f"It holds something that was not there when it was signed: {key}"
    if len(reader.attachments) != 1:
        yield "It holds more files than were there when it was signed."
    if _sha(known.written(form["title"], form["blocks"])) != form["sha256"]:
        yield "The text in its record is not the text that has the SHA-256 which it states."
    drawn = [_drawn(page) for page in reader.pages]
    found.pictures = sum(page.pictures for page in drawn)
    for number, page in enumerate(drawn, 1):
        if page.strange or reader.pages[number - 1].annotations:
            yield f"Page {number} holds something that was not there when it was signed."
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


def _drawn(page):
    """The lines of a page as they were drawn, in their order, and the strokes of its signatures."""
    resources = page["/Resources"]
    named = resources.get("/Font")
    fonts = {name: _letters(each.get_object()) for name, each in named.get_object().items()} if named else {}
    drawn, letters, signing, line = Drawn(), None, False, []
    content = page.get_contents()
    for operands, operator in content.operations if content is not None else ():
        name = operator.decode("latin-1")
        if name not in OPERATORS:
            drawn.strange.add(name)
        elif name == "BT":
            line = []
        elif name == "Tf":
            letters = fonts[str(operands[0])]
        elif name == "Tj":
            line.append(letters(operands[0].original_bytes))
        elif name == "ET":
            drawn.lines.append("".join(line))
        elif name == "Do":
            drawn.pictures += 1
        elif name == "BMC":
            signing = str(operands[0]) == SIGNATURE
        elif name == "EMC":
            signing = False
        elif name == "m" and signing:
            drawn.strokes.append([int(each) for each in operands])
        elif name == "l" and signing:
            drawn.strokes[-1] += [int(each) for each in operands]
        elif name == "l":
            drawn.rules += 1
    return drawn


def _letters(font):
    """A function from the bytes of a text to its letters."""
    if font["/Subtype"] != "/Type3":
        return lambda data: data.decode("cp1252", "replace")
    told = font["/ToUnicode"].get_object().get_data().decode("ascii")
    table = {}
    for block in re.findall(r"beginbfchar\n(.*?)\nendbfchar", told, re.S):
        for code, letter in re.findall(r"<(\w\w)> <(\w+)>", block):
            table[int(code, 16)] = bytes.fromhex(letter).decode("utf-16-be")
    return lambda data: "".join(table[code] for code in data)


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
            click.echo(f"{name}{line}")
        for problem in problems:
            click.echo(f"{name}{problem}", err=True)
        bad = bad or bool(problems)
    if bad:
        click.get_current_context().exit(1)


def judged(data):
    """What is to be said of a document, and what is wrong with it."""
    found, sha256, said = look(data), hashlib.sha256(data).hexdigest(), []
    problems = found.problems
    if not problems:
        text, bad = known_text(found.record["form"])
        if bad:
            problems.append(text)
        else:
            names = ", ".join(signer["name"] for signer in found.record["signers"])
            said += [f"It agrees with itself. {text}", f"Signed by {names} at {found.record['at']}."]
    if found.pictures:
        said.append(f"{found.pictures} of its lines or pages are pictures, which only a receipt can vouch for.")
    kept = receipts.find(sha256)
    for each in kept:
        what = f"{each.form}, version {each.version}, at {_when(each.at)}"
        said.append(f"A receipt of exactly this file was kept: {what}.")
    if not kept and receipts.any_kept():
        problems.append("No receipt of exactly this file was kept here, though this server keeps receipts.")
    elif not kept:
        said.append("This server keeps no receipts: that the file agrees with itself does not show who made it.")
    return said, problems


def _when(ms):
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
