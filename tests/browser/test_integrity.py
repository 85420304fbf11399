"""Every module of a page has the hash that the page says; one that was altered on its way is not run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable

from playwright.sync_api import Route, expect

from housecall.testing.acts import check_in
from housecall.testing.people import Person
from housecall.testing.practice import Practice
from housecall.testing.visitor import Visitor

TOML = '[clinic.main]\nname = "Elm Street Practice"\nplugins = ["chat"]\n'


def test_every_address_of_the_import_map_has_its_hash(serve: Callable[..., Practice]) -> None:
    practice = serve(TOML)
    room = practice.room()
    patient, member = Visitor(practice.url), Visitor(practice.url, login=room.login)
    for visitor, path in ((patient, f"/{room.slug}"), (member, "/dashboard")):
        page = visitor.get(path).text
        found = re.search(r'<script type="importmap"[^>]*>(.*?)</script>', page, re.S)
        assert found
        hashes = json.loads(found[1])["integrity"]
        assert any("/chat.js" in address for address in hashes)
        assert any("/js/visit.js" in address for address in hashes)
        for address, promised in hashes.items():
            answer = visitor.get(address)
            assert answer.status_code == 200, address
            assert promised == "sha384-" + base64.b64encode(hashlib.sha384(answer.content).digest()).decode(), address
        for link in re.findall(r'<link rel="modulepreload"[^>]*>', page):
            href, hash_ = (re.search(rf'{name}="([^"]+)"', link)[1] for name in ("href", "integrity"))  # type: ignore[index]
            assert hashes[href] == hash_
    assert len(re.findall(r'<link rel="modulepreload"', page)) > 20, "the dashboard names its modules beforehand"


def test_an_altered_module_is_not_run_and_the_rest_is(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    practice = serve(TOML)
    room, patient = practice.room(), person("green", own=f"localhost:{practice.port}")
    patient.expected += ["chat in waiting", "integrity", "Failed to fetch dynamically imported module"]

    def alter(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text() + "\n;document.title = 'altered';\n")

    patient.page.route("**/chat.js", alter)
    check_in(patient.page, room.url, "Grace Hopper")
    expect(patient.page.locator("hc-part[data-plugin=chat][data-broken]").first).to_be_visible()
    assert patient.page.title() != "altered"
    expect(patient.page.locator("#place")).to_have_text("You are next.")
