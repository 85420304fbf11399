"""A date and a time as people type them, in five languages. Pure: what it needs to know, it is told."""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

FAR = dt.timedelta(days=380)  #: no link lives longer

MONTHS = {
    **dict.fromkeys(("january", "jan", "januar", "jänner", "janvier", "janv", "enero", "ene", "januari"), 1),
    **dict.fromkeys(("february", "feb", "februar", "fevrier", "fevr", "febrero", "februari"), 2),
    **dict.fromkeys(("march", "mar", "märz", "maerz", "mars", "marzo", "maart", "mrt"), 3),
    **dict.fromkeys(("april", "apr", "avril", "avr", "abril", "abr"), 4),
    **dict.fromkeys(("may", "mai", "mayo", "mei"), 5),
    **dict.fromkeys(("june", "jun", "juni", "juin", "junio"), 6),
    **dict.fromkeys(("july", "jul", "juli", "juillet", "juil", "julio"), 7),
    **dict.fromkeys(("august", "aug", "aout", "agosto", "ago", "augustus"), 8),
    **dict.fromkeys(("september", "sep", "sept", "septembre", "septiembre"), 9),
    **dict.fromkeys(("october", "oct", "oktober", "okt", "octobre", "octubre"), 10),
    **dict.fromkeys(("november", "nov", "novembre", "noviembre"), 11),
    **dict.fromkeys(("december", "dec", "dezember", "dez", "decembre", "diciembre", "dic"), 12),
}
NAMED = "|".join(sorted(MONTHS, key=len, reverse=True))
WEEKDAYS = {
    **dict.fromkeys(("monday", "mon", "montag", "mo", "lundi", "lun", "lunes", "maandag", "ma"), 0),
    **dict.fromkeys(("tuesday", "tue", "tues", "dienstag", "di", "mardi", "martes", "dinsdag"), 1),
    **dict.fromkeys(("wednesday", "wed", "mittwoch", "mi", "mercredi", "mer", "miercoles", "mie", "woensdag", "wo"), 2),
    **dict.fromkeys(("thursday", "thu", "thurs", "donnerstag", "do", "jeudi", "jeu", "jueves", "jue", "donderdag"), 3),
    **dict.fromkeys(("friday", "fri", "freitag", "fr", "vendredi", "ven", "viernes", "vie", "vrijdag", "vr"), 4),
    **dict.fromkeys(("saturday", "sat", "samstag", "sonnabend", "sa", "samedi", "sam", "sabado", "sab", "zaterdag"), 5),
    **dict.fromkeys(("sunday", "sun", "sonntag", "so", "dimanche", "dim", "domingo", "dom", "zondag", "zo"), 6),
}
DAYS = {
    **dict.fromkeys(("today", "heute", "aujourd'hui", "hoy", "vandaag"), 0),
    **dict.fromkeys(("tomorrow", "tmrw", "morgen", "demain", "mañana", "manana"), 1),
    **dict.fromkeys(("day after tomorrow", "übermorgen", "apres-demain", "pasado mañana", "pasado manana"), 2),
    **dict.fromkeys(("overmorgen",), 2),
}
NOON = ("noon", "midday", "mittags", "mittag", "midi", "mediodia", "middag")
MIDNIGHT = ("midnight", "mitternacht", "minuit", "medianoche", "middernacht")
UNITS = {
    **dict.fromkeys(("minute", "minutes", "min", "mins", "minuten", "minuto", "minutos", "minuut"), "minutes"),
    **dict.fromkeys(("hour", "hours", "stunde", "stunden", "heure", "heures", "hora", "horas", "uur"), "hours"),
    **dict.fromkeys(("day", "days", "tag", "tage", "tagen", "jour", "jours", "dia", "dias", "dag", "dagen"), "days"),
    **dict.fromkeys(("week", "weeks", "woche", "wochen", "semaine", "semaines", "semana", "semanas", "weken"), "weeks"),
}
#: What says nothing of its own beside a day or a time.
FILLERS = frozenset(
    """at on um am a le the den der die el la las de del of next this nachste nachsten nachster nachstes kommenden
    kommender kommendes diesen dieser dieses coming prochain prochaine proximo proxima volgende op om o'clock oclock
    uhr h hrs hours heures horas uur time zeit hora heure in from gegen vers and und et y en ce - @""".split()  # noqa: SIM905
)
#: What a zone is called for short, where it means one place. A summer's name is taken for the place, not the season.
ZONES = {
    **dict.fromkeys(("utc", "gmt", "z"), "UTC"),
    **dict.fromkeys(("bst", "uk time", "uk"), "Europe/London"),
    **dict.fromkeys(("wet", "west"), "Europe/Lisbon"),
    **dict.fromkeys(("cet", "cest", "mez", "mesz"), "Europe/Berlin"),
    **dict.fromkeys(("eet", "eest"), "Europe/Helsinki"),
    **dict.fromkeys(("msk",), "Europe/Moscow"),
    **dict.fromkeys(("et", "est", "edt", "eastern"), "America/New_York"),
    **dict.fromkeys(("ct", "cst", "cdt", "central"), "America/Chicago"),
    **dict.fromkeys(("mt", "mst", "mdt", "mountain"), "America/Denver"),
    **dict.fromkeys(("pt", "pst", "pdt", "pacific"), "America/Los_Angeles"),
    **dict.fromkeys(("akst", "akdt"), "America/Anchorage"),
    **dict.fromkeys(("hst",), "Pacific/Honolulu"),
    **dict.fromkeys(("jst",), "Asia/Tokyo"),
    **dict.fromkeys(("sgt",), "Asia/Singapore"),
    **dict.fromkeys(("awst",), "Australia/Perth"),
    **dict.fromkeys(("acst", "acdt"), "Australia/Adelaide"),
    **dict.fromkeys(("aest", "aedt"), "Australia/Sydney"),
    **dict.fromkeys(("nzst", "nzdt"), "Pacific/Auckland"),
}


class NotUnderstood(Exception):
    """What was typed is no time to meet at; `code` says why, `word` which part of it (see SENTENCES in __init__)."""

    def __init__(self, code, word=""):
        super().__init__(code)
        self.code, self.word = code, word


@dataclass(frozen=True, kw_only=True)
class Understood:
    """A moment, and what may be doubted of it: "", "night" (before six, and nobody said am), "twice" (the clocks)."""

    at: dt.datetime  #: with the zone in which it was meant
    doubt: str = ""


def understand(text, *, now, zone, order="dmy"):
    """The moment that a text means: `now` has a zone, `zone` is where it was typed, `order` how 3/12 is read.

    Raises NotUnderstood.
    """
    rest = _Rest(text)
    if not rest.text.strip():
        raise NotUnderstood("empty")
    _end(rest)
    if after := _after(rest, now.astimezone(zone)):
        rest.nothing_left()
        return _checked(after, now, "")
    day, given_year = _day(rest, order)
    hour, minute, sure = _time(rest)
    zone = _zone(rest) or zone
    here = now.astimezone(zone)
    if day is None:
        day, given_year = _day_by_words(rest, here)
    weekday = _weekday(rest)
    rest.nothing_left()
    if hour is None:
        raise NotUnderstood("no_time")
    when = _date(day, given_year, here, weekday, dt.time(hour, minute))
    at = dt.datetime.combine(when, dt.time(hour, minute), zone)
    doubt = "" if sure or hour >= 6 else "night"
    if at.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) != at.replace(tzinfo=None):
        raise NotUnderstood("gap")
    if at.utcoffset() != at.replace(fold=1).utcoffset():
        doubt = "twice"
    return _checked(at, now, doubt)


def _checked(at, now, doubt):
    if at <= now:
        raise NotUnderstood("past")
    if at > now + FAR:
        raise NotUnderstood("far")
    return Understood(at=at, doubt=doubt)


class _Rest:
    """What nobody has made sense of yet."""

    def __init__(self, text):
        plain = unicodedata.normalize("NFKC", text).casefold()
        for odd, usual in (("’", "'"), ("–", "-"), ("—", "-"), ("−", "-"), ("a.m.", "am"), ("p.m.", "pm"), (",", " ")):
            plain = plain.replace(odd, usual)
        # accents fall, but those of German and Spanish words that would be others without them
        kept = "".join(c if c in "äöüñ" else unicodedata.normalize("NFD", c)[0] for c in plain)
        self.text = f" {kept} "

    def take(self, pattern):
        """The first match, which is then gone."""
        found = re.search(pattern, self.text)
        if found:
            self.text = f"{self.text[: found.start()]} {self.text[found.end() :]}"
        return found

    def word(self, words):
        """The longest of some words that stands here, which is then gone."""
        for word in sorted(words, key=len, reverse=True):
            if self.take(rf"(?<![\w']){re.escape(word)}(?![\w'])"):
                return word
        return None

    def nothing_left(self):
        for word in self.text.split():
            if word.strip(".,;:()").replace("ä", "a") not in FILLERS | {""}:
                raise NotUnderstood("word", word)


def _end(rest):
    """Of "10:00-11:00" the second time goes; "10:00-05:00" is a zone."""
    found = re.search(r"(\d{1,2})[:.h](\d\d)\s*(-\s*(\d{1,2})[:.h](\d\d))(?![\d.])", rest.text)
    if found and (int(found[1]), found[2]) < (int(found[4]), found[5]):
        rest.text = rest.text[: found.start(3)] + rest.text[found.end(3) :]


def _after(rest, here):
    """In two hours, in three days: the moment, or None."""
    units = "|".join(sorted(UNITS, key=len, reverse=True))
    found = re.search(rf"^\s*(?:in|dans|en|over)\s+(\d{{1,3}}|an?|einer?|einem|une?|una)\s+({units})\s*$", rest.text)
    if not found:
        return None
    unit, n = UNITS[found[2]], int(found[1]) if found[1].isdigit() else 1
    if unit in ("days", "weeks"):
        raise NotUnderstood("no_time")
    rest.text = " "
    later = here.astimezone(dt.UTC) + dt.timedelta(**{unit: n})
    return later.replace(second=0, microsecond=0).astimezone(here.tzinfo)


def _day(rest, order):
    """(day, month, year or 0) by numbers and names of months, or None; and whether its year was given."""
    if found := rest.take(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)t?"):
        year, month, day = map(int, found.groups())
    elif found := rest.take(
        rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|er|\.)?\s*(?:of|de|d')?\s*({NAMED})\b\.?(?:\s*(?:de\s+)?(\d{{4}})\b)?"
    ):
        day, month, year = int(found[1]), MONTHS[found[2]], int(found[3] or 0)
    elif found := rest.take(
        rf"\b({NAMED})\b\.?\s*(\d{{1,2}})(?:st|nd|rd|th)?(?![\d:h.])(?:\s+(\d{{4}})\b)?(?!\s*(?:am|pm)\b)"
    ):
        month, day, year = MONTHS[found[1]], int(found[2]), int(found[3] or 0)
    elif found := rest.take(r"(?<![\d.:])(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2}(?![\d:.h]))?"):
        day, month, year = int(found[1]), int(found[2]), int(found[3] or 0)
    elif found := rest.take(
        r"(?<![\d.:])(0?[1-9]|[12]\d|3[01])\.(0?[1-9]|1[0-2])(?![\d.:])(?!\s*(?:uhr|am|pm|h)\b)(?=.*\d)"
    ):
        day, month, year = int(found[1]), int(found[2]), 0
    elif found := rest.take(r"(?<![\d:])(\d{1,2})([/-])(\d{1,2})(?:\2(\d{4}|\d{2}))?(?![\d:])"):
        first, second, year = int(found[1]), int(found[3]), int(found[4] or 0)
        turned = order == "mdy" if first <= 12 and second <= 12 else second > 12
        day, month = (second, first) if turned else (first, second)
    else:
        return None, False
    return (day, month, year + 2000 if 0 < year < 100 else year), bool(year)


def _weekday(rest):
    found = rest.word(WEEKDAYS)
    return WEEKDAYS[found] if found else None


def _day_by_words(rest, here):
    """As `_day`, of today, tomorrow, in three days; None for a weekday or a time alone."""
    units = "|".join(sorted((unit for unit in UNITS if UNITS[unit] in ("days", "weeks")), key=len, reverse=True))
    if found := rest.take(rf"\b(?:in|dans|en|over)\s+(\d{{1,3}}|an?|einer?|einem|une?|una)\s+({units})\b"):
        n = int(found[1]) if found[1].isdigit() else 1
        when = here.date() + dt.timedelta(**{UNITS[found[2]]: n})
    elif word := rest.word(DAYS):
        when = here.date() + dt.timedelta(days=DAYS[word])
    else:
        return None, False
    return (when.day, when.month, when.year), True


def _time(rest):
    """(hour, minute, whether it is sure which half of the day), or (None, 0, True)."""
    if rest.word(MIDNIGHT):
        raise NotUnderstood("midnight")
    if rest.word(NOON):
        return 12, 0, True
    if found := rest.take(r"\b(half|quarter) (past|to) (\d{1,2})\s*(am|pm)?\b"):
        minutes = {"half": 30, "quarter": 15}[found[1]] * (1 if found[2] == "past" else -1)
        hour, _, sure = _hour(int(found[3]), 0, found[4])
        return (hour + (minutes < 0) * -1) % 24, minutes % 60, sure
    half = r"(?:\s*(am|pm|(?<=\d)[ap])\b)"
    for pattern in (
        rf"(?<![\d:])(\d{{1,2}}):(\d{{2}})(?::\d{{2}})?(?:\.\d+)?{half}?(?!\d)",
        rf"(?<![\d:])(\d{{1,2}})(?:\.(\d{{2}}))?{half}",
        r"(?<![\d:])(\d{1,2})\s?h\s?(\d{2})?()\b",
        r"(?<![\d:])(\d{1,2})(?:\.(\d{2}))?\s*(?:uhr|uur|heures?|horas?|o'clock)()\b",
        r"\b(\d{2})(\d{2})\s*(?:h|hrs|hours)()\b",
        r"(?:\bum|\bat|\ba|\ba las?|\bom|@)\s*(\d{1,2})(?:\.(\d{2}))?()(?![\d/])",
        r"(?<![\d.:])(\d{1,2})\.(\d{2})()(?![\d.])",
        r"(?<![\d.:/+-])(\d{1,2})()()(?![\d.:/+-])",
    ):
        if found := rest.take(pattern):
            return _hour(int(found[1]), int(found[2] or 0), found[3])
    return None, 0, True


def _hour(hour, minute, half):
    if half:
        if not 1 <= hour <= 12:
            raise NotUnderstood("time", f"{hour} {half}")
        hour = hour % 12 + (12 if half[0] == "p" else 0)
    if hour > 23 or minute > 59:
        raise NotUnderstood("time", f"{hour}:{minute:02}")
    return hour, minute, bool(half)


@cache
def _places():
    """Zones by their own name and by that of their town, in small letters."""
    named = {}
    for zone in sorted(available_timezones()):
        if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "posix/", "right/")):
            town = zone.rpartition("/")[2].replace("_", " ").casefold()
            named[zone.casefold()] = zone
            named.setdefault(town, zone)
    return named


def _zone(rest):
    """The zone that was named, or None."""
    if found := rest.take(r"\b(?:utc|gmt)\s*([+-])\s*(\d{1,2})(?::?([0-5]\d))?\b|(?<!\w)([+-])(\d{2}):?([0-5]\d)\b"):
        sign, hours, minutes = found[1] or found[4], int(found[2] or found[5]), int(found[3] or found[6] or 0)
        if hours > 14:
            raise NotUnderstood("zone", found[0].strip())
        away = dt.timedelta(hours=hours, minutes=minutes)
        return dt.timezone(-away if sign == "-" else away)
    text = rest.text.replace("_", " ")
    for name in sorted(_places(), key=len, reverse=True):
        if name.replace("_", " ") in text:
            rest.text = text
            if rest.take(rf"(?<![\w/])(?:in )?{re.escape(name.replace('_', ' '))}(?: time|er zeit)?(?![\w/])"):
                return ZoneInfo(_places()[name])
    if word := rest.word(ZONES):
        return ZoneInfo(ZONES[word])
    return None


def _date(day, given_year, here, weekday, time):
    """The day that is meant: of what has no year, the next one that is still to come."""
    if day is None and weekday is None:
        passed = here.time().replace(second=0, microsecond=0) >= time
        return here.date() + dt.timedelta(days=1 if passed else 0)
    if day is None:
        ahead = (weekday - here.weekday()) % 7
        if ahead == 0 and here.time() >= time:
            ahead = 7
        return here.date() + dt.timedelta(days=ahead)
    number, month, year = day
    try:
        when = dt.date(year or here.year, month, number)
        if not given_year and when < here.date():
            when = dt.date(here.year + 1, month, number)
    except ValueError:
        raise NotUnderstood("date", f"{number}.{month}." + (str(year) if year else "")) from None
    if weekday is not None and when.weekday() != weekday:
        raise NotUnderstood("weekday")
    return when
