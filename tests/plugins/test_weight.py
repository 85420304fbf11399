"""What the tools of a visit cost those who do not use them: their button, and where they are off nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from housecall.testing import Person, Practice, Visitor, sign_in
from housecall.testing.acts import begin

#: KiB of compressed scripts and styles that each may ask for until it is used, on either side of a call.
TOOLS = {"backdrop": 1.5, "files": 2.5, "photo": 1.6, "screenshare": 1.1, "teleconsent": 0.8, "whiteboard": 1.6}
ON = f'[clinic.main]\nname = "Elm"\nplugins = {list(TOOLS)}\n'

#: {plugin: [[file, bytes as compressed]]} of all that a page has asked for of plugins.
ASKED = """() => {
  const found = {};
  for (const { name, encodedBodySize } of performance.getEntriesByType("resource")) {
    const [, plugin, file] = name.match(/\\/-\\/asset\\/([a-z]+)\\/\\w+\\/(.+)$/) ?? [];
    if (plugin && plugin !== "core") (found[plugin] ??= []).push([file, encodedBodySize]);
  }
  return found;
}"""


def costs(page: Page) -> dict[str, list[tuple[str, int]]]:
    """What a page in a call has asked for of each tool, once all are there and all that comes by itself has come."""
    for tool in TOOLS:
        expect(page.locator(f"hc-part[data-plugin={tool}][data-mounted]").first).to_be_attached()
    expect(page.locator(".quality")).to_be_visible()
    expect(page.locator(".shield")).to_be_visible()
    return {tool: [(file, size) for file, size in rows] for tool, rows in page.evaluate(ASKED).items()}


def test_until_it_is_used_a_tool_costs_its_button(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    practice = serve(ON)
    room, own = practice.room(), f"localhost:{practice.port}"
    provider, patient = person("red", own=own), person("green", own=own)
    sign_in(provider.context, practice.url, room.login)
    begin(practice, room, provider.page, patient.page)
    for page in (provider.page, patient.page):
        asked = costs(page)
        assert set(asked) == set(TOOLS)
        for tool, rows in asked.items():
            assert 0 < sum(size for _, size in rows) / 1024 <= TOOLS[tool], (tool, rows)
            assert len(rows) == len(set(rows)), f"{tool} is asked for twice"


def pages(practice: Practice) -> dict[str, str]:
    """The pages of a practice, and their headers, without what is another each time."""
    room, patient = practice.room(role="owner"), Visitor(practice.url)
    owner = Visitor(practice.url, login=room.login)
    assert patient.check_in(room.slug, "Grace").status_code == 201
    found = {}
    for visitor, path in (
        (patient, f"/{room.slug}"),
        (Visitor(practice.url), f"/{room.slug}"),
        *((owner, path) for path in ("/dashboard", "/account", "/admin", "/admin/rooms", "/sign-in", "/privacy")),
    ):
        answer = visitor.get(path)
        headers = "\n".join(
            f"{name}: {value}"
            for name, value in sorted(answer.headers.items())
            if name not in ("Date", "Content-Length")
        )
        text = f"{headers}\n{answer.text}".replace(room.slug, "slug").replace(str(practice.port), "port")
        found[f"{len(found)} {path.replace(room.slug, 'slug')}"] = re.sub(r"[\w.-]{20,}|\d{13}|ada-[\d-]+", "…", text)
    return found


def test_a_tool_that_is_off_adds_no_byte(serve: Callable[..., Practice]) -> None:
    """Each page of a practice that has all tools off is that of a server which has never loaded any."""
    never, off, on = (
        pages(serve(toml))
        for toml in (
            '[server]\nload = []\n[clinic.main]\nname = "Elm"\nplugins = []\n',
            '[clinic.main]\nname = "Elm"\nplugins = []\n',
            ON,
        )
    )
    assert off == never
    assert all(on[path] != page for path, page in off.items() if path.endswith(("/slug", "/dashboard", "/admin")))
