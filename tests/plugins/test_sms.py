"""Text messages: how numbers are read, texts counted, requests made, and what each answer means."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import gateway as gateways
import kannel as kannels
from gateway import Gateway, answer
from housecall.testing.certificate import certificate
from sms_world import MARK, NUMBER, SHOWN, blanks, carriers, gsm, numbers, sending, wire

ROOT = Path(__file__).resolve().parents[2]

# -- numbers

READ = [
    ("32", "0470 11 22 33", NUMBER),
    ("32", "0470/11.22.33", NUMBER),
    ("32", "+32 (0)470 11-22-33", NUMBER),
    ("32", "0032470112233", NUMBER),
    ("32", "tel:+32470112233", NUMBER),
    ("32", "\u202a+32 470\u00a011\u201122\u201133\u202c", NUMBER),
    ("32", "٠٤٧٠١١٢٢٣٣", NUMBER),
    ("32", "\uff0b\uff13\uff12470112233", NUMBER),
    ("32", "470112233", NUMBER),
    ("1", "(555) 234-5678", "+15552345678"),
    ("1", "1 555 234 5678", "+15552345678"),
    ("1", "011 32 470 11 22 33", NUMBER),
    ("44", "020 7946 0958", "+442079460958"),
    ("39", "06 698 12345", "+390669812345"),
    ("36", "06 20 123 4567", "+36201234567"),
    ("7", "8 912 345-67-89", "+79123456789"),
    ("45", "12 34 56 78", "+4512345678"),
    ("61", "0011 32 470 11 22 33", NUMBER),
]
UNREADABLE = [
    ("32", "", "digits"),
    ("32", "hello", "digits"),
    ("32", "0470 11 22 33 ext 5", "digits"),
    ("32", "0470112233;0470112234", "digits"),
    ("32", "112", "short"),
    ("32", "+3247011223344556", "long"),
    ("32", "+999 123 456 789", "country"),
    ("32", "+882 16 12345678", "country"),
    ("32", "+0470112233", "country"),
    ("32", "32470112233", "not clear"),
    ("1", "555 0100", "ten in all"),
    ("1", "(055) 234-5678", "ten in all"),
]


@pytest.mark.parametrize(("country", "typed", "number"), READ)
def test_a_number_is_read_as_people_write_it(country: str, typed: str, number: str) -> None:
    assert numbers.read(typed, country) == number


@pytest.mark.parametrize(("country", "typed", "why"), UNREADABLE)
def test_what_is_not_clear_is_refused_and_not_repeated(country: str, typed: str, why: str) -> None:
    with pytest.raises(numbers.Unreadable, match=why) as caught:
        numbers.read(typed, country)
    assert not typed or typed not in str(caught.value)


def test_a_number_is_shown_in_groups() -> None:
    assert numbers.shown(NUMBER) == SHOWN
    assert numbers.shown("+15552345678") == "+1 5552 345 678"
    assert numbers.shown("+4512345678") == "+45 12 345 678"


def test_only_the_beginnings_that_a_practice_allows_are_texted() -> None:
    assert numbers.prefixes("", "32") == ("+32",)
    allowed = numbers.prefixes("+32, +33\n+1", "32")
    assert allowed == ("+32", "+33", "+1")
    for number, may in ((NUMBER, True), ("+33612345678", True), ("+442079460958", False), ("+12125550123", True)):
        assert numbers.may(number, allowed) == may
    assert not numbers.may("+18765550123", allowed), "Jamaica is not what +1 means"
    assert numbers.may("+18765550123", ("+1876",))
    assert numbers.may("+17875550123", allowed), "Puerto Rico is"
    for wrong in ("32", "+", "+999", "Belgium"):
        with pytest.raises(numbers.Unreadable, match=r"beginning"):
            numbers.prefixes(wrong, "32")


# -- segments

A = "a"
SIZES = [
    ("", ("gsm7", 0, 0, 160)),
    (A, ("gsm7", 1, 1, 159)),
    (A * 160, ("gsm7", 160, 1, 0)),
    (A * 161, ("gsm7", 161, 2, 145)),
    (A * 306, ("gsm7", 306, 2, 0)),
    (A * 307, ("gsm7", 307, 3, 152)),
    ("€" * 80, ("gsm7", 160, 1, 0)),
    ("€" * 81, ("gsm7", 162, 2, 143)),
    (A * 152 + "€" + A * 7, ("gsm7", 161, 2, 144)),
    (A * 151 + "€" + A * 8, ("gsm7", 161, 2, 145)),
    ("[{^~}]|\\€\f", ("gsm7", 20, 1, 140)),
    ("Ω Δ Ç ñ à @ £ $ ¥", ("gsm7", 17, 1, 143)),
    ("ç", ("ucs2", 1, 1, 69)),
    ("“quoted”", ("ucs2", 8, 1, 62)),
    ("я" * 70, ("ucs2", 70, 1, 0)),
    ("я" * 71, ("ucs2", 71, 2, 63)),
    ("я" * 134, ("ucs2", 134, 2, 0)),
    ("я" * 135, ("ucs2", 135, 3, 66)),
    ("😀" * 35, ("ucs2", 70, 1, 0)),
    ("😀" * 36, ("ucs2", 72, 2, 61)),
    ("я" * 66 + "😀" + "я" * 3, ("ucs2", 71, 2, 62)),
    ("😀" * 67, ("ucs2", 134, 3, 65)),
    ("a\nb\r\nc", ("gsm7", 6, 1, 154)),
    ("`", ("ucs2", 1, 1, 69)),
    ("\t", ("ucs2", 1, 1, 69)),
]


def plain(found: Any) -> tuple[Any, ...]:
    return found.encoding, found.units, found.parts, found.left


@pytest.mark.parametrize(("text", "expected"), SIZES)
def test_a_text_takes_so_many_parts(text: str, expected: tuple[Any, ...]) -> None:
    assert plain(gsm.size(text)) == expected


def in_browser(texts: list[str]) -> list[dict[str, Any]]:
    """What the module of the page says of texts."""
    module = (ROOT / "core/housecall/static/js/segments.js").as_uri()
    code = (
        f"import {{ size }} from {json.dumps(module)};"
        "let text = ''; for await (const piece of process.stdin.setEncoding('utf8')) text += piece;"
        "console.log(JSON.stringify(JSON.parse(text).map(size)));"
    )
    run = [kannels.node(), "--no-warnings", "--input-type=module", "-e", code]
    done = subprocess.run(run, input=json.dumps(texts), capture_output=True, text=True, check=True, timeout=60)
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def test_the_page_counts_as_the_server_does() -> None:
    letters = "aé€[😀я\n“ß\\ç"
    texts = [text for text, _ in SIZES] + [(letters * n)[:length] for n in (20, 60) for length in range(0, 400, 7)]
    for text, told in zip(texts, in_browser(texts), strict=True):
        found = gsm.size(text)
        assert told == {**vars(found), "strange": list(found.strange)}, text


@given(st.text(alphabet="a€😀я\n", max_size=500))
@hypothesis_settings(deadline=None, max_examples=200)
def test_no_part_is_longer_than_it_may_be_and_none_is_wasted(text: str) -> None:
    """Another way to count: cut the text into parts, one by one."""
    found = gsm.size(text)
    gsm7 = found.encoding == "gsm7"
    cost = (lambda c: 2 if c == "€" else 1) if gsm7 else (lambda c: len(c.encode("utf-16-be")) // 2)
    most = 160 if gsm7 else 70
    units, parts = sum(map(cost, text)), 0
    if units <= most:
        parts = 1 if text else 0
    else:
        rest = list(text)
        while rest:
            room = 153 if gsm7 else 67
            while rest and cost(rest[0]) <= room:
                room -= cost(rest.pop(0))
            parts += 1
    assert (found.units, found.parts) == (units, parts)


# -- requests with blanks

GIVEN = {
    "to": NUMBER,
    "digits": NUMBER[1:],
    "text": 'a&b="c" {to}\n#é',
    "from": "Elm & Co",
    "ref": "r1",
    "report": "https://elm.example/-/sms/report/r1/x?a=b",
    "coding": "0",
    "user": "",
    "key": 'k"&',
}


def filled(**values: str) -> Any:
    return blanks.filled({"url": "https://gw.example/send", **values}, GIVEN)


def test_what_is_put_in_is_written_as_its_place_wants_it() -> None:
    made = filled(url="https://gw.example/{to}/send?text={text}&from={from}", http_method="GET")
    asked = gateways.Asked(f"GET {made.url.removeprefix('https://gw.example')} HTTP/1.1\r\n\r\n".encode())
    assert asked.path.startswith("/%2B32470112233/send?")
    assert asked.query == {"text": GIVEN["text"], "from": GIVEN["from"]}
    form = filled(http_body="to={to}&text={text}&key={key}&empty=")
    assert gateways.Asked(b"POST / HTTP/1.1\r\n\r\n" + form.body).form == {
        "to": NUMBER,
        "text": GIVEN["text"],
        "key": GIVEN["key"],
        "empty": "",
    }
    assert dict(form.headers)["Content-Type"] == "application/x-www-form-urlencoded"
    tree = filled(http_kind="json", http_body='{"messages": [{"to": "{to}", "body": "{text}!", "n": 1}]}')
    assert json.loads(tree.body) == {"messages": [{"to": NUMBER, "body": GIVEN["text"] + "!", "n": 1}]}
    assert filled(http_kind="plain", http_body="{to} {text}").body.decode() == f"{NUMBER} {GIVEN['text']}"
    assert dict(filled(http_headers="X-Key: {key}\nX-Ref: {ref}").headers)["X-Key"] == GIVEN["key"]


def test_a_name_goes_with_the_key_as_http_wants_it() -> None:
    made = blanks.filled({"url": "https://gw.example/"}, GIVEN | {"user": "ada", "key": "x:y"})
    assert dict(made.headers)["Authorization"] == "Basic YWRhOng6eQ=="


@pytest.mark.parametrize(
    ("values", "field", "why"),
    [
        ({"url": "https://gw.example/?t={txt}"}, "url", r"\{txt\} is not known; known: \{to\}"),
        ({"url": "https://{to}.example/"}, "url", "no blank in its host"),
        ({"url": "ftp://gw.example/"}, "url", "begins with https"),
        ({"http_body": "to"}, "http_body", "name=value"),
        ({"http_kind": "json", "http_body": '{"to": {to}}'}, "http_body", "stands in quotes"),
        ({"http_headers": "no colon"}, "http_headers", "Each line"),
        ({"http_headers": "Host: other.example"}, "http_headers", "Housecall itself"),
        ({"http_headers": "X-Text: {text}"}, "http_headers", "no place in a header"),
    ],
)
def test_a_request_that_cannot_be_is_refused_by_its_field(values: dict[str, str], field: str, why: str) -> None:
    with pytest.raises(blanks.Mistake, match=why) as caught:
        filled(**values)
    assert caught.value.field == field


# -- the wire


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with gateways.running() as made:
        yield made


def request(url: str, **more: Any) -> wire.Request:
    return wire.Request(method="POST", url=f"{url}/send", body=b"a=b", **more)


def test_an_answer_is_read_however_it_is_framed(gateway: Gateway) -> None:
    chunked = b"HTTP/1.1 202 Yes\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    until_closed = b"HTTP/1.0 200 OK\r\n\r\nall of it"
    gateway.answers += [chunked, until_closed, answer(302, head="Location: http://127.0.0.1:1/\r\n")]
    told = [wire.ask(request(gateway.url), inside=(gateway.inside,)) for _ in range(3)]
    assert [(each.status, each.body) for each in told] == [(202, "abc"), (200, "all of it"), (302, "")]
    assert len(gateway.asked) == 3, "a redirect was followed"
    first = gateway.asked[0]
    assert (first.method, first.path, first.body) == ("POST", "/send", b"a=b")
    assert first.head["host"] == gateway.inside
    assert first.head["content-length"] == "3"


def test_who_has_not_heard_us_is_told_from_who_may_have(gateway: Gateway, tmp_path: Path) -> None:
    """What was refused before anything was said comes again; after that, nobody knows."""
    inside = (gateway.inside,)
    closed = gateways.socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    with pytest.raises(wire.NotSent, match="refuses connections"):
        wire.ask(request(f"http://127.0.0.1:{port}"), inside=(f"127.0.0.1:{port}",))
    with pytest.raises(wire.NotSent, match="not known"):
        wire.ask(request("http://nobody.invalid"))
    gateway.answers += [
        "hang",
        "drop",
        "drip",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (wire.LARGEST + 1),
        b"nonsense\r\n\r\n",
    ]
    for why, patience in (
        ("in time", 0.5),
        ("hung up", 9),
        ("in time", 1),
        ("too large", 9),
        ("understood|hung up", 9),
    ):
        begun = time.monotonic()
        with pytest.raises(wire.Lost, match=why):
            wire.ask(request(gateway.url), inside=inside, patience=patience)
        assert time.monotonic() - begun < 8, "it waited for longer than it may"
    assert len(gateway.asked) == 5


def test_a_certificate_must_be_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, key = certificate(tmp_path)
    with gateways.running(tls=(cert, key)) as secure:
        inside, url = (f"localhost:{secure.port}",), f"https://localhost:{secure.port}"
        with pytest.raises(wire.NotSent, match="certificate is not right"):
            wire.ask(request(url), inside=inside)
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        assert wire.ask(request(url), inside=inside).body == "ok"
    other = tmp_path / "other"
    other.mkdir()
    with gateways.running(tls=certificate(other, "other.example", "127.0.0.9")) as wrong:
        monkeypatch.setenv("SSL_CERT_FILE", str(other / "cert.pem"))
        with pytest.raises(wire.NotSent, match="certificate is not right"):
            wire.ask(request(f"https://localhost:{wrong.port}"), inside=(f"localhost:{wrong.port}",))
        assert wrong.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]"])
def test_no_inner_address_is_asked_that_the_servers_owner_has_not_named(gateway: Gateway, host: str) -> None:
    with pytest.raises(wire.NotSent, match="inside"):
        wire.ask(request(f"http://{host}:{gateway.port}"), inside=("127.0.0.1:1",))
    assert gateway.asked == []


@pytest.mark.parametrize("address", ["::ffff:127.0.0.1", "0.0.0.0", "224.0.0.1", "100.64.0.1", "fe80::1%eth0"])  # noqa: S104
def test_what_is_no_public_address(address: str) -> None:
    assert not wire._public(address)


def test_nothing_breaks_out_of_the_head_of_a_request(gateway: Gateway) -> None:
    for header in (("X-A", "b\r\nX-C: d"), ("X-A: b", "c"), ("X-A", "é")):
        with pytest.raises(wire.NotSent, match="no place in its head"):
            wire.ask(request(gateway.url, headers=(header,)), inside=(gateway.inside,))
    assert gateway.asked == []
    made = wire.Request(method="GET", url=f"https://x.example/{NUMBER}", headers=(("A", MARK),), body=MARK.encode())
    assert NUMBER not in repr(made)
    assert MARK not in repr(made)


# -- what answers mean

HTTP = {"way": "http", "http_status": "200, 202-203", "http_taken": '"ok"', "http_id": '"id":"{id}"'}
TWILIO = {"way": "twilio"}
ANSWERS = [
    (HTTP, 200, '{"state":"ok"}', "sent", ""),
    (HTTP, 203, '{"state":"ok","id":"m-17"}', "sent", ""),
    (HTTP, 200, '{"state":"no credit"}', "refused", "does not say"),
    (HTTP, 201, '{"state":"ok"}', "refused", "refuses the text"),
    (HTTP, 302, "", "refused", "another address"),
    (HTTP, 400, NUMBER, "refused", "HTTP 400"),
    (HTTP, 401, "", "refused", "name or key"),
    (HTTP, 429, "", "later", "busy"),
    (HTTP, 503, "", "later", "busy"),
    (HTTP, 500, "", "unsure", "failed"),
    (HTTP, 502, "", "unsure", "failed"),
    (HTTP, 504, "", "unsure", "failed"),
    ({"way": "kannel"}, 202, "0: Accepted for delivery", "sent", ""),
    ({"way": "kannel"}, 200, "", "refused", ""),
    ({"way": "kannel"}, 403, "Authorization failed", "refused", "name or key"),
    (TWILIO, 201, '{"sid": "SM1"}', "sent", ""),
    (TWILIO, 400, '{"code": 21211}', "refused", "no number"),
    (TWILIO, 400, '{"code": 21610}', "refused", "STOP"),
    (TWILIO, 400, '{"code": 12345}', "refused", "12345"),
    (TWILIO, 400, "[]", "refused", "HTTP 400"),
]


@pytest.mark.parametrize(("values", "status", "body", "state", "why"), ANSWERS)
def test_what_an_answer_means(values: dict[str, str], status: int, body: str, state: str, why: str) -> None:
    text = carriers.Text(number=NUMBER, text=MARK, ref="r1")
    told = carriers.judged(values, wire.Answer(status=status, body=body), text, carriers.statuses(values))
    assert told.state == state
    assert why in told.reason
    assert NUMBER not in told.reason
    if "m-17" in body:
        assert told.reference == "m-17"


def test_a_text_shows_itself_to_nobody() -> None:
    assert NUMBER not in repr(carriers.Text(number=NUMBER, text=MARK, ref="r1"))
    assert MARK not in repr(carriers.Text(number=NUMBER, text=MARK, ref="r1"))


# -- settings


def problems(**values: Any) -> dict[str, str]:
    told: dict[str, str] = sending.problems({"way": "http", "country": "+32", "url": "https://gw.example/", **values})
    return told


@pytest.mark.parametrize(
    ("values", "field", "why"),
    [
        ({"country": None}, "country", r"such as \+32"),
        ({"country": "+999"}, "country", r"such as \+32"),
        ({"allowed": "32"}, "allowed", "beginning"),
        ({"url": None}, "url", "needs this"),
        ({"url": "http://gw.example/", "http_body": "a={to}{text}"}, "url", "Use https"),
        ({"url": "https://gw.example:99999/"}, "url", "port"),
        ({"http_body": "a={text}"}, "http_body", r"\{to\}"),
        ({"http_body": "a={to}{text}{nope}"}, "http_body", r"known: \{to\}"),
        ({"http_method": "GET", "url": "https://gw.example/{to}/{text}", "http_body": "a=b"}, "http_body", "no body"),
        ({"http_body": "a={to}{text}", "http_status": "404"}, "http_status", "200 to 299"),
        ({"way": "twilio", "url": None}, "key", "Twilio's way needs this"),
        ({"way": "kannel"}, "user", "Kannel needs this"),
        ({"way": "apprise"}, "way", "housecall.toml"),
        ({"way": "apprise", "apprise_url": "jsons://gw.example/{to}?verify=no"}, "way", "verify=no"),
        ({"way": "apprise", "apprise_url": "jsons://gw.example/"}, "way", r"\{to\}"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_their_field(values: dict[str, Any], field: str, why: str) -> None:
    told = problems(**values)
    assert re.search(why, told[field]), told


def test_good_settings_have_no_problem() -> None:
    assert problems(http_body="a={to}&b={text}") == {}
    assert problems(way="twilio", url=None, user="AC1", key="k", sender="+15551234567") == {}
    assert problems(way="kannel", user="u", key="k") == {}
    assert problems(way="kannel", url="http://127.0.0.1:13013/", inside="127.0.0.1:13013", user="u", key="k") == {}
    assert problems(way="off", country=None) == {}
