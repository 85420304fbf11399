"""A script for pdf.py: reads a PDF from its input; says its title, its text and pictures of its pages as JSON."""

import base64
import json
import re
import resource
import signal
import sys
from io import BytesIO

MEMORY, WORK, SECONDS = 2 << 30, 8, 30  #: bytes, seconds of a processor, and by the clock
PAGES, LETTERS = 12, 30_000
PIXELS = 1500  #: the longer side of a page's picture


def look(data):
    try:
        import pypdfium2
    except ImportError:
        return {"problem": "missing"}
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        return {"problem": "encrypted" if "password" in str(error).lower() else "broken"}
    try:
        if not 0 < len(document) <= PAGES:
            return {"problem": "pages"}
        pages = [shown(page) for page in document]
        text = markdown("\n\n".join(page.get_textpage().get_text_range() for page in document))
        title = clean(document.get_metadata_dict().get("Title", ""))[:200]
    except Exception:  # whatever such a file makes a reader do
        return {"problem": "broken"}
    return {"title": title, "text": text[:LETTERS], "pages": pages} if text else {"problem": "empty"}


def shown(page):
    """A page as a picture in gray: what it does besides being seen is gone."""
    width, height = page.get_size()
    picture, out = page.render(scale=PIXELS / max(width, height), grayscale=True).to_pil().convert("L"), BytesIO()
    picture.quantize(16).save(out, "PNG", optimize=True)
    return {"width": picture.width, "height": picture.height, "png": base64.b64encode(out.getvalue()).decode()}


def markdown(text):
    """Its lines, with points and headings as Markdown has them as far as they can be told."""
    lines = []
    for line in clean(text).split("\n"):
        line = re.sub(r"^\s*[•‣▪●·–]\s*", "- ", line).strip()
        if len(line) < 60 and re.search(r"[^\W\d_]{3}", line) and line == line.upper():
            line = f"\n## {line}\n"
        lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def clean(text):
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c == "\n" or c.isprintable())


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (WORK, WORK))
    signal.alarm(SECONDS)
    print(json.dumps(look(sys.stdin.buffer.read())))
