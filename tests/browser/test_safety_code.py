"""exchange.js and pictures.js alone: one code on both sides, and none for whoever reflects, forwards or alters."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from housecall.testing.people import Person
from housecall.testing.practice import Practice, Room

#: Two sides, A and B, whose words go through `pass(word, from, to)`; answers what each found, as text.
RUN = """async ([body, prints, nonces]) => {
  const { Exchange, hex } = await import("housecall/exchange.js");
  const pass = eval(`(${body})`), whole = seed => new Uint8Array(32).fill(seed), said = [];
  const side = (mine, theirs, seed, to) => new Exchange({
    mine: whole(mine), theirs: whole(theirs), nonce: whole(seed), patience: 300,
    send: word => { said.push(Object.keys(word)[0]); pass(word, to(), word => to().hear(word), other(to()), said); },
  });
  const other = which => which === a ? b : a;
  const a = side(prints[0], prints[1], nonces[0], () => b), b = side(prints[2], prints[3], nonces[1], () => a);
  const found = await Promise.all([a.code(), b.code()]);
  return found.map(({ digest, refused }) => refused ? "refused" : digest ? hex(digest) : "silent");
}"""
HONEST = "(word, to) => to.hear(word)"
A, B = 1, 2  #: prints, as the byte that fills them
LABEL = b"housecall safety code 1"


@pytest.fixture
def page(practice: Practice, room: Room, person: Callable[..., Person]) -> Page:
    made = person(bypass_csp=True).page  # for `eval`, which the page's own policy forbids
    made.goto(room.url)
    return made


def run(
    page: Page, passing: str = HONEST, *, prints: tuple[int, ...] = (A, B, B, A), nonces: Any = (3, 4)
) -> list[str]:
    found: list[str] = page.evaluate(RUN, [passing, list(prints), list(nonces)])
    return found


def code(*, first: int, second: int, nonces: tuple[int, int]) -> bytes:
    parts = (bytes([first] * 32), bytes([nonces[0]] * 32), bytes([second] * 32), bytes([nonces[1]] * 32))
    return hashlib.sha256(LABEL + b"".join(parts)).digest()


def test_both_sides_come_to_the_same_code_as_another_program(page: Page) -> None:
    for prints, nonces in ((A, B), (3, 4)), ((9, 7), (200, 5)):
        first, second = prints
        low, high = (prints, nonces) if first < second else (prints[::-1], nonces[::-1])
        expected = code(first=low[0], second=low[1], nonces=(high[0], high[1]))
        assert run(page, prints=(first, second, second, first), nonces=nonces) == [expected.hex()] * 2


def test_the_code_depends_on_all_four(page: Page) -> None:
    seen = {
        run(page, prints=(a, b, b, a), nonces=nonces)[0]
        for a, b, nonces in ((1, 2, (3, 4)), (5, 2, (3, 4)), (1, 5, (3, 4)), (1, 2, (5, 4)), (1, 2, (3, 5)))
    }
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("passing", "prints", "found"),
    [
        pytest.param("(word, to, hear, from) => from.hear(word)", (A, B, B, A), ["refused"] * 2, id="reflected"),
        pytest.param("(word, to, hear, from) => from.hear(word)", (A, A, A, A), ["refused"] * 2, id="own certificate"),
        pytest.param(HONEST, (A, 7, B, 8), ["refused"] * 2, id="forwarded by somebody with connections of its own"),
        pytest.param(
            "(word, to) => to.hear(word.nonce ? { nonce: 'A'.repeat(43) } : word)",
            (A, B, B, A),
            ["refused"] * 2,
            id="another number than was promised",
        ),
        pytest.param(
            "(word, to) => to.hear(word.commit ? { commit: 'A'.repeat(43) } : word)",
            (A, B, B, A),
            ["refused"] * 2,
            id="another promise",
        ),
        pytest.param("() => {}", (A, B, B, A), ["silent"] * 2, id="an old page"),
        pytest.param("(word, to) => word.nonce || to.hear(word)", (A, B, B, A), ["silent"] * 2, id="a half answer"),
        pytest.param(
            "(word, to) => { for (const no of [null, 5, 'x', [], { commit: 7 }, { commit: 'short' }, { nonce: {} }])"
            " to.hear(no); }",
            (A, B, B, A),
            ["silent"] * 2,
            id="garbage",
        ),
    ],
)
def test_what_is_not_the_honest_answer_gives_no_code(
    page: Page, passing: str, prints: tuple[int, ...], found: list[str]
) -> None:
    assert run(page, passing, prints=prints) == found


def test_no_number_is_shown_before_the_far_side_has_promised(page: Page) -> None:
    """Nobody is told our number while it could still choose its own."""
    told = page.evaluate(
        """async () => {
          const { Exchange } = await import("housecall/exchange.js"), told = [];
          const whole = seed => new Uint8Array(32).fill(seed);
          const one = new Exchange({ mine: whole(1), theirs: whole(2), send: word => told.push(word), patience: 200 });
          one.hear({ nonce: "A".repeat(43) });
          await one.code();
          return told.map(word => Object.keys(word).join());
        }"""
    )
    assert told == ["commit"]


def test_what_comes_later_changes_nothing(page: Page) -> None:
    """The first of each word counts."""
    twice = "(word, to) => { to.hear(word); to.hear({ commit: 'A'.repeat(43), nonce: 'B'.repeat(43) }); }"
    assert run(page, twice) == ["refused"] * 2  # a number came with the promise, and is none that was promised
    late = (
        "(word, to) => { to.hear(word); if (word.nonce) to.hear({ commit: 'A'.repeat(43), nonce: 'A'.repeat(43) }); }"
    )
    assert run(page, late) == run(page)


SHOWN = """async bytes => {
  const { pictures, digits } = await import("housecall/pictures.js");
  const digest = Uint8Array.from(bytes);
  return [pictures(digest), digits(digest)];
}"""


def test_pictures_and_digits_of_a_known_code(page: Page) -> None:
    rest = [0] * 25
    pictures, digits = page.evaluate(SHOWN, [0, 0, 0, 7, 0b000000_00, 0b0001_0000, 0b10_111111, *rest])
    assert pictures == [["🐶", "Dog"], ["🐱", "Cat"], ["🦁", "Lion"], ["👑", "Crown"]]
    assert digits == "000 007"
    _, digits = page.evaluate(SHOWN, [255, 255, 255, 255, 0, 0, 0, *rest])
    assert digits == "967 295"  # 4294967295


def test_every_picture_has_a_name_of_its_own(page: Page) -> None:
    all_ = [page.evaluate(SHOWN, [0] * 4 + list((n << 18).to_bytes(3, "big")) + [0] * 25)[0][0] for n in range(64)]
    assert len({picture for picture, _ in all_}) == 64
    assert len({name for _, name in all_}) == 64


DESCRIBED = """async sdp => {
  const { fingerprint } = await import("housecall/exchange.js");
  const found = fingerprint({ sdp });
  return found && [...found];
}"""


def test_a_description_with_two_certificates_names_none(page: Page) -> None:
    """Browsers differ in which of two they take, so that a code made of either could be fooled."""
    one, two = (":".join(f"{byte:02X}" for byte in range(start, start + 32)) for start in (0, 100))
    line = "a=fingerprint:sha-256 {}\r\n".format
    assert page.evaluate(DESCRIBED, f"v=0\r\n{line(one)}m=audio\r\n{line(one)}") == list(range(32))
    assert page.evaluate(DESCRIBED, f"v=0\r\n{line(one)}{line(two)}") is None
    assert page.evaluate(DESCRIBED, f"v=0\r\n{line(one)}a=fingerprint:sha-1 00:11\r\n") is None
    assert page.evaluate(DESCRIBED, "v=0\r\n") is None


# -- the device that a link names

PROOF = """async ([change]) => {
  const { device, prove, proves } = await import("housecall/identity.js");
  const print = new Uint8Array(32).fill(1), at = { visit: "v", print, named: await device() };
  const proof = await prove(at.named, "v", print);
  const other = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", other.publicKey));
  eval(change);
  return proves(proof, at.named, at.visit, at.print);
}"""


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ("", True),
        ("at.visit = 'w'", False),
        ("at.print = new Uint8Array(32).fill(2)", False),
        ("at.named = 'A'.repeat(22)", False),
        ("proof.signature = proof.signature.replace(/^..../, 'AAAA')", False),
        ("proof.key = btoa(String.fromCharCode(...raw))", False),
        ("proof.key = 5", False),
        ("delete proof.signature", False),
    ],
)
def test_a_proof_counts_for_its_device_visit_and_connection_only(page: Page, change: str, good: bool) -> None:
    assert page.evaluate(PROOF, [change]) is good


def test_a_browser_without_a_key_proves_nothing_and_keeps_nothing(page: Page) -> None:
    answer = page.evaluate(
        """async () => {
          const { prove } = await import("housecall/identity.js");
          return [await prove("A".repeat(22), "v", new Uint8Array(32)), await indexedDB.databases()];
        }"""
    )
    assert answer == [None, []]


def test_the_key_of_a_device_stays_and_never_leaves_it(page: Page) -> None:
    kept = """async () => {
      const { device } = await import("housecall/identity.js"), named = await device();
      const request = indexedDB.open("housecall", 1);
      const database = await new Promise(done => { request.onsuccess = () => done(request.result); });
      const found = database.transaction("keys").objectStore("keys").get("device");
      const pair = await new Promise(done => { found.onsuccess = () => done(found.result); });
      database.close();
      const way = await crypto.subtle.exportKey("pkcs8", pair.privateKey).then(() => "out", error => error.name);
      const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
      return [named, way, [...raw]];
    }"""
    named, way, raw = page.evaluate(kept)
    assert way == "InvalidAccessError"
    assert named == base64.urlsafe_b64encode(hashlib.sha256(bytes(raw)).digest()[:16]).decode().rstrip("=")
    page.reload()
    assert page.evaluate(kept)[0] == named
