"""One visit in two browsers, on phones, in the pseudo-locale, in which a plugin is looked at in every state."""

from __future__ import annotations

import re
import traceback
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from playwright.sync_api import Browser, Error, Page, expect

from .access import NAMES, PHONE, audit, bare
from .acts import connected, media_flows, open_dashboard
from .people import Person, meet
from .practice import Room
from .watched import Watched

PSEUDO = "en-XA"
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")

#: Parts of the plugin that stand in what the page shows now, and what became of each.
PARTS = """plugin => [...document.querySelectorAll(`hc-part[data-plugin="${plugin}"]`)]
  .filter(part => !part.parentElement.closest("[hidden]:not(#side)"))
  .map(part => ({ slot: part.dataset.slot, broken: "broken" in part.dataset,
                  ready: !part.dataset.module || "mounted" in part.dataset }))"""

#: What stands in body and head beside what the server's page (which has the plugin off) and core's notices put there.
LEFT = """plugin => new Promise(resolve => {
  const key = element => element.localName + (element.id ? "#" + element.id : "");
  const request = new XMLHttpRequest();
  request.open("GET", location.pathname);
  request.responseType = "document";
  request.onload = () => {
    const own = new Set([...request.response.body.children, ...request.response.head.children].map(key));
    resolve([...document.body.children, ...document.head.children].filter(element => !own.has(key(element))
      && !element.matches(".toasts, link[rel=stylesheet]")).map(element => element.outerHTML.slice(0, 120)));
  };
  request.send();
})"""


@dataclass
class Tour:
    """What was seen. `wrong` holds sentences by rule; `seen` the slots where it stood; `states` all looks."""

    plugin: str
    wrong: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    seen: set[str] = field(default_factory=set)
    states: list[str] = field(default_factory=list)
    mounts: int = 0
    switched_off: int = 0

    @contextmanager
    def judging(self, rule: str) -> Iterator[None]:
        """What fails here speaks against this rule."""
        try:
            yield
        except (AssertionError, Error) as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            self.wrong[rule].append(f"{error} ({last.name}:{last.lineno})")


def walk(browser: Browser, practice: Watched, room: Room, plugin: str, toured: Tour, *, names: str = "") -> None:
    """Walk through the visit; all that is wrong stands in `toured`."""
    guide = Guide(practice, plugin, toured, names)
    options: dict[str, Any] = {"viewport": PHONE, "locale": PSEUDO, "reduced_motion": "reduce"}
    provider = meet(browser, practice.url, "red", login=room.login, **options)
    patient = meet(browser, practice.url, "green", **options)
    try:
        with toured.judging("visit"):
            guide.visit(room, provider, patient)
    finally:
        patient.context.close()
        provider.context.close()
    hosts = (provider.hosts | patient.hosts) - {f"localhost:{practice.port}"}
    toured.wrong["pages"] += [f"its pages asked another host: {host}" for host in sorted(hosts)]


class Guide:
    """Leads through the visit and looks at the plugin's parts on the way."""

    def __init__(self, practice: Watched, plugin: str, toured: Tour, names: str):
        self.practice, self.plugin, self.toured = practice, plugin, toured
        self.names = re.compile(f"{NAMES.pattern}|{names}") if names else NAMES
        self.parts = f'hc-part[data-plugin="{plugin}"]'
        self.told: dict[int, int] = {}

    def visit(self, room: Room, provider: Person, patient: Person) -> None:
        toured, board, page = self.toured, provider.page, patient.page
        open_dashboard(board, self.practice.url)
        page.goto(room.url)
        page.locator("#name").fill("Grace Hopper")
        page.locator("#check-in button").click()
        expect(page.locator("main:is([data-state=arriving], [data-state=waiting])")).to_be_visible()
        if page.locator("main").get_attribute("data-state") == "arriving":
            self.look("checking in", page)
            board.locator(".card .admit").click()
        expect(page.locator("main[data-state=waiting]")).to_be_visible()
        expect(board.locator(".card")).to_have_count(1)
        both = (("provider", provider), ("patient", patient))
        for who, person in both:
            self.look(f"waiting, {who}", person.page)
        self.again("waiting", provider, patient)
        board.locator(".card .start").click()
        connected(board, page)
        for who, person in both:
            self.look(f"in the call, {who}", person.page)
        self.again("in the call", provider, patient)
        before = self.standing("in the call", provider, patient)
        with toured.judging("live"):
            self.off_in_the_call(board, page)
        self.on_again("in the call, once more", before)  # what is still on its way has no place after the call
        board.locator("#end").click()
        board.locator("#ending button[value=end]").click()
        expect(page.locator("main[data-state=after]")).to_be_visible()
        expect(board.locator("main[data-state=queue]")).to_be_visible()  # each side ends for itself
        for who, person in both:
            self.look(f"after the call, {who}", person.page)
            self.complaints(f"after the call, {who}", person)

    def turn(self, on: bool) -> None:
        self.practice.ask("turn", clinic="main", plugin=self.plugin, on=on)

    def look(self, state: str, page: Page) -> None:
        """Its parts are whole and ready, all their words are in a catalogue, and everybody can use them."""
        toured = self.toured
        toured.states.append(state)
        parts = self.settled(state, page)
        toured.seen |= {part["slot"] for part in parts}
        if not parts:
            return
        with toured.judging("words"):
            assert bare(page, only=self.parts, names=self.names) == [], f"{state}: words that no catalogue has met"
        with toured.judging("access"):
            self.unfold(page)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                audit(page, f"{state}, {scheme}", only=self.parts)

    def unfold(self, page: Page) -> None:
        """Open what it shows only when asked."""
        page.evaluate(
            "parts => { for (const each of document.querySelectorAll(`${parts} details`)) each.open = true;"
            " document.querySelector(`${parts} [aria-expanded=false]`)?.click(); }",
            self.parts,
        )

    def settled(self, state: str, page: Page) -> list[dict[str, str]]:
        """Its parts of this state, once each module has begun; what did not speaks against the modules."""
        with self.toured.judging("modules"):
            page.wait_for_function(
                f"plugin => ({PARTS})(plugin).every(part => part.ready || part.broken)", arg=self.plugin, polling=100
            )
        parts: list[dict[str, str]] = page.evaluate(PARTS, self.plugin)
        for part in parts:
            if part["broken"]:
                self.toured.wrong["modules"].append(f"{state}: its part in {part['slot']} could not be shown")
        self.toured.mounts += len(parts)
        return parts

    def again(self, state: str, provider: Person, patient: Person) -> None:
        """Off and on again while the pages are open: each module ends and begins a second time."""
        before = self.standing(state, provider, patient)
        self.turn(False)
        for person in (provider, patient):
            with self.toured.judging("modules"):
                expect(person.page.locator(self.parts)).to_have_count(0)
        self.on_again(f"{state}, on again", before)
        self.complaints(f"{state}, provider", provider)
        self.complaints(f"{state}, patient", patient)

    def standing(self, state: str, *people: Person) -> dict[Page, set[str]]:
        """The slots in which its parts stand, by page."""
        return {person.page: {part["slot"] for part in self.settled(state, person.page)} for person in people}

    def on_again(self, state: str, before: dict[Page, set[str]]) -> None:
        """Switch it on, and wait until it stands where it stood before."""
        self.turn(True)
        for page, slots in before.items():
            with self.toured.judging("modules"):
                page.wait_for_function(
                    f"([plugin, slots]) => slots.every(slot => ({PARTS})(plugin).some(part => part.slot === slot))",
                    arg=[self.plugin, sorted(slots)],
                    polling=100,
                )
                self.settled(state, page)

    def complaints(self, state: str, person: Person) -> None:
        """What the console has said since we last looked."""
        fresh = person.complaints[self.told.get(id(person), 0) :]
        self.told[id(person)] = len(person.complaints)
        self.toured.wrong["modules"] += [f"{state}: {complaint}" for complaint in fresh]

    def off_in_the_call(self, board: Page, page: Page) -> None:
        """Its parts go, nothing of it stays, and the call goes on."""
        for each in (board, page):
            self.unfold(each)
        self.turn(False)
        self.toured.switched_off += 1
        for each in (board, page):
            expect(each.locator(self.parts)).to_have_count(0)
            left = each.evaluate(LEFT, self.plugin)
            assert left == [], f"it leaves behind: {left}"
            expect(each.locator("#side")).to_be_hidden()
            media_flows(each)
        page.locator("#mute").click()
        expect(board.locator(".tile[data-muted=true]")).to_be_visible()
        page.locator("#mute").click()
        expect(board.locator(".tile[data-muted=false]")).to_be_visible()
