"""_fields.html: every type has its label, its help and its error for everybody, and what is entered comes out right."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from playwright.sync_api import Page, Route, expect

from housecall.fields import TYPES, Field, clean, describe
from housecall.testing.access import PHONE, ZOOMED, audit
from housecall.testing.people import Person
from housecall.testing.practice import Practice
from housecall.web import language, messages

TEMPLATES = Path(messages.__file__).parent / "templates"
ABC = (("a", "Apple"), ("b", "Bee"))
MANY = tuple((str(n), f"Month {n}") for n in range(1, 14))  # too many for buttons

FIELDS = [
    Field(id="text", label="Name & <title>", help="As in <your> papers", min=2, required=True),
    Field(id="long", label="Story", type="long", default="Once upon"),
    Field(id="secret", label="Key", secret=True, required=True),
    Field(id="int", label="Age", type="int", min=0, max=150),
    Field(id="money", label="Fee", type="money", min=100, default=1250),
    Field(id="bool", label="I agree", type="bool", required=True, help="Read it first"),
    Field(id="choice", label="Fruit", type="choice", choices=ABC, help="One of them"),
    Field(id="many", label="Month", type="choice", choices=MANY, help="One of thirteen"),
    Field(id="must", label="Sure?", type="choice", choices=ABC, required=True),
    Field(id="choices", label="Fruits", type="choices", choices=ABC, max=1),
    Field(id="color", label="Colour", type="color"),
    Field(id="shade", label="Shade", type="color", default="#1f5f5b"),
    Field(id="email", label="Mail", type="email"),
    Field(id="phone", label="Phone", type="phone"),
    Field(id="url", label="Site", type="url"),
    Field(id="date", label="Born", type="date"),
    Field(id="time", label="At", type="time"),
    Field(id="duration", label="How long", type="duration", default=5400, max=86400),
    Field(id="file", label="Paper", type="file", max=10),
    Field(id="signature", label="Signed", type="signature"),
]

READ = """async fields => {
  const { read } = await import("housecall/fields.js");
  return await read(document.querySelector("form.sheet"), fields, "p-");
}"""


def render(values: dict[str, Any] | None = None, errors: dict[str, str] | None = None, *, pseudo: bool = False) -> str:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, extensions=["jinja2.ext.i18n"], undefined=StrictUndefined
    )
    words = language.translations(language.PSEUDO if pseudo else "en")
    env.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    text = (
        '{% from "_fields.html" import input %}<form class="sheet">'
        '{% for f in fields %}{{ input(f, values.get(f.id), errors.get(f.id, ""), "p-") }}\n{% endfor %}</form>'
    )
    return env.from_string(text).render(fields=FIELDS, values=values or {}, errors=errors or {})


def show(practice: Practice, page: Page, form: str) -> None:
    """The form in place of the one on a member's page, with that page's theme, import map and security headers."""

    def splice(route: Route) -> None:
        answer = route.fetch()
        head = answer.text().split("<h1>", 1)[0]
        route.fulfill(response=answer, body=head + "<h1>Form</h1>" + form + "</main></body></html>")

    page.unroute_all()
    page.route(f"{practice.url}/account", splice)
    page.goto(f"{practice.url}/account")


def wrong() -> dict[str, str]:
    return messages.field_errors({field.id: "invalid" for field in FIELDS}, "en")


def test_all_types_are_drawn() -> None:
    assert {field.type for field in FIELDS} == set(TYPES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, ZOOMED], ids=["phone", "zoomed"])
def test_axe_finds_nothing_in_any_type_right_or_wrong(
    practice: Practice, person: Callable[..., Person], scheme: str, screen: dict[str, int]
) -> None:
    page = person(login=practice.room().login, color_scheme=scheme, viewport=screen).page
    show(practice, page, render())
    audit(page, f"empty, {scheme}")
    show(practice, page, render(errors=wrong()))
    audit(page, f"wrong, {scheme}")


def test_every_input_has_its_name_its_help_and_its_error(practice: Practice, person: Callable[..., Person]) -> None:
    page = person(login=practice.room().login).page
    show(practice, page, render(errors=wrong()))
    for field in FIELDS:
        if field.type in ("choice", "choices") and field.id != "many":
            box = page.get_by_role("radiogroup" if field.type == "choice" else "group", name=field.label)
            expect(page.locator(f"#p-{field.id}")).to_have_accessible_name("Apple")
        else:
            box = page.locator(f"#p-{field.id}")
            expect(box).to_have_accessible_name(re.compile("^" + re.escape(field.label)))
        expect(box).to_have_accessible_description(re.compile("This does not look right. Please check it.$"))
        if field.help:
            expect(box).to_have_accessible_description(re.compile("^" + re.escape(field.help)))


def test_limits_are_said_before_they_are_broken() -> None:
    html = render()
    for words in (
        "At least 2 characters.",
        "From 0 to 150.",
        "At least 1.00.",
        "At most 1.",
        "At most 1 d.",
        "At most 10",
    ):
        assert words in html


def test_a_secret_is_never_in_the_page() -> None:
    html = render({"secret": "hush-hush"})
    assert "hush" not in html
    assert "Leave this empty to keep what is stored." in html
    box = re.findall(r'<input id="p-secret"[^>]*>', html)[0]
    assert 'type="password" value=""' in box
    assert "required" not in box


def test_what_was_typed_stands_there_again_however_wrong() -> None:
    html = render({"money": '1.2.3"><script>', "duration": "15", "choices": "b", "bool": True})
    assert "<script>" not in html
    assert 'value="1.2.3&#34;&gt;&lt;script&gt;"' in html
    assert re.search(r'id="p-bool"[^>]* checked', html)
    assert re.search(r'name="p-choices" value="b" checked', html)


def test_no_word_of_ours_is_bare() -> None:
    html = render({"secret": "x"}, pseudo=True)
    for words in ("At least", "At most", "From", "Leave", ">optional<", "No answer", "With its unit", "Such as"):
        assert words not in html


def test_what_is_entered_comes_out_right(practice: Practice, person: Callable[..., Person]) -> None:
    page = person(login=practice.room().login).page
    show(practice, page, render())
    given = page.evaluate(READ, [describe(field) for field in FIELDS])
    values, errors = clean(FIELDS, given)
    assert errors == {"text": "required", "secret": "required", "bool": "required", "must": "required"}
    assert (values["money"], values["duration"], values["long"]) == (1250, 5400, "Once upon")
    assert (values["choice"], values["choices"], values["shade"], values["color"]) == (None, [], "#1f5f5b", None)
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Story").fill("one\ntwo")
    page.get_by_label("Key").fill("hush")
    page.get_by_label("I agree").check()
    assert values["many"] is None
    page.get_by_label("Month").select_option("Month 13")
    page.get_by_role("radiogroup", name="Sure?").get_by_label("Bee").check()
    page.get_by_role("group", name="Fruits").get_by_label("Apple").check()
    page.get_by_label("Born").fill("2024-02-29")
    page.get_by_label("At", exact=False).and_(page.locator("[type=time]")).fill("09:30")
    page.get_by_label("Paper").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"AB"})
    given = page.evaluate(READ, [describe(field) for field in FIELDS])
    values, errors = clean(FIELDS, given)
    assert errors == {}
    assert values["many"] == "13"
    assert {k: values[k] for k in ("text", "long", "bool", "must", "choices", "date", "time", "file")} == {
        "text": "Ada",
        "long": "one\ntwo",
        "bool": True,
        "must": "b",
        "choices": ["a"],
        "date": "2024-02-29",
        "time": "09:30",
        "file": "data:text/plain;base64,QUI=",
    }
    page.get_by_label("Paper").set_input_files({"name": "b", "mimeType": "", "buffer": b"x" * 100_000})
    given = page.evaluate(READ, [describe(field) for field in FIELDS])
    assert len(given["file"]) < 100
    assert clean(FIELDS, given)[1] == {"file": "too_big"}
