"""Typed fields: the one vocabulary of settings, event payloads, check-in steps, intake and consent forms.

`static/js/fields.js` says the same for browsers; tests/browser/test_fields_module.py holds the two together.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeAlias

from .reading import Mistake, nearest

TYPES = (
    *("text", "long", "int", "money", "bool", "choice", "choices", "color", "email", "phone", "url"),
    *("date", "time", "duration", "file", "signature"),
)
SCOPES = ("clinic", "room", "member")

#: Every code that `clean` gives; web/messages.py has the words.
CODES = (
    *("required", "unknown", "invalid", "too_long", "too_short", "too_small", "too_big"),
    *("choice", "color", "email", "phone", "url", "date", "time"),
)

#: What a field without `max` takes: characters, or bytes of a file. 254 is what a mail server takes (RFC 5321,
#: erratum 1690).
LONGEST = {"text": 200, "long": 10_000, "signature": 100_000, "email": 254, "url": 2048, "file": 8_000_000}
SAFE = 2**53 - 1  #: the largest whole number that JavaScript keeps exactly (Number.MAX_SAFE_INTEGER)
WAYS = 50_000  #: how many ways of reading one text a pattern may have at most

_WITH_MIN = ("text", "long", "signature", "int", "money", "duration", "choices")
_WITH_MAX = (*_WITH_MIN, "file")
_COUNTS = ("text", "long", "signature", "choices", "duration", "file")  # no bound of theirs is below 0
_KEYS: Mapping[str, tuple[type, str]] = {
    "type": (str, "a text in quotes"),
    "label": (str, "a text in quotes"),
    "help": (str, "a text in quotes"),
    "default": (object, ""),
    "required": (bool, "true or false"),
    "min": (int, "a whole number"),
    "max": (int, "a whole number"),
    "pattern": (str, "a text in quotes"),
    "choices": (list, 'a list of texts, or of pairs such as ["value", "Label"]'),
    "secret": (bool, "true or false"),
    "private": (bool, "true or false"),
    "toml": (bool, "true or false"),
    "scope": (str, "a text in quotes"),
}

_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SPACE = " \t\n\r\f\v\xa0"  # written out, for what counts as space differs between Python and JavaScript
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # lone surrogates are no text in UTF-8
_CONTROL_LONG = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # tabs and line ends may stand
_INT = re.compile(r"[+-]?[0-9]{1,16}")
_MONEY = re.compile(r"(-?)([0-9]{1,14})(?:[.,]([0-9]{1,2}))?")
_DURATION = re.compile(r"(?:([0-9]{1,6}) ?d)? ?(?:([0-9]{1,6}) ?h)? ?(?:([0-9]{1,6}) ?m(?:in)?)? ?(?:([0-9]{1,9}) ?s)?")
_COLOR = re.compile(r"#[0-9a-f]{6}")
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address, what <input type=email> takes
_PART = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOST = rf"{_PART}(?:\.{_PART})*"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_HOST}")
_URL = re.compile(rf"https?://{_HOST}(?::[0-9]{{1,5}})?(?:[/?#][!#-;=?-\[\]-~]*)?")
# E.164: a country code, which never begins with 0, and 15 digits at most; without a + it is a number as dialled there
_PHONE = re.compile(r"\+[1-9][0-9]{2,14}|[0-9]{3,15}")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_FILE = re.compile(r"data:[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*;base64,([A-Za-z0-9+/]*)(={0,2})")

#: What a field holds: text, number, yes or no, or the values of `choices`.
Value: TypeAlias = str | int | bool | list[str] | None


class FieldError(Exception):
    """A field cannot be used; `mistakes` lists everything that is wrong with it."""

    def __init__(self, mistakes: list[Mistake]):
        self.mistakes = mistakes
        super().__init__("\n".join(str(mistake) for mistake in mistakes))


@dataclass(frozen=True, kw_only=True)
class Field:
    """One typed field. Making one that contradicts itself raises FieldError.

    ========== ====================== ==========================================================
    type       value                  from a form or JSON
    ========== ====================== ==========================================================
    text       str, one line          spaces at both ends are dropped; no control characters
    long       str, several lines     line ends become \\n
    int        int within ±(2**53-1)  a number, or its digits
    money      int, minor units       a number of minor units, or "12.50" and "12,50" (two decimals)
    duration   int, seconds           a number of seconds, or "1 d 2 h 30 min 15 s"
    bool       bool                   true, false; "on" and "yes" as a ticked box sends them
    choice     str                    one of the values
    choices    list[str]              a list or one value; the result is in the declared order
    color      str                    #rrggbb
    email      str                    WHATWG's rule of <input type=email>, at most 254 characters
    phone      str                    E.164, or the national number; the result is digits and a leading +
    url        str                    http:// or https://, ASCII, no user name, at most 2048 characters
    date       str                    YYYY-MM-DD, a day of the calendar
    time       str                    HH:MM, 00:00 to 23:59
    file       str                    data:<type>;base64,<bytes>
    signature  str                    a typed name, or a drawing as text
    ========== ====================== ==========================================================
    """

    id: str  #: small letters, digits and underscores; the name in forms and in JSON
    type: str = "text"  #: one of the types above
    label: str  #: what people read beside it
    help: str = ""  #: a sentence below it
    default: str | int | bool | tuple[str, ...] | None = (
        None  #: the value of an empty field, and what a form shows first
    )
    required: bool = False  #: it must not be empty; a bool must be true
    min: int | None = None  #: characters, the number itself, minor units, seconds, or how many choices
    max: int | None = None  #: as `min`; bytes of a file
    pattern: str | None = None  #: of text and long: what the whole value must look like (see `ways`)
    choices: tuple[tuple[str, str], ...] = ()  #: value and label
    secret: bool = False  #: stored sealed, never shown again; for text only
    private: bool = False  #: of a setting: no page of a visit gets it, and no template of a fragment
    toml: bool = False  #: of a setting of the practice: housecall.toml alone sets it
    scope: str = "clinic"  #: of a setting: whose it is

    def __post_init__(self) -> None:
        if mistakes := list(_mistakes(self)):
            raise FieldError([Mistake(where=f"{self.id}.{key}".rstrip("."), what=what) for key, what in mistakes])

    @property
    def low(self) -> int | None:
        """The least that `clean` takes; durations are never negative."""
        return 0 if self.min is None and self.type == "duration" else self.min

    @property
    def high(self) -> int | None:
        """The most that `clean` takes; where nothing is stated, the type's own limit (LONGEST)."""
        return LONGEST.get(self.type) if self.max is None else self.max

    def shown(self, value: Any) -> Any:
        """What an input shows for a value: money with two decimals, durations with their units, all else as it is."""
        if type(value) is not int:
            return value
        if self.type == "money":
            return f"{'-' * (value < 0)}{abs(value) // 100}.{abs(value) % 100:02}"
        if self.type == "duration":
            parts = ((value // 86400, "d"), (value // 3600 % 24, "h"), (value // 60 % 60, "min"), (value % 60, "s"))
            return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 s"
        return str(value)


class Form(Protocol):
    """A submitted form: what Flask's `request.form` is."""

    def getlist(self, key: str, /) -> list[str]: ...


def read(id: str, table: Mapping[str, Any], where: str) -> Field:
    """A field from a TOML table that stands at the dotted name `where`.

    Choices are a list of texts (value and label in one) or of pairs [value, label]. Raises FieldError, which lists
    every mistake at once, each with its dotted name, so that a reader of the file can add the line.
    """
    if not isinstance(table, Mapping):
        raise FieldError([Mistake(where=where, what=f"this must be a table: [{where}]")])
    wrong: dict[str, str] = {}
    told: list[tuple[str, str]] = []
    good: dict[str, Any] = {"label": ""}
    for key, entry in table.items():
        if key not in _KEYS:
            wrong[key] = f"this name is not known; {nearest(key, _KEYS)}"
        elif not _is(entry, _KEYS[key][0]):
            wrong[key] = f"this must be {_KEYS[key][1]}"
        elif key == "choices":
            pairs = [[each, each] if isinstance(each, str) else each for each in entry]
            if all(isinstance(p, list) and [type(part) for part in p] == [str, str] for p in pairs):
                good[key] = tuple((value, label) for value, label in pairs)
            else:
                wrong[key] = f"this must be {_KEYS[key][1]}"
        else:
            good[key] = tuple(entry) if isinstance(entry, list) else entry
    try:
        field = Field(id=id, **good)
    except FieldError as error:
        more = [(mistake.where.removeprefix(id).removeprefix("."), mistake.what) for mistake in error.mistakes]
        told += [(key, what) for key, what in more if key not in wrong]
    if told := [*wrong.items(), *told]:
        raise FieldError([Mistake(where=f"{where}.{key}".rstrip("."), what=what) for key, what in told])
    return field


def collect(form: Form, fields: Iterable[Field], prefix: str = "") -> dict[str, Any]:
    """What a submitted form says about these fields, ready for `clean`; inputs are named `prefix` + id.

    A box that is not ticked is not sent, so only here, where the form is known, is its absence a "no".
    Uploaded files are not in the form: the value of a `file` is left out, for the caller to add.
    """
    values: dict[str, Any] = {}
    for field in fields:
        sent = form.getlist(prefix + field.id)
        if field.type == "bool":
            values[field.id] = bool(sent)
        elif field.type == "choices":
            values[field.id] = sent
        elif sent:
            values[field.id] = sent[0]
    return values


def clean(fields: Iterable[Field], values: Mapping[str, Any]) -> tuple[dict[str, Value], dict[str, str]]:
    """The values of these fields in their types, and the errors: field id to one of CODES.

    `values` come from `collect` or from JSON. What is empty (absent, null, spaces, an empty list) becomes the default;
    where there is none, it is None, for bool False and for choices an empty list. A field is in one of the two results,
    never in both. A name that no field has is the error `unknown`.
    """
    known = {field.id: field for field in fields}
    result: dict[str, Value] = {}
    errors = {name: "unknown" for name in values if name not in known}
    for id, field in known.items():
        try:
            result[id] = _one(field, values.get(id))
        except _Wrong as wrong:
            errors[id] = wrong.code
    return result, errors


def describe(field: Field) -> dict[str, Any]:
    """The field for browsers and fields.js: JSON-able, with the limits that hold; never the value of a secret."""
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    return {
        "id": field.id,
        "type": field.type,
        "label": field.label,
        "help": field.help,
        "default": default,
        "required": field.required,
        "min": field.low,
        "max": field.high,
        "pattern": field.pattern,
        "choices": [list(pair) for pair in field.choices],
        "secret": field.secret,
    }


class _Wrong(Exception):
    def __init__(self, code: str):
        self.code = code


def _one(field: Field, raw: Any) -> Value:
    """The value of one field; raises _Wrong."""
    if field.type == "bool":
        value = _bool(field, raw)
        if field.required and not value:
            raise _Wrong("required")
        return value
    if isinstance(raw, str):
        raw = re.sub("\r\n?", "\n", raw).strip(_SPACE)
    if raw is None or raw == "" or raw == []:
        if field.required:
            raise _Wrong("required")
        if field.default is None:
            return [] if field.type == "choices" else None
        return list(field.default) if isinstance(field.default, tuple) else field.default
    if field.type == "choices":
        return _choices(field, raw)
    if field.type in _NUMBERS:
        return _number(field, raw)
    if not isinstance(raw, str) or (_CONTROL_LONG if field.type == "long" else _CONTROL).search(raw):
        raise _Wrong("invalid")
    if field.type == "file":
        return _file(field, raw)
    if field.low is not None and len(raw) < field.low:
        raise _Wrong("too_short")
    if field.high is not None and len(raw) > field.high:
        raise _Wrong("too_long")
    if field.pattern is not None and not _compiled(field.pattern).fullmatch(raw):
        raise _Wrong("invalid")
    if field.type == "choice" and raw not in dict(field.choices):
        raise _Wrong("choice")
    check = _CHECKS.get(field.type)
    return check(raw) if check else raw


def _bool(field: Field, raw: Any) -> bool:
    if raw is None or raw == "":
        return field.default is True
    if isinstance(raw, bool):
        return raw
    if raw in ("on", "yes"):
        return True
    raise _Wrong("invalid")


def _choices(field: Field, raw: Any) -> list[str]:
    chosen = [raw] if isinstance(raw, str) else raw
    if not isinstance(chosen, list) or not all(isinstance(each, str) for each in chosen):
        raise _Wrong("invalid")
    if not set(chosen) <= dict(field.choices).keys():
        raise _Wrong("choice")
    in_order = [value for value, _ in field.choices if value in chosen]
    _bounded(field, len(in_order))
    return in_order


def _number(field: Field, raw: Any) -> int:
    number = _NUMBERS[field.type](raw) if isinstance(raw, str) else raw
    if isinstance(number, float) and number.is_integer():  # JSON's 5.0 is 5 in JavaScript
        number = int(number)
    if type(number) is not int or abs(number) > SAFE:
        raise _Wrong("invalid")
    _bounded(field, number)
    return number


def _int(text: str) -> int | None:
    return int(text) if _INT.fullmatch(text) else None


def _money(text: str) -> int | None:
    if not (found := _MONEY.fullmatch(text)):
        return None
    minor = int(found[2] + (found[3] or "").ljust(2, "0"))
    return -minor if found[1] else minor


def _duration(text: str) -> int | None:
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _file(field: Field, raw: str) -> str:
    found = _FILE.fullmatch(raw)
    if not found or (len(found[1]) + len(found[2])) % 4:
        raise _Wrong("invalid")
    _bounded(field, len(found[1]) * 3 // 4)
    return raw


def _bounded(field: Field, number: int) -> None:
    if field.low is not None and number < field.low:
        raise _Wrong("too_small")
    if field.high is not None and number > field.high:
        raise _Wrong("too_big")


def _color(text: str) -> str:
    return _match(_COLOR, text.lower(), "color")


def _phone(text: str) -> str:
    digits = text if "(0)" in text else re.sub(r"[ \xa0()./-]", "", text)  # +44 (0)20: nobody knows which part to dial
    return _match(_PHONE, digits, "phone")


def _date(text: str) -> str:
    found = _match(_DATE, text, "date")
    try:
        dt.date.fromisoformat(found)
    except ValueError:
        raise _Wrong("date") from None
    return found


def _match(rule: re.Pattern[str], text: str, code: str) -> str:
    if not rule.fullmatch(text):
        raise _Wrong(code)
    return text


_NUMBERS: Mapping[str, Callable[[str], int | None]] = {"int": _int, "money": _money, "duration": _duration}
_CHECKS: Mapping[str, Callable[[str], str]] = {
    "color": _color,
    "email": lambda text: _match(_EMAIL, text, "email"),
    "phone": _phone,
    "url": lambda text: _match(_URL, text, "url"),
    "date": _date,
    "time": lambda text: _match(_TIME, text, "time"),
}


def _is(entry: Any, kind: type) -> bool:
    """Whether a TOML value is of a kind; true is no number there."""
    return isinstance(entry, kind) and not (kind is int and isinstance(entry, bool))


def _mistakes(field: Field) -> Iterator[tuple[str, str]]:
    """What is wrong with a field: its key (empty for the field itself), and a sentence."""
    if not _ID.fullmatch(field.id):
        yield "", f"{field.id!r} must be at most 40 small letters, digits and underscores, beginning with a letter"
    if not field.label.strip():
        yield "label", "a label is needed: people read it beside the field"
    if field.scope not in SCOPES:
        yield "scope", f"this scope is not known; {nearest(field.scope, SCOPES)}"
    if field.type not in TYPES:
        yield "type", f"this type is not known; {nearest(field.type, TYPES)}"
        return
    if field.secret and field.type != "text":
        yield "secret", "only a text can be secret"
    if field.toml and field.scope != "clinic":
        yield "toml", f"housecall.toml sets what is the practice's, not what each {field.scope} has"
    faults = [*_choice_faults(field), *_bound_faults(field), *_pattern_faults(field)]
    yield from faults
    if field.default is not None and not faults:
        yield from _default_faults(field)


def _choice_faults(field: Field) -> Iterator[tuple[str, str]]:
    if field.type not in ("choice", "choices"):
        if field.choices:
            yield "choices", f"a field of the type {field.type} has no choices"
        return
    values = [value for value, _ in field.choices]
    if not values:
        yield "choices", "at least one choice is needed"
    if len(set(values)) < len(values):
        yield "choices", f"{next(v for v in values if values.count(v) > 1)!r} stands here twice"
    for value, label in field.choices:
        if not value or value != value.strip(_SPACE) or len(value) > 200 or _CONTROL.search(value):
            yield "choices", f"the value {value!r} must be a line of 1 to 200 characters without spaces at its ends"
        if not label.strip():
            yield "choices", f"{value!r} needs a label"


def _bound_faults(field: Field) -> Iterator[tuple[str, str]]:
    least = 0 if field.type in _COUNTS else -SAFE
    for key, bound, types in (("min", field.min, _WITH_MIN), ("max", field.max, _WITH_MAX)):
        if bound is not None and field.type not in types:
            yield key, f"a field of the type {field.type} has no {key}"
        elif bound is not None and not least <= bound <= SAFE:
            yield key, f"this must be from {least} to {SAFE}"
    low, high = field.low, field.high
    if low is not None and high is not None and least <= high < low:
        yield "min", f"min {low} is more than max {high}"
    if field.type == "choices" and field.min is not None and field.min > len(field.choices):
        yield "min", f"there are only {len(field.choices)} choices"


def _pattern_faults(field: Field) -> Iterator[tuple[str, str]]:
    if field.pattern is None:
        return
    if field.type not in ("text", "long"):
        yield "pattern", f"a field of the type {field.type} has no pattern"
        return
    try:
        if ways(field.pattern, field.high or 0) > WAYS:
            yield (
                "pattern",
                (
                    "this can read one text in too many ways, which takes minutes; give counts such as {1,20} in "
                    "place of * and +, a smaller max, or a set such as [ab] in place of (a|b)"
                ),
            )
    except ValueError as error:
        yield "pattern", str(error)


def _default_faults(field: Field) -> Iterator[tuple[str, str]]:
    if field.secret:
        yield "default", "a secret has no default: everybody could read it"
    elif field.type in ("file", "signature"):
        yield "default", f"a field of the type {field.type} has no default"
    elif field.default == "" or field.default == ():
        yield "default", "leave an empty default out"
    elif field.type == "bool":
        if not isinstance(field.default, bool):
            yield "default", "this must be true or false"
    else:
        given = list(field.default) if isinstance(field.default, tuple) else field.default
        try:
            value = _one(field, given)
        except _Wrong as wrong:
            yield "default", f"this does not pass the field itself: {wrong.code}"
        else:
            if type(value) is not type(given) or value != given:
                yield "default", f"write it as {value!r}"


def ways(pattern: str, longest: int) -> int:
    """In how many ways `pattern` can read one text of at most `longest` characters: what backtracking may cost.

    Raises ValueError with a sentence where the pattern leaves the subset that means the same in Python (re.ASCII,
    re.DOTALL) and in JavaScript (flags s and u): characters, `.`, `\\d \\D \\w \\W`, escaped punctuation, sets with
    ranges, groups, `|`, and the counts `? * + {n} {n,} {n,m}`. No look-around, back-references, lazy counts or anchors:
    the whole value is matched anyway.
    """
    return _Pattern(pattern, longest).ways


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.DOTALL)


class _Pattern:
    """One walk through a pattern, which counts ways and refuses what is not in the subset."""

    def __init__(self, text: str, longest: int):
        if not 0 < len(text) <= 500:
            raise ValueError("a pattern has 1 to 500 characters")
        self.text, self.longest, self.at, self.depth = text, longest, 0, 0
        self.ways = self.alternatives()
        if self.at < len(text):
            raise ValueError(f"the ) at {self.at + 1} closes nothing; write \\) for the character")

    def peek(self, n: int = 1) -> str:
        return self.text[self.at : self.at + n]

    def take(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def alternatives(self) -> int:
        total = self.sequence()
        while self.peek() == "|":
            self.take()
            total += self.sequence()
        return min(total, WAYS + 1)

    def sequence(self) -> int:
        total = 1
        while self.peek() not in ("", "|", ")"):
            total = min(total * self.counted(self.atom()), WAYS + 1)
        return total

    def atom(self) -> int:
        start = self.at
        match self.take():
            case "(":
                return self.group()
            case "[":
                self.set()
            case "\\":
                self.escape(r"^$\.*+?()[]{}|/")
            case "^" | "$":
                raise ValueError("a pattern always matches the whole value; leave ^ and $ out")
            case "*" | "+" | "?" | "{" | "}" | "]" as mark:
                raise ValueError(f"the {mark} at {start + 1} follows nothing; write \\{mark} for the character")
        return 1

    def group(self) -> int:
        if self.peek() == "?":
            if self.peek(2) != "?:":
                raise ValueError("look-around, named groups and flags are not understood; only (?:...) is")
            self.at += 2
        self.depth += 1
        if self.depth > 10:
            raise ValueError("more than ten groups stand in one another")
        inside = self.alternatives()
        if self.peek() != ")":
            raise ValueError("a ( is not closed")
        self.take()
        self.depth -= 1
        return inside

    def escape(self, marks: str) -> None:
        if (mark := self.peek()) not in (*"dDwW", *marks) or not mark:
            raise ValueError(f"\\{mark} is not understood; known: \\d \\D \\w \\W and escaped punctuation")
        self.take()

    def set(self) -> None:
        if self.peek() == "^":
            self.take()
        first, last = True, ""
        while (mark := self.peek()) != "]" or first:
            if mark in ("", "[", "]") or (mark == last and mark in "-&|~"):
                raise ValueError("a set [...] is empty, not closed, or holds [ or a doubled -, &, | or ~ without a \\")
            low = self.member()
            if mark == "-" and not first and self.peek() != "]":
                raise ValueError("write \\- for a hyphen in the middle of a set")
            if self.peek() == "-" and self.peek(2) != "-]":
                self.take()
                high = self.member()
                if not low or not high or low > high or mark == "-" or self.text[self.at - 1] == "-":
                    raise ValueError("a range in a set goes from a character up to another, such as a-z")
            first, last = False, mark
        self.take()

    def member(self) -> str:
        """One character of a set; empty for a class such as \\d."""
        if not self.peek():
            raise ValueError("a set [...] is not closed")
        mark = self.take()
        if mark == "[" or (mark == "]"):
            raise ValueError("in a set, write \\[ and \\]")
        if mark != "\\":
            return mark
        self.escape(r"^$\.*+?()[]{}|/-")
        return "" if self.text[self.at - 1] in "dDwW" else self.text[self.at - 1]

    def counted(self, once: int) -> int:
        """The ways of an atom with the count that follows it, where the atom alone has `once`."""
        low, high = 1, 1
        match self.peek():
            case "?":
                low = 0
            case "*":
                low, high = 0, self.longest
            case "+":
                high = self.longest
            case "{":
                found = re.compile(r"\{([0-9]{1,5})(?:(,)([0-9]{1,5})?)?\}").match(self.text, self.at)
                if not found:
                    raise ValueError(f"the {{ at {self.at + 1} is no count; write \\{{ for the character")
                low = int(found[1])
                high = int(found[3]) if found[3] else self.longest if found[2] else low
                if found[3] and high < low:
                    raise ValueError(f"the count {found[0]} goes down")
                self.at = found.end() - 1
            case _:
                return once
        self.take()
        if self.peek() in ("?", "*", "+", "{"):
            raise ValueError(f"the {self.peek()} at {self.at + 1} follows a count; write only one")
        high = max(low, min(high, self.longest))
        if once == 1:
            return high - low + 1
        total = 0
        for n in range(low, high + 1):
            total += once**n if n < 64 else WAYS + 1
            if total > WAYS:
                break
        return total
