"""steps.js alone: what a page knows to be done is said again to a server that does not know it any more."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from housecall.testing.people import Person
from housecall.testing.practice import Room

#: Two steps, of which one is done; then a server that knows only an older pass, and then another visit.
AGAIN = """async () => {
  const { Steps } = await import("housecall/steps.js"), told = [];
  let visit = { id: "one", steps: { a: "open", b: "open" } };
  const ask = async (event, { id, done }) => {
    told.push(`${visit.id} ${id} ${done}`);
    return { ok: true, steps: { ...visit.steps, [id]: done ? "done" : "open" } };
  };
  const steps = new Steps({ link: () => ({ ask }), channel: () => null, visit: () => visit });
  const settled = () => new Promise(resolve => setTimeout(resolve, 50));
  steps.show([]);
  await steps.done("a", true);
  visit.steps = { a: "open", b: "open" };
  steps.mark();
  await settled();
  const known = { ...visit.steps };
  visit = { id: "two", steps: { a: "open", b: "open" } };
  steps.show([]);
  await settled();
  return { told, known };
}"""


def test_what_is_done_is_said_again_to_a_server_that_has_forgotten_it(
    room: Room, person: Callable[..., Person]
) -> None:
    page = person("green").page
    page.goto(room.url)
    expect(page.locator("main[data-ready]")).to_be_attached()
    said = page.evaluate(AGAIN)
    assert said["told"] == ["one a true", "one a true"], "and nothing of it in another visit"
    assert said["known"] == {"a": "done", "b": "open"}
