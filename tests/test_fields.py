"""Typed fields: what each type takes, what it refuses, and what a declaration may not say."""

from __future__ import annotations

import json
import re
import time
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from housecall.fields import (
    CODES,
    LONGEST,
    SAFE,
    TYPES,
    WAYS,
    Field,
    FieldError,
    clean,
    collect,
    describe,
    read,
    ways,
)
from housecall.web import messages

ABC = (("a", "Apple"), ("b", "Bee"), ("c", "Cat"))


def field(type: str, **more: Any) -> Field:
    if type in ("choice", "choices"):
        more.setdefault("choices", ABC)
    return Field(id="x", label="X", type=type, **more)


def value(declared: Field, given: Any) -> Any:
    values, errors = clean([declared], {"x": given})
    assert errors == {}
    return values["x"]


def code(declared: Field, given: Any) -> str:
    values, errors = clean([declared], {"x": given})
    assert values == {}, f"{given!r} became {values}"
    return errors["x"]


def faults(text: str) -> list[str]:
    """The mistakes of a field that stands in a TOML text."""
    with pytest.raises(FieldError) as error:
        read("x", tomllib.loads(text), "settings.x")
    return [str(mistake) for mistake in error.value.mistakes]


@pytest.mark.parametrize(
    ("type", "given", "wanted"),
    [
        ("text", " Ada\xa0", "Ada"),
        ("text", "\n.\n", "."),
        ("long", "one\r\ntwo\rthree\n", "one\ntwo\nthree"),
        ("int", "-07", -7),
        ("int", 5.0, 5),
        ("money", "12.5", 1250),
        ("money", "-0,05", -5),
        ("money", 1250, 1250),
        ("duration", "1 d 2 h 3 min 4 s", 93784),
        ("duration", "15m", 900),
        ("duration", 60, 60),
        ("bool", "on", True),
        ("bool", False, False),
        ("choice", " b ", "b"),
        ("choices", "b", ["b"]),
        ("choices", ["c", "a", "c"], ["a", "c"]),
        ("color", "#AbCdEf", "#abcdef"),
        ("email", "a.b+c@localhost", "a.b+c@localhost"),
        ("phone", "+1 (555) 123-4567", "+15551234567"),
        ("phone", "112", "112"),
        ("url", "https://example.org:8443/a?b=[c]#d", "https://example.org:8443/a?b=[c]#d"),
        ("date", "2024-02-29", "2024-02-29"),
        ("time", "23:59", "23:59"),
        ("file", "data:text/plain;base64,QUI=", "data:text/plain;base64,QUI="),
        ("signature", "Ada Lovelace", "Ada Lovelace"),
    ],
)
def test_each_type_takes_what_it_should(type: str, given: Any, wanted: Any) -> None:
    assert value(field(type), given) == wanted


@pytest.mark.parametrize(
    ("declared", "given", "wanted"),
    [
        (field("text"), 5, "invalid"),
        (field("text"), ["a"], "invalid"),
        (field("text"), "a\nb", "invalid"),
        (field("long"), "a\0b", "invalid"),
        (field("text"), "\ud800", "invalid"),
        (field("text"), "x" * 201, "too_long"),
        (field("text", max=2), "abc", "too_long"),
        (field("text", min=3), "ab", "too_short"),
        (field("text", pattern="[a-z]+"), "ab1", "invalid"),
        (field("text", pattern="a|b"), "ab", "invalid"),
        (field("int"), True, "invalid"),
        (field("int"), "٣", "invalid"),
        (field("int"), 2**53, "invalid"),
        (field("int"), 5.5, "invalid"),
        (field("int", min=1), "0", "too_small"),
        (field("int", max=9), 10, "too_big"),
        (field("money"), "12.345", "invalid"),
        (field("money"), "1,250.00", "invalid"),
        (field("duration"), "15", "invalid"),
        (field("duration"), -1, "too_small"),
        (field("duration", max=60), "2 min", "too_big"),
        (field("bool"), "maybe", "invalid"),
        (field("bool", required=True), False, "required"),
        (field("choice"), "d", "choice"),
        (field("choices"), ["a", "d"], "choice"),
        (field("choices"), [1], "invalid"),
        (field("choices", min=2), ["a", "a"], "too_small"),
        (field("choices", max=1), ["a", "b"], "too_big"),
        (field("color"), "red", "color"),
        (field("email"), "a@b@c", "email"),
        (field("email"), "a@" + ".".join(["x" * 50] * 6), "too_long"),
        (field("phone"), "+44 (0)20 7946 0958", "phone"),
        (field("phone"), "+1234567890123456", "phone"),
        (field("url"), "javascript:alert(1)", "url"),
        (field("url"), "https://me@example.org", "url"),
        (field("date"), "2023-02-29", "date"),
        (field("date"), "2024-W01-1", "date"),
        (field("time"), "24:00", "time"),
        (field("file"), "data:text/plain,hello", "invalid"),
        (field("file", max=1), "data:text/plain;base64,QUI=", "too_big"),
        (field("text", required=True), " \n ", "required"),
        (field("choices", required=True), [], "required"),
    ],
)
def test_each_type_refuses_what_it_should(declared: Field, given: Any, wanted: str) -> None:
    assert code(declared, given) == wanted


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("empty", [None, "", {}], ids=["null", "empty", "absent"])
def test_what_is_empty_has_its_own_value_in_every_type(type: str, empty: Any) -> None:
    values, errors = clean([field(type)], {} if empty == {} else {"x": empty})
    assert errors == {}
    assert values == {"x": {"bool": False, "choices": []}.get(type)}


def test_what_is_empty_becomes_the_default() -> None:
    fields = [
        Field(id="a", label="A", default="hi"),
        Field(id="b", label="B", type="choices", choices=ABC, default=("a", "b")),
        Field(id="c", label="C", type="bool", default=True),
    ]
    assert clean(fields, {"a": " "}) == ({"a": "hi", "b": ["a", "b"], "c": True}, {})


def test_a_name_that_no_field_has_is_an_error() -> None:
    assert clean([field("text")], {"x": "a", "y": "b"}) == ({"x": "a"}, {"y": "unknown"})


def test_a_box_that_is_not_ticked_is_a_no_even_against_its_default() -> None:
    fields = [
        Field(id="yes", label="Yes", type="bool", default=True),
        Field(id="many", label="Many", type="choices", choices=ABC),
        Field(id="one", label="One"),
    ]
    sent = MultiDict([("token", "t"), ("p-many", "a"), ("p-many", "c"), ("p-one", "1"), ("p-one", "2")])
    assert collect(sent, fields, "p-") == {"yes": False, "many": ["a", "c"], "one": "1"}
    assert collect(MultiDict([("yes", "yes")]), fields) == {"yes": True, "many": []}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
near = st.from_regex(r"[-+]?[0-9]{0,4}[.,:@/# -]?[0-9a-fdhms.]{0,6}", fullmatch=True)


@given(type=st.sampled_from(TYPES), given_=anything | near)
@settings(max_examples=600)
def test_whatever_comes_is_a_value_or_a_code_and_a_value_stays_what_it_is(type: str, given_: Any) -> None:
    declared = field(type)
    values, errors = clean([declared], {"x": given_})
    assert values.keys() ^ errors.keys() == {"x"}
    assert set(errors.values()) <= set(CODES)
    if values:
        assert clean([declared], json.loads(json.dumps(values))) == (values, {})


@given(st.integers(-SAFE, SAFE), st.sampled_from(["int", "money"]))
def test_a_number_is_read_as_it_is_shown(number: int, type: str) -> None:
    assert value(field(type), field(type).shown(number)) == number


@given(st.integers(0, 10**9))
@example(86400)
@example(0)
def test_a_duration_is_read_as_it_is_shown(seconds: int) -> None:
    assert value(field("duration"), field("duration").shown(seconds)) == seconds


def test_only_money_and_durations_are_shown_in_other_words() -> None:
    assert field("money").shown(-1205) == "-12.05"
    assert field("duration").shown(5400) == "1 h 30 min"
    assert field("money").shown("12.x") == "12.x"  # what somebody typed stays as it was
    assert field("bool").shown(True) is True


@given(st.text(alphabet="ab1\\dDwW.-^$*+?{}()[]|,&~:= é𝒜", max_size=14), st.text(alphabet="ab1-é𝒜 \n", max_size=8))
@settings(max_examples=1500)
@example("[a-]", "-")
@example("(?:a|b){2}", "ab")
def test_a_pattern_that_is_taken_compiles_without_a_warning_and_is_quick(pattern: str, text: str) -> None:
    try:
        if ways(pattern, 200) > WAYS:
            return
    except ValueError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        re.compile(pattern, re.ASCII | re.DOTALL)
    start = time.perf_counter()
    clean([Field(id="x", label="X", pattern=pattern)], {"x": text + "a" * 150 + "!"})
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(a+)+", "too many ways"),
        ("(a|a)*", "too many ways"),
        ("(a?){100}", "too many ways"),
        (".*.*.*", "too many ways"),
        ("(?=a)a", "look-around"),
        ("(?P<n>a)", "look-around"),
        ("(?i)a", "look-around"),
        (r"(a)\1", "not understood"),
        (r"a\b", "not understood"),
        (r"\s", "not understood"),
        (r"\u00e9", "not understood"),
        ("a\\", "not understood"),
        ("^a", "leave ^ and $ out"),
        ("a$", "leave ^ and $ out"),
        ("a*?", "follows a count"),
        ("a++", "follows a count"),
        ("*a", "follows nothing"),
        ("a}", "follows nothing"),
        ("a]", "follows nothing"),
        ("a{x}", "no count"),
        ("a{3,2}", "goes down"),
        ("(a", "not closed"),
        ("a)", "closes nothing"),
        ("[a", "not closed"),
        ("[]", "is empty"),
        ("[a[b]", "holds ["),
        ("[a&&b]", "doubled"),
        ("[a-c-e]", "hyphen in the middle"),
        ("[z-a]", "up to another"),
        (r"[\d-z]", "up to another"),
        ("(" * 11 + ")" * 11, "ten groups"),
        ("a" * 501, "1 to 500"),
        ("", "1 to 500"),
    ],
)
def test_a_pattern_outside_the_subset_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(FieldError, match=re.escape(words)):
        field("text", pattern=pattern)


def test_a_pattern_of_a_short_text_may_have_more_ways() -> None:
    pattern = r"[a-z]+ [a-z]+ [a-z]+"
    assert value(field("text", max=30, pattern=pattern), "a b c") == "a b c"
    with pytest.raises(FieldError, match="too many ways"):
        field("text", pattern=pattern)


def test_a_field_is_read_from_toml() -> None:
    table = tomllib.loads(
        """
        type = "choice"
        label = "Fruit"
        help = "One of them"
        default = "b"
        required = true
        choices = [["a", "Apple"], "b"]
        scope = "room"
        """
    )
    assert read("fruit", table, "settings.fruit") == Field(
        id="fruit",
        type="choice",
        label="Fruit",
        help="One of them",
        default="b",
        required=True,
        choices=(("a", "Apple"), ("b", "b")),
        scope="room",
    )


def test_all_mistakes_are_told_at_once_with_their_place() -> None:
    told = faults('typ = "int"\ntype = "intt"\nlabel = 3\nmin = true\nscope = "rom"\nchoices = [["a"]]\nrequired = 1')
    wanted = [
        ("settings.x.typ", "did you mean 'type'?"),
        ("settings.x.type", "did you mean 'int'?"),
        ("settings.x.label", "a text in quotes"),
        ("settings.x.min", "a whole number"),
        ("settings.x.scope", "did you mean 'room'?"),
        ("settings.x.choices", "a list of texts, or of pairs"),
        ("settings.x.required", "true or false"),
    ]
    assert len(told) == len(wanted)
    for place, words in wanted:
        assert any(line.startswith(place + ":") and words in line for line in told), (place, words, told)


def test_two_mistakes_of_one_key_are_both_told() -> None:
    told = faults('label = "X"\ntype = "choice"\nchoices = ["a", "a", ["b", ""]]')
    assert [line.split(": ")[1] for line in told] == ["'a' stands here twice", "'b' needs a label"]
    with pytest.raises(FieldError, match=r"^settings\.X: 'X' must be"):
        read("X", {"label": "X"}, "settings.X")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "x.label: a label is needed"),
        ('type = "choice"', "x.choices: at least one choice"),
        ('type = "choice"\nchoices = ["a", "a"]', "x.choices: 'a' stands here twice"),
        ('type = "choice"\nchoices = [" a"]', "x.choices: the value ' a'"),
        ('type = "choice"\nchoices = [["a", ""]]', "x.choices: 'a' needs a label"),
        ('choices = ["a"]', "x.choices: a field of the type text has no choices"),
        ("min = 5\nmax = 3", "x.min: min 5 is more than max 3"),
        ("min = 201", "x.min: min 201 is more than max 200"),
        ("min = -1", "x.min: this must be from 0"),
        ('type = "int"\nmax = 9007199254740992', "x.max: this must be from"),
        ('type = "duration"\nmax = -1', "x.max: this must be from 0"),
        ('type = "date"\nmin = 3', "x.min: a field of the type date has no min"),
        ('type = "file"\nmin = 3', "x.min: a field of the type file has no min"),
        ('type = "choices"\nchoices = ["a"]\nmin = 2', "x.min: there are only 1 choices"),
        ('type = "int"\npattern = "1"', "x.pattern: a field of the type int has no pattern"),
        ('pattern = "("', "x.pattern: a ( is not closed"),
        ('type = "int"\nsecret = true', "x.secret: only a text can be secret"),
        ('secret = true\ndefault = "hush"', "x.default: a secret has no default"),
        ('type = "file"\ndefault = "a"', "x.default: a field of the type file has no default"),
        ('type = "signature"\ndefault = "a"', "x.default: a field of the type signature has no default"),
        ('default = ""', "x.default: leave an empty default out"),
        ("default = 5", "x.default: this does not pass the field itself: invalid"),
        ('max = 2\ndefault = "abc"', "x.default: this does not pass the field itself: too_long"),
        ('type = "int"\ndefault = "5"', "x.default: write it as 5"),
        ('type = "int"\ndefault = true', "x.default: this does not pass the field itself: invalid"),
        ('type = "bool"\ndefault = "yes"', "x.default: this must be true or false"),
        ('type = "choice"\nchoices = ["a"]\ndefault = "b"', "x.default: this does not pass the field itself: choice"),
        ('type = "choices"\nchoices = ["a", "b"]\ndefault = ["b", "a"]', "x.default: write it as ['a', 'b']"),
        ('type = "date"\ndefault = 2024-01-01', "x.default: this does not pass the field itself: invalid"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(text: str, words: str) -> None:
    told = faults(text if words.startswith("x.label") else f'label = "X"\n{text}')
    assert len(told) == 1
    assert told[0].startswith("settings." + words)


def test_a_field_made_in_python_is_held_to_the_same_rules() -> None:
    with pytest.raises(FieldError, match="more than max"):
        Field(id="x", label="X", min=2, max=1)
    with pytest.raises(FieldError, match="small letters"):
        Field(id="X-1", label="X")


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(FieldError, match=r"settings\.x: this must be a table: \[settings\.x\]"):
        read("x", "text", "settings.x")  # type: ignore[arg-type]


def test_a_browser_is_told_the_limits_that_hold() -> None:
    told = describe(field("text"))
    assert told["max"] == LONGEST["text"]
    assert describe(field("duration"))["min"] == 0
    assert json.loads(json.dumps(describe(field("choices", default=("a",)))))["default"] == ["a"]


def test_every_code_has_its_words_and_is_given_by_both_sides() -> None:
    assert set(CODES) <= set(messages.FIELDS)
    module = Path(__file__).parent.parent / "core/housecall/static/js/fields.js"
    assert [c for c in CODES if f'"{c}"' not in module.read_text(encoding="utf-8")] == []
