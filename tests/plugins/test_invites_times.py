"""Invitations' times alone: what people type, opening hours, calendar entries read back by another reader."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import sys
import types
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "plugins/invites"
BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = dt.datetime(2026, 11, 26, 10, 0, tzinfo=BRUSSELS)  #: a Thursday


def alone(name: str) -> Any:
    """A module of the plugin without the plugin: its models are a server's."""
    package = types.ModuleType("invites_alone")
    package.__path__ = [str(FOLDER)]
    sys.modules.setdefault("invites_alone", package)
    return importlib.import_module(f"invites_alone.{name}")


when, hours, entries = alone("when"), alone("hours"), alone("entries")


def read(text: str, *, now: dt.datetime = NOW, zone: ZoneInfo = BRUSSELS, order: str = "dmy") -> str:
    """What was understood, by the clocks of `zone`, with its doubt."""
    found = when.understand(text, now=now, zone=zone, order=order)
    return f"{found.at.astimezone(zone):%Y-%m-%d %H:%M} {found.doubt}".strip()


UNDERSTOOD = {
    # a time alone: the next one
    "15h30": "2026-11-26 15:30",
    "15:30": "2026-11-26 15:30",
    "15.30": "2026-11-26 15:30",
    "15.30 Uhr": "2026-11-26 15:30",
    "3pm": "2026-11-26 15:00",
    "3 p.m.": "2026-11-26 15:00",
    "3:30pm": "2026-11-26 15:30",
    "half past 3 pm": "2026-11-26 15:30",
    "quarter to 4 pm": "2026-11-26 15:45",
    "noon": "2026-11-26 12:00",
    "9": "2026-11-27 09:00",
    "9:00": "2026-11-27 09:00",
    "10:00": "2026-11-27 10:00",
    "1530h": "2026-11-26 15:30",
    # days by words
    "today 18:00": "2026-11-26 18:00",
    "tomorrow 3pm": "2026-11-27 15:00",
    "3pm tomorrow": "2026-11-27 15:00",
    "tmrw at 3p": "2026-11-27 15:00",
    "noon tomorrow": "2026-11-27 12:00",
    "the day after tomorrow at 9 am": "2026-11-28 09:00",
    "heute um 18 Uhr": "2026-11-26 18:00",
    "morgen um 15 Uhr": "2026-11-27 15:00",
    "übermorgen 9.30 Uhr": "2026-11-28 09:30",
    "demain à 15h": "2026-11-27 15:00",
    "après-demain 9h15": "2026-11-28 09:15",
    "aujourd'hui 18h": "2026-11-26 18:00",
    "aujourd’hui à 18 heures": "2026-11-26 18:00",
    "mañana a las 16": "2026-11-27 16:00",
    "pasado mañana 9:00": "2026-11-28 09:00",
    "morgen om 15 uur": "2026-11-27 15:00",
    "in 2 hours": "2026-11-26 12:00",
    "in 30 min": "2026-11-26 10:30",
    "in einer Stunde": "2026-11-26 11:00",
    "dans 2 heures": "2026-11-26 12:00",
    "in 3 days 9:00": "2026-11-29 09:00",
    "in 2 weeks at 10:00": "2026-12-10 10:00",
    # weekdays: the next one, today if it is still to come
    "Thursday 3pm": "2026-11-26 15:00",
    "Thursday 9am": "2026-12-03 09:00",
    "next Monday 9am": "2026-11-30 09:00",
    "Mon 14:00": "2026-11-30 14:00",
    "kommenden Freitag 10 Uhr": "2026-11-27 10:00",
    "lundi prochain 9h": "2026-11-30 09:00",
    "jueves a las 9:00": "2026-12-03 09:00",
    "sat 10": "2026-11-28 10:00",
    # dates
    "3.12. 14:00": "2026-12-03 14:00",
    "3.12 14:00": "2026-12-03 14:00",
    "03.12.2026 14:00": "2026-12-03 14:00",
    "5.12.26 9:00": "2026-12-05 09:00",
    "am 3. Dezember um 15.30": "2026-12-03 15:30",
    "3. Dez 15:30 Uhr": "2026-12-03 15:30",
    "le 3 décembre à 9h15": "2026-12-03 09:15",
    "3 de diciembre a las 9:15": "2026-12-03 09:15",
    "3 december 15:00": "2026-12-03 15:00",
    "3 Dec 9:30 am": "2026-12-03 09:30",
    "Dec 3 at 9": "2026-12-03 09:00",
    "December 3rd, 2026, 2:00 PM": "2026-12-03 14:00",
    "the 3rd of December 2pm": "2026-12-03 14:00",
    "Thu 3 Dec 14:00": "2026-12-03 14:00",
    "May 5 3pm": "2027-05-05 15:00",
    "25.11. 9:00": "2027-11-25 09:00",
    "3/12 14:00": "2026-12-03 14:00",
    "3/13 14:00": "2027-03-13 14:00",
    "3-12-2026 15:00": "2026-12-03 15:00",
    "2026/12/05 9am": "2026-12-05 09:00",
    # ISO 8601
    "2026-12-03T14:00": "2026-12-03 14:00",
    "2026-12-03 14:00": "2026-12-03 14:00",
    "2026-12-03T14:00:00Z": "2026-12-03 15:00",
    "2026-12-03T14:00:00+02:00": "2026-12-03 13:00",
    "2026-12-03 10:00-05:00": "2026-12-03 16:00",
    # zones
    "15:00 Berlin": "2026-11-26 15:00",
    "15:00 in New York": "2026-11-26 21:00",
    "15:00 new york time": "2026-11-26 21:00",
    "3pm ET": "2026-11-26 21:00",
    "15:00 UTC": "2026-11-26 16:00",
    "15:00 GMT": "2026-11-26 16:00",
    "tomorrow 15:00 utc+2": "2026-11-27 14:00",
    "15:00 Europe/Lisbon": "2026-11-26 16:00",
    "8am CET tomorrow": "2026-11-27 08:00",
    "9:00 são paulo": "2026-11-26 13:00",
    "15:00 à Paris": "2026-11-26 15:00",
    # from when to when: from
    "3.12. 14:00-14:30": "2026-12-03 14:00",
    "tomorrow 10:00 – 11:00": "2026-11-27 10:00",
    # what may be doubted
    "tomorrow at 3": "2026-11-27 03:00 night",
    "3:00": "2026-11-27 03:00 night",
    "3am": "2026-11-27 03:00",
    "31.10.2027 2:30": "2027-10-31 02:30 twice",
}


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_what_people_type_is_understood(text: str) -> None:
    assert read(text) == UNDERSTOOD[text]
    assert read(f"  {text.upper()}  ") == UNDERSTOOD[text]


REFUSED = {
    "": "empty",
    "   ": "empty",
    "tomorrow": "no_time",
    "in 3 days": "no_time",
    "Mittwoch": "no_time",
    "3.12.": "no_time",
    "bananas at 3pm": "word",
    "3pm with Grace": "word",
    "next week 3pm": "word",
    "25:00": "time",
    "10:75": "time",
    "13pm": "time",
    "31.2. 10:00": "date",
    "2026-13-01 10:00": "date",
    "Fri 3 Dec 10:00": "weekday",
    "midnight": "midnight",
    "minuit": "midnight",
    "today 9:00": "past",
    "25.11.2026 9:00": "past",
    "1 Jan 2029 9:00": "far",
    "28.3.2027 2:30": "gap",
    "15:00 utc+19": "zone",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_understood_says_why(text: str) -> None:
    with pytest.raises(when.NotUnderstood) as no:
        read(text)
    assert no.value.code == REFUSED[text]


def test_the_word_that_was_not_understood_is_named() -> None:
    with pytest.raises(when.NotUnderstood) as no:
        read("3pm with Grace")
    assert no.value.word == "with"


def test_numbers_are_read_as_where_it_was_typed() -> None:
    assert read("3/12 14:00", order="mdy") == "2027-03-12 14:00"
    assert read("13/3 14:00", order="mdy") == "2027-03-13 14:00"
    assert read("3.12. 14:00", order="mdy") == "2026-12-03 14:00"


def test_a_day_is_that_of_the_zone_that_was_named() -> None:
    """At ten in Brussels it is the evening of that day in Auckland: tomorrow there is another date."""
    found = when.understand("tomorrow 9:00 Auckland", now=NOW, zone=BRUSSELS)
    assert found.at.isoformat() == "2026-11-27T09:00:00+13:00"
    noon = dt.datetime(2026, 11, 26, 12, 30, tzinfo=BRUSSELS)
    found = when.understand("today 9:00 Auckland", now=noon, zone=BRUSSELS)
    assert found.at.isoformat() == "2026-11-27T09:00:00+13:00"


def test_nothing_that_is_typed_breaks_it() -> None:
    pieces = [*":./-h+àü😀\x00", "3", "12", "pm", "tomorrow", "mon", "dec", "utc", "2026", "in"]
    codes = set()
    for i in range(2000):
        text = " ".join(pieces[(i * 7 + j * j * (i % 11 + 1)) % len(pieces)] for j in range(1 + i % 6))
        for typed in (text, text.replace(" ", "")):
            with contextlib.suppress(when.NotUnderstood):
                try:
                    read(typed)
                except when.NotUnderstood as no:
                    codes.add(no.code)
                    raise
    assert codes <= {*REFUSED.values()}


# -- opening hours

WEEK = "Mon-Fri 9:00-12:00, 14-17:30\nSat 10 - 12\n2026-11-27 closed\n24.12.2026 9-12"


def status(text: str, now: str, zone: str = "Europe/Brussels") -> tuple[bool, str]:
    found = hours.status(
        hours.parse(text), dt.datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone)), ZoneInfo(zone)
    )
    return found.open, f"{found.until:%a %Y-%m-%d %H:%M}" if found.until else ""


@pytest.mark.parametrize(
    ("now", "is_open", "until"),
    [
        ("2026-11-26 09:00", True, "Thu 2026-11-26 12:00"),
        ("2026-11-26 11:59", True, "Thu 2026-11-26 12:00"),
        ("2026-11-26 12:00", False, "Thu 2026-11-26 14:00"),
        ("2026-11-26 18:00", False, "Sat 2026-11-28 10:00"),
        ("2026-11-29 09:00", False, "Mon 2026-11-30 09:00"),
        ("2026-12-24 15:00", False, "Fri 2026-12-25 09:00"),
    ],
)
def test_whether_it_is_open_and_until_when(now: str, is_open: bool, until: str) -> None:
    assert status(WEEK, now) == (is_open, until)


def test_hours_that_touch_are_one_and_always_is_always() -> None:
    assert status("Mon 20-24\nTue 0-4", "2026-11-30 21:00") == (True, "Tue 2026-12-01 04:00")
    assert status("Mon-Sun 0-24", "2026-11-30 21:00") == (True, "")
    assert status("2026-01-01 9-12", "2026-11-30 21:00") == (False, "")


def test_hours_are_by_the_clocks_of_the_practice_also_when_these_change() -> None:
    text = "Sun 1-5\nMon 9-17"
    found = hours.status(hours.parse(text), dt.datetime(2027, 3, 28, 0, 30, tzinfo=dt.UTC), BRUSSELS)
    assert found.until.astimezone(dt.UTC) == dt.datetime(2027, 3, 28, 3, 0, tzinfo=dt.UTC)  # 5 o'clock in summer


@pytest.mark.parametrize(
    "text", ["Mo-Fr 9-12", "lun-ven 9h00-12h00", "Montag–Freitag: 9.00–12.00", "mon, tue, wed, thu, fri 9am-12pm"]
)
def test_days_are_named_in_several_languages(text: str) -> None:
    assert hours.parse(text).week == dict.fromkeys(range(5), ((540, 720),))


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("Foo 9-12", 1, "day"),
        ("9-12", 1, "day"),
        ("Mon-Wed-Fri 9-10", 1, "day"),
        ("Mon 9", 1, "span"),
        ("Mon 25-26", 1, "span"),
        ("Mon 9-12 maybe", 1, "span"),
        ("Mon", 1, "span"),
        ("Mon 12-9", 1, "order"),
        ("Mon 9-12, 11-13", 1, "overlap"),
        ("2026-13-01 closed", 1, "date"),
        ("Mon-Fri 9-12\n\nFri 13-14", 3, "twice"),
    ],
)
def test_a_line_that_is_wrong_is_named(text: str, line: int, code: str) -> None:
    with pytest.raises(hours.Wrong) as wrong:
        hours.parse(text)
    assert (wrong.value.line, wrong.value.code) == (line, code)


# -- calendar entries

icalendar = pytest.importorskip("icalendar", reason="icalendar is not installed: pip install 'housecall[invites]'")
AT = int(dt.datetime(2026, 12, 3, 13, 0, tzinfo=dt.UTC).timestamp() * 1000)
KNOWN: dict[str, Any] = {"uid": "v@elm.example", "at": AT, "minutes": 30, "summary": "Video consultation"}
URL = "https://elm.example/drsmith#i=abc.def"


def event(data: bytes) -> tuple[Any, Any]:
    """The calendar and its one event."""
    calendar = icalendar.Calendar.from_ical(data)
    [only] = calendar.walk("VEVENT")
    return calendar, only


def test_an_invitation_is_an_entry_that_calendars_take() -> None:
    made = entries.entry(
        "REQUEST",
        sequence=0,
        url=URL,
        text=f"Elm\n{URL}",
        organizer=("Elm; Street, Practice", "desk@elm.example"),
        attendee="grace@hopper.example",
        **KNOWN,
    )
    assert all(len(line) <= 75 for line in made.split(b"\r\n"))
    assert b"\r\n" in made
    calendar, only = event(made)
    assert (calendar["METHOD"], calendar["VERSION"]) == ("REQUEST", "2.0")
    assert only["DTSTART"].dt == dt.datetime(2026, 12, 3, 13, 0, tzinfo=dt.UTC)
    assert only["DTEND"].dt - only["DTSTART"].dt == dt.timedelta(minutes=30)
    assert (only["UID"], only["SEQUENCE"], only["STATUS"]) == ("v@elm.example", 0, "CONFIRMED")
    assert (only["SUMMARY"], only["LOCATION"], only["URL"], only["CLASS"]) == (
        "Video consultation",
        URL,
        URL,
        "PRIVATE",
    )
    assert only["DESCRIPTION"] == f"Elm\n{URL}"
    assert (only["ORGANIZER"], only["ORGANIZER"].params["CN"]) == ("mailto:desk@elm.example", "Elm; Street, Practice")
    assert (only["ATTENDEE"], only["ATTENDEE"].params["RSVP"]) == ("mailto:grace@hopper.example", "TRUE")
    [alarm] = only.walk("VALARM")
    assert alarm["TRIGGER"].dt == dt.timedelta(minutes=-15)


def test_a_cancellation_takes_it_back() -> None:
    calendar, only = event(
        entries.entry("CANCEL", sequence=2, organizer=("Elm", "desk@elm.example"), attendee="g@h.example", **KNOWN)
    )
    assert (calendar["METHOD"], only["STATUS"], only["SEQUENCE"]) == ("CANCEL", "CANCELLED", 2)
    assert only["UID"] == "v@elm.example"
    assert "URL" not in only
    assert only.walk("VALARM") == []


def test_ones_own_entry_names_nobody() -> None:
    calendar, only = event(entries.entry("PUBLISH", sequence=0, url=URL, organizer=None, **KNOWN))
    assert calendar["METHOD"] == "PUBLISH"
    assert "ATTENDEE" not in only
    assert "ORGANIZER" not in only


def test_a_feed_has_times_and_nothing_else() -> None:
    rows = [
        types.SimpleNamespace(id=f"v{n}", sequence=n, at=AT + n, minutes=30, cancelled=n == 1, changed=AT)
        for n in range(3)
    ]
    made = entries.feed(rows, summary="Video consultation", host="elm.example", url="https://elm.example/dashboard")
    events = icalendar.Calendar.from_ical(made).walk("VEVENT")
    assert [each["STATUS"] for each in events] == ["CONFIRMED", "CANCELLED", "CONFIRMED"]
    assert {name for each in events for name in each} == {
        *("UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "CLASS", "STATUS", "URL"),
    }
    assert entries.feed([], summary="Video consultation", host="h", url="u").startswith(b"BEGIN:VCALENDAR")
