"""The practice's own TURN relay: the file that coturn reads, and the proof that it lets a call through."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass

from .config import IceServer

PATIENCE = 5.0  #: seconds for an allocation, and for the first bytes through it
HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.I)
PORTS = {"turn": 3478, "turns": 5349}  #: RFC 7065

#: What a relay must never reach: the networks behind it (RFC 6890), so that nobody uses it as a way in.
PRIVATE = (
    "0.0.0.0-0.255.255.255",
    "10.0.0.0-10.255.255.255",
    "100.64.0.0-100.127.255.255",
    "127.0.0.0-127.255.255.255",
    "169.254.0.0-169.254.255.255",
    "172.16.0.0-172.31.255.255",
    "192.0.0.0-192.0.0.255",
    "192.0.2.0-192.0.2.255",
    "192.88.99.0-192.88.99.255",
    "192.168.0.0-192.168.255.255",
    "198.18.0.0-198.19.255.255",
    "198.51.100.0-198.51.100.255",
    "203.0.113.0-203.0.113.255",
    "224.0.0.0-255.255.255.255",
    "::1",
    "64:ff9b::-64:ff9b::ffff:ffff",
    "::ffff:0.0.0.0-::ffff:255.255.255.255",
    "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
)

CONFIGURATION = """\
# coturn's settings for Housecall, written by `housecall turn`. Put it where coturn reads it: /etc/turnserver.conf
realm={host}
use-auth-secret
static-auth-secret={secret}
fingerprint
no-cli
no-software-attribute
no-rfc5780
no-multicast-peers
stale-nonce=600
# an address of the log is an address of a patient: none is kept
log-file=/dev/null
simple-log

# Bounds: allocations of one visit's side, of all, and bytes a second of one (a call takes about 300,000).
user-quota=12
total-quota=400
max-bps=600000
min-port=49600
max-port=49999

{tls}

# Networks that are nobody's business out there.
{denied}
"""
TLS = """\
# The ports that strict networks let through: TLS on 443 looks like any web page.
tls-listening-port=443
cert={certificate}
pkey={key}
no-tlsv1
no-tlsv1_1"""
NO_TLS = """\
# Without a certificate there is no TLS, and networks that let only web pages through will block calls:
# run `housecall turn` again with --cert and --key.
no-tls
no-dtls"""


#: What only an administrator can do for TLS on 443.
ON_443 = """\
TLS on 443 needs an address of its own: where a web proxy has 443 already, give the relay its own machine or a second
address (`listening-ip=` in turnserver.conf; the proxy then listens on the first one only). Debian's service may not use
ports below 1024 until it is told that it may:

    cd /etc/systemd/system && sudo mkdir -p coturn.service.d
    printf '[Service]\\nAmbientCapabilities=CAP_NET_BIND_SERVICE\\n' | sudo tee coturn.service.d/443.conf
    sudo systemctl daemon-reload && sudo systemctl restart coturn

"""


def configuration(host: str, secret: str, *, certificate: str = "", key: str = "") -> str:
    """coturn 4.6's configuration file. With a certificate (paths of PEM files) it also listens for TLS on 443."""
    return CONFIGURATION.format(
        host=host,
        secret=secret,
        tls=TLS.format(certificate=certificate, key=key) if certificate else NO_TLS,
        denied="\n".join(f"denied-peer-ip={each}" for each in PRIVATE),
    )


def addresses(host: str, *, tls: bool) -> list[str]:
    """What browsers are told of such a relay, for `[[clinic.<id>.ice]]`."""
    plain = [f"turn:{host}:3478?transport=udp", f"turn:{host}:3478?transport=tcp"]
    return [*plain, f"turns:{host}:443?transport=tcp"] if tls else plain


@dataclass(frozen=True, kw_only=True)
class Road:
    """One way to a relay, as a `turn:` or `turns:` address says it (RFC 7065)."""

    host: str
    port: int
    transport: str  #: udp or tcp
    tls: bool

    @classmethod
    def read(cls, url: str) -> Road | None:
        """None for a STUN address, which relays nothing."""
        found = re.fullmatch(r"(turns?):(\[[^\]]+\]|[^:?]+)(?::(\d+))?(?:\?transport=(udp|tcp))?", url)
        if not found:
            return None
        scheme, host, port, transport = found.groups()
        tls = scheme == "turns"
        return cls(
            host=host.strip("[]"),
            port=int(port or PORTS[scheme]),
            transport=transport or ("tcp" if tls else "udp"),
            tls=tls,
        )


def problems(server: IceServer) -> Iterator[str]:
    """What keeps calls from going through a relay, way by way; nothing where bytes came through each."""
    for url in server.urls:
        road = Road.read(url)
        if road is not None and (problem := asyncio.run(_problem(road, *credentials(server)))):
            yield f"{url}: {problem}"


def credentials(server: IceServer) -> tuple[str, str]:
    """User and password as a browser would be given them."""
    from .web.ice import servers

    entry = servers([server], time.time_ns() // 1_000_000)["servers"][0]
    return entry.get("username", ""), entry.get("credential", "")


async def _problem(road: Road, user: str, password: str) -> str:
    from aioice import stun

    try:
        await asyncio.wait_for(_through(road, user, password), PATIENCE * 2)
    except stun.TransactionFailed as refused:
        return _refusal(refused.response.attributes.get("ERROR-CODE", (0, ""))[0])
    except ssl.SSLCertVerificationError as wrong:
        return (
            f"its certificate is not good ({wrong.verify_message}): browsers will not use it. Renew it for {road.host}"
        )
    except ssl.SSLError:
        return _no_tls(road)
    except (TimeoutError, stun.TransactionTimeout):
        if road.tls and await _listens(road):
            return _no_tls(road)
        return (
            f"no answer on {road.transport.upper()} port {road.port}: open it in the firewall"
            + (", and UDP 49600 to 49999" if road.transport == "udp" else "")
            + "; is coturn running?"
        )
    except OSError as error:
        if road.tls and await _listens(road):
            return _no_tls(road)
        return f"{road.host} port {road.port} was not reached ({error.strerror or error}): is coturn running there?"
    return ""


def _no_tls(road: Road) -> str:
    return f"port {road.port} speaks no TLS: give `housecall turn` --cert and --key, and restart coturn"


async def _listens(road: Road) -> bool:
    """Whether anybody takes a TCP connection there."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(road.host, road.port), PATIENCE)
    except OSError:
        return False
    writer.close()
    return True


def _refusal(code: int) -> str:
    return {
        401: "it refuses our credentials: `secret` must be coturn's static-auth-secret, and both clocks must be right",
        403: "it forbids to relay to itself: take its own address out of denied-peer-ip",
        486: "it has no allocation left for us: raise user-quota",
        508: "it has no port left: widen min-port to max-port",
    }.get(code, f"it refused with code {code} (RFC 8656)")


class _Heard(asyncio.DatagramProtocol):
    """Keeps the first bytes that came by the relay, or why they could not."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.came: asyncio.Future[bytes] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self.came.done():
            self.came.set_result(data)

    def error_received(self, error: Exception) -> None:
        if not self.came.done():
            self.came.set_exception(error)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)


async def _through(road: Road, user: str, password: str) -> None:
    """Two sides that meet at the relay, as two browsers behind strict networks do; bytes go from one to the other."""
    from aioice import turn

    ends = []
    try:
        for _ in range(2):
            ends.append(
                await asyncio.wait_for(
                    turn.create_turn_endpoint(
                        _Heard,
                        server_addr=(road.host, road.port),
                        username=user,
                        password=password,
                        lifetime=60,
                        ssl=ssl.create_default_context() if road.tls else False,
                        transport=road.transport,
                    ),
                    PATIENCE,
                )
            )
        (here, heard_here), (there, heard_there) = ends
        for end, other in ((here, there), (there, here)):  # each lets in whom it has spoken to
            end.sendto(b"housecall", other.get_extra_info("sockname"))  # where the relay listens for the other
        came = {heard_here.came, heard_there.came}
        done, _ = await asyncio.wait(came, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        if not done:
            raise TimeoutError
        done.pop().result()
    finally:
        for transport, heard in ends:
            transport.close()
            heard.came.cancel() or heard.came.exception()  # nobody asks the other one any more
        if ends:
            await asyncio.wait([heard.gone for _, heard in ends], timeout=1)
