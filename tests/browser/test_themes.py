"""Every theme that Housecall comes with: axe-core finds nothing and nothing is too wide, in every state of a visit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from housecall.extending.theming import Themes, shipped
from housecall.testing import Person, Practice
from housecall.testing.access import PHONE, audit
from housecall.testing.acts import check_in
from housecall.testing.states import a_visit_in_every_state
from housecall.web import language

FOUND = Themes([shipped()], language.interface_texts)
DESK = {"width": 1280, "height": 800}

#: Names on pictures that the clock of the call covers.
COVERED = """() => {
  const clock = document.querySelector("#timer")?.getBoundingClientRect();
  return [...document.querySelectorAll(".tile figcaption > *")].filter(each => {
    const box = each.getBoundingClientRect();
    return clock?.width && box.width && box.left < clock.right && box.right > clock.left
      && box.top < clock.bottom && box.bottom > clock.top;
  }).map(each => each.textContent);
}"""


def test_what_is_shipped_is_looked_at() -> None:
    assert FOUND.broken == {}
    assert set(FOUND.good) >= {"calm", "evening"}


@pytest.mark.parametrize("theme", sorted(FOUND.good))
def test_everybody_can_use_a_visit_in_each_theme(
    serve: Callable[..., Practice], person: Callable[..., Person], theme: str
) -> None:
    """One visit for each theme; every state is looked at on a desk and on a phone, in each scheme that it has."""
    practice = serve(f'[server]\n[clinic.main]\nname = "Elm Street Practice"\ntheme = "{theme}"\n')
    schemes = FOUND.good[theme].scheme.split()
    seen = 0
    options = {"own": f"localhost:{practice.port}", "viewport": PHONE, "reduced_motion": "reduce"}
    with a_visit_in_every_state(practice, person, **options) as walk:
        for state, page in walk:
            assert page.locator(f'link[rel=stylesheet][href*="{FOUND.good[theme].hash}"]').count() == 1, "it is worn"
            for scheme in schemes:
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                for screen in (DESK, PHONE):
                    page.set_viewport_size(screen)  # type: ignore[arg-type]
                    audit(page, f"{theme}, {state}, {scheme}, {screen['width']} px")
                    seen += 1
            assert page.evaluate(COVERED) == [], f"{theme}, {state}: the clock of the call stands on a name"
    assert seen >= 15 * 2 * len(schemes)


#: Of the state that is shown: its columns, how far its words are from the middle (px), its faces, its light (0 to 1).
LOOK = """() => {
  const section = [...document.querySelectorAll("main > [data-when]")].find(each => !each.hidden);
  const style = name => getComputedStyle(section.querySelector(name));
  const words = section.querySelector(".words").getBoundingClientRect();
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = getComputedStyle(document.body).backgroundColor;
  pen.fillRect(0, 0, 1, 1);
  const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
  return {
    columns: getComputedStyle(section).gridTemplateColumns.split(" ").length,
    aside: Math.abs((words.left + words.right) / 2 - document.documentElement.clientWidth / 2),
    align: style(".words").textAlign, heading: style("h1").fontFamily, body: style("p").fontFamily,
    light: (red + green + blue) / 765,
  };
}"""


def test_evening_is_another_house_and_dark_whatever_the_browser_prefers(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    looks: dict[str, list[dict[str, Any]]] = {}
    for theme in ("calm", "evening"):
        practice = serve(f'[server]\n[clinic.main]\nname = "Elm Street Practice"\ntheme = "{theme}"\n')
        for scheme in ("light", "no-preference"):
            page = person(own=f"localhost:{practice.port}", viewport=DESK, color_scheme=scheme).page
            room = practice.room()
            page.goto(room.url)
            seen = [page.evaluate(LOOK)]
            check_in(page, room.url, "Grace Hopper")
            seen.append(page.evaluate(LOOK))
            looks[f"{theme} {scheme}"] = seen
            assert [each["light"] > 0.5 for each in seen] == [theme == "calm"] * 2, f"{theme}, {scheme}: {seen}"
    assert looks["calm light"] == looks["calm no-preference"]
    assert looks["evening light"] == looks["evening no-preference"]
    for state, calm, evening in zip(("welcome", "waiting"), looks["calm light"], looks["evening light"], strict=True):
        assert (calm["columns"], calm["aside"] > 100) == (2, True), f"{state}: {calm}"
        assert (evening["columns"], evening["aside"] < 10) == (1, True), f"{state}: {evening}"
        assert evening["align"] == "center" != calm["align"], state
        assert not {calm["heading"], calm["body"]} & {evening["heading"], evening["body"]}, state


def test_a_theme_that_was_just_made_is_worn(
    serve: Callable[..., Practice], person: Callable[..., Person], tmp_path: Path
) -> None:
    """What `housecall theme new` writes serves as it is, in light and dark."""
    site = tmp_path / "site"
    site.mkdir()
    made = [sys.executable, "-m", "housecall", "theme", "new", "moss", "--dir", site]
    subprocess.run(made, check=True, capture_output=True)
    practice = serve('[clinic.main]\nname = "Elm Street Practice"\ntheme = "moss"\n', folder=site)
    patient = person("green", own=f"localhost:{practice.port}", viewport=PHONE, reduced_motion="reduce")
    check_in(patient.page, practice.room().url, "Grace Hopper")
    rules = patient.page.evaluate("[...document.styleSheets].flatMap(s => [...s.cssRules].map(r => r.cssText)).join()")
    assert 'data-theme="moss"' in rules
    for scheme in ("light", "dark"):
        patient.page.emulate_media(color_scheme=scheme)
        audit(patient.page, f"waiting in moss, {scheme}")
