"""docs/contracts.md and the code say the same; rows marked ◌ are agreed and not built yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine

from housecall import clinics, config
from housecall.app import create_app
from housecall.clinics.models import Base
from housecall.extending import manifest
from housecall.extending.hookspecs import KINDS
from housecall.extending.slots import SLOTS
from housecall.visits import VisitError, readiness
from housecall.web import messages

ROOT = Path(__file__).parent.parent
CORE = ROOT / "core/housecall"
PAGE = (ROOT / "docs/contracts.md").read_text(encoding="utf-8")


def section(number: int) -> str:
    return re.split(rf"^## {number}\. ", PAGE, flags=re.M)[1].split("\n## ")[0]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("site")
    (folder / "housecall.toml").write_text('[clinic.main]\nname = "Elm"\n', encoding="utf-8")
    site = config.load(folder, environ={})
    clinics.database.prepare(site.database)
    return create_app(site)


def test_the_url_map_is_the_pages(app: Flask) -> None:
    promised = set()
    for cell in re.findall(r"^\|([^|]+)\|", section(3), flags=re.M):
        for mark, method, path in re.findall(r"(◌ )?`(GET|POST) (/[^`\s]*)`", cell):
            if not mark:
                promised.add((method, path))
    built = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith("plugin.")  # below `/-/<plugin>/`
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    normal = {(method, path.replace("path:", "")) for method, path in promised}
    assert {(m, p.replace("path:", "")) for m, p in built} == normal


def test_the_tables_are_the_pages() -> None:
    promised: dict[str, set[str]] = {}
    for line in section(4).splitlines():
        for part in re.split(r" · (?=◌|`)|^\* |   · ", line):
            match = re.match(r"(◌ )?`(\w+)` (.+)", part.strip().rstrip("·").strip())
            if match and not match[1]:
                promised[match[2]] = columns(match[3])
    core = {name: table for name, table in Base.metadata.tables.items() if "owner" not in table.info}  # or a plugin's
    built = {name: {c.name for c in table.columns} for name, table in core.items()}
    assert built == promised


def columns(text: str) -> set[str]:
    text = re.sub(r"\([^)]*\)", "", text.split(":")[0])
    return {part.split()[0] for part in text.split(",") if part.strip()}


def test_the_migrated_schema_is_that_of_the_models(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    clinics.database.upgrade(engine)
    assert clinics.database.drift(engine) == []
    with engine.begin() as connection:
        connection.exec_driver_sql("alter table room add column planted text")
    assert clinics.database.drift(engine) != []
    engine.dispose()


def events(table: int) -> set[str]:
    """The names of the built events of the first (to the server) or second (to the browser) table of §7."""
    rows = re.findall(r"^\| (.+?) \|", section(7).split("| server → client")[table], flags=re.M)
    return {name for row in rows for mark, name in re.findall(r"(◌ )?`([a-z]+)`", row) if not mark}


def test_the_events_to_the_server_are_the_pages(app: Flask) -> None:
    handlers = set(app.extensions["socketio"].server.handlers["/"])
    assert handlers - {"connect", "disconnect", "*"} == events(0)


def test_the_events_to_the_browser_are_the_pages() -> None:
    source = (CORE / "web/sockets.py").read_text(encoding="utf-8")
    emitted = set(re.findall(r'\.emit\(\s*"(\w+)"', source))
    assert emitted == events(1)


def test_the_modules_listen_to_every_event_and_ask_only_known_ones() -> None:
    modules = {p.name: p.read_text(encoding="utf-8") for p in (CORE / "static/js").glob("*.js")}
    everything = "\n".join(modules.values())
    for event in events(1):
        assert re.search(rf"\b{event}\b", modules["visit.js"] + modules["dashboard.js"] + modules["link.js"]), event
    asked = set(re.findall(r'(?:link\.ask|this\.link\.emit)\("(\w+)"', everything))
    assert asked <= events(0)


def words(text: str) -> list[str]:
    """The words of a list of the page, without what stands in brackets and in quotes."""
    return re.findall(r"[a-z_]+", re.sub(r"\([^()]*\)|\{[^{}]*\}|=\S+|\[\]|\[[^\]]*\]|\"[^\"]*\"", " ", text))


def test_the_keys_of_a_manifest_are_the_pages() -> None:
    text = section(10)
    tops = words(re.search(r"`id (name version .*?)`", text, re.S)[1])  # type: ignore[index]
    tables = {"fragment", "event", "transfer", "step", "settings", "data", "outgoing", "job"}
    assert {"id", *tops} - {"imports", "missing"} == set(manifest.TOP) - tables
    for name, keys in (
        ("fragment", manifest.FRAGMENT),
        ("event", manifest.EVENT),
        ("transfer", manifest.TRANSFER),
        ("step", manifest.STEP),
        ("data", manifest.DATA),
        ("outgoing", manifest.OUTGOING),
        ("job", manifest.JOB),
    ):
        row = re.search(rf"`\[\[{name}\]\]` (.*?)(?= · `\[|\. Field:|\n)", text, re.S)
        assert row, name
        promised = set(words(row[1].replace("`[event.fields.x]`", "fields").replace("|", " ")))
        assert promised - {"rung"} == set(keys), name


def test_the_slots_are_the_pages() -> None:
    promised = {name: row for row in section(11).splitlines() for name in re.findall(r"`([a-z_]+\.[a-z]+)`", row)}
    assert set(promised) == set(SLOTS)
    kinds = {"no": "", "own": "own", "the card's": "card", "current": "current"}
    for name, row in promised.items():
        assert SLOTS[name].visit == kinds[row.split("|")[3].strip()], name


def test_the_hooks_are_the_pages() -> None:
    promised = {}
    for kind in ("contribute", "ask", "tell"):
        line = re.search(rf"^{kind}: (.*)$", section(15), re.M)
        assert line
        for part in line[1].split("Python event handlers")[0].split(" · "):
            if not part.startswith("◌") and (name := re.match(r"`(\w+)\(", part)):
                promised[name[1]] = kind
    assert promised == {name: kind.split()[0] for name, kind in KINDS.items()}


def members(text: str, group: str) -> set[str]:
    """The names in `{a, b(n), c?}`, as members of a group."""
    return {f"{group}.{name}" for name in re.findall(r"(\w+)(?:\?|\([^)]*\))?(?:, |$)", text)}


def promised_of_host(page: str) -> set[str]:
    """What a part's `host` has as §12 says, as `name` and `group.name`; without what is marked ◌."""
    told = re.sub(r" \((?:[^()`]|`[^`]*`)*\)", "", page).split(". `send` rejects")
    names: set[str] = set()
    for mark, text in re.findall(r"(◌ )?`([^`]+)`", told[0] + told[1].partition("\n")[2]):
        if mark or text.startswith("mount("):
            continue
        if group := re.fullmatch(r"(\w+) \{(.+)\}", text):
            names |= {group[1], *(members(group[2], group[1]) if group[1] != "me" else ())}
        elif call := re.match(r"(\w*)\.(\w+)\(", text):
            names |= {call[2]} if call[1] == "host" else {"channel", f"channel.{call[2]}"}
        else:
            names |= set(re.sub(r"\(.*", "", text).split())
    return names


def built_of_host(source: str) -> set[str]:
    """The keys of what host() returns, as `name` and `group.name`."""
    names, group = set(), ""
    for line in source.split("return Object.freeze({\n")[1].splitlines():
        if line.startswith("      "):
            found = re.match(r"(?:get )?(\w+)(?=[:(,])", line.strip())
            names |= {f"{group}.{found[1]}"} if found else set()
        elif line.startswith("    ") and line.strip()[0].isalpha():
            keys = re.findall(r"(?:^|, )(\w+)(?=[:,])", line.strip())
            names |= set(keys)
            group = keys[-1]
    return names


def test_what_a_part_may_do_is_the_pages() -> None:
    built = built_of_host((CORE / "static/js/host.js").read_text(encoding="utf-8"))
    assert {"ui.notice", "visit.on", "channel.send", "call.stats", "root", "answer"} <= built, "this test reads nothing"
    assert built == promised_of_host(section(12))


def test_every_error_has_its_words_and_all_words_are_used() -> None:
    listed = set(re.findall(r"error ∈ `([^`]+)`", section(7))[0].split())
    assert set(messages.ACKS) == listed
    refusals = set(re.findall(r"Refusals: `([^`]+)`", section(7))[0].split())
    cuts = set(re.findall(r"`\{reason: ([^}]+)\}`", section(7))[0].replace("\\", "").split("|"))
    assert set(messages.REFUSALS) == refusals | cuts
    source = "\n".join(p.read_text(encoding="utf-8") for p in CORE.rglob("*.py") if p.name != "messages.py")
    for code in (*messages.ACKS, *messages.REFUSALS, *messages.FIELDS):
        assert re.search(rf'"{code}"', source), f"nothing says {code}"


def test_every_code_that_a_socket_can_answer_has_its_words() -> None:
    source = "\n".join(p.read_text(encoding="utf-8") for p in (CORE / "web").glob("*.py"))
    codes = set(re.findall(r'\b(?:_Bad|Refused|_error\(\w+,) ?\(?"(\w+)"', source))
    codes |= {kind.code for kind in kinds(VisitError)}
    assert codes >= {"unknown", "no_ticket", "old_page", "slow_down", "failed", "stale"}
    assert codes <= {*messages.ACKS, *messages.REFUSALS}


def kinds(of: type[VisitError]) -> Iterator[type[VisitError]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


def test_every_state_of_devices_and_connection_has_its_words_in_a_module() -> None:
    modules = {name: (CORE / f"static/js/{name}.js").read_text(encoding="utf-8") for name in ("devices", "stage")}
    made = set(re.findall(r'return "(\w+)"|kind: "(\w+)"', modules["devices"]))
    made |= set(re.findall(r'(?:denied|prompt|granted): ("\w+")', modules["devices"]))
    kinds_ = {next(filter(None, each)).strip('"') if isinstance(each, tuple) else each.strip('"') for each in made}
    said = set(re.findall(r'case "(\w+)": return text\(', modules["devices"]))
    assert kinds_ - said == {"broken"}, "which the last line of words() says"
    assert re.search(r"default: return text\(", modules["devices"])
    states = set(re.findall(r"dataset\.state = (.+);", modules["stage"])[0].split('"')[1::2])
    assert states == {"connected", "connecting", "broken"}
    for state in states - {"connected"}:
        assert re.search(rf'state === "{state}" \? text\(', modules["stage"]), state


def test_what_a_check_may_say_to_the_board_is_the_pages_and_has_its_words() -> None:
    row = re.search(r"reason\}` \(([^)]+)\)", section(7))
    assert row
    named = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]+)`", row[1]))))
    devices, states, found = map(set, (readiness.DEVICES, readiness.STATES, readiness.FOUND))
    assert named - {"_"} == devices | states | found
    source = (CORE / "static/js/reasons.js").read_text(encoding="utf-8")
    tables = dict(re.findall(r"const (\w+) = \{\n(.*?)\n\};", source, re.S))
    keys = {name: set(re.findall(r"^  (\w+):", table, re.M)) for name, table in tables.items()}
    assert keys == {"WHAT": devices, "WHY": states, "ELSE": found}
    modules = "".join((CORE / f"static/js/{name}.js").read_text(encoding="utf-8") for name in ("devices", "swap"))
    made = set(re.findall(r'(?:return|kind:|denied:|prompt:|granted:) "(\w+)"', modules))
    assert made >= states - {"skipped"}, states - made


def test_every_code_of_a_form_has_its_words() -> None:
    source = "\n".join(p.read_text(encoding="utf-8") for p in (CORE / "clinics").glob("*.py"))
    codes = set(re.findall(r'Refused\(\w+="(\w+)"\)', source)) | set(re.findall(r'wrong\[[^\]]+\] = "(\w+)"', source))
    source = "\n".join(p.read_text(encoding="utf-8") for p in (CORE / "visits").glob("*.py"))
    codes |= set(re.findall(r'Invalid\(\w+="(\w+)"\)', source))
    assert len(codes) > 10
    assert codes <= set(messages.FIELDS)


def test_every_http_error_that_pages_raise_has_its_words() -> None:
    source = "\n".join(p.read_text(encoding="utf-8") for p in (CORE / "web").glob("*.py"))
    assert set(re.findall(r"abort\((\d+)\)", source)) <= set(messages.HTTP)


def test_every_message_says_what_and_what_next() -> None:
    for group in (messages.ACKS, messages.REFUSALS, messages.HTTP, messages.FIELDS):
        for code, message in group.items():
            for sentence in message:
                assert sentence[-1] in ".?", (code, sentence)


def test_states_and_slots_of_a_visit_are_the_pages() -> None:
    from dataclasses import fields

    from housecall.visits import Seat, Visit

    named = {kind: set(names.split()) for kind, names in re.findall(r"`(Visit|Seat)`(?: \([^)]*\))?: `([^`]+)`", PAGE)}
    named["Visit"] = {re.sub(r"\{.*", "", name) for name in named["Visit"] if "}" not in name or "{" in name}
    assert {f.name for f in fields(Visit)} == {n for n in named["Visit"] if n.isidentifier()}
    assert {f.name for f in fields(Seat)} == named["Seat"]


def test_settings_are_the_pages() -> None:
    text: Any = section(13)
    server = re.search(r"`\[server\]` \(([^)]+)\)", text)
    assert server
    assert {n.strip() for n in server[1].split(",") if "◌" not in n} == set(config.SERVER_KEYS)
    clinic = re.search(r"`\[clinic\.<id>\]` \(([^)]+)\)", text)
    assert clinic
    names = {n.strip() for n in clinic[1].split(", and the table")[0].split(",") if "◌" not in n}
    assert names | {"core"} == set(config.CLINIC_KEYS)
    core = re.search(r"the table core: ([^)]+)\)", text)
    assert core
    assert {n.strip() for n in core[1].split(",")} == set(config.CORE_KEYS)
