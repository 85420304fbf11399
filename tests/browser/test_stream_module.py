"""The streams between two pages, alone: over roads that fail at random, nothing is lost, doubled or turned round."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

#: Two streams that talk over two roads. A road may be closed, lose what is under way when it closes, lose an
#: acknowledgement, or say "slow_down". `now` runs as fast as the roads do.
WORLD = """async ([seed, count]) => {
  const { Stream } = await import("housecall/stream.js");
  let random = seed;
  const chance = p => { random = (random * 1103515245 + 12345) % 2147483648; return random / 2147483648 < p; };
  const pause = () => new Promise(resolve => setTimeout(resolve, 0));
  let clock = 0;
  const open = { peer: true, relay: true };
  const sides = {};
  const make = (name, far) => {
    const got = [], replayed = [];
    const road = kind => ({
      name: kind, open: () => open[kind], full: () => false,
      async send(frame) {
        clock += 20;
        if (kind === "relay" && chance(0.05)) return "slow_down";
        await pause();
        if (kind === "peer" && chance(0.01)) return "";                  // lost without a word
        if (!open[kind]) return kind === "relay" ? "lost" : "";      // a channel that dies says nothing
        if (kind === "relay" && chance(0.05)) return "lost";
        const last = sides[far].stream.receive(structuredClone(frame));
        if (!chance(0.1)) setTimeout(() => open[kind] && sides[name].stream.ack(last), 0);   // some acks get lost
        return "";
      },
    });
    const stream = new Stream({
      roads: [road("peer"), road("relay")], budget: () => 2000, now: () => clock,
      deliver: ({ items }) => got.push(...items.map(item => item.text)), acked: () => {}, refused: () => {},
    });
    sides[name] = { stream, got };
  };
  make("a", "b"); make("b", "a");
  for (let i = 0; i < count; i++) {
    for (const name of ["a", "b"]) sides[name].stream.push("x", { text: `${name}${i}` }, { bytes: 100 });
    if (chance(0.03)) {
      const kind = chance(0.5) ? "peer" : "relay";
      open[kind] = !open[kind];
      for (const { stream } of Object.values(sides)) stream.road();
    }
    if (chance(0.3)) await pause();
  }
  open.peer = open.relay = true;
  for (const { stream } of Object.values(sides)) stream.road();
  const end = performance.now() + 60000;
  while (Object.values(sides).some(({ stream }) => !stream.idle)) {
    if (performance.now() > end) {
      return { stuck: Object.values(sides).map(({ stream }) => [stream.got, stream.sent, stream.n, stream.last]) };
    }
    clock += 1000;
    await pause();
    for (const { stream } of Object.values(sides)) if (clock % 7000 < 1000) stream.road();
  }
  for (const { stream } of Object.values(sides)) stream.close();
  return { a: sides.a.got, b: sides.b.got };
}"""


@pytest.mark.parametrize("seed", range(1, 9))
def test_two_roads_that_fail_at_random(page: Page, seed: int) -> None:
    got: dict[str, Any] = page.evaluate(WORLD, [seed, 1500])
    assert "stuck" not in got, got
    assert got["a"] == [f"b{i}" for i in range(1500)]
    assert got["b"] == [f"a{i}" for i in range(1500)]


SEALS = """async () => {
  const { seal, unseal } = await import("housecall/seal.js");
  const { key } = await import("housecall/keys.js");
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const other = btoa(String.fromCharCode(...raw)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const about = ["visit", "x:y", key, 7], sealed = await seal({ text: "secret words" }, [key], about);
  const fails = async (...given) => { try { await unseal(...given); return false; } catch { return true; } };
  const turned = { ...sealed, data: (sealed.data[0] === "A" ? "B" : "A") + sealed.data.slice(1) };
  return {
    opens: (await unseal(sealed, key, key, about)).text,
    readable: JSON.stringify(sealed).includes("secret"),
    fresh: (await seal({ text: "secret words" }, [key], about)).data !== sealed.data,
    about: await fails(sealed, key, key, ["visit", "x:y", key, 8]),
    changed: await fails(turned, key, key, about),
    sender: await fails(sealed, key, other, about),
    forOther: await fails(await seal({ text: "x" }, [other], about), key, key, about),
  };
}"""


def test_what_is_sealed_opens_for_its_page_only(page: Page) -> None:
    said = page.evaluate(SEALS)
    assert said == {
        "opens": "secret words",
        "readable": False,
        "fresh": True,
        "about": True,
        "changed": True,
        "sender": True,
        "forOther": True,
    }


AWAY = """async thread => {
  const { Channel } = await import("housecall/channel.js");
  const said = [], far = { who: "p", role: "patient", page: "P", seat: "s", name: "" };
  const peer = {
    channel: { readyState: "closed", bufferedAmount: 0 },
    say: (type, body) => said.push(...body.items.map(item => item.data.text)),
  };
  const rule = {
    from: ["provider"], to: "others", path: "best", states: ["in_call"], size: 1000, rate: 20, fields: {},
  };
  const channel = new Channel({
    visit: "v", who: "m", role: "provider",
    link: () => null, rules: () => ({ "x:y": rule }), state: () => "in_call", peer: () => peer,
  });
  if (thread) channel.history("x:y");
  channel.parties([far]);
  channel.parties([]);                                 // a server that has just started does not know it yet
  const road = await channel.send("x:y", { text: "meanwhile" });
  channel.parties([far]);
  peer.channel.readyState = "open";
  channel.road();
  await new Promise(resolve => setTimeout(resolve, 0));
  channel.close();
  return { road, said };
}"""


@pytest.mark.parametrize("thread", [True, False])
def test_what_is_said_while_a_page_is_away_waits_for_it(page: Page, thread: bool) -> None:
    assert page.evaluate(AWAY, thread) == {"road": "waiting", "said": ["meanwhile"]}
