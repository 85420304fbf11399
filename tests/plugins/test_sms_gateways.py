"""Texts from a real server by real gateways: Kannel, also over SMPP, an emulator of Twilio, apprise. Nothing stays."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

import gateway as gateways
import kannel as kannels
from gateway import Gateway, answer
from housecall import clinics, config
from housecall.testing import Practice, Visitor
from housecall.testing.practice import eventually
from sms_world import MARK, NUMBER, SETTINGS, carriers

# -- the whole server, and real gateways


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with gateways.running() as made:
        yield made


def practice_with(serve: Callable[..., Practice], toml: str, **more: Any) -> Practice:
    port = more.pop("port", None) or kannels.free_port()
    server = f'[server]\nurl = "http://localhost:{port}"\n[clinic.main]\nname = "Elm"\nplugins = ["sms"]\n'
    return serve(f"{server}[clinic.main.sms]\n{toml}", port=port, **more)


def admin_of(practice: Practice) -> Visitor:
    return Visitor(practice.url, login=practice.room(role="admin").login)


def send(admin: Visitor, number: str = NUMBER, text: str = "hello") -> str:
    """Send a text from the page where they are tried; its id."""
    answered = admin.post("/-/sms/", {"number": number, "text": text})
    assert answered.status_code == 303, re.findall(r'class="error"[^>]*>([^<]*)', answered.text)
    return answered.headers["Location"].partition("sent=")[2]


def became(admin: Visitor, id_: str, *states: str) -> dict[str, str]:
    """What became of a text, once it is one of these."""

    def found() -> Any:
        told = admin.get(f"/-/posted/{id_}").json()
        return told if told["state"] in states else None

    told: dict[str, str] = eventually(found)
    return told


def own_address(admin: Visitor, name: str) -> str:
    """An address that the page shows, for a gateway."""
    found = re.search(rf'id="sms-{name}" value="([^"]+)"', admin.get("/-/sms/").text)
    assert found
    return found[1]


def inbound_of(practice: Practice) -> str:
    """The address for answers, which does not depend on the settings."""
    secret = bytes.fromhex((practice.folder / "data/secret").read_text().strip())
    return f"{practice.url}/-/sms/in/{clinics.sealing.fingerprint(secret, 'sms in', 'main')[:32]}"


@contextmanager
def with_kannel(serve: Callable[..., Practice], tmp_path: Path, *, http: bool = False, **more: Any) -> Iterator[Any]:
    """A practice and its Kannel, which know each other: by the plugin's own way, or by a request with blanks."""
    folder, port = tmp_path / "kannel", kannels.free_port()
    folder.mkdir()
    site = tmp_path / "site"
    (site / "data").mkdir(parents=True, mode=0o700)
    config.key_file(site / "data")
    stub = Practice(site, port=port)
    with kannels.running(folder, inbound_of(stub), **more) as kannel:
        toml = kannel.toml
        if http:
            blanked = (
                f"{kannel.url}?username={{user}}&password={{key}}&from={{from}}&to={{to}}&text={{text}}"
                "&charset=UTF-8&coding={coding}&dlr-mask=19&dlr-url={report}%3Fstate%3D%25d"
            )
            toml = toml.replace('"kannel"', '"http"').replace(f'"{kannel.url}"', f'"{blanked}"')
            # "0: Accepted for delivery" or, until the telephone is there, "3: Queued for later delivery"
            toml += 'http_method = "GET"\nhttp_status = "202"\nhttp_taken = "delivery"\n'
        yield practice_with(serve, toml, folder=site, port=port), kannel


@pytest.mark.parametrize("http", [False, True], ids=["kannel", "a request with blanks"])
def test_kannel_sends_reports_and_hands_on_stop(serve: Callable[..., Practice], tmp_path: Path, http: bool) -> None:
    with with_kannel(serve, tmp_path, http=http) as (practice, kannel):
        admin = admin_of(practice)
        assert own_address(admin, "answers") == inbound_of(practice)
        handset = kannel.handset()
        id_ = send(admin, "0470 11 22 33", "hello & goodbye: 100%")
        assert became(admin, id_, "delivered")["reason"] == ""
        eventually(lambda: f"<Clinic {NUMBER} text hello & goodbye: 100%>" in kannel.heard())
        send(admin, text="ночь")
        eventually(lambda: f"<Clinic {NUMBER} ucs-2 %04%3D%04%3E%04G%04L>" in kannel.heard())
        handset.terminate()
        handset.wait(10)
        again = kannel.handset(f"{NUMBER} +3247000009 text stop")
        eventually(lambda: "1 number has answered STOP" in admin.get("/-/sms/").text)
        refused = send(admin)
        assert "STOP" in became(admin, refused, "failed")["reason"]
        again.terminate()
        again.wait(10)
        kannel.handset(f"{NUMBER} +3247000009 text START")
        eventually(lambda: "0 numbers have answered STOP" in admin.get("/-/sms/").text)


def test_kannel_down_is_later_and_a_wrong_key_is_said(serve: Callable[..., Practice], tmp_path: Path) -> None:
    with with_kannel(serve, tmp_path) as (practice, kannel):
        admin = admin_of(practice)
        for process in kannel.processes:
            process.terminate()
            process.wait(10)
        told = became(admin, send(admin), "waiting", "failed")
        while not told["reason"]:
            told = became(admin, send(admin), "waiting")
        assert (told["state"], told["reason"]) == ("waiting", "The gateway refuses connections.")
        assert "The gateway refuses connections." in admin.get("/admin/plugins").text


@pytest.mark.parametrize(("dlr", "state"), [("DELIVRD", "delivered"), ("UNDELIV", "bounced")])
def test_over_smpp_by_kannel(serve: Callable[..., Practice], tmp_path: Path, dlr: str, state: str) -> None:
    kannels.package("smpp")
    with with_kannel(serve, tmp_path, smpp=True, dlr=dlr) as (practice, kannel):
        admin = admin_of(practice)
        became(admin, send(admin, text="plain"), state)
        became(admin, send(admin, text="ночь"), state)
        long = "x" * 200
        became(admin, send(admin, text=long), state)
        given = kannel.submitted()
        assert {each["to"].lstrip("+") for each in given} == {NUMBER[1:]}
        assert len(given) == 4, "a text of 200 letters goes in two parts"
        assert any("plain" in each["text"] for each in given)
        unicode = next(each for each in given if each["coding"] == 8)
        assert bytes.fromhex(unicode["hex"]).decode("utf-16-be") == "ночь"


def test_as_twilio_does_it(serve: Callable[..., Practice], tmp_path: Path) -> None:
    """The official emulator takes our requests; its callbacks pass only with their signature."""
    site = tmp_path / "site"
    (site / "data").mkdir(parents=True, mode=0o700)
    config.key_file(site / "data")
    stub = Practice(site)
    with kannels.emulated(tmp_path, inbound_of(stub)) as url:
        sid = "AC" + "0" * 32
        toml = (
            f'way = "twilio"\nurl = "{url}"\nuser = "{sid}"\nkey = "tok"\nsender = "+15551234567"\ncountry = "1"\n'
            f'inside = "{url.removeprefix("http://")}"\n'
        )
        practice = practice_with(serve, toml, folder=site, port=stub.port)
        admin = admin_of(practice)
        number = "+15559876543"
        id_ = send(admin, number, "hello")
        became(admin, id_, "sent", "delivered")
        auth = (sid, "tok")
        listed = gateways_get(f"{url}/2010-04-01/Accounts/{sid}/Messages.json", auth)["messages"]
        assert [(each["to"], each["body"]) for each in listed] == [(number, "hello")]
        message = listed[0]["sid"]
        gateways_post(f"{url}/_twilio/simulate/message-status", {"MessageSid": message, "Status": "delivered"}, auth)
        became(admin, id_, "delivered")
        gateways_post(
            f"{url}/_twilio/simulate/inbound-message", {"To": "+15551234567", "From": number, "Body": "STOP"}, auth
        )
        eventually(lambda: "1 number has answered STOP" in admin.get("/-/sms/").text)
        forged = {"From": number, "Body": "START"}
        inbound = inbound_of(practice)
        for signature in (None, "x", carriers.signature("wrong", inbound, list(forged.items()))):
            headers = {"X-Twilio-Signature": signature} if signature else {}
            assert raw_post(inbound, forged, headers) == 403
        other = carriers.signature("tok", inbound, [("From", "+15550000000"), ("Body", "START")])
        assert raw_post(inbound, forged, {"X-Twilio-Signature": other}) == 403
        assert (
            raw_post(inbound, forged, {"X-Twilio-Signature": carriers.signature("tok", inbound, list(forged.items()))})
            == 200
        )
        assert "0 numbers have answered STOP" in admin.get("/-/sms/").text


def gateways_get(url: str, auth: tuple[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = requests.get(url, auth=auth, timeout=30).json()
    return told


def gateways_post(url: str, body: dict[str, str], auth: tuple[str, str]) -> None:
    told = requests.post(url, json=body, auth=auth, timeout=30)
    assert told.status_code < 300, told.text


def raw_post(url: str, form: dict[str, str], headers: dict[str, str]) -> int:
    return int(requests.post(url, data=form, headers=headers, timeout=30).status_code)


def test_by_apprise(serve: Callable[..., Practice], gateway: Gateway) -> None:
    """Its json:// service, which takes any host; a failure there is a doubt, not a reason to send again."""
    pytest.importorskip("apprise", reason="apprise is not installed: pip install 'housecall[apprise]'")
    toml = f'way = "apprise"\ncountry = "+32"\napprise_url = "json://127.0.0.1:{gateway.port}/{{to}}"\n'
    practice = practice_with(serve, toml, command=(sys.executable, "-m", "housecall", "run"))  # it warns of Python 3.13
    admin = admin_of(practice)
    became(admin, send(admin, text="by apprise"), "sent")
    asked = gateway.wait()[0]
    assert asked.path == f"/{NUMBER}"
    assert json.loads(asked.body)["message"] == "by apprise"
    gateway.answers += [answer(500)]
    became(admin, send(admin), "unsure")
    assert len(gateway.asked) == 2


def test_a_server_that_is_killed_in_the_middle_does_not_send_again(
    serve: Callable[..., Practice], gateway: Gateway
) -> None:
    toml = SETTINGS.format(url=gateway.url, inside=gateway.inside)
    practice = practice_with(serve, toml)
    admin = admin_of(practice)
    gateway.usual = "hang"
    id_ = send(admin)
    gateway.wait()
    begun = time.monotonic()
    assert admin.get("/-/sms/").status_code == 200
    assert time.monotonic() - begun < carriers.wire.PATIENCE / 2, "everybody waits for the gateway"
    practice.stop(9)
    gateway.usual = gateways.TAKEN
    practice.start()
    assert "stopped" in became(admin, id_, "unsure")["reason"]
    other = send(admin, "0470112244", "the next")
    became(admin, other, "sent")
    assert [each.form["ref"] for each in gateway.asked] == [id_, other]


def test_nothing_of_a_text_is_left_on_the_server(serve: Callable[..., Practice], gateway: Gateway) -> None:
    """Number and words are in no file and no log when it has gone, nor when it was refused."""
    practice = practice_with(serve, SETTINGS.format(url=gateway.url, inside=gateway.inside))
    admin = admin_of(practice)
    gateway.answers += [gateways.TAKEN, answer(400, f"{NUMBER} {MARK}")]
    for state in ("sent", "failed"):
        became(admin, send(admin, NUMBER, f"{MARK} waits"), state)
    asked = gateway.wait(2)
    assert all(MARK in each.form["text"] and each.form["to"] == NUMBER for each in asked)
    raw_post(inbound_of(practice), {"from": NUMBER, "text": f"{MARK} hurts"}, {})
    raw_post(inbound_of(practice), {"from": NUMBER, "text": "STOP"}, {})
    raw_post(asked[0].form["report"], {"status": "delivered", "to": NUMBER, "text": MARK}, {})
    refused = admin.post("/-/sms/", {"number": f"{NUMBER} {MARK}", "text": MARK})
    assert refused.status_code == 422

    def clean() -> bool:
        return not leaks(practice)

    eventually(clean)
    practice.stop()
    assert leaks(practice) == []


def test_nothing_of_a_patients_number_is_left_when_the_visit_has_ended(
    serve: Callable[..., Practice], gateway: Gateway
) -> None:
    """It is sealed meanwhile, outlives a server that is killed, and what was sealed is nowhere afterwards either."""
    practice = practice_with(serve, SETTINGS.format(url=gateway.url, inside=gateway.inside))
    room = practice.room()
    first, patient, member = Visitor(practice.url), Visitor(practice.url), Visitor(practice.url, login=room.login)
    assert first.check_in(room.slug, "Katherine").status_code == 201
    assert patient.check_in(room.slug, "Grace").status_code == 201
    with first.seat(room.id, name="Katherine"), patient.seat(room.id, name="Grace") as seat:
        hello = seat.hear("welcome")
        told = say(seat, hello["visit"]["id"], "ask", number="0470 11 22 33")
        assert told["answer"] == {"state": "kept", "number": "+32 470 112 233", "waits": True}
        others = say(seat, hello["visit"]["id"], "call")
        assert others["error"] == "forbidden", "a patient calls nobody"
    sealed = kept(practice)
    assert len(sealed) > 40
    assert leaks(practice) == []
    practice.stop(9)
    practice.start()
    with member.dashboard() as board, patient.seat(room.id, name="Grace", **{"pass": hello["pass"]}) as seat:
        visit = seat.hear("welcome")["visit"]["id"]
        board.hear("welcome")
        assert say(board, visit, "ask", number=NUMBER)["error"] == "forbidden", "a member gives no number"
        assert say(board, visit, "stands")["answer"] == {"state": "kept", "ends": "33", "waits": True}
        assert say(board, visit, "call")["answer"]["state"] in ("waiting", "sending", "sent")
        asked = gateway.wait()[0]
        assert asked.form["to"] == NUMBER
        eventually(lambda: not leaks(practice, sealed))
        assert board.ask("move", {"visit": visit, "to": "ended", "rev": None})["ok"]
    eventually(lambda: kept(practice) is None)
    eventually(lambda: not leaks(practice, sealed))
    practice.stop()
    assert leaks(practice, sealed) == []
    assert len(gateway.asked) == 1


def say(socket: Any, visit: str, event: str, **body: str) -> dict[str, Any]:
    """A page says one of the plugin's events."""
    told: dict[str, Any] = socket.ask("say", {"event": f"sms:{event}", "visit": visit, "id": "1", "body": body})
    return told


def kept(practice: Practice) -> Any:
    """What is sealed of the one patient; None when the row has gone."""
    with closing(sqlite3.connect(practice.folder / "data/housecall.db")) as database:
        row = database.execute("select sealed from sms_call").fetchone()
    return row[0] if row else None


def leaks(practice: Practice, *more: str) -> list[str]:
    """Files that hold a number or a text, or what else is to be gone."""
    needles = [NUMBER[1:].encode(), b"470112233", MARK.encode(), *(each.encode() for each in more)]
    files = [path for path in practice.folder.rglob("*") if path.is_file()] + [practice.log]
    return [path.name for path in files if any(needle in path.read_bytes() for needle in needles)]


def test_the_pages_of_patients_do_not_know_the_gateway(serve: Callable[..., Practice], gateway: Gateway) -> None:
    practice = practice_with(serve, SETTINGS.format(url=gateway.url, inside=gateway.inside))
    room = practice.room()
    for page in (
        Visitor(practice.url).get(f"/{room.slug}").text,
        Visitor(practice.url, login=room.login).get("/dashboard").text,
    ):
        assert 'data-plugin="sms"' in page
        assert gateway.inside not in page
        assert "daily" not in page


def test_only_housecall_toml_opens_the_inner_network(serve: Callable[..., Practice], gateway: Gateway) -> None:
    practice = serve('[clinic.main]\nname = "Elm"\nplugins = ["sms"]\n')
    admin = admin_of(practice)
    page = admin.get("/admin/settings/sms").text
    assert "Only housecall.toml can set this." in page
    form = {"set-sms": "1", "set-sms-way": "http", "set-sms-country": "+32", "set-sms-parts": "4"}
    form |= {
        "set-sms-daily": "10",
        "set-sms-daily_number": "5",
        "set-sms-call_text": "come",
        "set-sms-http_kind": "form",
    }
    form |= {"set-sms-http_method": "POST", "set-sms-http_body": "a={to}&b={text}"}
    form |= {"set-sms-url": f"{gateway.url}/", "set-sms-inside": gateway.inside}
    refused = admin.post("/admin/settings/sms", form)
    assert refused.status_code == 422
    assert "Use https://" in refused.text
    taken = admin.post("/admin/settings/sms", form | {"set-sms-url": f"https://127.0.0.1:{gateway.port}/"})
    assert taken.status_code == 303
    told = became(admin, send(admin), "waiting")
    eventually(lambda: "inside of this server" in admin.get("/admin/plugins").text)
    assert told["state"] == "waiting"
    assert gateway.asked == []
    with closing(sqlite3.connect(practice.folder / "data/housecall.db")) as database:
        (values,) = database.execute("select \"values\" from setting where owner = 'sms'").fetchone()
    assert "inside" not in json.loads(values)


def test_off_it_carries_nothing(serve: Callable[..., Practice]) -> None:
    practice = practice_with(serve, "")
    admin = admin_of(practice)
    assert "Texts are not sent." in admin.get("/-/sms/").text
    refused = admin.post("/-/sms/", {"number": NUMBER, "text": "hello"}, at="/admin/settings/sms")
    assert refused.status_code == 422
    assert Visitor(practice.url).get("/-/sms/").status_code == 303
    provider = Visitor(practice.url, login=practice.room(role="provider").login)
    assert provider.get("/-/sms/").status_code == 404
