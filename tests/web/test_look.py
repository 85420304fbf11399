"""The look of a practice and of a room, and what a waiting room shows (R16, R21)."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from housecall.clinics import videos
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


def video(path: Path, *, seconds: float, width: int = 1920, height: int = 1080, rate: int = 25, turn: int = 0) -> bytes:
    """A red video with silence, a comment and a place; `turn` as a phone writes it, in degrees clockwise."""
    with av.open(str(path), "w") as file:
        file.metadata.update(comment="taken at home", location="+52.5+013.4/")
        shown, said = file.add_stream("libx264", rate=rate), file.add_stream("aac", rate=44_100)
        shown.width, shown.height, shown.pix_fmt = width, height, "yuv420p"
        red = Image.new("RGB", (width, height), (200, 40, 40))
        for number in range(int(seconds * rate)):
            frame = av.VideoFrame.from_image(red)
            frame.pts, frame.time_base = number, Fraction(1, rate)
            file.mux(shown.encode(frame))
        for number in range(int(seconds * 44_100 / 1024)):
            sound = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            sound.planes[0].update(bytes(sound.planes[0].buffer_size))
            sound.rate, sound.pts, sound.time_base = 44_100, number * 1024, Fraction(1, 44_100)
            file.mux(said.encode(sound))
        for stream in (shown, said):
            file.mux(stream.encode(None))
    data = path.read_bytes()
    if turn:  # the matrix of the first track's head (ISO 14496-12, 8.3.2)
        one, at = 1 << 16, data.index(b"tkhd") + 44
        sign = one if turn == 90 else -one
        data = data[:at] + struct.pack(">9i", 0, sign, 0, -sign, 0, 0, 0, 0, 1 << 30) + data[at + 36 :]
    return data


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


@pytest.mark.parametrize(
    ("wanted", "said", "unsaid"),
    [
        ("evenin", "There is none of this name. Did you mean evening?", ""),
        ("zzz", "There is none of this name.", "Did you mean"),
    ],
)
def test_a_theme_that_is_not_there_is_told_with_the_nearest(
    serve: Callable[..., Practice], wanted: str, said: str, unsaid: str
) -> None:
    elm = serve(f'[clinic.main]\nname = "Elm"\ntheme = "{wanted}"\n')
    look = Visitor(elm.url, login=elm.room(role="owner").login).get("/admin/look").text
    assert f"The theme {wanted} cannot be used" in look
    assert said in look
    assert not unsaid or unsaid not in look


def test_each_clinic_of_a_server_has_its_own_look(serve: Callable[..., Practice]) -> None:
    practice = serve(
        '[clinic.elm]\nname = "Elm"\nhost = "elm.example"\ntheme = "calm"\n'
        '[clinic.oak]\nname = "Oak"\nhost = "oak.example"\ntheme = "evening"\n'
    )
    schemes = {}
    for host in ("elm.example", "oak.example"):
        page = Visitor(practice.url, host=f"{host}:{practice.port}").get("/").text
        schemes[host] = re.search(r'name="color-scheme" content="([^"]+)"', page)[1]  # type: ignore[index]
        assert ("theme-evening/" in page) == (host == "oak.example")
    assert schemes == {"elm.example": "light dark", "oak.example": "dark"}


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
    look = Visitor(elm.url, login=room.login).get("/admin/look").text
    assert "line 6: tokens.Paper" in look
    assert "There is none of this name." not in look


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


def test_a_video_is_encoded_anew_and_sent_in_ranges(practice: Practice, room: Room, tmp_path: Path) -> None:
    member, patient, path = Visitor(practice.url, login=room.login), Visitor(practice.url), f"/dashboard/room/{room.id}"
    form = {"told": "A nurse opens the door and says: welcome.", "do": "save"}
    given = video(tmp_path / "in.mkv", seconds=2)
    assert b"taken at home" in given
    files = {"video": ("v.mkv", given, "video/x-matroska")}
    assert member.post(path, {**form, "told": ""}, files=files).status_code == 422
    assert member.post(path, form, files=files).status_code == 303
    page = patient.get(f"/{room.slug}").text
    assert "A nurse opens the door" in page
    src, poster = re.search(r'<video[^>]* src="([^"]+)" poster="([^"]+)"', page).groups()  # type: ignore[union-attr]
    assert Image.open(io.BytesIO(patient.get(poster).content)).size == (1280, 720)
    whole = patient.get(src)
    assert whole.headers["Content-Type"] == "video/mp4"
    assert b"taken at home" not in whole.content
    part = patient.http.get(practice.url + src, headers={"Range": "bytes=4-7"}, timeout=30)
    assert (part.status_code, part.content) == (206, b"ftyp")
    with av.open(io.BytesIO(whole.content)) as file:
        (shown,), (said,) = file.streams.video, file.streams.audio
        assert (shown.codec.name, shown.width, shown.height, said.codec.name) == ("h264", 1280, 720, "aac")
        assert 1.9 < file.duration / 1e6 < 2.3
        frames = [frame.to_image().getpixel((640, 360)) for frame in file.decode(video=0)]
        assert len(frames) == 60
        assert all(abs(channel - wanted) < 30 for channel, wanted in zip(frames[30], (200, 40, 40), strict=True))
    assert member.post(path, {**form, "drop_video": "yes"}).status_code == 303
    assert (patient.get(src).status_code, patient.get(poster).status_code) == (404, 404)


@pytest.mark.parametrize("turn", [0, 90, 270])
def test_a_video_from_a_phone_stands_upright(tmp_path: Path, turn: int) -> None:
    given = video(tmp_path / "in.mp4", seconds=0.2, width=320, height=180, turn=turn)
    shown, poster = videos.encode(given)
    assert (shown.width, shown.height) == ((320, 180) if turn == 0 else (180, 320))
    assert Image.open(io.BytesIO(poster.bytes)).size == (shown.width, shown.height)


def test_what_is_no_video_is_refused(practice: Practice, room: Room, tmp_path: Path) -> None:
    member, path = Visitor(practice.url, login=room.login), f"/dashboard/room/{room.id}"
    for name, data, said in (
        ("junk", b"no video at all", "not a video"),
        ("picture", picture(), "not a video"),
        ("long", video(tmp_path / "long.mp4", seconds=121.5, width=32, height=32, rate=2), "too long"),
        ("large", b"x" * (videos.LARGEST + 1), "too large"),
    ):
        done = member.post(path, {"told": "x", "do": "save"}, files={"video": (name, data, "video/mp4")})
        assert (done.status_code, said in done.text) == (422, True), name
    assert "<video" not in member.get(path).text


def test_only_those_who_serve_a_room_edit_it(practice: Practice, room: Room) -> None:
    other = practice.room()
    stranger = Visitor(practice.url, login=other.login)
    assert stranger.get(f"/dashboard/room/{room.id}").status_code == 404
    assert stranger.post(f"/dashboard/room/{room.id}", {"text": "x", "do": "save"}, at="/account").status_code == 404
    assert stranger.get("/admin/look").status_code == 404
