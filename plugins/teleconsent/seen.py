"""What is to be seen on a page of a signed document: as teleconsent-pdf.js draws it, and in no other way.

What is read is what is seen only if nothing of it can be white, tiny, in other letters, beside the page or below
something else. So each line must be one that our page writes, where it would write it.
"""

import math
import re
from dataclasses import dataclass, field

PAPER = ([0, 0, 595, 842], [0, 0, 612, 792])
MARGIN, FOOT, INDENT, PAD = 56, 64, 14, 0.3
LEAD, TALL = 1.38, 1.75  #: from line to line, in sizes: of letters, of pictures
ABOVE, BELOW, PIXELS = 1.3, 0.55, 4  #: of a picture of a line, as in teleconsent-line.js
BOX = (1000, 300)  #: in which strokes are kept
NEAR = 0.03  #: numbers have two digits behind the point
WIDEST = 1.02  #: of all letters, in sizes
SMALL, TYPED, SHEET = 7.5, 24, 18  #: sizes: at the foot of a page, of a typed signature, of one on the page of a PDF
SIZES = {"regular": (10.5,), "bold": (10.5, 12.5, 18), "script": (TYPED,), "": (10.5, 12.5, 18, TYPED)}
FONTS = {"/regular": "/Helvetica", "/bold": "/Helvetica-Bold", "/script": "/Times-Italic"}
PAGE = {"/Type", "/Parent", "/Resources", "/MediaBox", "/Annots", "/Contents"}
IMAGE = {"/Type": ("/XObject",), "/Subtype": ("/Image",), "/Filter": ("/FlateDecode",), "/BitsPerComponent": (8,)}
IMAGE |= {"/ColorSpace": ("/DeviceGray", "/DeviceRGB")}
MAP = (
    "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /Letters def\n/CMapType 2 def\n"
    "1 begincodespacerange\n<00> <ff>\nendcodespacerange\n",
    "\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend",
)
BLOCK = r"\d+ beginbfchar\n(?:<\w\w> <(?:\w{4})+>\n)+endbfchar"
ALIEN = "holds something that was not there when it was signed."
OTHER = "has another font than when it was signed."
MOVED = "has something at another place, or of another size, than when it was signed."

N = r"(\d+(?:\.\d\d?)?)"
DRAWN = {
    "text": rf"BT (?:0|0\.35) g /(\w+) {N} Tf 1 0 0 1 {N} {N} Tm <((?:[0-9A-F]{{2}})*)> Tj ET",
    "picture": rf"q {N} 0 0 {N} {N} {N} cm (/Line\d+) Do Q\n"
    rf"q BT {N} Tz 1 0 0 1 {N} {N} Tm (/Hidden\d+ {N} Tf <[0-9a-f]+> Tj(?: /Hidden\d+ \10 Tf <[0-9a-f]+> Tj)*) ET Q",
    "sheet": rf"q {N} 0 0 {N} {N} {N} cm (/Page\d+) Do Q",
    "rule": rf"q 0\.35 G 0\.7 w {N} {N} m {N} \2 l S Q",
    "signature": rf"/TeleconsentSignature BMC q (0\.\d{{1,4}}) 0 0 -\1 {N} {N} cm 7 w 1 J 1 j 0\.08 0\.13 0\.24 RG\n"
    r"((?:\d+ \d+ m (?:\d+ \d+ l )+S\n)*)Q EMC",
}
DRAWN = {kind: re.compile(f"{pattern}\n") for kind, pattern in DRAWN.items()}


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something that was drawn: its left end, and the line that it stands on; of a signature its upper edge."""

    kind: str
    x: float
    y: float
    text: str = ""
    font: str = ""  #: none of a picture
    size: float = 0  #: of letters
    whole: float = 0  #: of a picture's letters, before it was made smaller
    wide: float = 0
    high: float = 0
    scale: float = 0
    strokes: tuple[list[int], ...] = ()
    pixels: tuple[int, int] = (0, 0)

    def sized(self, sizes, wide):
        """Whether it has one of these sizes; or less, because it would be wider than `wide` otherwise."""
        if self.kind == "picture":
            return self.whole in sizes and (self.size > self.whole - NEAR or self.wide > wide - 1)
        return self.size in sizes or max(sizes) > self.size > (wide - 1) / WIDEST / max(len(self.text), 1)


@dataclass
class Seen:
    """What stands on one page, in its order, and what is wrong with it."""

    lines: list[str] = field(default_factory=list)
    strokes: list[list[int]] = field(default_factory=list)
    rules: int = 0
    pictures: int = 0
    problem: str = ""


class Strange(Exception):
    """What our page never draws."""


def look(page, number, form):
    """Read one page; `number` from 0."""
    seen = Seen()
    try:
        items = list(_items(page))
        for item in items:
            seen.strokes += item.strokes
            seen.rules += item.kind == "rule"
            seen.pictures += item.kind in ("picture", "sheet")
            if item.kind in ("text", "picture"):
                seen.lines.append(item.text)
        body, (width, height) = items[:-2], page["/MediaBox"][2:]
        placed = _signed(body, number, form, width, height) if form["pages"][number:] else _flows(body, width, height)
        if not placed or not _foot(items[-2:], width):
            raise Strange(MOVED)
    except Strange as strange:
        seen.problem = str(strange)
    return seen


def _items(page):
    """What a page draws, in its order."""
    resources = page["/Resources"].get_object()
    if set(page) - PAGE or page["/MediaBox"] not in PAPER or page.get("/Annots"):
        raise Strange(ALIEN)
    if set(resources) - {"/Font", "/XObject", "/ExtGState"} or list(_table(resources, "/ExtGState")):
        raise Strange(ALIEN)
    letters = {name: _letters(name, font.get_object()) for name, font in _table(resources, "/Font")}
    pixels = {name: _pixels(image.get_object()) for name, image in _table(resources, "/XObject")}
    content, at = raw(page["/Contents"]).decode("latin-1").rstrip("\n") + "\n", 0
    while at < len(content):
        found = ((kind, pattern.match(content, at)) for kind, pattern in DRAWN.items())
        kind, match = next(((kind, match) for kind, match in found if match), ("", None))
        if match is None:
            raise Strange(ALIEN)
        yield ITEMS[kind](match.groups(), letters, pixels)
        at = match.end()


def _table(resources, kind):
    return resources[kind].get_object().items() if kind in resources else ()


def raw(stream):
    """The bytes of a stream of which nothing is said but how it is packed."""
    stream = stream.get_object()
    if set(stream) - {"/Length", "/Filter"} or stream.get("/Filter", "/FlateDecode") != "/FlateDecode":
        raise Strange(ALIEN)
    return stream.get_data()


def _pixels(image):
    """Width and height of a picture in pixels."""
    size = {"/Width", "/Height"}
    if set(image) - {"/Length"} != set(IMAGE) | size or any(image[key] not in known for key, known in IMAGE.items()):
        raise Strange(ALIEN)
    return int(image["/Width"]), int(image["/Height"])


def _letters(name, font):
    """A function from the bytes of a text, in hexadecimal, to its letters."""
    if name in FONTS:
        whole = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": FONTS[name], "/Encoding": "/WinAnsiEncoding"}
        if font != whole:
            raise Strange(OTHER)
        return lambda data: bytes.fromhex(data).decode("cp1252", "replace")
    table = _hidden(font)
    return lambda data: "".join(table[code] for code in bytes.fromhex(data))


def _hidden(font):
    """The letters of a font whose glyphs are empty, as `Hidden` in teleconsent-line.js makes it."""
    count = font.get("/LastChar")
    if not isinstance(count, int) or not 0 < count < 256:
        raise Strange(OTHER)
    names = [f"/letter{number}" for number in range(1, count + 1)]
    whole = {
        "/Type": "/Font",
        "/Subtype": "/Type3",
        "/FontBBox": [0, 0, 500, 1000],
        "/FontMatrix": [0.001, 0, 0, 0.001, 0, 0],
        "/Encoding": {"/Type": "/Encoding", "/Differences": [1, *names]},
        "/FirstChar": 1,
        "/LastChar": count,
        "/Widths": [500] * count,
        "/Resources": {},
    }
    glyphs, told = font["/CharProcs"].get_object(), raw(font["/ToUnicode"]).decode("ascii")
    blocks = told.removeprefix(MAP[0]).removesuffix(MAP[1])
    table = [(int(code, 16), bytes.fromhex(letter)) for code, letter in re.findall(r"<(\w\w)> <(\w+)>", blocks)]
    if (
        {key: value for key, value in font.items() if key not in ("/CharProcs", "/ToUnicode")} != whole
        or set(glyphs) != set(names)
        or any(raw(glyph) != b"500 0 d0" for glyph in glyphs.values())
        or told != blocks.join(MAP)
        or not re.fullmatch(rf"{BLOCK}(?:\n{BLOCK})*", blocks)
        or [code for code, _ in table] != [*range(1, count + 1)]
    ):
        raise Strange(OTHER)
    return {code: letter.decode("utf-16-be") for code, letter in table}


def _text(values, letters, _):
    font, size, x, y, data = values
    if f"/{font}" not in FONTS or f"/{font}" not in letters:
        raise Strange(OTHER)
    return Item(kind="text", x=float(x), y=float(y), text=letters[f"/{font}"](data), font=font, size=float(size))


def _picture(values, letters, pixels):
    """A line that is the browser's picture, and the letters behind it: where it stands they stand."""
    *box, name, _, across, up, told, size = values
    wide, high, left, low, x, y, size = map(float, (*box, across, up, size))
    across, down = pixels[name]
    whole = next((each for each in (SMALL, *SIZES[""]) if math.ceil(each * (ABOVE + BELOW) * PIXELS) == down), 0)
    scale, below = wide * PIXELS / across, (down - math.floor(whole * ABOVE * PIXELS + 0.5)) / PIXELS
    # of a picture of few pixels the width tells its scale less well
    for one, other in ((left, x), (high, down / PIXELS * scale), (low, y - below * scale), (size, whole * scale)):
        if abs(one - other) > 10 * NEAR:
            raise Strange(MOVED)
    text = "".join(letters[font](data) for font, data in re.findall(r"(/Hidden\d+) \S+ Tf <(\w+)>", told))
    return Item(kind="picture", x=x, y=y, text=text, size=size, whole=whole, wide=wide)


def _sheet(values, _, pixels):
    wide, high, x, y = map(float, values[:4])
    return Item(kind="sheet", x=x, y=y, wide=wide, high=high, pixels=pixels[values[4]])


def _rule(values, _, __):
    x, y, end = map(float, values)
    return Item(kind="rule", x=x, y=y, wide=end - x)


def _signature(values, _, __):
    scale, x, y = map(float, values[:3])
    strokes = tuple([int(each) for each in re.findall(r"\d+", line)] for line in values[3].splitlines())
    for stroke in strokes:
        if max(stroke[::2]) > BOX[0] + 1 or max(stroke[1::2]) > BOX[1]:
            raise Strange(MOVED)
    return Item(kind="signature", x=x, y=y, scale=scale, strokes=strokes)


ITEMS = {"text": _text, "picture": _picture, "sheet": _sheet, "rule": _rule, "signature": _signature}


def _near(one, other):
    return abs(one - other) <= NEAR


def _within(item, left, right):
    """Letters begin at the left; a picture of them may end at the right."""
    return _near(item.x, left) if item.font else left - NEAR <= item.x and item.x + item.wide <= right + NEAR


def _foot(items, width):
    """Whether these are the two lines at the foot of each page."""
    return [item.kind in ("text", "picture") for item in items] == [True, True] and all(
        _near(item.y, y) and item.sized((SMALL,), width - 2 * MARGIN) and _within(item, MARGIN, width - MARGIN)
        for item, y in zip(items, (40, 29), strict=True)
    )


def _flows(items, width, height):
    """Whether each stands below what was drawn before it, so over nothing."""
    y, rule, mark = height - MARGIN, 0.0, False
    for item in items:
        due, rule = rule, 0.0  # a rule stands below a signature, and nowhere else
        if item.kind == "rule":
            good = _near(item.y, due) and _near(item.x, MARGIN) and _near(item.wide, BOX[0] * PAD)
            y = item.y
        elif item.kind == "signature":
            good = _near(item.x, MARGIN) and item.scale == PAD and item.y <= y + NEAR
            y = rule = item.y - BOX[1] * PAD
        else:
            lead = item.whole * TALL or item.size * LEAD
            point = bool(item.font) and item.text == "•" and _near(item.x, MARGIN + INDENT - 12)
            lefts = [MARGIN + 6] if item.font == "script" else [MARGIN + INDENT] if mark else [MARGIN, MARGIN + INDENT]
            good = (
                item.kind != "sheet"
                and item.sized(SIZES[item.font], BOX[0] * PAD - 12)
                and (_near(item.y, y) if mark else FOOT - NEAR <= item.y <= y - lead + NEAR)
                and (point or any(_within(item, left, width - MARGIN) for left in lefts))
            )
            y, mark, rule = item.y, point, 0.0 if item.font in ("regular", "bold") else item.y - 10
        if not good:
            return False
    return not mark


def _signed(items, number, form, width, height):
    """Whether this is a page of the PDF that a form was, with a signature at each of its places."""
    if not items or items[0].kind != "sheet":
        return False
    sheet, *signs = items
    across, down = form["pages"][number]
    scale = min((width - 72) / across, (height - 36 - FOOT) / down)
    wide, high = across * scale, down * scale
    x, y = (width - wide) / 2, height - 36 - high
    places = [(x + left * wide, y + high - top * high) for page, left, top in form["places"] if page == number]
    pairs = zip((sheet.x, sheet.y, sheet.wide, sheet.high), (x, y, wide, high), strict=True)
    return (
        sheet.pixels == (across, down)
        and all(_near(one, other) for one, other in pairs)
        and len(signs) == len(places)
        and all(_stands(sign, *place, wide * 0.34) for sign, place in zip(signs, places, strict=True))
    )


def _stands(item, x, top, wide):
    """Whether a signature stands at its place."""
    if item.kind == "signature":
        return _near(item.x, x) and _near(item.y, top) and abs(item.scale - wide / BOX[0]) <= NEAR / 100
    written = item.font == "script" or item.kind == "picture"
    return written and _near(item.y, top - 24) and item.sized((SHEET,), wide) and _within(item, x, x + wide)
