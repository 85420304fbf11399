"""The gate of a page, alone: what a far page may not say by DataChannel does not get in, and what it may does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from housecall.testing import Person, Practice, Room

#: A Channel of our own role in a visit with one far page, whose DataChannel is open. `tick` is the clock of rates,
#: `say` what the far page sends: each item {data, ...}, numbered and timed as an honest page would.
WORLD = """async ([body, given]) => {
  const { Channel } = await import("housecall/channel.js");
  const rule = more => ({
    from: ["provider"], to: "others", path: "best", states: ["in_call"], size: 400, rate: 2, fields: [], ...more,
  });
  const number = { id: "n", type: "int", required: true, min: 1, max: 3 };
  const rules = {
    "x:plain": rule(), "x:other": rule(), "x:server": rule({ path: "server" }), "x:peer": rule({ path: "peer" }),
    "x:waiting": rule({ states: ["waiting"] }), "x:mine": rule({ from: ["patient"] }),
    "x:theirs": rule({ to: "provider" }), "x:fields": rule({ fields: [number] }),
    "x:thread": rule({ from: ["provider", "patient"] }),
  };
  const world = { now: 1e12, tick: 0, state: "in_call", heard: [], acks: [], rules };
  const clock = setInterval(() => { if (world.runs) world.tick += 500; }, 5);
  const peer = {
    channel: { readyState: "open", bufferedAmount: 0 },
    say: (type, body, n) => { if (type === "ack") world.acks.push(n); },
  };
  world.make = (role, ...parties) => {
    const channel = world.channel = new Channel({
      visit: "v", who: "me", role, link: () => null, rules: () => rules, state: () => world.state, peer: () => peer,
      now: () => world.now, tick: () => world.tick,
    });
    channel.parties(parties);
    for (const event of Object.keys(rules)) channel.on(event, ({ data }) => world.heard.push([event, data]));
    return channel;
  };
  let n = 0;
  world.say = (event, items, { page = "P", replay, ...frame } = {}) => {
    const after = n, list = items.map(item => ({ n: ++n, id: `i${n}`, at: world.now, t: world.now, ...item }));
    world.channel.heard(page, "say", { event, after, items: list, ...replay && { replay }, ...frame }, n);
    return list;
  };
  world.until = async condition => {
    for (const end = performance.now() + 5000; !condition() && performance.now() < end;)
      await new Promise(resolve => setTimeout(resolve, 5));
  };
  world.provider = { who: "p", role: "provider", page: "P", seat: "s", name: "Dr Ada" };
  world.patient = { who: "g", role: "patient", page: "P", seat: "g", name: "Grace" };
  const answer = await eval(`(async (world, given) => {${body}})`)(world, given);
  clearInterval(clock);
  world.channel?.close();
  return answer;
}"""


@pytest.fixture
def world(practice: Practice, room: Room, person: Callable[..., Person]) -> Callable[..., Any]:
    """Runs a few lines in such a world, and answers what they return."""
    somebody = person(bypass_csp=True)  # for `eval`, which the page's own policy forbids
    somebody.expected = ["Error: bad"]
    page = somebody.page
    page.goto(room.url)
    return lambda body, *given: page.evaluate(WORLD, [body, list(given)])


ONE = """
  const [event, item, role] = given;
  world.make(role, world.provider);
  world.say("x:other", [{ data: { before: 1 } }]);
  world.say(event, [item]);
  return [world.heard, world.acks];
"""


def test_what_keeps_the_rules_is_heard_and_acknowledged(world: Callable[..., Any]) -> None:
    for event, data in [("x:plain", {"a": 1}), ("x:peer", {}), ("x:fields", {"n": 2})]:
        heard, acks = world(ONE, event, {"data": data}, "patient")
        assert heard == [["x:other", {"before": 1}], [event, data]]
        assert acks == [1, 2]


@pytest.mark.parametrize(
    ("event", "role"),
    [
        pytest.param("x:server", "patient", id="what may go by the server only"),
        pytest.param("x:unknown", "patient", id="an event that nobody declares"),
        pytest.param("x:mine", "patient", id="a role that may not say it"),
        pytest.param("x:theirs", "patient", id="a role that may not hear it"),
        pytest.param("x:waiting", "patient", id="a state in which it is not said"),
    ],
)
def test_a_frame_against_the_rules_is_neither_heard_nor_acknowledged(
    world: Callable[..., Any], event: str, role: str
) -> None:
    heard, acks = world(ONE, event, {"data": {"a": 1}}, role)
    assert heard == [["x:other", {"before": 1}]]
    assert acks == [1]


@pytest.mark.parametrize(
    ("event", "item"),
    [
        pytest.param("x:fields", {"data": None}, id="nothing where fields are declared"),
        pytest.param("x:fields", {"data": {"n": 9}}, id="a field out of its bounds"),
        pytest.param("x:fields", {"data": {"n": 2, "m": 1}}, id="a field that nobody declares"),
        pytest.param("x:plain", {"data": None}, id="nothing"),
        pytest.param("x:plain", {"data": "text"}, id="no object"),
        pytest.param("x:plain", {"data": [1]}, id="a list"),
        pytest.param("x:plain", {}, id="no data at all"),
        pytest.param("x:plain", {"data": {"a": "x" * 400}}, id="too big"),
        pytest.param("x:plain", {"data": {}, "id": 5}, id="an id that is none"),
        pytest.param("x:plain", {"data": {}, "t": 9e15}, id="a time that no clock shows"),
        pytest.param("x:plain", {"data": {}, "t": -1}, id="a time before all times"),
        pytest.param("x:plain", {"data": {}, "t": 1e12 + 3_600_000}, id="a time to come"),
        pytest.param("x:plain", {"data": {}, "at": 1e12 + 3_600_000}, id="a place after all others"),
    ],
)
def test_an_item_against_the_rules_is_left_out_and_the_rest_of_its_frame_is_heard(
    world: Callable[..., Any], event: str, item: dict[str, Any]
) -> None:
    good = {"data": {"n": 1}}
    heard, acks = world(
        "const [event, items] = given; world.make('patient', world.provider); world.say(event, items);"
        "return [world.heard, world.acks]",
        event,
        [good, item, good],
    )
    assert heard == [[event, {"n": 1}]] * 2
    assert acks == [3]


def test_a_frame_that_is_none_is_neither_heard_nor_acknowledged(world: Callable[..., Any]) -> None:
    heard, acks = world("""
      world.make("patient", world.provider);
      const item = n => ({ n, id: `i${n}`, at: world.now, t: world.now, data: {} });
      for (const items of [null, [], [null], ["text"], [item(2)], [item(3), item(1)], [item(1), item(1)]])
        world.channel.heard("P", "say", { event: "x:plain", after: 0, items }, 1);
      for (const body of [null, 5, {}, { event: 5 }, { event: "x:plain", after: -1, items: [item(1)] }])
        world.channel.heard("P", "say", body, 1);
      world.channel.heard("Q", "say", { event: "x:plain", after: 0, items: [item(1)] }, 1);
      return [world.heard, world.acks];
    """)
    assert heard == []
    assert acks == []


def test_a_listener_that_raises_costs_no_other_item(world: Callable[..., Any]) -> None:
    heard = world("""
      const thread = world.make("patient", world.provider).history("x:thread");
      const add = thread.add;
      thread.add = entry => { if (entry.data.bad) throw new Error("bad"); return add.call(thread, entry); };
      world.say("x:thread", [{ data: { bad: 1 } }, { data: { a: 1 } }]);
      return [world.heard, world.acks];
    """)
    assert heard == [[["x:thread", {"a": 1}]], [2]]


#: 500 events of "2/s" by single frames, then as one frame; and an event beside them.
FLOOD = """
  world.make("patient", world.provider);
  if (given[0]) world.say("x:plain", Array.from({ length: 500 }, (_, i) => ({ data: { i } })));
  else for (let i = 0; i < 500; i++) world.say("x:plain", [{ data: { i } }]);
  const atOnce = world.heard.length, acked = world.acks.at(-1);
  world.tick = 5000;
  await world.until(() => world.heard.length > atOnce);
  return [atOnce, acked, world.heard.length, world.acks.at(-1)];
"""


@pytest.mark.parametrize("one", [False, True])
def test_a_flood_comes_no_faster_than_declared(world: Callable[..., Any], one: bool) -> None:
    assert world(FLOOD, one) == [6, 6, 12, 12]


def test_what_waits_for_its_rate_is_heard_in_the_end_once_and_in_order(world: Callable[..., Any]) -> None:
    heard, acked = world("""
      world.make("patient", world.provider);
      for (let i = 0; i < 40; i += 2) world.say("x:plain", [{ data: { i } }, { data: { i: i + 1 } }]);
      world.runs = true;
      await world.until(() => world.heard.length === 40);
      return [world.heard.map(([, { i }]) => i), world.acks.at(-1)];
    """)
    assert heard == list(range(40))
    assert acked == 40


def test_a_flood_of_one_event_holds_up_no_other_page(world: Callable[..., Any]) -> None:
    heard = world("""
      world.make("patient", world.provider, { ...world.provider, who: "q", page: "Q", seat: "t" });
      for (let i = 0; i < 50; i++) world.say("x:plain", [{ data: { i } }]);
      const before = world.heard.length, item = { n: 1, id: "other", at: world.now, t: world.now, data: { q: 1 } };
      world.channel.heard("Q", "say", { event: "x:plain", after: 0, items: [item] }, 1);
      return world.heard.slice(before);
    """)
    assert heard == [["x:plain", {"q": 1}]]


def test_a_thread_is_told_anew_at_once_and_no_more_than_it_keeps(world: Callable[..., Any]) -> None:
    counted = world("""
      const thread = world.make("patient", world.provider).history("x:thread", { keep: 300 });
      world.say("x:thread", Array.from({ length: 300 }, (_, i) => ({ data: { i } })));
      const all = thread.entries.length;
      world.say("x:thread", Array.from({ length: 300 }, (_, i) => ({ data: { i } })));
      return [all, world.heard.length];
    """)
    assert counted == [300, 300]


def test_what_was_said_just_before_a_move_is_heard_after_it(world: Callable[..., Any]) -> None:
    heard = world("""
      world.state = "waiting";
      world.make("patient", world.provider);
      world.say("x:waiting", [{ data: { i: 1 } }]);
      world.state = "in_call";
      world.say("x:waiting", [{ data: { i: 2 } }]);
      world.tick = 20_000;
      world.say("x:waiting", [{ data: { i: 3 } }]);
      return world.heard.map(([, { i }]) => i);
    """)
    assert heard == [1, 2]


def test_what_comes_before_the_server_has_told_of_a_move_waits_for_it(world: Callable[..., Any]) -> None:
    heard = world("""
      world.make("patient", world.provider);
      world.say("x:waiting", [{ data: { i: 1 } }]);
      const early = world.heard.length;
      world.state = "waiting";
      await world.until(() => world.heard.length);
      return [early, world.heard.length, world.acks];
    """)
    assert heard == [0, 1, [1]]


# -- what is told anew

TOLD = """
  const [role, far, by, speak] = given, channel = world.make(role, world[far]), thread = channel.history("x:thread");
  if (speak) await channel.send("x:thread", { text: "mine" });
  world.say("x:thread", [{ data: { text: "told" }, by }], { replay: true });
  const entry = thread.entries.find(each => each.data.text === "told");
  return entry ? [entry.mine, entry.told, entry.role, entry.name] : null;
"""


def test_a_far_page_puts_nothing_into_the_mouth_of_a_page_that_has_spoken(world: Callable[..., Any]) -> None:
    forged = {"who": "me", "role": "provider", "name": "Dr Ada"}
    assert world(TOLD, "provider", "patient", forged, True) == [False, True, "provider", ""]


def test_a_page_that_was_reloaded_gets_its_own_words_back_as_told(world: Callable[..., Any]) -> None:
    own = {"who": "me", "role": "provider", "name": ""}
    assert world(TOLD, "provider", "patient", own, False) == [True, True, "provider", ""]
    assert world(TOLD, "patient", "provider", {**own, "role": "patient"}, False) == [True, True, "patient", ""]


def test_who_is_known_has_its_own_role_and_name_whatever_is_told(world: Callable[..., Any]) -> None:
    told = world("""
      const other = { who: "q", role: "provider", page: "Q", seat: "t", name: "Dr Katherine" };
      const thread = world.make("provider", world.patient, other).history("x:thread");
      world.say("x:thread", [{ data: {}, by: { who: "q", role: "patient", name: "Somebody" } }], { replay: true });
      world.say("x:thread", [{ data: {}, by: { who: "z", role: "provider", name: "Dr Gone" } }], { replay: true });
      return thread.entries.map(({ mine, told, role, name }) => [mine, told, role, name]);
    """)
    assert told == [[False, True, "provider", "Dr Katherine"], [False, True, "provider", "Dr Gone"]]


def test_between_providers_nothing_is_told_anew(world: Callable[..., Any]) -> None:
    assert world(TOLD, "provider", "provider", {"who": "g", "role": "patient", "name": "Grace"}, False) is None


def test_an_author_that_is_none_is_left_out(world: Callable[..., Any]) -> None:
    for by in (5, {"who": 5}, {"who": "q"}, {"who": "q", "role": "guest"}, {"who": "q", "role": "provider", "name": 5}):
        assert world(TOLD, "provider", "patient", by, False) is None


def test_the_authors_own_word_replaces_what_was_told_of_it(world: Callable[..., Any]) -> None:
    entry = world("""
      const other = { who: "q", role: "provider", page: "Q", seat: "t", name: "Dr Katherine" };
      const thread = world.make("provider", world.patient, other).history("x:thread"), changed = [];
      thread.addEventListener("change", ({ detail }) => changed.push(detail.entry.id));
      const by = { who: "q", role: "provider", name: "" };
      world.say("x:thread", [{ id: "same", data: { text: "forged" }, by }], { replay: true });
      const item = { n: 1, id: "same", at: world.now, t: world.now, data: { text: "true" } };
      world.channel.heard("Q", "say", { event: "x:thread", after: 0, items: [item] }, 1);
      world.say("x:thread", [{ id: "same", data: { text: "forged again" }, by }], { replay: true });
      return [thread.entries.map(({ data, told }) => [data.text, told]), changed];
    """)
    assert entry == [[["true", False]], ["same"]]


def test_answers_that_are_no_rows_leave_the_card_whole(world: Callable[..., Any]) -> None:
    shown = world("""
      const { showAnswers } = await import("housecall/answers.js");
      const place = document.createElement("div");
      place.append(document.createElement("dl"));
      const answers = [{ step: "a", title: 5, rows: [null, 7, ["Mood", "good"]] }, { step: "b", rows: null }];
      showAnswers(place, { entries: answers.map(data => ({ data })) });
      return place.textContent;
    """)
    assert "Mood good" in shown


def test_what_nobody_listened_to_is_told_once(world: Callable[..., Any]) -> None:
    """To who listens first, and not to who comes after; a thread that is begun later still has it."""
    assert world("""
      world.make("patient", world.provider);
      const { channel, rules } = world, told = [], entries = async event => {
        for (const name of ["first", "second"]) {
          channel.on(event, ({ data }) => told.push([name, data.a]));
          await null;
        }
        return channel.history(event).entries.map(({ data }) => data.a);
      };
      rules["x:late"] = rules["x:thread"];
      world.say("x:late", [{ data: { a: 1 } }]);
      const kept = await entries("x:late");
      return [told, kept];
    """) == [[["first", 1]], [1]]
