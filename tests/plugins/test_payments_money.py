"""Money is integers of Stripe's minor units; what people type is understood or refused; states follow in any order."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments_parts import currencies, states, terms

#: (typed, currency, minor units)
UNDERSTOOD = [
    ("12,50", "eur", 1250),
    ("12.50 €", "eur", 1250),
    ("€12.5", "eur", 1250),
    ("EUR 1.234,50", "eur", 123450),
    ("1,234.50", "usd", 123450),
    ("1 234,50", "eur", 123450),
    ("1\u202f234,50 €", "eur", 123450),
    ("1'234.50 CHF", "chf", 123450),
    ("12.-", "chf", 1200),
    ("$ 12", "cad", 1200),
    ("R$ 12", "brl", 1200),
    ("100 kr", "sek", 10000),
    (".50", "eur", 50),
    ("50.", "eur", 5000),
    ("１２.５０", "eur", 1250),
    ("١٢٫٥", "eur", 1250),
    ("5000", "jpy", 5000),
    ("5,000", "jpy", 5000),
    ("5.000", "vnd", 5000),
    ("12.00", "jpy", 12),
    ("5", "isk", 500),
    ("5.00", "ugx", 500),
    ("12.50", "huf", 1250),
    ("12.50", "twd", 1250),
    ("1.23", "kwd", 1230),
    ("0.120", "bhd", 120),
    ("12", "tnd", 12000),
]
REFUSED = [
    ("", "eur", "empty"),
    ("  ", "eur", "empty"),
    ("fifty", "eur", "invalid"),
    ("12 50", "eur", "invalid"),
    ("12..5", "eur", "invalid"),
    ("1.2.3", "eur", "invalid"),
    ("1,23,4.5", "eur", "invalid"),
    ("-5", "eur", "invalid"),
    ("5%", "eur", "invalid"),
    ("12 $", "eur", "currency"),
    ("12 usd", "eur", "currency"),
    ("1.234", "eur", "ambiguous"),
    ("1,234", "usd", "ambiguous"),
    ("1.230", "kwd", "ambiguous"),
    ("1234.567", "eur", "decimals"),
    ("12.5", "jpy", "decimals"),
    ("1.2345", "kwd", "decimals"),
    ("0.005", "kwd", "step"),
    ("5.50", "isk", "step"),
    ("5.01", "ugx", "step"),
    ("0", "eur", "zero"),
    ("0,00", "eur", "zero"),
    ("1000000", "eur", "big"),
    ("1,234,567", "usd", "big"),
]


@pytest.mark.parametrize(("typed", "currency", "minor"), UNDERSTOOD)
def test_what_people_mean(typed: str, currency: str, minor: int) -> None:
    assert currencies.parse(typed, currency) == minor


@pytest.mark.parametrize(("typed", "currency", "code"), REFUSED)
def test_what_nobody_can_know(typed: str, currency: str, code: str) -> None:
    with pytest.raises(currencies.Unclear) as caught:
        currencies.parse(typed, currency)
    assert caught.value.code == code


@given(st.sampled_from(currencies.CODES), st.integers(1, currencies.MOST))
def test_an_amount_that_we_write_is_read_as_itself(currency: str, amount: int) -> None:
    amount = max(1, amount // currencies.step(currency)) * currencies.step(currency)
    assert currencies.parse(currencies.plain(amount, currency), currency) == amount
    shown = currencies.shown(amount, currency)
    assert shown.endswith(f" {currency.upper()}")
    digits = shown.replace(",", "").split()[0]
    whole = digits if "." in digits else f"{digits}.{'0' * currencies.digits(currency)}"
    assert int(whole.replace(".", "")) == amount


@given(st.text(max_size=40), st.sampled_from(currencies.CODES))
def test_whatever_is_typed_is_an_amount_or_refused(text: str, currency: str) -> None:
    try:
        amount = currencies.parse(text, currency)
    except currencies.Unclear:
        return
    assert type(amount) is int
    assert 0 < amount <= currencies.MOST
    assert amount % currencies.step(currency) == 0


def test_the_currencies_are_told_once_and_in_three_kinds() -> None:
    assert len(set(currencies.CODES)) == len(currencies.CODES)
    kinds = [set(currencies.NONE), set(currencies.THREE), set(currencies.WHOLE)]
    assert all(kind <= set(currencies.CODES) for kind in kinds)
    assert not any(a & b for a, b in itertools.combinations(kinds, 2))
    assert {currencies.digits(code) for code in currencies.CODES} == {0, 2, 3}


def test_no_money_is_a_float() -> None:
    """Nothing in the plugin's Python makes or rounds one; parts of a picture and of a second are no money."""
    for path in Path(currencies.__file__).parent.glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.search(r"\b(float|round|Decimal)\(", line), f"{path.name}: {line}"
            divides = re.search(r"[^/]/ ", line)
            assert not divides or "/ most" in line or "ms / 1000" in line, f"{path.name}: {line}"


SEEN = states.Seen(session="cs", status="open", payment="unpaid", amount=100, currency="eur")
LOOKS = {
    "open": SEEN,
    "declined": replace(SEEN, declined=True),
    "expired": replace(SEEN, status="expired"),
    "bank": replace(SEEN, status="complete"),
    "bank says no": replace(SEEN, status="complete", declined=True),
    "paid": replace(SEEN, status="complete", payment="paid"),
    "part back": replace(SEEN, status="complete", payment="paid", refunded=40),
    "all back": replace(SEEN, status="complete", payment="paid", refunded=100),
}


@pytest.mark.parametrize(
    ("state", "cancelled", "look", "follows"),
    [
        ("making", False, "open", "requested"),
        ("opened", False, "open", "opened"),
        ("requested", False, "declined", "failed"),
        ("failed", False, "paid", "paid"),
        ("opened", False, "expired", "expired"),
        ("opened", True, "expired", "cancelled"),
        ("opened", True, "paid", "paid"),
        ("cancelled", True, "paid", "paid"),
        ("opened", False, "bank", "pending"),
        ("pending", False, "bank says no", "failed"),
        ("paid", False, "part back", "paid"),
        ("paid", False, "all back", "refunded"),
    ],
)
def test_what_follows(state: str, cancelled: bool, look: str, follows: str) -> None:
    assert states.follow(state, cancelled, 0, LOOKS[look]) == follows


@pytest.mark.parametrize("cancelled", [False, True])
def test_in_any_order_and_twice_it_comes_to_the_same(cancelled: bool) -> None:
    """Looks of one payment's way, in every order: an older one that comes late changes nothing that is settled."""
    ways: list[tuple[str, ...]] = [
        ("open", "declined", "paid", "part back", "all back"),
        ("open", "bank", "paid"),
        ("open", "declined", "expired"),
    ]
    for way in ways:
        wanted = None
        for order in itertools.permutations(way):
            state, refunded = states.MAKING, 0
            for look in (*order, order[-1], *order):
                state = states.follow(state, cancelled, refunded, LOOKS[look])
                refunded = max(refunded, LOOKS[look].refunded)
            wanted = wanted or state
            assert state == wanted, order
        assert wanted == states.follow(states.MAKING, cancelled, 0, LOOKS[way[-1]])


def values(**more: Any) -> dict[str, Any]:
    none = dict.fromkeys(("key", "presets", "before_amount", "amount_here"))
    return {**none, "currency": "eur", "before": False, "before_here": "practice", **more}


def test_settings_that_do_not_go_together_are_named() -> None:
    assert terms.mistakes(values(key="rk_test_0123456789", presets="A = 5\nB=12,50\n", before_amount="20")) == {}
    assert "publishable" in terms.mistakes(values(key="pk_live_0123456789"))["key"]
    assert set(terms.mistakes(values(key="hello", presets="Nothing", before_amount="x"))) == {
        "key",
        "presets",
        "before_amount",
    }
    assert "Consultation: 50" in terms.mistakes(values(presets="Consultation: 50"))["presets"]
    assert set(terms.mistakes(values(before=True))) == {"before_amount"}
    assert set(terms.mistakes(values(before_here="yes"))) == {"amount_here"}
    for name in ("link", "link_here"):
        assert terms.mistakes(values(**{name: "https://pay.example/elm"})) == {}
        assert "https://" in terms.mistakes(values(**{name: "http://pay.example/elm"}))[name]
    paid = {"before_amount": "20", "link": "https://pay.example/elm"}
    assert set(terms.mistakes(values(before=True, **paid))) == {"link"}, "nobody could be waited for"
    assert terms.presets("A = B = 5 €\n\n C=1", "eur") == [("A = B", 500), ("C", 100)]
