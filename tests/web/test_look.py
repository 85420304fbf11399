"""The look of a practice and of a room, and what a waiting room shows (R16, R21)."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from housecall.testing import Practice, Room, Visitor

HEAD = 'id = "{id}"\nname = "Lakeside"\napi = "1.0"\nextends = "calm"\n'


def theme(folder: Path, id: str, toml: str = "", **templates: str) -> None:
    place = folder / "themes" / id
    (place / "templates").mkdir(parents=True)
    (place / "theme.toml").write_text(HEAD.format(id=id) + toml, encoding="utf-8")
    for name, text in templates.items():
        (place / "templates" / f"{name}.html").write_text(text, encoding="utf-8")


def save(visitor: Visitor, room: Room, do: str = "save", **form: str) -> int:
    path = f"/dashboard/room/{room.id}"
    return visitor.post(path, {"text": "", "alt": "", "theme": "", "do": do, **form}).status_code


def picture() -> bytes:
    out = io.BytesIO()
    made = Image.new("RGB", (3000, 1000), "teal")
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    made.save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_the_practice_chooses_its_look(serve: Callable[..., Practice]) -> None:
    elm = serve('[clinic.main]\nname = "Elm"\n')
    room = elm.room(role="owner")
    owner = Visitor(elm.url, login=room.login)
    before = owner.get("/help").text
    assert owner.post("/admin/look", {"theme": "evening"}).status_code == 303
    after = owner.get("/help").text
    assert before != after
    assert '<meta name="color-scheme" content="dark">' in after
    assert "/-/asset/theme-evening/" in after
    assert owner.post("/admin/look", {"theme": "nothing"}, at="/admin/look").status_code == 400
    elm.stop()
    elm.start()
    assert '<meta name="color-scheme" content="dark">' in owner.get("/help").text, "and it stays"


def test_housecall_toml_locks_the_look(serve: Callable[..., Practice]) -> None:
    elm = serve('[clinic.main]\nname = "Elm"\ntheme = "evening"\n')
    owner = Visitor(elm.url, login=elm.room(role="owner").login)
    assert "clinic.main.theme" in owner.get("/admin/look").text
    assert owner.post("/admin/look", {"theme": "calm"}, at="/account").status_code == 400
    assert "theme-evening" in owner.get("/help").text


def test_a_theme_changes_words_and_templates(serve: Callable[..., Practice], tmp_path: Path) -> None:
    patient = '{% extends "housecall/patient.html" %}{% block welcome_art %}<p>Our lake</p>{% endblock %}'
    theme(
        tmp_path / "elm", "lake", '[text]\n"Check in" = "Come <in>"\n"You are next." = "Your turn"\n', patient=patient
    )
    elm = serve('[clinic.main]\nname = "Elm"\ntheme = "lake"\n', folder=tmp_path / "elm")
    room = elm.room()
    page = Visitor(elm.url).get(f"/{room.slug}").text
    assert "Our lake" in page
    assert "Come &lt;in&gt;" in page
    assert '"You are next.": "Your turn"' in page


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ nothing.is_here }}", "nothing"),
        ('{% extends "housecall/patient.html" %}{% block devices %}{% endblock %}', "devices-words"),
        ("{% block", "patient.html"),
    ],
)
def test_a_theme_that_fails_falls_back_with_its_reason(
    serve: Callable[..., Practice], tmp_path: Path, template: str, reason: str
) -> None:
    theme(tmp_path / "elm", "lake", patient=template)
    elm = serve('[clinic.main]\nname = "Elm"\ntheme = "lake"\n', folder=tmp_path / "elm")
    room = elm.room(role="owner")
    page = Visitor(elm.url).get(f"/{room.slug}")
    assert page.status_code == 200
    assert 'id="devices"' in page.text
    look = Visitor(elm.url, login=room.login).get("/admin/look").text
    assert "lake" in look
    assert reason in look
    assert Visitor(elm.url).get(f"/{room.slug}").status_code == 200


def test_a_broken_theme_is_told_with_its_line(serve: Callable[..., Practice], tmp_path: Path) -> None:
    theme(tmp_path / "elm", "lake", "[tokens]\nPaper = 7\n")
    elm = serve('[clinic.main]\nname = "Elm"\ntheme = "lake"\n', folder=tmp_path / "elm")
    room = elm.room(role="owner")
    assert Visitor(elm.url).get(f"/{room.slug}").status_code == 200
    assert "line 6: tokens.Paper" in Visitor(elm.url, login=room.login).get("/admin/look").text


def test_a_room_has_its_own_words_links_and_look(practice: Practice, room: Room) -> None:
    member, patient = Visitor(practice.url, login=room.login), Visitor(practice.url)
    words = (
        "# Welcome\n\n<script>alert(1)</script> **Bring** [this](https://example.org) ![x](https://evil.example/x.png)"
    )
    form = {"text": words, "theme": "evening", "link-title": "Prepare", "link-url": "https://example.org/prepare"}
    assert save(member, room, **form) == 303
    page = patient.get(f"/{room.slug}").text
    assert "<h1>Welcome</h1>" in page
    assert "<strong>Bring</strong>" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    assert 'href="https://example.org" rel="noopener noreferrer nofollow" target="_blank"' in page
    assert "Prepare" in page
    assert "theme-evening" in page
    assert "theme-evening" not in patient.get("/help").text


def test_a_preview_keeps_nothing(practice: Practice, room: Room) -> None:
    member = Visitor(practice.url, login=room.login)
    path = f"/dashboard/room/{room.id}"
    page = member.post(path, {"text": "Only **looking**", "do": "preview"}).text
    assert "<strong>looking</strong>" in page
    assert "looking" not in Visitor(practice.url).get(f"/{room.slug}").text
    assert "Anyone with the link sees this" in page


def test_a_picture_keeps_its_pixels_and_nothing_else(practice: Practice, room: Room) -> None:
    member, patient = Visitor(practice.url, login=room.login), Visitor(practice.url)
    path = f"/dashboard/room/{room.id}"
    form = {"text": "", "alt": "Our house", "do": "save"}
    done = member.post(path, form, files={"photo": ("p.jpg", picture(), "image/jpeg")})
    assert done.status_code == 303
    page = patient.get(f"/{room.slug}").text
    assert 'alt="Our house"' in page
    src = page.split('<img src="')[1].split('"')[0]
    data = patient.get(src).content
    assert b"taken at home" not in data
    shown = Image.open(io.BytesIO(data))
    assert shown.size == (1600, 533)
    assert not shown.getexif()
    assert save(member, room, drop_image="yes") == 303
    assert patient.get(src).status_code == 404, "a picture that is not shown is not kept"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"link-title": "x", "link-url": "javascript:alert(1)"}, "that can be linked"),
        ({"link-title": "x", "link-url": "data:text/html,x"}, "that can be linked"),
        ({"link-title": "", "link-url": "https://example.org"}, "This is empty."),
        ({"text": "x" * 5001}, "This is too long."),
        ({"theme": "nothing"}, "This is not known here."),
    ],
)
def test_a_wrong_field_saves_nothing_and_says_why(
    practice: Practice, room: Room, form: dict[str, str], said: str
) -> None:
    member = Visitor(practice.url, login=room.login)
    path = f"/dashboard/room/{room.id}"
    done = member.post(path, {"text": "kept?", "alt": "", "theme": "", "do": "save", **form})
    assert done.status_code == 422
    assert said in done.text
    assert "kept?" not in Visitor(practice.url).get(f"/{room.slug}").text


def test_a_picture_needs_words_and_must_be_one(practice: Practice, room: Room) -> None:
    member, path = Visitor(practice.url, login=room.login), f"/dashboard/room/{room.id}"
    files = {"photo": ("p.jpg", picture(), "image/jpeg")}
    assert member.post(path, {"alt": "", "do": "save"}, files=files).status_code == 422
    bad = {"photo": ("p.jpg", b"no picture", "image/jpeg")}
    done = member.post(path, {"alt": "x", "do": "save"}, files=bad)
    assert done.status_code == 422
    assert "not a picture" in done.text


def test_only_those_who_serve_a_room_edit_it(practice: Practice, room: Room) -> None:
    other = practice.room()
    stranger = Visitor(practice.url, login=other.login)
    assert stranger.get(f"/dashboard/room/{room.id}").status_code == 404
    assert stranger.post(f"/dashboard/room/{room.id}", {"text": "x", "do": "save"}, at="/account").status_code == 404
    assert stranger.get("/admin/look").status_code == 404
