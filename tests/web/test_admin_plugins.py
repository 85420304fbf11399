"""The practice's pages of plugins and settings, and parts on pages without a visit, through the real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from housecall import clinics
from housecall.testing import Practice, Visitor
from housecall.testing.practice import free_port
from plugin_folders import LAMP, POSTER, TALLY, plain, write

TOML = '[server]\n[clinic.main]\nname = "Elm Street Practice"\n'
Serve = Callable[..., Practice]


def serving(
    serve: Serve, folder: Path, *plugins: dict[str, str], toml: str = TOML, **more: Any
) -> tuple[Practice, Visitor]:
    """A server over these plugins, and an owner."""
    practice = serve(toml, folder=write(folder, *plugins), **more)
    return practice, Visitor(practice.url, login=practice.room(role="owner").login)


def words(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def card(owner: Visitor, plugin: str) -> str:
    page = owner.get("/admin/plugins").text
    found = re.search(rf'<article class="plugin" id="plugin-{plugin}".*?</article>', page, flags=re.S)
    assert found, plugin
    return found[0]


def turn(owner: Visitor, plugin: str, on: bool) -> Any:
    return owner.post("/admin/plugins", {"plugin": plugin, "on": "yes" if on else "no"})


def rows(practice: Practice) -> list[tuple[str, str]]:
    with practice.lasting():
        found = clinics.database.db.session.scalars(clinics.database.db.select(clinics.models.Audit)).all()
        return [(row.action, row.object) for row in found if row.action.startswith(("plugin", "settings"))]


def test_a_plugins_card_says_all_that_there_is_to_know(serve: Serve, tmp_path: Path) -> None:
    broken = plain("wobbly", '[[fragment]]\nslot = "waiting.asde"\nmodule = "x.js"\n')
    toml = '[server]\nload = ["lamp", "tally", "clara", "wobbly"]\n[clinic.main]\nname = "Elm"\n'
    absent, restricted = plain("anna"), plain("clara", "restricted = true\n")
    practice, owner = serving(serve, tmp_path / "site", LAMP, TALLY, broken, absent, restricted, toml=toml)
    told = words(card(owner, "lamp"))
    assert "Version 1.2 · from the site's own folder" in told
    assert "A lamp over the door" in told
    assert (
        "The time when somebody passed the door of patients, guests and members of the practice, to light the way; "
        "kept for 30 days; given to Elm Street Lighting"
    ) in told
    assert "This server talks to api.lamp.example: to switch the bulb" in told
    assert "The bulb is loose" not in told  # it is off, and is not asked
    assert turn(owner, "lamp", True).status_code == 303
    told = words(card(owner, "lamp"))
    assert "The bulb is loose." in told
    assert 'href="/admin/settings/lamp"' in card(owner, "lamp")
    told = words(card(owner, "tally"))
    for name in ("mood", "tally:shout", "count", "/-/tally/", "tally_count"):
        assert name in told
    assert "It says that it touches no data and no other server." in told
    told = words(card(owner, "wobbly"))
    assert "line 6: fragment.slot: 'waiting.asde' is not known; did you mean 'waiting.aside'?" in told
    assert "line 7: fragment.module: there is no file static/x.js" in told
    assert "role=switch" not in card(owner, "wobbly")
    assert "Not loaded" in card(owner, "anna")
    assert "Only housecall.toml may switch this on: clinic.main.plugins" in words(card(owner, "clara"))
    assert re.search(r'role="switch"[^>]* disabled', card(owner, "clara"))
    assert "wobbly (site) is not in use: plugin.toml: line 6" in practice.log.read_text()
    assert re.search(r"<span>1 of \d+ on</span>", owner.get("/admin").text)


def test_a_switch_works_without_script_and_is_written_down(serve: Serve, tmp_path: Path) -> None:
    practice, owner = serving(serve, tmp_path / "site", TALLY)
    assert 'aria-checked="false"' in card(owner, "tally")
    assert owner.get("/-/tally/today").status_code == 404
    answer = turn(owner, "tally", True)
    assert answer.headers["Location"] == "/admin/plugins?turned=tally#plugin-tally"
    assert "Tally is on." in words(owner.get("/admin/plugins?turned=tally").text)
    assert 'aria-checked="true"' in card(owner, "tally")
    assert owner.get("/-/tally/today").json() == {"visits": 3}
    assert "Switched off, it keeps what it has stored (its tables)." in words(card(owner, "tally"))
    assert turn(owner, "tally", False).status_code == 303
    assert owner.get("/-/tally/today").status_code == 404
    told = words(card(owner, "tally"))
    assert "What it has stored stays (its tables)." in told
    assert "housecall plugin purge tally" in told
    assert rows(practice) == [("plugin.on", "tally"), ("plugin.off", "tally")]
    practice.stop()
    practice.start()
    assert 'aria-checked="false"' in card(owner, "tally")


def test_what_cannot_be_switched_says_why_and_changes_nothing(serve: Serve, tmp_path: Path) -> None:
    unready = {"migrations/versions/0001_first.py": "revision = 'x'\ndown_revision = None\ndef upgrade(): 1 / 0\n"}
    practice, owner = serving(serve, tmp_path / "site", TALLY | unready, plain("clara", "restricted = true\n"))
    answer = turn(owner, "clara", True)
    assert answer.status_code == 422
    assert "Only housecall.toml may switch this on" in words(answer.text)
    answer = turn(owner, "tally", True)
    assert answer.status_code == 422
    assert "its tables could not be made: ZeroDivisionError" in words(answer.text)
    for name in ("nobody", ""):
        assert turn(owner, name, True).status_code == 404
    assert rows(practice) == []


def test_housecall_toml_locks_every_switch_and_names_its_line(serve: Serve, tmp_path: Path) -> None:
    _, owner = serving(serve, tmp_path / "site", plain("anna"), plain("berta"), toml=TOML + 'plugins = ["anna"]\n')
    for name, checked in (("anna", "true"), ("berta", "false")):
        assert f'aria-checked="{checked}"' in card(owner, name)
        told = words(card(owner, name))
        assert "housecall.toml says which plugins are on: clinic.main.plugins (line 4)" in told
        assert turn(owner, name, checked != "true").status_code == 422
        assert f'aria-checked="{checked}"' in card(owner, name)


def test_only_owners_and_admins_see_plugins_and_settings(serve: Serve, tmp_path: Path) -> None:
    practice, owner = serving(serve, tmp_path / "site", LAMP)
    turn(owner, "lamp", True)
    for role, status in (("admin", 200), ("provider", 404), ("staff", 404)):
        member = Visitor(practice.url, login=practice.room(role=role).login)
        for path in ("/admin/plugins", "/admin/settings/lamp", "/admin/settings/lamp.toml"):
            assert member.get(path).status_code == status, (role, path)
        if status == 404:
            assert member.post("/admin/plugins", {"plugin": "lamp", "on": "no"}, at="/account").status_code == 404
            assert member.post("/admin/settings/lamp", {}, at="/account").status_code == 404
    assert 'aria-checked="true"' in card(owner, "lamp")
    assert Visitor(practice.url).get("/admin/plugins").status_code == 303


# -- settings

FORM = {"opens": "07:00", "closes": "19:00", "wait": "10 min", "watts": "40", "price": "12,50", "shape": "long"}


def filled(form: dict[str, str], prefix: str = "set-lamp") -> dict[str, str]:
    return {prefix: "1"} | {f"{prefix}-{name}": value for name, value in form.items()}


def save(owner: Visitor, form: dict[str, str]) -> Any:
    return owner.post("/admin/settings/lamp", filled(form))


def test_settings_are_saved_whole_or_not_at_all(serve: Serve, tmp_path: Path) -> None:
    practice, owner = serving(serve, tmp_path / "site", LAMP)
    assert owner.get("/admin/settings/lamp").status_code == 404  # off is as unknown
    turn(owner, "lamp", True)
    for unknown in ("nobody", "core", "lamp.tml"):
        assert owner.get(f"/admin/settings/{unknown}").status_code == 404
    answer = save(owner, FORM | {"watts": "400", "wait": "soon", "opens": ""})
    assert answer.status_code == 422
    told = words(answer.text)
    assert "3 things need another look" in told
    for name, what in (("watts", "This is more than"), ("wait", "does not look right"), ("opens", "This is empty.")):
        error = re.search(rf'id="set-lamp-{name}-error">([^<]+)', answer.text)
        assert error, name
        assert what in error[1]
        assert f'<a href="#set-lamp-{name}">' in answer.text
    assert 'value="400"' in answer.text
    assert 'value="19:00"' in answer.text
    assert 'value="18:00"' in owner.get("/admin/settings/lamp").text  # nothing was saved
    answer = save(owner, FORM | {"opens": "20:00"})
    assert answer.status_code == 422
    assert "This must be later than the opening time." in words(answer.text)
    answer = save(owner, FORM)
    assert answer.headers["Location"] == "/admin/settings/lamp?saved=1"
    page = owner.get("/admin/settings/lamp?saved=1").text
    assert "Pages that are open take it up when they are loaded again." in page
    for value in ("07:00", "19:00", "10 min", "40", "12.50"):
        assert f'value="{value}"' in page
    assert [action for action, _ in rows(practice)] == ["plugin.on", "settings.save"]


def test_secrets_are_kept_replaced_and_removed_but_never_shown(serve: Serve, tmp_path: Path) -> None:
    _, owner = serving(serve, tmp_path / "site", LAMP)
    turn(owner, "lamp", True)
    assert "Remove what is stored" not in owner.get("/admin/settings/lamp").text
    save(owner, FORM | {"key": "open sesame"})
    page = owner.get("/admin/settings/lamp").text
    assert "open sesame" not in page
    assert "Leave this empty to keep what is stored." in page
    assert "Remove what is stored: Key of the switchboard" in page
    save(owner, FORM | {"key": ""})
    assert "Remove what is stored" in owner.get("/admin/settings/lamp").text
    assert "open sesame" not in save(owner, FORM | {"watts": "x", "key": "open sesame"}).text
    save(owner, FORM | {"key": "", "key-remove": "yes"})
    assert "Remove what is stored" not in owner.get("/admin/settings/lamp").text


def test_what_housecall_toml_holds_is_shown_with_its_line_and_cannot_be_changed(serve: Serve, tmp_path: Path) -> None:
    toml = TOML + '[clinic.main.lamp]\nwatts = 15\nkey = "open sesame"\nshape = "round"\n'
    _, owner = serving(serve, tmp_path / "site", LAMP, toml=toml)
    turn(owner, "lamp", True)
    page = owner.get("/admin/settings/lamp").text
    assert re.search(r'id="set-lamp-watts"[^>]*value="15"[^>]* disabled', page)
    assert re.search(r'id="set-lamp-watts-held">.*?Set in housecall.toml, line 5\.', page, flags=re.S)
    assert re.search(r'id="set-lamp-key"[^>]* disabled', page)
    assert "open sesame" not in page
    assert save(owner, FORM | {"watts": "99", "key": "mine"}).status_code == 303
    page = owner.get("/admin/settings/lamp").text
    assert 'value="15"' in page
    assert 'value="07:00"' in page
    answer = owner.get("/admin/settings/lamp.toml")
    assert answer.headers["Content-Type"].startswith("application/toml")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="lamp.toml"'
    table = tomllib.loads(answer.text)["clinic"]["main"]["lamp"]
    assert table == {"opens": "07:00", "closes": "19:00", "wait": 600, "watts": 15, "price": 1250, "shape": "round"}


def test_a_rooms_settings_are_saved_with_the_room(serve: Serve, tmp_path: Path) -> None:
    practice, owner = serving(serve, tmp_path / "site", LAMP)
    room, other = practice.room(), practice.room()
    assert "set-" not in owner.get("/admin/rooms").text
    turn(owner, "lamp", True)
    base = {"room": room.id, "name": "The blue room", "slug": room.slug, "media": "video", "owner": ""}
    prefix = f"set-{room.id}-lamp"
    answer = owner.post("/admin/rooms", base | {"slug": "!"} | filled({"glow": "11"}, prefix))
    assert answer.status_code == 422
    assert "2 things need another look" in words(answer.text)
    assert f'id="{prefix}-glow-error"' in answer.text
    assert f'id="{room.id}slug-error"' in answer.text
    answer = owner.post("/admin/rooms", base | filled({"glow": "11"}, prefix))
    assert answer.status_code == 422
    assert "The blue room" not in words(owner.get("/admin/rooms").text)
    answer = owner.post("/admin/rooms", base | filled({"glow": "9"}, prefix))
    assert "So much light needs the key." in words(answer.text)
    assert (
        owner.post("/admin/rooms", base | filled({"glow": "8"}, prefix)).headers["Location"] == "/admin/rooms?saved=1"
    )
    page = owner.get("/admin/rooms").text
    assert re.search(rf'name="{re.escape(prefix)}-glow"[^>]*value="8"', page)
    assert re.search(rf'name="set-{re.escape(other.id)}-lamp-glow"[^>]*value="5"', page)
    assert "The blue room" in page


def test_a_members_settings_are_saved_with_the_profile(serve: Serve, tmp_path: Path) -> None:
    practice, owner = serving(serve, tmp_path / "site", LAMP)
    member = Visitor(practice.url, login=practice.room().login)
    profile = {"email": f"b-{os.getpid()}@elm.example", "first_name": "Berta", "last_name": "Smith"}
    assert member.post("/account", profile).status_code == 303
    turn(owner, "lamp", True)
    assert member.post("/account", profile | filled({"dimmed": "yes"}) | {"first_name": ""}).status_code == 422
    assert not re.search(r'name="set-lamp-dimmed"[^>]* checked', member.get("/account").text)
    answer = member.post("/account", profile | filled({"dimmed": "yes", "hours": "25"}) | {"last_name": "Jones"})
    assert answer.status_code == 422
    assert 'id="set-lamp-hours-error"' in answer.text
    assert "Jones" not in member.get("/account").text  # nothing of the form was saved
    assert member.post("/account", profile | filled({"dimmed": "yes"})).status_code == 303
    assert re.search(r'name="set-lamp-dimmed"[^>]* checked', member.get("/account").text)
    assert not re.search(r'name="set-lamp-dimmed"[^>]* checked', owner.get("/account").text)
    assert member.post("/account", profile).status_code == 303  # a form of before it was on: not a "no"
    assert re.search(r'name="set-lamp-dimmed"[^>]* checked', member.get("/account").text)


# -- parts of pages without a visit

STILL = ("/admin", "/admin/rooms", "/account", "/sign-in")


def still_page(owner: Visitor, practice: Practice, path: str) -> str:
    visitor = Visitor(practice.url) if path == "/sign-in" else owner
    text = visitor.get(path).text
    return re.sub(r'(nonce|value|"token"): ?="?[^"]*"|nonce="[^"]*"|name="token" value="[^"]*"', "", text)


def test_a_page_gains_a_script_only_where_a_part_has_one(serve: Serve, tmp_path: Path) -> None:
    silent = plain("anna", '[[fragment]]\nslot = "admin.home"\ntemplate = "t.html"\n')
    silent["templates/t.html"] = "<p>A quiet tile</p>"
    practice, owner = serving(serve, tmp_path / "site", POSTER, silent)
    before = {path: still_page(owner, practice, path) for path in STILL}
    for page in before.values():
        assert "still.js" not in page.split("</head>")[1]
        assert "data-slots" not in page
        assert 'id="said"' not in page
    turn(owner, "anna", True)
    page = still_page(owner, practice, "/admin")
    assert "A quiet tile" in page
    assert "importmap" not in page
    for path in ("/admin/rooms", "/account", "/sign-in"):
        assert re.sub(r'"integrity": .*', "", still_page(owner, practice, path)) == re.sub(
            r'"integrity": .*', "", before[path]
        )
    turn(owner, "anna", False)
    turn(owner, "poster", True)
    for path in STILL:
        page = still_page(owner, practice, path)
        assert 'type="importmap"' in page, path
        assert re.search(r'<script type="module"[^>]*still\.js"', page), path
        assert "poster.css" in page.split("</head>")[0], path
        assert '<hc-part data-plugin="poster"' in page, path
    turn(owner, "poster", False)
    assert {path: re.sub(r"\d+ of \d+", "", still_page(owner, practice, path)) for path in STILL} == {
        path: re.sub(r"\d+ of \d+", "", page) for path, page in before.items()
    }


# -- check


def check(folder: Path, code: int = 1) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "housecall", "check", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_check_lists_what_is_wrong_with_plugins(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    practice, owner = serving(serve, folder, LAMP, TALLY)
    for name in ("lamp", "tally"):
        turn(owner, name, True)
    save(owner, FORM)
    practice.stop()
    told = check(folder)
    assert "The plugin lamp in the clinic main: The bulb is loose." in told
    assert "is not in use" not in told
    assert "its migrations" not in told
    more = 'revision = "tally0002"\ndown_revision = "tally0001"\n\n\ndef upgrade():\n    pass\n'
    write(folder, TALLY | {"migrations/versions/0002_more.py": more})
    write(folder, LAMP | {"plugin.toml": LAMP["plugin.toml"].replace("max = 100", "max = 30")}, plain("ill", "x = 1\n"))
    told = check(folder)
    assert "The tables of the plugin tally are behind its migrations" in told
    assert "setting lamp.watts of clinic main: too_big" in told
    assert "The plugin ill (site) is not in use: plugin.toml: line 5: x: this name is not known" in told
    (folder / "housecall.toml").write_text(TOML + 'plugins = ["lmap"]\n')
    assert "line 4: clinic.main.plugins: there is no plugin 'lmap'; did you mean 'lamp'?" in check(folder)


def test_a_server_with_a_name_that_no_plugin_has_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "housecall.toml").write_text(TOML + 'plugins = ["nobody"]\n')
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "housecall", "run", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PORT": str(free_port())},
    )
    assert done.returncode == 1
    assert "line 4: clinic.main.plugins: there is no plugin 'nobody'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_jobs_run_in_the_real_server(serve: Serve, tmp_path: Path, mode: str) -> None:
    python = (
        "from pathlib import Path\nfrom housecall.extending.nouns import Job\n"
        f"def mark(clinic):\n    with Path({str(tmp_path / 'marks')!r}).open('a') as marks:\n"
        "        marks.write(clinic + '\\n')\n"
        "@hookimpl\ndef jobs():\n    return [Job(name='mark', every=1, run=mark)]\n"
    )
    toml = f'[server]\nasync_mode = "{mode}"\n[clinic.main]\nname = "Elm"\nplugins = ["anna"]\n'
    serving(serve, tmp_path / "site", plain("anna", python=python), toml=toml)
    marks, tries = tmp_path / "marks", 0
    while not marks.exists() or len(marks.read_text().split()) < 2:
        tries += 1
        assert tries < 200, "no job ever ran"
        time.sleep(0.1)  # the condition is the file; this only paces the looking
    assert set(marks.read_text().split()) == {"main"}
