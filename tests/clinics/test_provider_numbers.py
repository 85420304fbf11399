"""Provider numbers, by the published rule of each country."""

from __future__ import annotations

import pytest

from housecall.clinics.provider_numbers import RULES, check, describe


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("US:1234567893", "US:1234567893"),  # the example of CMS's own description of the check digit
        ("us 1234567893", "US:1234567893"),
        ("US: 123-456-7893", "US:1234567893"),
        ("FR:10000000009", "FR:10000000009"),
        ("DE:123456601", "DE:123456601"),
        ("GB:1234567", "GB:1234567"),
        ("AU:MED0001234567", "AU:MED0001234567"),
        ("NL:19012345678", "NL:19012345678"),
    ],
)
def test_a_right_number_is_stored_in_one_form(typed: str, stored: str) -> None:
    checked = check(typed)
    assert checked.text == stored
    assert checked.verified


@pytest.mark.parametrize(
    "typed", ["US:1234567890", "US:3234567893", "US:12345", "FR:10000000004", "DE:123456701", "GB:12", "AU:1"]
)
def test_a_wrong_digit_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="this is no"):
        check(typed)


@pytest.mark.parametrize("typed", ["BR:12345-SP", "12345", "CA 98765", "ZZ:1"])
def test_a_number_without_a_known_rule_is_stored_unverified(typed: str) -> None:
    assert not check(typed).verified


@pytest.mark.parametrize("typed", ["x" * 41, "<script>", "", "…"])
def test_what_no_register_would_write_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="no provider number"):
        check(typed)


def test_every_rule_names_its_source() -> None:
    for rule in RULES.values():
        assert rule.source.startswith("https://")


def test_a_stored_number_can_always_be_described() -> None:
    assert describe("") is None
    old = describe("US:0000000000")
    assert old is not None
    assert not old.verified
