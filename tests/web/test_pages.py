"""The pages against the real server: forms and their guard, headers, links, and what bad input gets."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from PIL import Image

from housecall import clinics
from housecall.testing.practice import PASSWORD, Practice, Room
from housecall.testing.visitor import Visitor


def signed_in(practice: Practice, room: Room) -> Visitor:
    return Visitor(practice.url, login=room.login)


# -- the guard


@pytest.mark.parametrize(
    "headers",
    [
        {},  # neither says where it comes from
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "OWN", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "OWN", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_from_elsewhere_is_refused(practice: Practice, room: Room, headers: dict[str, str]) -> None:
    member = signed_in(practice, room)
    token = member.token("/account")
    sent = {k: practice.url if v == "OWN" else v for k, v in headers.items()}
    answer = member.http.post(
        f"{member.url}/sign-out", data={"token": token}, headers=member.headers() | sent, allow_redirects=False
    )
    assert answer.status_code == 403
    assert "Sign in" not in member.get("/account").text
    assert member.get("/account").status_code == 200


def test_a_form_needs_its_own_token(practice: Practice, room: Room) -> None:
    member, anybody = signed_in(practice, room), Visitor(practice.url)
    headers = {"Origin": practice.url, "Sec-Fetch-Site": "same-origin"}
    for token in ("", "forged", anybody.token("/sign-in")):  # the last is real, but of somebody else's page
        answer = member.http.post(f"{member.url}/sign-out", data={"token": token}, headers=member.headers() | headers)
        assert answer.status_code == 403
    assert member.post("/sign-out", at="/account").status_code == 303


def test_every_answer_carries_the_headers(practice: Practice, room: Room) -> None:
    member = signed_in(practice, room)
    for path in ("/", "/help", f"/{room.slug}", "/dashboard", "/nothing-here", "/-/health"):
        headers = member.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    policy = member.get("/dashboard").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy


def test_pages_hold_no_inline_script_or_style(practice: Practice, room: Room) -> None:
    member = signed_in(practice, room)
    for path in ("/", f"/{room.slug}", "/dashboard", "/account", "/sign-in", "/dashboard/history"):
        page = member.get(path).text
        assert not re.search(r"<[^>]+\son\w+=|<[^>]+\sstyle=", page), path
        for script in re.findall(r"<script[^>]*>", page):
            assert "nonce=" in script or "application/json" in script, (path, script)


def test_assets_are_immutable_and_others_are_not_there(practice: Practice) -> None:
    visitor = Visitor(practice.url)
    sheet = re.search(r'href="(/-/asset/core/[^"]+base\.css)"', visitor.get("/").text)
    assert sheet
    answer = visitor.get(sheet[1])
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"].startswith("text/css")
    base = sheet[1].removesuffix("css/base.css")
    for path in (f"{base}../../config.py", f"{base}%2e%2e/config.py", "/-/asset/core/0/css/base.css", "/-/theme/0.css"):
        assert visitor.get(path).status_code == 404


def test_an_asset_is_the_same_each_time_and_as_each_browser_takes_it(serve: Callable[..., Practice]) -> None:
    practice = serve('[clinic.main]\nname = "Elm"\nhost = "elm.test"\n[clinic.oak]\nname = "Oak"\nhost = "oak.test"\n')
    elm = Visitor(practice.url, host="elm.test")
    path = re.search(r'href="(/-/asset/core/[^"]+base\.css)"', elm.get("/").text)[1]  # type: ignore[index]

    def got(visitor: Visitor, encoding: str) -> tuple[int, dict[str, str], bytes]:
        headers = visitor.headers(Accept_Encoding=encoding)
        answer = visitor.http.get(visitor.url + path, headers=headers, timeout=30)
        return answer.status_code, {k: v for k, v in answer.headers.items() if k != "Date"}, answer.content

    pressed, packed, plain = got(elm, "gzip, br"), got(elm, "gzip"), got(elm, "identity")
    assert pressed[1]["Content-Encoding"] == "br"
    assert pressed[2] == plain[2]
    assert int(pressed[1]["Content-Length"]) < int(packed[1]["Content-Length"])
    assert packed[1]["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain[1]
    assert packed[2] == plain[2]
    assert packed[1]["X-Content-Type-Options"] == "nosniff"
    for _ in range(2):
        assert got(elm, "gzip") == packed
        assert got(elm, "identity") == plain
        assert got(Visitor(practice.url, host="nobody.test"), "gzip")[0] == 404
    assert elm.post(path, at="/sign-in").status_code == 405


# -- checking in


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"name"', 400),
        (b"\xff\xfe", 400),
        (b"{}", 422),
        (b'{"name": ""}', 422),
        (b'{"name": 7}', 422),
        (b'{"name": "A", "admin": true}', 422),
        (b'{"name": "' + b"x" * 200 + b'"}', 422),
        (b'{"name": "' + b"x" * 5000 + b'"}', 413),
    ],
)
def test_a_bad_check_in_is_answered_in_words_and_creates_nothing(
    practice: Practice, room: Room, raw: bytes, status: int
) -> None:
    visitor = Visitor(practice.url)
    answer = visitor.post_json(f"/{room.slug}/check-in", None, token=visitor.token(f"/{room.slug}"), raw=raw)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert not visitor.http.cookies
    with signed_in(practice, room).dashboard() as board:
        assert board.hear("welcome")["rooms"][0]["cards"] == []


def test_who_checks_in_confirms_to_be_an_adult_or_with_one(practice: Practice, room: Room) -> None:
    form = re.search(r'<form id="check-in".+?</form>', Visitor(practice.url).get(f"/{room.slug}").text, flags=re.S)
    assert form
    assert "you confirm that you are 18 or older, or that a parent or guardian is with you." in form[0]


def test_a_room_takes_a_burst_of_check_ins_and_then_says_wait(practice: Practice, room: Room) -> None:
    visitor = Visitor(practice.url)
    token = visitor.token(f"/{room.slug}")
    answers = [visitor.post_json(f"/{room.slug}/check-in", {"name": "Grace"}, token=token) for _ in range(40)]
    assert [answer.status_code for answer in answers[:30]] == [201] * 30
    assert answers[-1].status_code == 429
    assert answers[-1].json()["message"] == "That was too many tries in a short time. Wait a minute, then try again."
    other = practice.room()
    assert Visitor(practice.url).check_in(other.slug, "Grace").status_code == 201, "other rooms do not notice"


def test_looking_at_a_room_creates_nothing(practice: Practice, room: Room) -> None:
    visitor = Visitor(practice.url)
    for _ in range(3):
        assert visitor.get(f"/{room.slug}").status_code == 200
        assert visitor.http.head(f"{visitor.url}/{room.slug}").status_code == 200
    assert not visitor.http.cookies
    with signed_in(practice, room).dashboard() as board:
        assert board.hear("welcome")["rooms"][0]["cards"] == []


def test_the_ticket_is_a_cookie_that_scripts_cannot_read_and_holds_no_name(practice: Practice, room: Room) -> None:
    visitor = Visitor(practice.url)
    answer = visitor.check_in(room.slug, "Grace Hopper")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"hc-ticket-{room.id}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Expires" not in cookie
    assert "Grace" not in cookie
    assert set(answer.json()) == {"visit"}


def test_find_your_room_takes_a_name_or_a_pasted_link(practice: Practice, room: Room) -> None:
    visitor = Visitor(practice.url)
    for typed in (room.slug, f" {room.slug.upper()} ", room.url, f"{room.url}/", f"{room.url}?x=1"):
        answer = visitor.get("/", params={"room": typed})
        assert (answer.status_code, answer.headers.get("Location")) == (303, f"/{room.slug}"), typed
    missing = visitor.get("/", params={"room": '"><script>'})
    assert missing.status_code == 200
    assert "There is no room with this name" in missing.text
    assert "<script>" not in missing.text


# -- signing in


def test_signing_in_with_the_form(practice: Practice, room: Room) -> None:
    visitor = Visitor(practice.url)
    answer = visitor.post("/sign-in", {"email": room.email.upper(), "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert visitor.get("/dashboard").status_code == 200


@pytest.mark.parametrize(("email", "password"), [("EMAIL", "wrong"), ("nobody@elm.example", PASSWORD), ("", "")])
def test_a_wrong_sign_in_says_the_same_for_all(practice: Practice, room: Room, email: str, password: str) -> None:
    visitor = Visitor(practice.url)
    answer = visitor.post("/sign-in", {"email": email.replace("EMAIL", room.email), "password": password})
    assert answer.status_code == 422
    assert "E-mail or password is not right." in answer.text
    assert visitor.get("/dashboard").status_code == 303


def test_guessing_is_slowed_down(practice: Practice) -> None:
    room = practice.room()
    visitor = Visitor(practice.url)
    token = visitor.token("/sign-in")
    headers = {"Origin": practice.url, "Sec-Fetch-Site": "same-origin"}
    codes = [
        visitor.http.post(
            f"{visitor.url}/sign-in",
            data={"token": token, "email": room.email, "password": "x"},
            headers=visitor.headers() | headers,
        ).status_code
        for _ in range(12)
    ]
    assert codes[0] == 422
    assert codes[-1] == 429


def test_revoking_a_login_ends_it_and_cuts_its_sockets(practice: Practice, room: Room) -> None:
    with practice.lasting():
        other = clinics.logins.start(room.member, "test", agent="Mozilla/5.0 Firefox/130 Linux", address="10.1.2.3")
    mine, theirs = signed_in(practice, room), Visitor(practice.url, login=other)
    page = mine.get("/account/logins").text
    assert "Firefox, Linux" in page
    assert "10.1.2.0/24" in page
    assert "10.1.2.3" not in page
    with theirs.dashboard() as board:
        board.hear("welcome")
        assert mine.post("/account/logins", {"others": "yes"}).status_code == 303
        assert board.hear("cut") == {"reason": "signed_out"}
    assert theirs.get("/account").status_code == 303
    assert mine.get("/account").status_code == 200


def test_a_member_cannot_end_somebody_elses_login(practice: Practice, room: Room) -> None:
    other = practice.room()
    signed_in(practice, room).post("/account/logins", {"login": clinics.logins.digest(other.login)})
    assert signed_in(practice, other).get("/account").status_code == 200


def test_one_of_ones_logins_is_ended_and_its_board_hears_it(practice: Practice, room: Room) -> None:
    with practice.lasting():
        other = clinics.logins.start(room.member, "test", agent="", address="10.1.2.3")
    mine = signed_in(practice, room)
    with Visitor(practice.url, login=other).dashboard() as board:
        board.hear("welcome")
        answer = mine.post("/account/logins", {"login": clinics.logins.digest(other)})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account/logins")
        assert board.hear("cut") == {"reason": "signed_out"}


def test_signing_out_this_browser_in_the_list_of_logins_is_signing_out(practice: Practice, room: Room) -> None:
    mine = signed_in(practice, room)
    with mine.dashboard() as board:
        board.hear("welcome")
        answer = mine.post("/account/logins", {"login": clinics.logins.digest(room.login)})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
        assert board.hear("cut") == {"reason": "signed_out"}
    assert mine.get("/sign-in").status_code == 200


# -- links


def test_the_first_owner_comes_by_a_one_time_link(serve: Callable[..., Practice]) -> None:
    own = serve()
    found = re.search(r"/sign-in/link#(\S+)", own.log.read_text())
    assert found
    visitor = Visitor(own.url)
    for _ in range(2):  # a scanner's GET, and looking twice, use nothing up
        assert visitor.get("/sign-in/link").status_code == 200
        form = visitor.post("/sign-in/link", {"link": found[1]})
        assert form.status_code == 200
        assert "You join Elm Street Practice" in form.text
    person = {"first_name": "Ada", "last_name": "Smith", "email": "ada@elm.example", "password": PASSWORD}
    bad = visitor.post(
        "/sign-up", {**person, "invitation": found[1], "email": "x", "password": "12345678"}, at="/sign-in"
    )
    assert bad.status_code == 422
    for words in ("This is not an e-mail address.", "This password is easy to guess.", "Only adults"):
        assert words in bad.text
    good = {**person, "invitation": found[1], "adult": "yes"}
    assert visitor.post("/sign-up", good, at="/sign-in").headers["Location"] == "/dashboard"
    assert visitor.get("/admin").status_code == 200
    assert visitor.get("/smith").status_code == 200
    again = Visitor(own.url)
    assert again.post("/sign-in/link", {"link": found[1]}).status_code == 410
    assert again.post("/sign-up", {**good, "email": "eve@elm.example"}, at="/sign-in").status_code == 410
    own.stop()
    own.start()
    assert own.log.read_text().count("has no owner yet") == 1


@pytest.mark.parametrize("role", ["admin", "provider", "staff"])
def test_an_invitation_says_whether_a_waiting_room_comes_with_it(practice: Practice, role: str) -> None:
    with practice.lasting():
        token = clinics.invitations.make("main", role, made_by=None)
    visitor, address = Visitor(practice.url), f"{secrets.token_hex(4)}@elm.example"
    words = {True: "get a waiting room of your own", False: "says which waiting rooms you serve"}
    person = {"first_name": "Ada", "last_name": "Roomless", "email": address, "password": PASSWORD}
    for page in (
        visitor.post("/sign-in/link", {"link": token}),
        visitor.post("/sign-up", {**person, "invitation": token}, at="/sign-in"),  # "adult" is not ticked
    ):
        assert words[role != "staff"] in page.text
        assert words[role == "staff"] not in page.text
    good = {**person, "invitation": token, "adult": "yes"}
    assert visitor.post("/sign-up", good, at="/sign-in").headers["Location"] == "/dashboard"
    assert ("You serve no room yet" in visitor.get("/dashboard").text) == (role == "staff")


def test_sign_up_is_by_invitation_unless_open(practice: Practice, serve: Callable[..., Practice]) -> None:
    person = {"first_name": "E", "last_name": "V", "email": "eve@elm.example", "password": PASSWORD, "adult": "yes"}
    visitor = Visitor(practice.url)
    assert "by invitation" in visitor.get("/sign-up").text
    refused = visitor.post("/sign-up", person, at="/sign-in")
    assert refused.status_code == 403
    assert "are made by invitation" in refused.text
    own = serve('[clinic.main]\nname = "Elm"\nsign_up = "open"\n')
    eve = Visitor(own.url)
    assert eve.post("/sign-up", person).headers["Location"] == "/dashboard"
    assert eve.get("/admin").status_code == 404
    assert Visitor(own.url).post("/sign-up", person).status_code == 422


def test_closed_takes_nobody_but_by_a_link_made_on_the_server(serve: Callable[..., Practice]) -> None:
    own = serve('[clinic.main]\nname = "Elm"\nsign_up = "closed"\n')
    room = own.room(role="owner")
    with own.lasting():
        early = clinics.invitations.make("main", "provider", made_by=room.member)  # while it was not closed yet
        by_hand = clinics.invitations.make("main", "provider", made_by=None)
    person = {"first_name": "E", "last_name": "V", "email": "eve@elm.example", "password": PASSWORD, "adult": "yes"}
    eve = Visitor(own.url)
    assert "takes no new accounts" in eve.get("/sign-up").text
    for refused in (
        eve.post("/sign-up", person, at="/sign-in"),
        eve.post("/sign-up", {**person, "invitation": early}, at="/sign-in"),
        eve.post("/sign-in/link", {"link": early}),
    ):
        assert refused.status_code == 403
        assert "takes no new accounts" in refused.text
    owner = Visitor(own.url, login=room.login)
    assert 'value="invite"' not in owner.get("/admin/people").text
    invite = owner.post("/admin/people", {"do": "invite", "role": "staff"})
    assert invite.status_code == 422
    assert "takes no new accounts" in invite.text
    assert eve.post("/sign-in/link", {"link": by_hand}).status_code == 200
    joined = eve.post("/sign-up", {**person, "invitation": by_hand}, at="/sign-in")
    assert joined.headers["Location"] == "/dashboard"


def test_a_reset_link_works_once_and_signs_out_elsewhere(practice: Practice, room: Room) -> None:
    from housecall import config

    secret = config.load(practice.folder, environ={}).secret
    with practice.lasting():
        member = clinics.members.by_id(room.member)
        assert member is not None
        token = clinics.invitations.reset_token(secret, member)
        demo = clinics.invitations.demo_token(secret, room.member)
    visitor = Visitor(practice.url)
    assert visitor.post("/sign-in/link", {"link": demo}).status_code == 410  # only a demo takes a demo's link
    assert "A new password" in visitor.post("/sign-in/link", {"link": token}).text
    assert "too short" in visitor.post("/sign-in/link", {"link": token, "password": "short"}).text
    answer = visitor.post("/sign-in/link", {"link": token, "password": "another fine phrase"})
    assert answer.headers["Location"] == "/dashboard"
    assert signed_in(practice, room).get("/account").status_code == 303
    assert Visitor(practice.url).post("/sign-in/link", {"link": token}).status_code == 410


def test_a_reset_link_may_be_used_by_a_member_who_is_signed_in(practice: Practice, room: Room) -> None:
    from housecall import config

    with practice.lasting():
        member = clinics.members.by_id(room.member)
        assert member is not None
        token = clinics.invitations.reset_token(config.load(practice.folder, environ={}).secret, member)
    answer = signed_in(practice, room).post("/sign-in/link", {"link": token, "password": "another fine phrase"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard")
    assert Visitor(practice.url, login=answer.cookies["hc-login"]).get("/account").status_code == 200


# -- profile


def profile(room: Room, **changes: str) -> dict[str, str]:
    return {"first_name": "Ada", "last_name": "Smith", "email": room.email, **changes}


def test_the_whole_profile_is_saved(practice: Practice, room: Room) -> None:
    member = signed_in(practice, room)
    slug = f"{room.slug}-new"
    form = profile(
        room,
        display_name="Dr Ada",
        title="Dr",
        specialty="Cardiology",
        position="Lead",
        provider_number="us 1234567893",
        states_licensed="CA, NY",
        mobile="+1 555 0100",
        **{f"slug-{room.id}": slug},
    )
    assert member.post("/account", form).status_code == 303
    page = member.get("/account").text
    for value in ("Dr Ada", "Cardiology", "Lead", "US:1234567893", "CA, NY", "+1 555 0100", slug):
        assert f'value="{value}"' in page
    assert "Form and check digit are right" in page
    assert Visitor(practice.url).get(f"/{slug}").status_code == 200
    assert Visitor(practice.url).get(f"/{room.slug}").status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "label", "words"),
    [
        ("first_name", "", "First name", "This is empty."),
        ("email", "no address", "E-mail", "This is not an e-mail address."),
        ("mobile", "call me", "Mobile", "This is not a telephone number."),
        (
            "provider_number",
            "US:1234567890",
            "National provider number",
            "This does not follow the rule of its country.",
        ),
        ("title", "x" * 41, "Title", "This is too long."),
        ("slug", "a", "Dr ", "An address is 3 to 40"),
        ("slug", "dashboard", "Dr ", "one of our own pages"),
        ("slug", "UPPER", "Dr ", "An address is 3 to 40"),
    ],
)
def test_a_wrong_field_saves_nothing_and_says_why(
    practice: Practice, room: Room, field: str, value: str, label: str, words: str
) -> None:
    member = signed_in(practice, room)
    name = f"slug-{room.id}" if field == "slug" else field
    answer = member.post("/account", profile(room, specialty="Never kept", **{name: value}))
    assert answer.status_code == 422
    assert re.search(rf'<a href="#{name}">{label}[^<]*: [^<]*{words}', answer.text)
    assert "Never kept" not in member.get("/account").text


def test_an_unknown_countrys_number_is_stored_and_said_to_be_unverified(practice: Practice, room: Room) -> None:
    member = signed_in(practice, room)
    assert member.post("/account", profile(room, provider_number="BR 12345")).status_code == 303
    assert "unverified" in member.get("/account").text


def test_a_photo_keeps_its_pixels_and_nothing_else(practice: Practice, room: Room) -> None:
    member = signed_in(practice, room)
    picture, exif = Image.new("RGB", (1600, 900), "#3377aa"), Image.Exif()
    exif[0x010E] = "GPS-MARKER"
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif, comment=b"COMMENT-MARKER")
    assert b"GPS-MARKER" in file.getvalue()
    answer = member.post("/account", profile(room), files={"photo": ("me.jpg", file.getvalue(), "image/jpeg")})
    assert answer.status_code == 303
    url = re.search(r'src="(/-/image/[^"]+)"', member.get("/account").text)
    assert url
    kept = Visitor(practice.url).get(url[1])
    assert kept.headers["Content-Type"] == "image/jpeg"
    assert b"MARKER" not in kept.content
    assert Image.open(io.BytesIO(kept.content)).size == (512, 288)
    assert member.post("/account", profile(room, drop_photo="yes")).status_code == 303
    assert Visitor(practice.url).get(url[1]).status_code == 404


def test_patients_see_whom_they_meet(practice: Practice, room: Room) -> None:
    member, patient = signed_in(practice, room), Visitor(practice.url)
    assert 'class="provider"' not in patient.get(f"/{room.slug}").text
    file = io.BytesIO()
    Image.new("RGB", (600, 600), "#3377aa").save(file, "JPEG")
    form = profile(room, title="Dr", display_name="Dr A. Smith", specialty="Cardiology")
    photo = {"photo": ("me.jpg", file.getvalue(), "image/jpeg")}
    assert member.post("/account", form, files=photo).status_code == 303
    page = patient.get(f"/{room.slug}").text
    assert page.count('alt="Photo of Dr A. Smith"') == 2, "on the welcome page and while waiting"
    assert "<strong>Dr A. Smith</strong><span>Cardiology</span>" in page
    url = re.search(r'<img src="(/-/image/[^"]+)" alt="Photo of', page)
    assert url
    assert patient.get(url[1]).headers["Content-Type"] == "image/jpeg"
    owner = signed_in(practice, practice.room(role="owner"))
    owner.post("/admin/people", {"do": "disable", "member": room.member})
    assert "Photo of" not in patient.get(f"/{room.slug}").text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"\x89PNG\r\n\x1a\nbroken", "not a picture"),
        (b"x" * (8 * 1024 * 1024 + 1), "too large"),
    ],
)
def test_a_file_that_is_no_picture_is_refused(practice: Practice, room: Room, data: bytes, words: str) -> None:
    member = signed_in(practice, room)
    answer = member.post("/account", profile(room), files={"photo": ("me.jpg", data, "image/jpeg")})
    assert answer.status_code == 422
    assert words in answer.text


def test_a_request_that_is_too_large_is_refused(practice: Practice, room: Room) -> None:
    member = signed_in(practice, room)
    answer = member.post("/account", profile(room), files={"photo": ("me.jpg", b"x" * 10_000_000, "image/jpeg")})
    assert answer.status_code == 413
    assert "This is too large." in answer.text


# -- the practice's pages


def test_only_owners_and_admins_see_the_practices_pages(practice: Practice) -> None:
    for role, status in (("owner", 200), ("admin", 200), ("provider", 404), ("staff", 404)):
        member = signed_in(practice, practice.room(role=role))
        assert {member.get(path).status_code for path in ("/admin", "/admin/people", "/admin/rooms")} == {status}
    assert Visitor(practice.url).get("/admin").status_code == 303


def test_inviting_disabling_and_changing_roles(practice: Practice) -> None:
    owner, other = signed_in(practice, practice.room(role="owner")), practice.room()
    invited = owner.post("/admin/people", {"do": "invite", "role": "staff"})
    link = re.search(r"/sign-in/link#([\w-]+)", invited.text)
    assert link
    assert "You join" in Visitor(practice.url).post("/sign-in/link", {"link": link[1]}).text
    assert link[1] not in owner.get("/admin/people").text
    owner.post("/admin/people", {"do": "role", "member": other.member, "role": "admin"})
    assert signed_in(practice, other).get("/admin").status_code == 200
    with signed_in(practice, other).dashboard() as board:
        board.hear("welcome")
        owner.post("/admin/people", {"do": "disable", "member": other.member})
        assert board.hear("cut") == {"reason": "signed_out"}
    assert signed_in(practice, other).get("/account").status_code == 303
    assert Visitor(practice.url).post("/sign-in", {"email": other.email, "password": PASSWORD}).status_code == 422
    assert owner.post("/admin/people", {"do": "role", "member": other.member, "role": "king"}).status_code == 422


def test_an_admin_cannot_touch_an_owner(practice: Practice) -> None:
    owner, admin = practice.room(role="owner"), practice.room(role="admin")
    for form in ({"do": "disable"}, {"do": "role", "role": "staff"}):
        answer = signed_in(practice, admin).post("/admin/people", {**form, "member": owner.member})
        assert answer.status_code == 422
    assert signed_in(practice, admin).post("/admin/people", {"do": "invite", "role": "owner"}).status_code == 422


def test_rooms_are_made_and_changed(practice: Practice) -> None:
    owner = practice.room(role="owner")
    member, slug = signed_in(practice, owner), f"new-{owner.slug}"[:40]
    made = member.post("/admin/rooms", {"name": "Reception", "slug": slug, "media": "audio", "owner": ""})
    assert made.status_code == 303
    assert '"media": "audio"' in Visitor(practice.url).get(f"/{slug}").text
    taken = member.post("/admin/rooms", {"name": "Again", "slug": slug})
    assert taken.status_code == 422
    assert "This is already in use." in taken.text


# -- errors


def test_errors_say_what_happened_and_what_to_do(practice: Practice) -> None:
    visitor = Visitor(practice.url)
    missing = visitor.get("/nothing-here")
    assert missing.status_code == 404
    assert "There is no page here." in missing.text
    assert "find your room from the front page" in missing.text
    wrong = visitor.http.put(f"{visitor.url}/sign-in", headers=visitor.headers(), timeout=10)
    assert wrong.status_code == 405
    assert wrong.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_two_clinics_on_one_server_do_not_know_each_other(serve: Callable[..., Practice]) -> None:
    toml = (
        '[clinic.elm]\nname = "Elm"\nhost = "elm.housecall.localhost"\n'
        '[clinic.oak]\nname = "Oak"\nhost = "oak.housecall.localhost"\n'
    )
    own = serve(toml)
    elm, oak = own.room(clinic="elm", role="owner"), own.room(clinic="oak", role="owner")
    local = f"http://127.0.0.1:{own.port}"
    at_elm = Visitor(local, host=f"elm.housecall.localhost:{own.port}", login=elm.login)
    elm_at_oak = Visitor(local, host=f"oak.housecall.localhost:{own.port}", login=elm.login)
    assert at_elm.get("/admin/people").status_code == 200
    assert elm_at_oak.get("/admin/people").status_code == 303
    assert at_elm.get(f"/{elm.slug}").status_code == 200
    assert at_elm.get(f"/{oak.slug}").status_code == 404
    refused = at_elm.post("/admin/people", {"do": "disable", "member": oak.member})
    assert refused.status_code == 422
    stranger = requests.get(local, headers={"Host": "unknown.example"}, timeout=10)
    assert (stranger.status_code, stranger.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert "Elm" not in stranger.text


def test_behind_a_proxy_that_does_tls_cookies_are_secure(serve: Callable[..., Practice]) -> None:
    toml = '[server]\nurl = "https://elm.example.org"\ntrusted_proxies = 1\n[clinic.main]\nname = "Elm"\n'
    room = (own := serve(toml)).room()
    visitor = Visitor(own.url, host="elm.example.org")
    visitor.origin = "https://elm.example.org"
    visitor.http.headers.update({"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"})
    answer = visitor.check_in(room.slug, "Grace")
    assert answer.status_code == 201
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"__Host-hc-ticket-{room.id}=")
    assert "; Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    page = visitor.get("/")
    assert page.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    assert "wss://elm.example.org" in visitor.get(f"/{room.slug}").headers["Content-Security-Policy"]
    visitor.origin = "http://elm.example.org"  # a page that came without TLS is not ours
    assert visitor.check_in(room.slug, "Grace").status_code == 403


def test_without_a_trusted_proxy_forwarded_headers_mean_nothing(practice: Practice, room: Room) -> None:
    visitor = Visitor(practice.url)
    visitor.http.headers.update({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"})
    answer = visitor.get("/")
    assert "Strict-Transport-Security" not in answer.headers
    assert "evil.example" not in answer.text


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookies_page_names_every_cookie_that_is_set(serve: Callable[..., Practice], scheme: str) -> None:
    own = serve(f'[server]\nurl = "{scheme}://elm.example.org"\ntrusted_proxies = 1\n[clinic.main]\nname = "Elm"\n')
    room = own.room()
    visitor = Visitor(own.url, host="elm.example.org")
    visitor.origin = f"{scheme}://elm.example.org"
    visitor.http.headers["X-Forwarded-Proto"] = scheme
    said = set(re.findall(r"<td><code>([^<]+)</code></td>", visitor.get("/cookies").text))
    answers = [visitor.get(path) for path in ("/", f"/{room.slug}", "/sign-in")]
    answers += [
        visitor.check_in(room.slug, "Grace"),
        visitor.post("/sign-in", {"email": room.email, "password": PASSWORD}),
        visitor.get("/dashboard"),
    ]
    with visitor.dashboard() as board:
        (card,) = board.hear("welcome")["rooms"][0]["cards"]
        link = board.ask("invite", {"visit": card["id"], "kind": "relative"})["link"]
    token = visitor.token(f"/{room.slug}/join")
    answers.append(visitor.post_json(f"/{room.slug}/join", {"name": "Otto", "lang": "en", "link": link}, token=token))
    kept = {answer.headers["Set-Cookie"].split("=")[0] for answer in answers if "Set-Cookie" in answer.headers}
    assert len(kept) == 3
    assert {name.replace(room.id, "…") for name in kept} == said
    assert all(name.startswith("__Host-") for name in kept) == (scheme == "https")


def test_the_contact_page_says_what_the_practice_has_written_down(serve: Callable[..., Practice]) -> None:
    own = serve(
        '[clinic.main]\nname = "Elm"\n[clinic.main.core]\nemail = "desk@elm.example"\nphone = "+1 555 0100"\n'
        'address = "1 Elm Street"\nemergency = "112"\n'
    )
    page = Visitor(own.url).get("/contact").text
    for words in ('"mailto:desk@elm.example"', '"tel:+15550100"', "1 Elm Street", "In an emergency call 112."):
        assert words in page


def test_the_contact_page_of_a_practice_that_has_written_nothing_down_says_so(practice: Practice) -> None:
    assert "has not written down an address yet" in Visitor(practice.url).get("/contact").text


def test_a_password_is_tried_in_a_thread_that_gives_way(practice: Practice, room: Room) -> None:
    """On a server of one core a hash would take half of it from those who are in a call."""
    assert Visitor(practice.url).post("/sign-in", {"email": room.email, "password": "not this one"}).status_code == 422
    assert practice.process is not None
    nice = {}
    for thread in Path(f"/proc/{practice.process.pid}/task").iterdir():
        nice[int(thread.name)] = int((thread / "stat").read_text().rpartition(")")[2].split()[16])  # proc(5)
    assert nice.pop(practice.process.pid) == 0, "the loop"
    assert 10 in nice.values()
