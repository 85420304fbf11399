"""A line to the practice that looks open and carries nothing: it is opened anew where a call is interrupted."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from housecall.testing.acts import begin, connected, media_flows, wait
from housecall.testing.people import Person
from housecall.testing.practice import Practice, Room

#: Lines that a test may cut: what the page says by them goes nowhere, but for the sign of life that their server wants
#: (so that it is not the server who ends them). `left`: how many the page gave up that were open.
LINES = """{
  window.lines = [];
  window.left = 0;
  const Real = WebSocket;
  window.WebSocket = class extends Real {
    constructor(...given) {
      super(...given);
      lines.push(this);
    }
    send(data) { if (!this.cut || data === "3") super.send(data); }
    close() {
      if (this.readyState === Real.OPEN) left += 1;
      super.close();
    }
  };
}"""


def test_a_line_that_carries_nothing_is_opened_anew_when_the_call_needs_it(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person("red", login=room.login), person("green")
    patient.context.add_init_script(LINES)
    begin(practice, room, provider.page, patient.page)
    media_flows(patient.page)
    assert patient.page.evaluate("lines.length") == 1
    patient.page.evaluate("lines[0].cut = true")
    provider.page.evaluate("made.at(-1).close()")  # the patient's page makes a new connection, and needs its line
    wait(patient.page, "() => left === 1 && lines.length > 1", None)
    connected(provider.page, patient.page)
    media_flows(provider.page)
    media_flows(patient.page)
    for each in (provider, patient):
        expect(each.page.locator("#line")).to_be_hidden()
