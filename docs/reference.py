"""Writes the reference of the plugin API from the code: `python docs/reference.py`. `--check` says what is old."""

from __future__ import annotations

import ast
import inspect
import io
import json
import re
import sys
import tokenize
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING
from dataclasses import fields as columns
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from housecall import fields
from housecall.extending import hookspecs, manifest, nouns, slots, theming

ROOT = Path(__file__).resolve().parent.parent
MADE = "<!-- Made by docs/reference.py from {}; change it there. -->\n"
KINDS = {str: "text", int: "whole number", bool: "true or false", list: "list", dict: "table"}
NEEDED = "needed"

#: What a key of a TOML file is called in the noun that is made of it, where the two differ.
RENAMED = {
    **{"from": "sources", "fragment": "fragments", "event": "events", "step": "steps", "job": "jobs"},
    **{"transfer": "transfers"},
    **{"tokens": "light", "block": "blocks"},
}

#: Keys that take one or more of these words.
WORDS: Mapping[str, Iterable[str]] = {
    **{"fragment.roles": nouns.SEATS, "event.from": nouns.SEATS, "event.to": nouns.RECIPIENTS},
    **{"transfer.from": nouns.SEATS, "transfer.to": nouns.TAKERS, "transfer.states": nouns.STATES},
    **{"event.path": nouns.PATHS, "event.states": nouns.STATES, "data.whose": (*nouns.SEATS, "member")},
    **{"csp": nouns.CSP, "scheme": theming.SCHEMES, "block.type": theming.BLOCKS},
}


@cache
def comments(module: ModuleType) -> dict[int, str]:
    """The `#:` comments of a module, by line."""
    source = io.StringIO(inspect.getsource(module))
    found = (token for token in tokenize.generate_tokens(source.readline) if token.type == tokenize.COMMENT)
    return {token.start[0]: token.string[2:].strip() for token in found if token.string.startswith("#:")}


@cache
def meanings(module: ModuleType, name: str) -> dict[str, str]:
    """What the comments say of the keys of a table, or of the fields of a dataclass."""
    said, found = comments(module), {}
    for node in ast.parse(inspect.getsource(module)).body:
        entries: list[tuple[str, ast.AST, ast.AST]] = []
        if isinstance(node, ast.ClassDef) and node.name == name:
            lines = [each for each in node.body if isinstance(each, ast.AnnAssign)]
            entries = [(each.target.id, each, each) for each in lines if isinstance(each.target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            table = node.value
            if isinstance(table, ast.Dict):
                pairs = zip(table.keys, table.values, strict=True)
                entries = [(key.value, key, value) for key, value in pairs if isinstance(key, ast.Constant)]
        for key, first, last in entries:
            lines_ = range(first.lineno, (last.end_lineno or 0) + 2)  # a comment may stand below a default in brackets
            stop = min((other.lineno for _, other, _ in entries if other.lineno > first.lineno), default=10**6)
            found[key] = next((said[line] for line in lines_ if line in said and line < stop), "")
    return found


def cell(text: str) -> str:
    return re.sub("<(?![^`]*`)", "&lt;", text).replace("|", "\\|").replace("\n", " ") or "–"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines) + "\n"


def shown(value: Any, key: str) -> str:
    """A default as it stands in TOML."""
    if isinstance(value, tuple | list):
        return f"`{json.dumps(list(value))}`" if value else "–"
    if value is None or value == "" or value == {}:
        return "–"
    return f'`"{value:g}/s"`' if key == "rate" else f"`{json.dumps(value)}`"


def keys(module: ModuleType, known: str, noun: type | None, home: ModuleType, prefix: str = "") -> str:
    """A table of the keys that the file may have: type, default, meaning; all from the code."""
    own = {each.name: each for each in columns(noun)} if noun else {}
    said = meanings(home, noun.__name__) if noun else {}
    rows = []
    for key, kind in getattr(module, known).items():
        name = RENAMED.get(key, key)
        column = own.get(name)
        default = NEEDED if prefix + key in ("id", "name", "api", "block.type") else "–"
        if column is not None and column.default is MISSING and column.default_factory is MISSING:
            default = NEEDED
        elif column is not None and column.default is not MISSING:
            default = shown(column.default, key)
        meaning = meanings(module, known).get(key) or said.get(name, "")
        assert meaning, f"{module.__name__}.{known} does not say what {key!r} is"
        words = WORDS.get(prefix + key)
        choice = f": {', '.join(f'`{word}`' for word in words)}" if words else ""
        rows.append((f"`{key}`", KINDS[kind], default, meaning + choice))
    return table(("key", "type", "default", "meaning"), rows)


def hooks() -> str:
    """Every hook: signature, kind, text and example, and who uses it."""
    text = [MADE.format("core/housecall/extending/hookspecs.py"), "# Hooks\n"]
    intro = inspect.getdoc(hookspecs) or ""
    text.append(intro.partition("\n\n")[2] + "\n")
    text.append(
        table(
            ("hook", "kind", "used by"),
            ((f"[`{name}`](#{name})", kind, ", ".join(users(name))) for name, kind in hookspecs.KINDS.items()),
        )
    )
    for name, kind in hookspecs.KINDS.items():
        spec = getattr(hookspecs, name)
        sign = inspect.signature(spec)
        text.append(f"## {name}\n")
        text.append(f"```text\n{name}{str(sign).replace(chr(39), '')}\n```\n")
        text.append(f"*{kind}*. {inspect.getdoc(spec)}\n")
    return "\n".join(text)


def users(hook: str) -> list[str]:
    """The plugins that implement a hook, each as a link."""
    found = []
    for path in sorted([*ROOT.glob("plugins/*/*.py"), *ROOT.glob("examples/plugins/*/*.py")]):
        marked = re.findall(r"^@hookimpl\b.*\n(?:async )?def (\w+)", path.read_text(encoding="utf-8"), re.M)
        where = path.parent.relative_to(ROOT).as_posix()
        if hook in marked and (link := f"[{path.parent.name}](../{where})") not in found:
            found.append(link)
    return found


def places() -> str:
    """Every slot: what its templates get, which visit its modules see, who sees it."""
    said = meanings(slots, "SLOTS")
    rows = []
    for name, slot in slots.SLOTS.items():
        who, _, where = said[name].partition(": ")
        assert where, f"slots.py does not say who sees {name!r}"
        visit = {"": "none", "own": "their own", "card": "the card's", "current": "the current one"}[slot.visit]
        rows.append((f"`{name}`", who, where, ", ".join(f"`{each}`" for each in slot.adds), visit))
    common = ", ".join(f"`{name}`" for name in slots.CONTEXT)
    return "\n".join(
        (
            MADE.format("core/housecall/extending/slots.py"),
            "# Slots\n",
            f"{inspect.getdoc(slots)}\n",
            f"The template of every fragment may use {common}, and what its slot adds. The context is the same for",
            "everybody who sees the page; what is live comes by `host` (contracts §12). `roles` of a fragment counts",
            "where `host.visit` is not none.\n",
            table(("slot", "who sees it", "where", "adds", "`host.visit`"), rows),
        )
    )


def files() -> str:
    """Every key of plugin.toml and theme.toml."""
    array = "One `[[{0}]]` for each.\n"
    parts = [
        MADE.format("core/housecall/extending/manifest.py, nouns.py and theming.py"),
        "# plugin.toml and theme.toml\n",
        "A name that is not listed here is refused with the nearest known one; `housecall check` tells every mistake",
        "with its line.\n",
        "## plugin.toml\n",
        keys(manifest, "TOP", nouns.Manifest, nouns),
    ]
    for name, noun in (
        ("fragment", nouns.Fragment),
        ("event", nouns.Event),
        ("transfer", nouns.Transfer),
        ("step", nouns.Step),
        ("data", nouns.Data),
        ("outgoing", nouns.Outgoing),
        ("job", nouns.Job),
    ):
        parts += [f"### {name}\n", f"{(inspect.getdoc(noun) or '').partition(chr(10))[0]} {array.format(name)}"]
        parts.append(keys(manifest, name.upper(), noun, nouns, f"{name}."))
    parts += [
        "### settings\n",
        "One `[settings.<id>]` for each; its keys are those of a [field](fields.md). The fields of an event are",
        "`[event.fields.<id>]` and need no label, those of a step `[step.fields.<id>]`.\n",
        "## theme.toml\n",
        keys(theming, "TOP", theming.Theme, theming),
        "### block\n",
        f"What a waiting room shows. {array.format('block')}",
        keys(theming, "BLOCK", None, theming, "block."),
    ]
    needs = "; ".join(f"`{kind}` {', '.join(f'`{name}`' for name in names)}" for kind, names in theming.BLOCKS.items())
    parts.append(f"By its type a block needs: {needs}.\n")
    return "\n".join(parts)


def vocabulary() -> str:
    """Every type of a field, and every key."""
    doc = inspect.getdoc(fields.Field) or ""
    rules = [index for index, line in enumerate(doc.splitlines()) if line.startswith("===")]
    lines, starts = doc.splitlines(), [found.start() for found in re.finditer("=+", doc.splitlines()[rules[0]])]
    cut = [[line[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)] for line in lines]
    rows = []
    for name, value, given in cut[rules[1] + 1 : rules[2]]:
        bounds = [key for key, types in (("min", fields._WITH_MIN), ("max", fields._WITH_MAX)) if name in types]
        most = f"{fields.LONGEST[name]:,}".replace(",", " ") if name in fields.LONGEST else ""
        rows.append((f"`{name}`", value, given, " ".join(f"`{key}`" for key in bounds), most))
    assert {row[0].strip("`") for row in rows} == set(fields.TYPES), "the docstring of Field lists other types"
    said, own = meanings(fields, "Field"), {each.name: each for each in columns(fields.Field)}
    listed = []
    for key, (_, what) in fields._KEYS.items():
        assert said[key] or key == "id", f"Field does not say what {key!r} is"
        default = NEEDED if own[key].default is MISSING else shown(own[key].default, key)
        listed.append((f"`{key}`", what or "a value of the type", default, said[key]))
    scopes = ", ".join(f"`{scope}`" for scope in fields.SCOPES)
    return "\n".join(
        (
            MADE.format("core/housecall/fields.py"),
            "# Fields\n",
            f"{(inspect.getdoc(fields) or '').partition(chr(10))[0]} The id of a field is the name of its table: "
            f"{said['id']}.\n",
            "## Types\n",
            table(("type", "value", "from a form or JSON", "bounds", "at most, without `max`"), rows),
            "## Keys\n",
            table(("key", "type", "default", "meaning"), listed),
            f"Scopes: {scopes}. What `clean` says of a value that does not pass: "
            f"{', '.join(f'`{code}`' for code in fields.CODES)}.\n",
            f"A `pattern` keeps to {(inspect.getdoc(fields.ways) or '').partition('leaves ')[2]}\n",
        )
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "hooks.md": hooks,
    "slots.md": places,
    "manifest.md": files,
    "fields.md": vocabulary,
}


def main(arguments: list[str]) -> int:
    old = []
    for name, make in PAGES.items():
        path, text = ROOT / "docs" / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            old.append(name)
            if "--check" not in arguments:
                path.write_text(text, encoding="utf-8")
    if "--check" in arguments and old:
        print(f"Out of date: {', '.join(old)}. Run: python docs/reference.py")
        return 1
    print(f"Written: {', '.join(old)}." if old else "Everything is up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
