"""Telephone numbers: what people type, read as E.164 by the practice's country. What is not clear is refused."""

import re
import unicodedata

LEAST, MOST = 8, 15  #: digits with the country code; E.164 allows 15

#: Country codes of two digits (ITU-T E.164); 1 and 7 have one, those below three.
TWO = frozenset(
    str(code)
    for first, last in (
        *((20, 20), (27, 27), (30, 34), (36, 36), (39, 41), (43, 49), (51, 58), (60, 66), (81, 82), (84, 84), (86, 86)),
        *((90, 95), (98, 98)),
    )
    for code in range(first, last + 1)
)
#: Those of three. Satellites, shared-cost and premium codes (800, 870, 878, 881 to 883, 979) belong to no country.
THREE = frozenset(
    str(code)
    for first, last in (
        *((211, 213), (216, 216), (218, 218), (220, 269), (290, 291), (297, 299), (350, 359), (370, 383), (385, 387)),
        *((389, 389), (420, 421), (423, 423), (500, 509), (590, 599), (670, 670), (672, 683), (685, 692), (850, 850)),
        *((852, 853), (855, 856), (880, 880), (886, 886), (960, 968), (970, 977), (992, 996), (998, 998)),
    )
    for code in range(first, last + 1)
)
#: What is dialled before a national number within a country, and left out of the international one; 0 elsewhere.
TRUNK = {"7": ("8",), "36": ("06",), "370": ("8", "0"), "1": ("1",)}
#: Where a number has no such prefix, or keeps its 0.
KEPT = frozenset(("225", "242", "34", "351", "357", "378", "379", "39", "45", "47", "420", "48", "503", "65", "852"))
ABROAD = {"1": ("011",), "7": ("810", "00"), "61": ("0011",), "81": ("010",), "65": ("000", "001", "002", "008", "00")}

#: Area codes of +1 that are other countries, where calls and texts cost what they like: `+1` alone does not allow them.
ISLANDS = frozenset(
    (
        *("242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664"),
        *("721", "758", "767", "784", "809", "829", "849", "868", "869", "876"),
    )
)
_MARKS = re.compile(r"[\s().\-/\u2010-\u2015\u2212\u00ad\u200e\u200f\u202a-\u202c\u2066-\u2069]")


class Unreadable(ValueError):
    """A number that cannot be used; the text is a sentence for people, without the number."""


def read(typed, country):
    """E.164 (`+` and digits) of what was typed, by the practice's country code (such as "32"). Raises Unreadable."""
    text = unicodedata.normalize("NFKC", str(typed)).strip()
    text = re.sub(r"^tel:", "", text, flags=re.I)
    text = re.sub(r"^(\+|00)([\d\s]+)\(0\)", r"\1\2", text)  # +44 (0)20: the 0 is for calls within the country
    text = _MARKS.sub("", "".join(str(unicodedata.digit(c)) if c.isdecimal() else c for c in text))
    if not re.fullmatch(r"\+?[0-9]+", text):
        raise Unreadable("A telephone number is made of digits; an extension cannot be texted.")
    digits = text[1:] if text.startswith("+") else _international(text, country)
    code = code_of(digits)
    if not code:
        raise Unreadable("This begins with no country's code. Write it with + and the country, as in +32 470 00 00 01.")
    if not LEAST <= len(digits) <= MOST:
        raise Unreadable("This number is too short." if len(digits) < LEAST else "This number is too long.")
    if code == "1" and not re.fullmatch(r"1[2-9][0-9]{2}[2-9][0-9]{6}", digits):
        raise Unreadable("A number of +1 has an area code and seven digits, ten in all.")
    return f"+{digits}"


def _international(text, country):
    """The digits of a number that was written as it is dialled in a country."""
    for prefix in ABROAD.get(country, ("00",)):
        if text.startswith(prefix) and code_of(text[len(prefix) :]):
            return text[len(prefix) :]
    if country == "1" and len(text) == 11 and text[0] == "1":
        return text
    if country != "1" and text.startswith(country) and len(text) - len(country) >= LEAST:
        raise Unreadable("It is not clear whether this begins with the country's code. Write it with a + before it.")
    if country not in KEPT:
        for trunk in TRUNK.get(country, ("0",)):
            if text.startswith(trunk) and len(text) > 7 and country != "1":
                return country + text[len(trunk) :]
    return country + text


def code_of(digits):
    """The country code that these digits begin with; empty where there is none."""
    if digits[:1] in ("1", "7"):
        return digits[:1]
    return digits[:2] if digits[:2] in TWO else digits[:3] if digits[:3] in THREE else ""


def shown(number):
    """A number of E.164 in groups, as people compare it: +32 470 000 001."""
    code = code_of(number[1:])
    rest = number[1 + len(code) :]
    head = len(rest) % 3
    groups = ([rest[:head]] if head else []) + [rest[i : i + 3] for i in range(head, len(rest), 3)]
    if len(groups) > 1 and len(groups[0]) == 1:  # nobody reads a digit alone
        groups[:2] = ["".join(groups[:2])]
    return " ".join([f"+{code}", *groups])


def prefixes(written, country):
    """The beginnings that a practice allows, from a text such as "+32, +33"; its own country where it says nothing.

    Raises Unreadable.
    """
    found = [_MARKS.sub("", part) for part in re.split(r"[,;\n]+", written or "") if part.strip()]
    for part in found:
        if not re.fullmatch(r"\+[1-9][0-9]{0,8}", part) or not code_of(part[1:]):
            raise Unreadable(f"“{part}” is not the beginning of a number: write + and a country's code, such as +32.")
    return tuple(found) or (f"+{country}",)


def may(number, allowed):
    """Whether a number begins as the practice allows."""
    island = number.startswith("+1") and number[2:5] in ISLANDS
    return any(number.startswith(prefix) and not (island and prefix == "+1") for prefix in allowed)
