"""Every theme that Housecall comes with: axe-core finds nothing and nothing is too wide, in every state of a visit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from housecall.extending.theming import Themes, shipped
from housecall.testing import Person, Practice
from housecall.testing.access import PHONE, audit
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
