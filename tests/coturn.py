"""A real coturn on loopback, and a certificate for it."""

from __future__ import annotations

import ipaddress
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from housecall.testing.parts import find


@contextmanager
def running(folder: Path, configuration: str, port: int, tls: int) -> Iterator[None]:
    """coturn with our file, moved to loopback and to free ports: what loopback forbids is taken out, nothing else."""
    program = find("turnserver")
    if program is None:
        pytest.skip("coturn is not installed: apt-get install coturn")
    ours = re.sub(
        r"^(denied-peer-ip=(127|::1).*|log-file=.*|simple-log|tls-listening-port=.*)\n", "", configuration, flags=re.M
    )
    more = f"listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nallow-loopback-peers\nlistening-port={port}\n"
    more += f"tls-listening-port={tls}\npidfile={folder / 'pid'}\nuserdb={folder / 'db'}\nlog-file=stdout\n"
    path = folder / "coturn.conf"
    path.write_text(ours + more, encoding="utf-8")
    with (folder / "coturn.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(path)], stdout=log, stderr=subprocess.STDOUT)
    try:
        _until_it_listens(process, port)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)  # the condition is the answer; this only paces the asking
    raise RuntimeError("coturn does not listen")


def signed(folder: Path) -> tuple[Path, Path]:
    """A certificate of localhost that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(9))
    made = made.add_extension(names, critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*form))
    return cert, private
