"""A call through a real coturn, with the short-lived credentials that the server makes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from housecall.testing.acts import begin, media_flows
from housecall.testing.parts import find
from housecall.testing.people import Person, sign_in
from housecall.testing.practice import Practice, free_port

TYPES = """async () => {
  const pc = window.made.find(pc => pc.connectionState === "connected"), rows = await pc.getStats();
  const pair = rows.get([...rows.values()].find(row => row.type === "transport").selectedCandidatePairId);
  return rows.get(pair.localCandidateId).candidateType;
}"""

RELAY_ONLY = """{
  const Real = RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(given) { super({ ...given, iceTransportPolicy: "relay" }); }
  };
}"""


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[int]:
    program = find("turnserver")
    if program is None:
        pytest.skip("coturn is not installed: apt-get install coturn")
    port = free_port()
    options = "-n --no-cli --no-tls --no-dtls -L 127.0.0.1 -E 127.0.0.1 --use-auth-secret --static-auth-secret s3cret"
    options += (
        f" -p {port} --min-port 55000 --max-port 55200 -r housecall.test -f --allow-loopback-peers --log-file stdout"
    )
    options += f" --pidfile {tmp_path / 'turn.pid'} --userdb {tmp_path / 'turndb'}"
    with (tmp_path / "turn.log").open("wb") as log:
        process = subprocess.Popen([program, *options.split()], stdout=log, stderr=subprocess.STDOUT)
    yield port
    process.terminate()
    process.wait(10)
    said = (tmp_path / "turn.log").read_text()
    assert "Grace" not in said


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_through_the_clinics_own_relay(
    serve: Callable[..., Practice], relay: int, person: Callable[..., Person], transport: str
) -> None:
    toml = (
        '[clinic.main]\nname = "Elm"\n[[clinic.main.ice]]\n'
        f'urls = ["turn:127.0.0.1:{relay}?transport={transport}"]\nsecret = "s3cret"\n'
    )
    own = serve(toml)
    room, host = own.room(), f"localhost:{own.port}"
    provider, patient = person("red", own=host), person("green", own=host)
    sign_in(provider.context, own.url, room.login)
    for each in (provider, patient):
        each.context.add_init_script(RELAY_ONLY)
    begin(own, room, provider.page, patient.page)
    media_flows(provider.page)
    media_flows(patient.page)
    for page in (provider.page, patient.page):
        assert page.evaluate(TYPES) == "relay"
        assert set(page.evaluate("asked")) == {f"turn:127.0.0.1:{relay}?transport={transport}"}
