"""examples/plugins/intake: a check-in step that is made of fields, without Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from housecall.testing import PluginContract, open_dashboard

FOLDER = Path(__file__).resolve().parents[2] / "examples/plugins/intake"


class TestIntake(PluginContract):
    folder = FOLDER


def test_the_provider_reads_what_the_patient_answers(house: Callable[..., Any], picture: Callable[..., None]) -> None:
    practice = house("intake")
    provider, patient = practice.provider(), practice.patient()
    open_dashboard(provider, practice.practice.url)
    practice.arrive(patient)
    card = provider.locator(".card")
    expect(card.locator(".state")).to_have_text("Answering questions")
    expect(card.get_by_role("button", name="Start visit")).to_be_hidden()
    picture(patient, "intake-form")

    form = patient.locator("form[data-step='intake:reason']")
    form.get_by_role("button").click()
    expect(form.locator(".error")).to_have_count(1)
    reason = patient.get_by_label("What brings you today?")
    expect(reason).to_be_focused()
    expect(reason).to_have_attribute("aria-invalid", "true")
    form.locator(".error").scroll_into_view_if_needed()
    picture(patient, "intake-error")

    reason.fill("A cough that does not go away")
    patient.get_by_label("Since when?").fill("2026-01-02")
    patient.get_by_label("How strong is your pain?").fill("3")
    form.get_by_role("radiogroup").get_by_label("No", exact=True).check()
    form.get_by_role("button").click()
    expect(patient.locator("main[data-state=waiting]")).to_be_visible()
    expect(card.get_by_role("button", name="Start visit")).to_be_visible()
    card.get_by_text("Answers").click()
    expect(card.locator("dt")).to_have_text("About today")
    expect(card.locator("dd")).to_have_text(
        [
            "What brings you today? A cough that does not go away",
            "Since when? 2026-01-02",
            "How strong is your pain? 3",
            "Have you seen us about this before? No",
        ]
    )
    picture(provider, "intake-card")
    assert b"cough" not in practice.practice.log.read_bytes()


def test_a_member_may_admit_somebody_without_answers(house: Callable[..., Any]) -> None:
    practice = house("intake")
    provider, patient = practice.provider(), practice.patient()
    open_dashboard(provider, practice.practice.url)
    practice.arrive(patient)
    provider.get_by_role("button", name="Admit Grace Hopper anyway").click()
    expect(patient.locator("main[data-state=waiting]")).to_be_visible()
    expect(provider.get_by_role("button", name="Start visit with Grace Hopper")).to_be_visible()
