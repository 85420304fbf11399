"""A script for pdf.py: reads a PDF from its input, says its title and its text as JSON."""

import json
import re
import resource
import sys
from io import BytesIO

MEMORY, SECONDS, PAGES, LETTERS = 1 << 30, 15, 60, 30_000


def look(data):
    try:
        from pypdf import PdfReader
    except ImportError:
        return {"problem": "missing"}
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted:
            return {"problem": "encrypted"}
        if len(reader.pages) > PAGES:
            return {"problem": "pages"}
        text = markdown("\n\n".join(page.extract_text() for page in reader.pages))
        title = str((reader.metadata or {}).get("/Title") or "")
    except Exception:  # whatever such a file makes a reader do
        return {"problem": "broken"}
    if not text:
        return {"problem": "empty"}
    return {"title": clean(title)[:200], "text": text[:LETTERS]}


def markdown(text):
    """Its lines, with points and headings as Markdown has them as far as they can be told."""
    lines = []
    for line in clean(text).split("\n"):
        line = re.sub(r"^\s*[•‣▪●·–]\s*", "- ", line).rstrip()
        if re.fullmatch(r"\s*([0-9]+\.|[IVX]+\.)?\s*[^a-z.]{4,60}", line) and re.search(r"[A-Z]{3}", line):
            line = f"\n## {line.strip()}\n"
        lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def clean(text):
    return "".join(c for c in text.replace("\r", "\n") if c == "\n" or c.isprintable())


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    print(json.dumps(look(sys.stdin.buffer.read())))
