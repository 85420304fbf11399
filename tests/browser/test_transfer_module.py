"""What goes in large from page to page, alone: two ends of it in one page, joined by real DataChannels that break."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from housecall.testing import Person, Practice, Room

#: A provider's end `a` and a patient's end `b`, with what a Channel would give them. `meet` connects them anew, `part`
#: breaks the connection; `bytes` counts what went into DataChannels. `raw` is what a page that was tampered with opens.
#: `server` puts one between them that keeps sealed pieces; `got(n)` is awaited before the nth of them is given out.
WORLD = """async ([body, given, pieces]) => {
  const { Transfers } = await import("housecall/transfer.js");
  const rule = more => ({ from: ["provider", "patient"], to: "others", states: ["in_call"], size: 2 ** 30, ...more });
  const rules = {
    "xy:file": rule(), "xy:small": rule({ size: 1000 }), "xy:mine": rule({ from: ["patient"] }),
    "xy:waiting": rule({ states: ["waiting"] }), "xy:theirs": rule({ to: "provider" }),
  };
  const world = { bytes: 0, rules, state: "in_call", stops: [] };
  const real = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function (data) {
    if (typeof data !== "string") world.bytes += data.byteLength;
    return real.call(this, data);
  };
  const end = (role, mine, theirs, other) => {
    const party = { who: theirs, seat: theirs, page: theirs, name: theirs, role: other };
    const channel = {
      visit: "v", role, closed: false, far: new Map([[theirs, { there: true, party }]]), takers: new Map(), pc: null,
      state: () => world.state, link: () => world.link ?? null, open: () => channel.pc?.connectionState === "connected",
      peer: () => channel.pc && { pc: channel.pc },
      send: async (event, data) => {
        if (data.stop) world.stops.push(data.stop);
        const far = world[theirs];
        queueMicrotask(() => far.said(far.channel.far.get(mine).party, structuredClone(data)));
      },
    };
    const made = new Transfers(channel, name => rules[name], pieces ? -1 : undefined);
    made.takes = (name, taker) => { channel.takers.set(name, new Set([taker])); made.stir(); };
    return made;
  };
  world.a = end("provider", "a", "b", "patient");
  world.b = end("patient", "b", "a", "provider");
  world.until = async condition => {
    for (const end = performance.now() + 30_000; !condition();) {
      if (performance.now() > end) throw new Error(`never: ${condition}`);
      await new Promise(resolve => setTimeout(resolve, 10));
    }
  };
  world.meet = async () => {
    const [one, two] = [new RTCPeerConnection(), new RTCPeerConnection()];
    one.onicecandidate = ({ candidate }) => two.addIceCandidate(candidate ?? undefined).catch(() => {});
    two.onicecandidate = ({ candidate }) => one.addIceCandidate(candidate ?? undefined).catch(() => {});
    for (const pc of [one, two]) pc.createDataChannel("hc", { negotiated: true, id: 0 });
    one.ondatachannel = ({ channel }) => world.a.come("b", channel);
    two.ondatachannel = ({ channel }) => world.b.come("a", channel);
    await one.setLocalDescription();
    await two.setRemoteDescription(one.localDescription);
    await two.setLocalDescription();
    await one.setRemoteDescription(two.localDescription);
    await world.until(() => [one, two].every(pc => pc.connectionState === "connected"));
    world.a.channel.pc = one;
    world.b.channel.pc = two;
    for (const each of [world.a, world.b]) each.stir();
  };
  world.part = () => { for (const each of [world.a, world.b]) each.channel.pc.close(); };
  world.server = got => {
    const pieces = [], real = window.fetch;
    let n = 0;
    world.link = { connected: true };
    window.fetch = async (url, { body } = {}) => {
      if (!String(url).startsWith("/-/blob")) return real(url);
      if (body) return new Response(JSON.stringify({ id: `b.${pieces.push(body) - 1}` }), { status: 201 });
      await got(n++);
      return new Response(pieces[Number(url.split("b.")[1])]);
    };
  };
  world.raw = async label => {
    const channel = world.a.channel.pc.createDataChannel(label);
    channel.heard = [];
    channel.onmessage = ({ data }) => channel.heard.push(data);
    await world.until(() => channel.readyState === "closed" || channel.heard.length);
    return channel;
  };
  world.random = n => {
    const data = new Uint8Array(n);
    for (let at = 0; at < n; at += 65536) crypto.getRandomValues(data.subarray(at, Math.min(n, at + 65536)));
    return new Blob([data]);
  };
  world.sum = async blob => Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer())),
    byte => byte.toString(16).padStart(2, "0")).join("");
  world.code = promise => promise.then(() => "", error => error.code);
  world.taken = (name = "xy:file") => new Promise(resolve => world.b.takes(name, async come => {
    try {
      resolve({ come, blob: await come.save() });
    } catch (error) {
      resolve({ come, code: error.code });
    }
  }));
  const ends = eval(`(async (world, given) => {${body}})`)(world, given);
  const late = new Promise((_, fail) => setTimeout(() => fail(new Error("it never came to an end")), 60_000));
  return await Promise.race([ends, late]);
}"""


@pytest.fixture
def world(practice: Practice, room: Room, person: Callable[..., Person]) -> Callable[..., Any]:
    """Runs a few lines in such a world, and answers what they return."""
    somebody = person(bypass_csp=True)  # for `eval`, which the page's own policy forbids
    page = somebody.page
    page.goto(room.url)
    return lambda body, *given, pieces=False: page.evaluate(WORLD, [body, list(given), pieces])


def test_it_arrives_whole_and_both_sides_know_its_hash(world: Callable[..., Any]) -> None:
    """Of any size, the empty one and what ends between two chunks too; what is shown is SHA-256 as others count it,
    by the browser itself or, as for what is large, in pieces."""
    odd = 3 * 1024 * 1024 + 17
    for size, pieces in ((0, False), (0, True), (1, False), (65536, True), (odd, False), (odd, True)):
        told = world(
            """
            await world.meet();
            const blob = world.random(given[0]), taken = world.taken(), told = [];
            const options = { head: { name: "n" }, onprogress: each => told.push(each) };
            const road = await world.a.deliver("xy:file", blob, options);
            const { come, blob: got } = await taken, last = told.at(-1);
            const sums = new Set([await world.sum(blob), await world.sum(got), come.sha256, last.sha256]);
            return [road, got.size, sums.size, come.head, come.size, come.role, come.from, last.stored, last.size];
            """,
            size,
            pieces=pieces,
        )
        assert told == ["peer", size, 1, {"name": "n"}, size, "provider", "a", size, size]


def test_after_a_break_it_goes_on_from_what_is_stored(world: Callable[..., Any]) -> None:
    """Twice, and into a stream: what was sent in all is little more than the file, and no byte is there twice."""
    same, sent, size, waited = world(
        """
      await world.meet();
      const blob = world.random(40 * 2 ** 20), parts = [], roads = [];
      let got = 0, ended = null;
      const done = new Promise(resolve => { ended = resolve; });
      world.b.takes("xy:file", async come => {
        await come.save(new WritableStream({ write(chunk) { parts.push(chunk.slice()); got += chunk.length; } }));
        ended();
      });
      const going = world.a.deliver("xy:file", blob, { onprogress: ({ road }) => roads.push(road) });
      for (const at of [8, 20]) {
        await world.until(() => got > at * 2 ** 20);
        world.part();
        for (const each of [world.a, world.b]) each.stir();
        await world.until(() => roads.at(-1) === "waiting");
        await world.meet();
      }
      await going;
      await done;
      return [await world.sum(blob) === await world.sum(new Blob(parts)), world.bytes, got, roads.includes("waiting")];
    """,
        pieces=True,
    )
    assert same
    assert size == 40 * 2**20
    assert waited
    assert sent < size + 2 * 9 * 2**20, "at most a window is sent again for each break"


def test_a_piece_that_the_server_does_not_give_at_once_is_asked_for_again(world: Callable[..., Any]) -> None:
    """Each of them, the last ones too, which the sender has left behind when that happens."""
    for lost in range(3):
        told = world(
            """
            world.server(async n => { if (n === given[0]) throw new Error("the line was down for a moment"); });
            const blob = world.random(2.5 * 2 ** 20), taken = world.taken();
            const road = await world.a.deliver("xy:file", blob), { blob: got } = await taken;
            return [road, await world.sum(got) === await world.sum(blob), world.stops];
            """,
            lost,
        )
        assert told == ["relay", True, []], lost


def test_what_comes_by_the_server_goes_on_by_the_connection_that_begins_meanwhile(world: Callable[..., Any]) -> None:
    """The last piece is on its way, and all of it was sent: the word of that counts for the old road alone."""
    assert world("""
      let give = null, sent = false;
      const said = world.b.said;
      world.b.said = (party, data) => {
        said.call(world.b, party, data);
        sent ||= Boolean(data.sha256);
      };
      world.server(n => n === 2 && new Promise(done => { give = done; }));
      const blob = world.random(2.5 * 2 ** 20), taken = world.taken();
      const going = world.a.deliver("xy:file", blob);
      await world.until(() => give && sent);
      const [arrival] = world.b.arrivals.values();
      let held = true;                                    // it takes nothing until the old road has ended
      Object.defineProperty(RTCDataChannel.prototype, "bufferedAmount", { get: () => held ? 2 ** 30 : 0 });
      await world.meet();
      await world.until(() => arrival.round.road === "peer");
      give();
      await arrival.line;
      held = false;
      world.a.stir();
      const road = await going, { blob: got } = await taken;
      return [road, await world.sum(got) === await world.sum(blob), world.stops];
    """) == ["peer", True, []]


def test_a_break_while_the_disk_takes_the_last_of_it_costs_nothing(world: Callable[..., Any]) -> None:
    assert world("""
      await world.meet();
      let close = null, saved = null;
      const blob = world.random(2 ** 20), parts = [];
      const disk = { write(chunk) { parts.push(chunk.slice()); }, close: () => new Promise(done => { close = done; }) };
      world.b.takes("xy:file", come => saved = come.save(new WritableStream(disk)));
      const going = world.code(world.a.deliver("xy:file", blob));
      await world.until(() => close);
      const [arrival] = world.b.arrivals.values(), { round } = arrival;
      world.part();
      for (const each of [world.a, world.b]) each.stir();
      await world.meet();
      await world.until(() => arrival.round !== round);
      close();
      await saved;
      return [await going, await world.sum(new Blob(parts)) === await world.sum(blob), world.stops];
    """) == ["", True, []]


def test_a_channel_whose_far_side_speaks_before_it_is_open_here_is_the_one_that_is_used(
    world: Callable[..., Any],
) -> None:
    """A browser may tell of a message first, and of the channel that it came by a moment later."""
    assert world("""
      await world.meet();
      const { pc } = world.a.channel, real = pc.createDataChannel.bind(pc), made = [];
      pc.createDataChannel = label => {
        const far = real(label), send = far.send.bind(far);
        let open = false;
        Object.defineProperty(far, "readyState", { get: () => open ? "open" : "connecting" });
        far.send = data => {
          if (!open) throw new DOMException("it is not open", "InvalidStateError");
          send(data);
        };
        far.addEventListener("open", event => { if (!open) event.stopImmediatePropagation(); });
        far.addEventListener("message", () => setTimeout(() => {
          if (open) return;
          open = true;
          far.dispatchEvent(new Event("open"));
        }));
        made.push(far);
        return far;
      };
      const taken = world.taken();
      const road = await world.a.deliver("xy:file", world.random(1000)), { blob } = await taken;
      return [road, blob.size, made.length];
    """) == ["peer", 1000, 1]


def test_it_waits_for_somebody_who_takes_it(world: Callable[..., Any]) -> None:
    assert (
        world("""
      await world.meet();
      const going = world.a.deliver("xy:file", world.random(1000));
      await world.until(() => world.b.arrivals.size);
      await world.taken();
      return going;
    """)
        == "peer"
    )


def test_what_the_rules_do_not_let_go_does_not_begin(world: Callable[..., Any]) -> None:
    assert world("""
      await world.meet();
      const codes = [], give = async (...given) => codes.push(await world.code(world.a.deliver(...given)));
      for (const name of ["xy:small", "xy:mine", "xy:waiting", "xy:nothing"]) await give(name, world.random(2000));
      await give("xy:file", world.random(1), { head: { name: "x".repeat(5000) } });
      return [codes, world.b.arrivals.size, world.stops];
    """) == [["too_big", "refused", "refused", "unknown", "too_big"], 0, []], "the far side had to refuse it"


def test_either_side_ends_it_and_both_hear_why(world: Callable[..., Any]) -> None:
    """Cancelled, refused, a full disk, switched off, the visit's end: no side waits for ever."""
    said = world("""
      await world.meet();
      const blob = world.random(20 * 2 ** 20), said = {}, hole = write => new WritableStream({ write });
      const one = async (name, take, then = () => {}) => {
        const stop = new AbortController();
        const there = new Promise(resolve => world.b.takes("xy:file", come => {
          const taking = take(come);
          world.code(taking).then(code => resolve([code, come]));
          return taking;
        }));
        const here = world.code(world.a.deliver("xy:file", blob, { signal: stop.signal }));
        then(stop);
        const [code, come] = await there;
        if (!come.signal.aborted) await new Promise(done => { come.signal.onabort = done; });
        said[name] = [await here, code];
      };
      const stuck = () => hole(() => new Promise(() => {}));
      const later = async stop => { await world.until(() => world.bytes > 2 ** 20); stop.abort(); };
      await one("sender", come => come.save(stuck()), later);
      await one("receiver", come => { setTimeout(() => come.cancel("cancelled")); return come.save(stuck()); });
      await one("refused", async come => come.cancel());
      await one("full", come => come.save(hole(() => { throw new DOMException("full", "QuotaExceededError"); })));
      await one("broken", come => come.save(hole(() => { throw new Error("the disk is gone"); })));
      await one("raises", async come => { throw new Error("a plugin's own mistake"); });
      const rule = world.rules["xy:file"];
      await one("off", come => come.save(hole(() => { delete world.rules["xy:file"]; })));
      world.rules["xy:file"] = rule;
      await one("over", come => come.save(hole(() => {
        for (const each of [world.a, world.b]) { each.channel.closed = true; each.stir(); }
      })));
      return said;
    """)
    assert said == {
        "sender": ["cancelled", "cancelled"],
        "receiver": ["cancelled", "cancelled"],
        "refused": ["refused", ""],
        "full": ["full", "full"],
        "broken": ["broken", "broken"],
        "raises": ["refused", None],  # its own error has no code
        "off": ["unknown", "unknown"],
        "over": ["broken", "broken"],
    }


#: What a page that was tampered with sends on a channel of this label, and what became of it on the far side.
RAW = """
  await world.meet();
  const [label, said] = given;
  const taken = world.taken(label.split(":").slice(0, 2).join(":"));
  const channel = await world.raw(label);
  for (const each of said) {
    if (channel.readyState !== "open") break;
    const asked = () => channel.readyState !== "open" || channel.heard.some(data => data.includes("from"));
    if (each === "…") await world.until(asked);
    else if (typeof each === "number") channel.send(new Uint8Array(each));
    else channel.send(typeof each === "string" ? each : JSON.stringify(each));
  }
  await world.until(() => channel.readyState === "closed" || world.stops.length);
  const came = world.b.arrivals.size ? (await taken).code : "";
  return [came, world.stops, channel.heard.some(data => data.includes("done"))];
"""
ID = ":0123456789abcdef"
HEAD = {"head": {"name": "x"}, "size": 10}
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("label", "said", "came", "stops"),
    [
        pytest.param("garbage", [], "", [], id="a label that is none"),
        pytest.param("xy:file:../../etc", [], "", [], id="an id that is none"),
        pytest.param("xy:nothing" + ID, [], "", ["unknown"], id="what nobody declares"),
        pytest.param("xy:mine" + ID, [], "", ["refused"], id="a role that may not give it"),
        pytest.param("xy:theirs" + ID, [], "", ["refused"], id="a role that may not get it"),
        pytest.param("xy:waiting" + ID, [], "", [], id="a state in which it does not go"),
        pytest.param("xy:file" + ID, [1000], "", [], id="bytes before a head"),
        pytest.param("xy:file" + ID, ["{"], "", [], id="no JSON"),
        pytest.param("xy:file" + ID, ["[" * 20000], "", [], id="endless JSON"),
        pytest.param("xy:file" + ID, [{"head": 5, "size": 10}], "", [], id="a head that is none"),
        pytest.param("xy:file" + ID, [{"head": {"x": "y" * 5000}, "size": 1}], "", [], id="an endless head"),
        pytest.param("xy:file" + ID, [{"head": {}, "size": -1}], "", [], id="a size that is none"),
        pytest.param("xy:file" + ID, [{"head": {}, "size": 1e300}], "", [], id="a size beyond all numbers"),
        pytest.param("xy:small" + ID, [{"head": {}, "size": 1001}], "", ["too_big"], id="more than is declared"),
        pytest.param("xy:file" + ID, [HEAD, "…", 11], "broken", ["broken"], id="more than was announced"),
        pytest.param("xy:file" + ID, [HEAD, "…", 5, {"sha256": EMPTY}], "broken", ["broken"], id="less than announced"),
        pytest.param("xy:file" + ID, [HEAD, "…", 10, {"sha256": EMPTY}], "broken", ["broken"], id="a lying hash"),
        pytest.param("xy:file" + ID, [HEAD, "…", {"more": 1}], "broken", ["broken"], id="words that nobody knows"),
        pytest.param("xy:file" + ID, [HEAD, "…", HEAD], "broken", ["broken"], id="two heads"),
    ],
)
def test_a_peer_that_sends_garbage_gets_nothing_in(
    world: Callable[..., Any], label: str, said: list[Any], came: str, stops: list[str]
) -> None:
    assert world(RAW, label, said) == [came, stops, False]


def test_a_far_page_that_says_another_hash_has_got_nothing(world: Callable[..., Any]) -> None:
    code, stops = world(
        """
        await world.meet();
        const real = RTCDataChannel.prototype.send;
        RTCDataChannel.prototype.send = function (data) {
          const lies = typeof data === "string" && data.includes('"done"');
          return real.call(this, lies ? JSON.stringify({ done: given[0] }) : data);
        };
        world.taken();
        return [await world.code(world.a.deliver("xy:file", world.random(1000))), world.stops];
        """,
        EMPTY,
    )
    assert code == "broken"
    assert stops == ["broken"]


def test_nobody_fills_a_page_with_what_nobody_takes(world: Callable[..., Any]) -> None:
    """A page that opens hundreds of transfers has 32 at most under way, and the others hear that there is no room."""
    under, stops = world("""
      await world.meet();
      for (let i = 0; i < 40; i++) {
        const channel = await world.raw(`xy:file:${String(i).padStart(16, "0")}`);
        channel.send(JSON.stringify({ head: {}, size: 1 }));
      }
      await world.until(() => world.stops.length === 8);
      return [world.b.arrivals.size, world.stops];
    """)
    assert under == 32
    assert set(stops) == {"full"}
