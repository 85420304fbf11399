"""fields.js gives the values and the codes of fields.py."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from housecall.fields import CODES, TYPES, WAYS, Field, clean, describe, ways

#: Declarations by a name, as TOML or JSON would say them.
FIELDS: dict[str, dict[str, Any]] = json.loads(r"""{
  "text": {}, "long": {"type": "long"}, "int": {"type": "int"}, "money": {"type": "money"}, "bool": {"type": "bool"},
  "choice": {"type": "choice", "choices": [["a", "A"], ["b", "B"], ["toString", "S"]]},
  "choices": {"type": "choices", "choices": [["a", "A"], ["b", "B"], ["c", "C"]]},
  "color": {"type": "color"}, "email": {"type": "email"}, "phone": {"type": "phone"}, "url": {"type": "url"},
  "date": {"type": "date"}, "time": {"type": "time"}, "duration": {"type": "duration"}, "file": {"type": "file"},
  "signature": {"type": "signature"},
  "must": {"required": true}, "consent": {"type": "bool", "required": true},
  "some": {"type": "choices", "choices": [["a", "A"], ["b", "B"]], "min": 2, "default": ["a", "b"]},
  "short": {"min": 2, "max": 4}, "few": {"type": "int", "min": -2, "max": 3}, "small file": {"type": "file", "max": 2},
  "given": {"default": "hi"}, "on": {"type": "bool", "default": true},
  "fee": {"type": "money", "min": 0, "max": 10000}, "wait": {"type": "duration", "max": 3600},
  "code": {"pattern": "[A-Z]{2}-\\d{3,4}"}, "any": {"pattern": "..", "type": "long"}, "word": {"pattern": "\\w+|-"},
  "not": {"pattern": "[^a-c\\-]+"}
}""")

#: What is entered into which; the same table for both sides.
CASES: list[list[Any]] = json.loads(r"""[
  ["text", ["Ada", " Ada\u00a0", "\u3000Ada", "a\tb", "\tb", "", " ", null, 5, true, [], ["a"], {}, "a\u0000b",
    "\u007f",
    "\ud800", "\ud83d\ude00", "a\u2028b", "\u0085", "\ufeffa", "é", "0"]],
  ["long", ["a\r\nb\rc\n", "a\tb", "a\u000bb", "\r\n", "x\u001fy", "\ud83d"]],
  ["int", [5, 5.0, 5.5, -0.0, "-0", "+7", "007", "5.0", "1e3", "0x10", "٣", "", true, false, 9007199254740991,
    9007199254740992, "9007199254740991", "9007199254740993", "-9007199254740992", 1e300, "12345678901234567",
    [5], {}]],
  ["few", [-3, -2, 3, 4, "-3", "4"]],
  ["money", ["12", "12.5", "12,50", "-0,05", "-0", "0.5", ".5", "5.", "1.234", "1,250.00", "€5", 1250, -1, 12.5,
    "10000000000000.00", "99999999999999.99", "90071992547409.91", "90071992547409.92"]],
  ["fee", ["-1", "100", "100.01", 10001]],
  ["duration", ["45 s", "15 min", "15m", "15 m", "2h", "1 d 2 h 3 min 4 s", "1d2h3m4s", "4 s 3 min", "15", "",
    " ", "min",
    "1  h", "1 h ", 60, -1, -0.0, 1.5, "1 H", "999999 d"]],
  ["wait", ["1 h", "1 h 1 s", "61 min"]],
  ["bool", [true, false, null, "", "on", "yes", "true", "no", 1, 0, []]],
  ["consent", [true, false, null, "on"]],
  ["on", [null, "", false, true]],
  ["choice", ["a", " b ", "d", "", null, 1, ["a"], "toString", "constructor", "__proto__"]],
  ["choices", [["c", "a", "c"], "b", [], "", ["d"], [1], [""], [null], {"a": 1}, 1, [" a"], " a"]],
  ["some", [["a"], ["b", "a"], ["a", "a"], [], null]],
  ["color", ["#AbCdEf", "#abc", "red", "abcdef", "#abcdeg", "#abcdef0", "#ABCDE\u212a"]],
  ["email", ["a@b", "a.b+c@example.org", "a@b@c", "@b", "a@", "a@-b", "a@b-", "a@b..c", "a b@c", "é@b.c",
    "a@münchen.de",
    "a@b.", "\"a\"@b", "A@B.C", "a@\u0061\n", ["a@b"]]],
  ["phone", ["112", "11", "+1 (555) 123-4567", "+1\u00a0555.123/4567", "+0 123 456", "+44 (0)20 7946",
    "123456789012345",
    "1234567890123456", "++123", "1+23", "tel:123", "٣٣٣", "555-CALL", 112]],
  ["url", ["https://example.org", "http://a", "https://a:8443/x?y#z", "https://a.b./", "ftp://a", "javascript:alert(1)",
    "HTTPS://a", "https://", "https://me@a", "https://a/ b", "https://a/\"", "https://a\\b", "https://ä.de", "//a",
    "https://[::1]/", "https://a?b", "https://a:123456", "https://-a", "https://a/[b]^{c}|~`", "https://a/<b>"]],
  ["date", ["2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "2024-13-01", "2024-00-01", "2024-01-00",
    "2024-01-32",
    "2024-04-31", "0000-01-01", "0001-01-01", "9999-12-31", "20240101", "2024-W01-1", "2024-1-1", "٢٠٢٤-٠١-٠١"]],
  ["time", ["00:00", "23:59", "24:00", "12:60", "9:00", "12:00:00", "1200"]],
  ["file", ["data:text/plain;base64,QUI=", "data:text/plain;base64,QUI", "data:text/plain;base64,", "data:;base64,QUI=",
    "data:text/plain,hi", "data:image/svg+xml;base64,QQ==", "data:a/b;base64,Q===", "data:a/b;base64,QUI=x", "x", 1]],
  ["small file", ["data:a/b;base64,QUI=", "data:a/b;base64,QUJD", "data:a/b;base64,QQ=="]],
  ["signature", ["Ada Lovelace", "a\nb"]],
  ["must", ["a", "", " \n ", null, [], false]],
  ["short", ["a", "ab", "abcd", "abcde", "\ud83d\ude00", "\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00",
    "e\u0301"]],
  ["given", ["", null, "x"]],
  ["code", ["AB-123", "AB-1234", "AB-12345", "xAB-123", "AB-123\nx", "AB-٣٣٣"]],
  ["any", ["ab", "a\nb", "\n", "a\u2028", "\ud83d\ude00x", "\ud83d\ude00"]],
  ["word", ["a_1", "é", "-", "a-", "\u017f"]],
  ["not", ["xyz", "a", "-", "\ud83d\ude00", "x\u2029"]]
]""")

#: What generated patterns are put together from.
PIECES = r"a b 1 - _ é 𝒜 | / . ( (?: ) [ [^ ] a-z {2} {1,} {,2} ? * + & ~ , = \d \D \w \W \- \/ \. \[ \] \\ \^"

RUN = """async text => {
  const { clean } = await import("housecall/fields.js");
  return JSON.stringify(JSON.parse(text).map(([fields, values]) => {
    const result = clean(fields, values);
    return [result.values, result.errors];
  }), (name, value) => Object.is(value, -0) ? "-0" : value);
}"""


def declared(name: str) -> Field:
    table = {"label": name, **FIELDS[name]}
    table["choices"] = tuple((value, label) for value, label in table.get("choices", ()))
    if isinstance(table.get("default"), list):
        table["default"] = tuple(table["default"])
    return Field(id="x", **table)


def in_browser(page: Page, runs: list[tuple[list[Field], Any]]) -> list[Any]:
    text = json.dumps([[[describe(field) for field in fields], values] for fields, values in runs])
    result: list[Any] = json.loads(page.evaluate(RUN, text))
    return result


def differing(page: Page, runs: list[tuple[list[Field], Any]]) -> list[Any]:
    """The runs whose values or codes, or the types of values, are not the same on both sides."""
    ours = [json.dumps(clean(fields, values), sort_keys=True) for fields, values in runs]
    theirs = [json.dumps(each, sort_keys=True) for each in in_browser(page, runs)]
    assert len(ours) == len(theirs)
    return [
        (run[0][0].type, run[1], one, other) for run, one, other in zip(runs, ours, theirs, strict=True) if one != other
    ]


def test_both_sides_give_the_same_values_and_codes(page: Page) -> None:
    assert {name for name, _ in CASES} == set(FIELDS)
    runs: list[tuple[list[Field], Any]] = [([declared(name)], {"x": each}) for name, given in CASES for each in given]
    runs += [([declared(name)], {}) for name in FIELDS]
    runs += [([declared("text")], json.loads(t)) for t in ('{"y": 1}', '{"__proto__": 1}', '{"constructor": ""}')]
    runs += [([Field(id="constructor", label="C"), Field(id="value_of", label="V")], {"constructor": "a"})]
    assert {code for run in runs for code in clean(*run)[1].values()} == set(CODES)
    assert differing(page, runs) == []


def test_both_sides_agree_about_whatever_comes(page: Page) -> None:
    number = st.integers(-(2**54), 2**54) | st.floats(allow_nan=False, allow_infinity=False)
    text = st.text(max_size=12) | st.text(alphabet="0123456789 .,:-+#@/ahdmins(){}\n\r\t\u00a0", max_size=12)
    entered = st.none() | st.booleans() | number | text | st.lists(st.sampled_from(["a", "b", "c", "", 1]), max_size=4)

    @given(st.lists(st.tuples(st.sampled_from(sorted(FIELDS)), entered), min_size=50, max_size=200))
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def agree(given: list[tuple[str, Any]]) -> None:
        assert differing(page, [([declared(name)], {"x": each}) for name, each in given]) == []

    agree()


def taken(pattern: str) -> bool:
    try:
        return ways(pattern, 200) <= WAYS
    except ValueError:
        return False


def test_every_pattern_that_is_taken_means_the_same(page: Page) -> None:
    piece = st.sampled_from(PIECES.split())
    pattern = st.lists(piece, min_size=1, max_size=7).map("".join).filter(taken)
    text = st.text(alphabet="ab1-_ é𝒜/.&~[]\\^=,٣\u2028", min_size=1, max_size=4)

    @given(st.lists(st.tuples(pattern, st.lists(text, max_size=6)), min_size=20, max_size=40))
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def agree(given: list[tuple[str, list[str]]]) -> None:
        runs = [([Field(id="x", label="X", pattern=p)], {"x": each}) for p, texts in given for each in texts]
        assert differing(page, runs) == []

    agree()


def test_all_types_are_in_the_table() -> None:
    assert {declared(name).type for name in FIELDS} == set(TYPES)
