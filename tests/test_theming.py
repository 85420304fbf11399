"""Themes as files: every mistake at once, what they extend, and what a broken one falls back to."""

from __future__ import annotations

from pathlib import Path

import pytest

from housecall.extending.theming import DEFAULT, Themes, shipped
from housecall.web import language

HEAD = 'id = "{id}"\nname = "A theme"\napi = "1.0"\n'


def themes(folder: Path, **files: str) -> Themes:
    for id, text in files.items():
        place = folder / id.replace("_", "-")
        place.mkdir(parents=True, exist_ok=True)
        (place / "theme.toml").write_text(HEAD.format(id=place.name) + text, encoding="utf-8")
    return Themes([shipped(), folder], language.interface_texts)


def test_what_housecall_comes_with_can_be_used() -> None:
    found = Themes([shipped()], language.interface_texts)
    assert found.broken == {}
    assert set(found.good) >= {"calm", "evening"}
    assert found.good["evening"].scheme == "dark"
    assert "prefers-color-scheme" not in found.good["evening"].css
    assert found.good["evening"].light["leaf"] != found.good["calm"].light["leaf"]


def test_a_theme_takes_what_it_does_not_say_from_the_one_it_extends(tmp_path: Path) -> None:
    found = themes(
        tmp_path,
        lake='extends = "calm"\n[tokens]\npaper = "#eef4f7"\n[text]\n"Check in" = "Come in"\n',
        deep='extends = "lake"\n[tokens]\nink = "#001122"\n',
    )
    deep = found.good["deep"]
    assert (deep.light["paper"], deep.light["ink"]) == ("#eef4f7", "#001122")
    assert deep.light["leaf"] == found.good["calm"].light["leaf"]
    assert deep.text["Check in"] == "Come in"
    assert [folder.name for folder in deep.line] == ["deep", "lake", "calm"]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    found = themes(
        tmp_path,
        wrong='colour = "x"\nscheme = "darkk"\n[tokens]\npaper = "red; } body { display: none"\n[text]\n'
        '"Chekc in" = "Come"\n[[block]]\ntype = "txt"\n[[block]]\ntype = "image"\nimage = "none.png"\nalt = "x"\n'
        '[[block]]\ntype = "links"\nlinks = [{title = "x", url = "javascript:alert(1)"}]\n',
    )
    problem = found.broken["wrong"].problem
    for said in ("colour", "darkk", "tokens.paper", "did you mean 'Check in'", "txt", "static/none.png", "links"):
        assert said in problem, said
    assert "line" in problem


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('extends = "calmm"\n', "did you mean 'calm'"),
        ('extends = "other"\n', "other"),
        ("[tokens\n", "line"),
        ("", ""),
    ],
)
def test_what_cannot_be_used_falls_back_with_its_reason(tmp_path: Path, toml: str, said: str) -> None:
    found = themes(tmp_path, one=toml)
    if said:
        assert said in found.broken["one"].problem
        assert found.get("one").id == DEFAULT
    else:
        assert found.get("one").id == "one"
    assert found.get("nobody-knows", "evening").id == "evening"


def test_a_circle_is_no_theme(tmp_path: Path) -> None:
    found = themes(tmp_path, one='extends = "two"\n', two='extends = "one"\n')
    assert "circle" in found.broken["one"].problem
    assert "one" not in found.good


def test_a_folder_must_be_called_as_its_theme(tmp_path: Path) -> None:
    found = themes(tmp_path, one="")
    (tmp_path / "one").rename(tmp_path / "other")
    found = themes(tmp_path)
    assert "'one' is not the folder's name, 'other'" in found.broken["other"].problem


def test_of_two_with_one_id_the_one_that_housecall_comes_with_stays(tmp_path: Path) -> None:
    """Also where the other one is wrong: no page is ever without a theme."""
    found = themes(tmp_path, calm="tokkens = 7\n", evening='extends = "calm"\n')
    for id in ("calm", "evening"):
        assert found.good[id].folder.parent == shipped()
        assert f"{id!r} is there already: {shipped() / id}" in found.broken[id].problem
        assert str(tmp_path / id) in found.broken[id].problem
    assert found.get("evening").id == "evening"


def test_a_theme_for_another_housecall_is_told(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far/theme.toml").write_text('id = "far"\nname = "Far"\napi = "9.0"\n', encoding="utf-8")
    found = Themes([shipped(), tmp_path], language.interface_texts)
    assert "line 3: api: this server offers 1.0" in found.broken["far"].problem
