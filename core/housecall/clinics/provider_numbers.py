"""Provider numbers: how each country checks its own, and where that rule is published."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How a country's register writes its numbers. `digit`: it has a check digit; else only the form is checked."""

    country: str
    name: str
    passes: Callable[[str], bool]
    digit: bool
    source: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A number as it is stored (`text`), and what we can say of it."""

    text: str
    rule: Rule | None

    @property
    def verified(self) -> bool:
        """Whether its form (and check digit) was checked. Nobody asked the register whether it exists."""
        return self.rule is not None


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1's check digit."""
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _npi(text: str) -> bool:
    return bool(re.fullmatch(r"[12]\d{9}", text)) and luhn("80840" + text)


def _rpps(text: str) -> bool:
    return bool(re.fullmatch(r"\d{11}", text)) and luhn(text)


def _lanr(text: str) -> bool:
    if not re.fullmatch(r"\d{9}", text):
        return False
    total = sum(int(d) * w for d, w in zip(text[:6], (4, 9) * 3, strict=True))
    return (10 - total % 10) % 10 == int(text[6])


def _form(pattern: str) -> Callable[[str], bool]:
    return lambda text: bool(re.fullmatch(pattern, text))


RULES: dict[str, Rule] = {
    rule.country: rule
    for rule in (
        Rule(
            country="US",
            name="National Provider Identifier (NPI)",
            passes=_npi,
            digit=True,
            source="https://www.cms.gov/Regulations-and-Guidance/Administrative-Simplification/NationalProvIdentStand/Downloads/NPIcheckdigit.pdf",
        ),
        Rule(
            country="FR", name="RPPS", passes=_rpps, digit=True, source="https://esante.gouv.fr/produits-services/rpps"
        ),
        Rule(
            country="DE",
            name="Lebenslange Arztnummer (LANR)",
            passes=_lanr,
            digit=True,
            source="https://www.kbv.de/media/sp/Arztnummern_Richtlinie.pdf",
        ),
        Rule(
            country="GB",
            name="GMC reference number",
            passes=_form(r"\d{7}"),
            digit=False,
            source="https://www.gmc-uk.org/registration-and-licensing/the-medical-register",
        ),
        Rule(
            country="AU",
            name="Ahpra registration number",
            passes=_form(r"[A-Z]{3}\d{10}"),
            digit=False,
            source="https://www.ahpra.gov.au/Registration/Registers-of-Practitioners.aspx",
        ),
        Rule(
            country="NL",
            name="BIG-nummer",
            passes=_form(r"\d{11}"),
            digit=False,
            source="https://www.bigregister.nl/",
        ),
    )
}


def check(text: str) -> Checked:
    """Read "US:1234567893" (or "US 1234567893"). A country without a rule, or none, is stored unverified.

    Raises ValueError when the country has a rule and the number does not follow it, or when the text cannot be a
    number at all (longer than 40 characters, or with signs that no register uses).
    """
    plain = " ".join(text.upper().split())
    if len(plain) > 40 or not re.fullmatch(r"[A-Z0-9][A-Z0-9 :./-]*", plain):
        raise ValueError("this is no provider number")
    match = re.fullmatch(r"([A-Z]{2})\s*[: ]\s*(.+)", plain)
    if match is None or match[1] not in RULES:
        return Checked(text=plain, rule=None)
    country, number = match[1], re.sub(r"[ ./-]", "", match[2])
    if not RULES[country].passes(number):
        raise ValueError(f"this is no {RULES[country].name}")
    return Checked(text=f"{country}:{number}", rule=RULES[country])


def describe(stored: str) -> Checked | None:
    """What can be said of a stored number; None where there is none."""
    if not stored:
        return None
    try:
        return check(stored)
    except ValueError:  # a rule that came after the number was stored
        return Checked(text=stored, rule=None)
