"""The one vocabulary of typed fields: settings, events, check-in steps and forms are all described with it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .reading import Mistake, Reading

TYPES = [
    "text",
    "long",
    "int",
    "money",
    "bool",
    "choice",
    "choices",
    "color",
    "email",
    "phone",
    "url",
    "date",
    "time",
    "duration",
    "file",
    "signature",
]
SCOPES = ("clinic", "room", "member")
NUMBERS = ("int", "money", "duration")
WORDS = ("text", "long", "signature")
LONGEST = {"text": 200, "long": 4000, "signature": 60_000, "email": 254, "phone": 40, "url": 2000, "file": 200}

#: HTML's own rule for <input type=email> (WHATWG HTML, "valid e-mail address"), with a dot in the domain.
EMAIL = re.compile(r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+")
PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{3,38}")  #: at most 15 digits count (ITU-T E.164)
COLOR = re.compile(r"#[0-9a-f]{6}")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
#: What Python and JavaScript read differently, or what may take for ever: groups that repeat, look around, refer back.
UNSAFE = re.compile(r"\(\?|\\[1-9bBAZzGpPkK]|[*+}]\)*[*+{]|\)[*+{]|\$.|.\^(?<!\[\^)")

KEYS: Mapping[str, type] = {
    "type": str,
    "label": str,
    "help": str,
    "required": bool,
    "min": int,
    "max": int,
    "pattern": str,
    "choices": list,
    "secret": bool,
    "scope": str,
}


class FieldError(Exception):
    """A declaration that cannot be used; `mistakes` lists everything that is wrong with it."""

    def __init__(self, mistakes: list[Mistake]):
        self.mistakes = mistakes
        super().__init__("\n".join(map(str, mistakes)))


@dataclass(frozen=True, kw_only=True)
class Field:
    """One value that somebody gives.

    `min` and `max` are characters of text, long and signature; the number itself of int, money (minor units) and
    duration (seconds); how many of choices; bytes of file.
    """

    id: str
    type: str = "text"
    label: str = ""
    help: str = ""
    default: Any = None
    required: bool = False
    min: int | None = None
    max: int | None = None
    pattern: str | None = None  #: for text; the whole value must match
    choices: tuple[tuple[str, str], ...] = ()  #: (value, label)
    secret: bool = False  #: for text: sealed at rest, never shown again
    scope: str = "clinic"  #: of a setting: clinic, room or member


def read(id: str, table: Any, where: str) -> Field:
    """A field from a table of a manifest. Raises FieldError with every mistake at once."""
    pass_ = Reading()
    if not isinstance(table, dict):
        raise FieldError([Mistake(where=where, what=f"this must be a table: [{where}]")])
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", id):
        pass_.wrong(where, "a field's name is small letters, digits and _, and begins with a letter")
    default = table.get("default")
    given = pass_.table(where, {k: v for k, v in table.items() if k != "default"}, KEYS)
    type_ = pass_.one_of(f"{where}.type", given.get("type", "text"), TYPES)
    pass_.one_of(f"{where}.scope", given.get("scope", "clinic"), SCOPES)
    choices = _choices(pass_, f"{where}.choices", given.get("choices", []))
    if bool(choices) != (type_ in ("choice", "choices")) and not pass_.mistakes:
        pass_.wrong(f"{where}.choices", "choice and choices need this, and no other type takes it")
    low, high = given.get("min"), given.get("max")
    if low is not None and high is not None and low > high:
        pass_.wrong(f"{where}.min", "this must not be larger than max")
    if (low is not None or high is not None) and type_ not in (*NUMBERS, *WORDS, "choices", "file"):
        pass_.wrong(f"{where}.max", f"a {type_} has no min and max")
    if "pattern" in given:
        _check_pattern(pass_, f"{where}.pattern", given["pattern"], type_)
    if given.get("secret") and type_ != "text":
        pass_.wrong(f"{where}.secret", "only a text can be secret")
    if default is not None and type_ in ("file", "signature"):
        pass_.wrong(f"{where}.default", f"a {type_} has no default")
    if pass_.mistakes:
        raise FieldError(pass_.mistakes)
    field = Field(
        id=id,
        type=type_,
        label=given.get("label", id.replace("_", " ").capitalize()),
        help=given.get("help", ""),
        default=False if default is None and type_ == "bool" else default,
        required=given.get("required", False),
        min=low,
        max=high,
        pattern=given.get("pattern"),
        choices=choices,
        secret=given.get("secret", False),
        scope=given.get("scope", "clinic"),
    )
    if default is not None and (code := clean([field], {id: default})[1].get(id)):
        raise FieldError([Mistake(where=f"{where}.default", what=f"the default does not pass its own field ({code})")])
    return field


def _choices(pass_: Reading, where: str, given: list[Any]) -> tuple[tuple[str, str], ...]:
    made = []
    for item in given:
        if isinstance(item, str):
            made.append((item, item))
        elif isinstance(item, list) and len(item) == 2 and all(isinstance(part, str) for part in item):
            made.append((item[0], item[1]))
        else:
            pass_.wrong(where, "each choice is a text, or a pair of value and label")
    if len({value for value, _ in made}) < len(made):
        pass_.wrong(where, "two choices have the same value")
    return tuple(made)


def _check_pattern(pass_: Reading, where: str, pattern: str, type_: str) -> None:
    if type_ != "text":
        pass_.wrong(where, "only a text has a pattern")
    try:
        re.compile(pattern)
    except re.error as error:
        pass_.wrong(where, f"this is no pattern: {error}")
        return
    if UNSAFE.search(pattern) or len(pattern) > 200:
        pass_.wrong(where, "a pattern here has no groups that repeat, no look-around and no back-references")


def clean(fields: Iterable[Field], values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What a form or a message gave, in the types of its fields; and what is wrong with it: field id to a code.

    Texts of a form are read as what their field wants. An empty optional value is the field's default.
    """
    known = {field.id: field for field in fields}
    good: dict[str, Any] = {}
    wrong = {str(name)[:60]: "unknown" for name in values if name not in known}
    for field in known.values():
        value = values.get(field.id)
        if field.type == "bool" and value is None:
            value = False if field.default is None or values else field.default
        if value is None or value == "" or value == []:
            if field.required:
                wrong[field.id] = "required"
            else:
                good[field.id] = [] if field.type == "choices" and field.default is None else field.default
            continue
        try:
            good[field.id] = _READ[field.type](field, value)
        except _Wrong as error:
            wrong[field.id] = error.code
    return good, wrong


class _Wrong(Exception):
    def __init__(self, code: str):
        self.code = code


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("invalid")
    value = value.replace("\r\n", "\n")
    if field.type == "text":
        value = value.strip()
        if "\n" in value:
            raise _Wrong("invalid")
    if "\0" in value or len(value) > (field.max or LONGEST.get(field.type, 200)):
        raise _Wrong("invalid" if "\0" in value else "too_long")
    if field.min is not None and len(value) < field.min:
        raise _Wrong("too_short")
    if field.required and not value:
        raise _Wrong("required")
    if field.pattern and value and not re.fullmatch(field.pattern, value):
        raise _Wrong("invalid")
    return value


def _number(field: Field, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,15}\s*", value, flags=re.ASCII):
        value = int(value)
    if type(value) is not int:
        raise _Wrong("invalid")
    if field.min is not None and value < field.min:
        raise _Wrong("too_small")
    if field.max is not None and value > field.max:
        raise _Wrong("too_big")
    return value


def _bool(field: Field, value: Any) -> bool:
    if value in (True, "yes", "on", "true"):
        return True
    if value in (False, "no", "false"):
        if field.required:
            raise _Wrong("required")
        return False
    raise _Wrong("invalid")


def _choice(field: Field, value: Any) -> str:
    if value not in [known for known, _ in field.choices]:
        raise _Wrong("choice")
    return str(value)


def _many(field: Field, value: Any) -> list[str]:
    chosen = value if isinstance(value, list) else [value]
    known = [k for k, _ in field.choices]
    if any(not isinstance(one, str) or one not in known for one in chosen) or len(set(chosen)) < len(chosen):
        raise _Wrong("choice")
    if field.min is not None and len(chosen) < field.min:
        raise _Wrong("too_small")
    if field.max is not None and len(chosen) > field.max:
        raise _Wrong("too_big")
    return [k for k in known if k in chosen]


def _matching(pattern: re.Pattern[str], code: str) -> Any:
    def matching(field: Field, value: Any) -> str:
        value = _text(Field(id=field.id, max=LONGEST.get(field.type)), value)
        if not pattern.fullmatch(value):
            raise _Wrong(code)
        return value

    return matching


def _email(field: Field, value: Any) -> str:
    return str(_matching(EMAIL, "email")(field, value))


def _phone(field: Field, value: Any) -> str:
    value = str(_matching(PHONE, "phone")(field, value))
    if sum(c.isdigit() for c in value) > 15:
        raise _Wrong("phone")
    return value


def _url(field: Field, value: Any) -> str:
    value = _text(Field(id=field.id, max=LONGEST["url"]), value)
    try:
        parts = urlsplit(value)
    except ValueError:
        raise _Wrong("url") from None
    if (
        parts.scheme not in ("http", "https")
        or not re.fullmatch(r"[a-zA-Z0-9.-]+(:\d+)?", parts.netloc)
        or " " in value
    ):
        raise _Wrong("url")
    return value


def _date(field: Field, value: Any) -> str:
    value = str(_matching(DATE, "date")(field, value))
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        raise _Wrong("date") from None
    return value


_READ = {
    "text": _text,
    "long": _text,
    "signature": _text,
    "file": _text,
    "int": _number,
    "money": _number,
    "duration": _number,
    "bool": _bool,
    "choice": _choice,
    "choices": _many,
    "color": lambda field, value: _matching(COLOR, "color")(field, value.lower() if isinstance(value, str) else value),
    "email": _email,
    "phone": _phone,
    "url": _url,
    "date": _date,
    "time": _matching(TIME, "time"),
}


def describe(field: Field) -> dict[str, Any]:
    """The field for browsers, as JSON: what `fields.js` needs to check a value as `clean` does."""
    shape = {
        "id": field.id,
        "type": field.type,
        "label": field.label,
        "default": field.default,
        "required": field.required,
        "min": field.min,
        "max": field.max,
        "pattern": field.pattern,
        "choices": [list(choice) for choice in field.choices],
    }
    json.dumps(shape)
    return {
        name: value for name, value in shape.items() if value not in (None, "", [], False) or name in ("id", "type")
    }
