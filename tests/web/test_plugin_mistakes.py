"""A plugin that is wrong takes nothing down with it: every page of its practice is there, and the reason is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from housecall.extending.registry import TOO_MANY
from housecall.testing import Practice, Visitor
from housecall.web import slots
from plugin_folders import plain, write

Serve = Callable[..., Practice]
TOML = '[clinic.main]\nname = "Elm Street Practice"\nplugins = ["anna"]\n'
HOOK = """from housecall import Field, Fragment, Event, Step, hookimpl

GOOD = Step(id="good", title="A good one", required=True, fields=(Field(id="a", label="A"),))


@hookimpl
def {hook}:
    return [{given}]
"""


def anna(toml: str = "", python: str | None = None, **files: str) -> dict[str, str]:
    return {**plain("anna", toml, python), **files}


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        (anna('[[fragment]]\nslot = "waiting.main"\nmodule = "a.mjs"\n', **{"static/a.mjs": ""}), "must end in .js"),
        (
            anna('[[fragment]]\nslot = "waiting.main"\nmodule = "a.js"\nstyle = "a.txt"\n',
                 **{"static/a.js": "", "static/a.txt": ""}),
            "must end in .css",
        ),
        (anna(python=HOOK.format(hook="fragments()", given='Fragment(slot="waiting.main", module="nope.js")')),
         "there is no file static/nope.js"),
        (anna(python=HOOK.format(hook="events()", given='Event(name="on", sources=("patient",), fields=(7,))')),
         "must be a tuple of Field"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_quarantined(serve: Serve, tmp_path: Path, plugin: dict[str, str], told: str) -> None:
    practice = serve(TOML, folder=write(tmp_path / "site", plugin))
    room = practice.room(role="owner")
    owner = Visitor(practice.url, login=room.login)
    for path in (f"/{room.slug}", "/dashboard", "/admin/plugins", "/account"):
        assert owner.get(path).status_code == 200, path
    assert told in owner.get("/admin/plugins").text.replace("&#39;", "'")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ('GOOD, Step(id="bad", title="Bad", fields=7)', "must be a tuple of Field"),
        ('GOOD, Step(id="bad", title="Bad", template="nope.html", module="nope.js")', "there is no file"),
        ('GOOD, Step(id="bad", title="Bad", order="first", fields=GOOD.fields)', "checkin_steps.order"),
        ('GOOD, Step(id="good", title="Twice", fields=GOOD.fields)', "is there twice"),
        ("GOOD, 7", "must be a Step"),
    ],
)
def test_a_step_that_is_wrong_is_left_out_and_told(serve: Serve, tmp_path: Path, given: str, told: str) -> None:
    python = HOOK.format(hook="checkin_steps(view)", given=given)
    practice = serve(TOML, folder=write(tmp_path / "site", anna(python=python)))
    room, patient = practice.room(), Visitor(practice.url)
    assert patient.check_in(room.slug, "Grace").status_code == 201
    page = patient.get(f"/{room.slug}")
    assert page.status_code == 200
    assert "A good one" in page.text
    assert "Bad" not in page.text
    assert told in practice.log.read_text()
    practice.expected.append("checkin_steps")


#: Its files were all there when they were looked at; then it takes them away.
GONE = """from pathlib import Path
from housecall import hookimpl


@hookimpl
def blueprints():
    for name in ("a.js", "a.css"):
        (Path(__file__).parent / "static" / name).unlink()
    return []
"""


@pytest.mark.parametrize(
    "plugin",
    [
        anna(python=GONE, **{"static/a.js": "", "static/a.css": ""}),
        anna(**{"static/a.js": "", "static/a.css": "", "templates/a.html": "{{ 1 / 0 }}"}),
        anna(**{"static/a.js": "", "static/a.css": "", "locale/en/LC_MESSAGES/anna.mo": "no catalogue"}),
    ],
    ids=["files", "template", "words"],
)
def test_a_part_that_raises_takes_no_page_with_it(serve: Serve, tmp_path: Path, plugin: dict[str, str]) -> None:
    template = 'template = "a.html"\n' if "templates/a.html" in plugin else ""
    for slot in ("waiting.main", "dashboard.card", "account.home", "admin.home", "room.settings", "sign_in.methods"):
        plugin["plugin.toml"] += f'[[fragment]]\nslot = "{slot}"\nmodule = "a.js"\nstyle = "a.css"\n{template}'
    plugin["plugin.toml"] += '[[step]]\nid = "ask"\ntitle = "A question"\n[step.fields.a]\nlabel = "A"\n'
    practice = serve(TOML, folder=write(tmp_path / "site", plugin))
    room, patient = practice.room(role="owner"), Visitor(practice.url)
    assert patient.check_in(room.slug, "Grace").status_code == 201
    owner, broken = Visitor(practice.url, login=room.login), "locale/en/LC_MESSAGES/anna.mo" not in plugin
    for visitor, path in (
        (patient, f"/{room.slug}"),
        (patient, "/sign-in"),
        *((owner, path) for path in ("/dashboard", "/account", "/admin", "/admin/rooms")),
    ):
        page = visitor.get(path)
        assert page.status_code == 200, path
        assert '<hc-part data-plugin="anna"' in page.text, path
        assert (" data-broken></hc-part>" in page.text) == broken, path


ASKS = '[[step]]\nid = "ask"\ntitle = "A question"\nrequired = true\n[step.fields.a]\nlabel = "A"\n'


def test_nobody_waits_for_a_step_of_a_plugin_that_went_off(serve: Serve, tmp_path: Path) -> None:
    practice = serve('[clinic.main]\nname = "Elm"\n', folder=write(tmp_path / "site", anna(ASKS)))
    room, owner_room = practice.room(), practice.room(role="owner")
    owner, patient = Visitor(practice.url, login=owner_room.login), Visitor(practice.url)
    assert owner.post("/admin/plugins", {"plugin": "anna", "on": "yes"}).status_code == 303
    assert patient.check_in(room.slug, "Grace").status_code == 201
    with patient.seat(room.id) as seat:
        assert seat.hear("welcome")["visit"]["state"] == "arriving"
        assert owner.post("/admin/plugins", {"plugin": "anna", "on": "no"}).status_code == 303
        assert seat.hear("moved")["state"] == "waiting"


def test_nobody_waits_for_a_step_of_a_plugin_that_was_suspended(serve: Serve, tmp_path: Path) -> None:
    python = HOOK.format(hook="refuse_move(view, to, actor)", given="1 / 0")
    practice = serve(TOML, folder=write(tmp_path / "site", anna('on_refuse = "block"\n' + ASKS, python)))
    room, patient = practice.room(), Visitor(practice.url)
    assert patient.check_in(room.slug, "Grace").status_code == 201
    with patient.seat(room.id) as seat, Visitor(practice.url, login=room.login).dashboard() as board:
        assert seat.hear("welcome")["visit"]["state"] == "arriving"
        [card] = board.hear("welcome")["rooms"][0]["cards"]
        move = {"visit": card["id"], "to": "waiting", "rev": card["rev"]}
        assert [board.ask("move", move)["error"] for _ in range(TOO_MANY)] == ["closed"] * TOO_MANY
        assert seat.hear("moved")["state"] == "waiting"


def test_nobody_waits_for_a_step_of_a_plugin_that_a_new_server_does_not_have(serve: Serve, tmp_path: Path) -> None:
    practice = serve(TOML, folder=write(tmp_path / "site", anna(ASKS)))
    room, patient = practice.room(), Visitor(practice.url)
    assert patient.check_in(room.slug, "Grace").status_code == 201
    with patient.seat(room.id) as seat:
        before = seat.hear("welcome")
        assert before["visit"]["state"] == "arriving"
    practice.stop()
    practice.toml = TOML.replace('"anna"', "")
    practice.start()
    with patient.seat(room.id, name="Grace", **{"pass": before["pass"]}) as seat:
        assert seat.hear("welcome")["visit"]["state"] == "waiting"


@pytest.mark.parametrize(
    "html",
    [
        '<hc-part data-plugin="chat" data-module="/-/asset/anna/1/a.js"></hc-part>',
        '<div data-slots="call.bar"></div>',
        '<form data-step="core:x"></form>',
        '<button id="leave">x</button>',
        '<p id="stage">x</p>',
        "<plaintext>",
    ],
    ids=str,
)
def test_a_fragment_is_no_other_part_of_the_page(html: str) -> None:
    with pytest.raises(slots.Unbalanced):
        slots.check(html)
    slots.check(html.replace("hc-part", "div").replace("data-", "data-own-").replace('id="', 'id="anna-')
                .replace("plaintext", "br"))  # fmt: skip


@pytest.mark.parametrize(
    "html",
    [
        '<!--><hc-part data-plugin="chat"></hc-part>-->',
        '<!--x--!><hc-part data-plugin="chat"></hc-part>-->',
        '<![CDATA[><hc-part data-plugin="chat"></hc-part>]]>',
        "<!doctype html>",
        "<?x?>",
    ],
)
def test_nothing_hides_in_a_comment(html: str) -> None:
    """Where a comment ends, browsers and parsers do not agree."""
    with pytest.raises(slots.Unbalanced):
        slots.check(html)


def test_the_address_of_a_plugin_that_is_off_is_that_of_one_that_nobody_knows(serve: Serve, tmp_path: Path) -> None:
    python = (
        "from flask import Blueprint\nfrom housecall import hookimpl\npages = Blueprint('anna', __name__)\n"
        "@pages.get('/')\ndef home():\n    return 'here'\n@hookimpl\ndef blueprints():\n    return [pages]\n"
    )
    practice = serve('[clinic.main]\nname = "Elm"\n', folder=write(tmp_path / "site", anna(python=python)))
    visitor = Visitor(practice.url)
    for path in ("/-/{}", "/-/{}/", "/-//{}/", "//-/{}/", "/-/{}/x"):
        off, never = (visitor.get(path.format(name)) for name in ("anna", "otto"))
        assert off.status_code == never.status_code == 404, path
        assert off.text.replace("anna", "otto") == never.text


def test_a_practice_may_what_its_own_plugins_need(serve: Serve, tmp_path: Path) -> None:
    """The policy of a page is composed of what is on in its practice, and of nothing else."""
    toml = (
        '[clinic.main]\nname = "Elm"\nhost = "localhost"\nplugins = ["anna"]\n'
        '[clinic.oak]\nname = "Oak"\nhost = "oak.example"\nplugins = ["berta"]\n'
    )
    folder = write(tmp_path / "site", anna('csp = ["wasm", "scripts"]\n'), plain("berta"))
    practice = serve(toml, folder=folder)
    policies = {}
    for host in ("localhost", "oak.example"):
        visitor = Visitor(practice.url, host=f"{host}:{practice.port}")
        policies[host] = visitor.get("/").headers["Content-Security-Policy"]
    assert "'wasm-unsafe-eval'" in policies["localhost"]
    assert "trusted-types default" in policies["localhost"]
    assert "'wasm-unsafe-eval'" not in policies["oak.example"]
    assert "trusted-types 'none'" in policies["oak.example"]
