"""Opening hours as a practice types them, a line for each group of days; and whether a room is open at a moment."""

import datetime as dt
import re
from dataclasses import dataclass, field
from itertools import pairwise

from .when import WEEKDAYS

AHEAD = 60  #: days that are looked through for the next opening
CLOSED = frozenset(("closed", "geschlossen", "zu", "ferme", "fermé", "cerrado", "gesloten"))
TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm)?")


class Wrong(Exception):
    """A line that is none of opening hours: `line` is its number, from 1; `code` why (see SENTENCES in __init__)."""

    def __init__(self, line, code, what=""):
        super().__init__(code)
        self.line, self.code, self.what = line, code, what


@dataclass(frozen=True, kw_only=True)
class Hours:
    """From when to when, in minutes of the day: by weekday, Monday is 0, and on days that are otherwise."""

    week: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    days: dict[dt.date, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def of(self, day):
        """The spans of a date."""
        return self.days.get(day, self.week.get(day.weekday(), ()))


@dataclass(frozen=True, kw_only=True)
class Status:
    """Open or not, and the moment at which that changes; None where it does not within AHEAD days."""

    open: bool
    until: dt.datetime | None


def parse(text):
    """The hours of a text such as "Mon-Fri 9-12, 14:00-17:30" and "2026-12-24 closed". Raises Wrong."""
    week, days = {}, {}
    for number, line in enumerate(text.splitlines(), 1):
        plain = " ".join(line.casefold().replace("–", "-").replace("—", "-").split())
        if not plain:
            continue
        found, place = re.match(r"(\d{4})-(\d{2})-(\d{2})|(\d{1,2})\.(\d{1,2})\.(\d{4})", plain), week
        if found:
            year, month, day = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
            try:
                named, place = [dt.date(int(year), int(month), int(day))], days
            except ValueError:
                raise Wrong(number, "date", found[0]) from None
            rest = plain[found.end() :]
        else:
            found = re.match(r"[^\W\d_]+\.?(?: ?[-,] ?[^\W\d_]+\.?)*", plain)
            if not found:
                raise Wrong(number, "day", plain.split()[0])
            named, rest = _weekdays(found[0], number), plain[found.end() :]
            if found[0].split()[-1] in CLOSED:
                rest = found[0].split()[-1]
        spans = _spans(rest.lstrip(" :"), number)
        for each in named:
            if each in place:
                raise Wrong(number, "twice", found[0])
            place[each] = spans
    return Hours(week=week, days=days)


def _weekdays(text, number):
    named = []
    for part in re.split(r" ?, ?", text):
        ends = [each.strip(" .") for each in part.split("-")]
        unknown = [each for each in ends if each not in WEEKDAYS]
        if unknown or len(ends) > 2:
            raise Wrong(number, "day", (unknown or ends)[0])
        first, last = WEEKDAYS[ends[0]], WEEKDAYS[ends[-1]]
        named += [(first + n) % 7 for n in range((last - first) % 7 + 1)]
    return named


def _spans(text, number):
    if text in CLOSED:
        return ()
    spans = []
    for part in re.split(r" ?, ?| and | und | et | y ", text):
        ends = [TIME.fullmatch(each.strip()) for each in part.split("-")]
        if len(ends) != 2 or not all(ends):
            raise Wrong(number, "span", part)
        first, last = (_minutes(each, number) for each in ends)
        if first >= last:
            raise Wrong(number, "order", part)
        spans.append((first, last))
    spans.sort()
    if any(before[1] > after[0] for before, after in pairwise(spans)):
        raise Wrong(number, "overlap", text)
    return tuple(spans)


def _minutes(found, number):
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3]:
        hour = hour % 12 + (12 if found[3] == "pm" else 0) if 1 <= hour <= 12 else 99
    if minute > 59 or hour * 60 + minute > 24 * 60:
        raise Wrong(number, "span", found[0])
    return hour * 60 + minute


def status(hours, now, zone):
    """Whether it is open at `now`, by the clocks of `zone`. Spans that touch are one."""
    today = now.astimezone(zone).date()
    spans = list(_ahead(hours, today, zone))
    for start, end in spans:
        if start <= now < end:
            return Status(open=True, until=end if end.date() < today + dt.timedelta(days=AHEAD) else None)
    return Status(open=False, until=next((start for start, _ in spans if start > now), None))


def _ahead(hours, today, zone):
    """The spans of the days that come, as moments; those that touch are joined."""
    last = None
    for n in range(-1, AHEAD):
        day = today + dt.timedelta(days=n)
        for first, end in hours.of(day):
            span = (_at(day, first, zone), _at(day, end, zone))
            if last and last[1] == span[0]:
                last = (last[0], span[1])
                continue
            if last:
                yield last
            last = span
    if last:
        yield last


def _at(day, minutes, zone):
    return (dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minutes)).replace(tzinfo=zone)
