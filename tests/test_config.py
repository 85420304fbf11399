"""housecall.toml: every mistake in one go, with its line and the nearest known name."""

from __future__ import annotations

from pathlib import Path

import pytest

from housecall.config import ConfigError, load

MAIL = """[clinic.elm]
name='Elm'
[server]
url='https://elm.example'
[server.mail]
host='mail.elm.example'
sender='desk@elm.example'
"""


def mistakes(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    (folder / "housecall.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(folder, environ=environ or {})
    return [str(mistake) for mistake in error.value.mistakes]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    told = mistakes(
        tmp_path,
        """\
[server]
prot = 8000
port = "x"
async_mode = "twisted"
url = "elm.example.org"
trusted_proxies = -1

[clinic.Elm]
name = ""
sign_up = "maybe"
host = "ELM example"

[clinic.oak]
name = "Oak"
[[clinic.oak.ice]]
urls = ["turn:turn.example.org"]
secret = "env:NOT_SET"

[sever]
""",
    )
    wanted = [
        ("line 2: server.prot", "did you mean 'port'?"),
        ("line 3: server.port", "a whole number"),
        ("line 4: server.async_mode", "one of eventlet, threading"),
        ("line 5: server.url", "an address such as"),
        ("line 6: server.trusted_proxies", "0 or more"),
        ("line 8: clinic.Elm", "small letters"),
        ("line 9: clinic.Elm.name", "needs a name"),
        ("line 10: clinic.Elm.sign_up", "one of invitation, open, closed"),
        ("line 11: clinic.Elm.host", "a host name"),
        ("line 13: clinic.oak", "each needs its own host"),
        ("line 17: clinic.oak.ice.secret", "NOT_SET is not set"),
        ("line 19: sever", "did you mean 'server'?"),
    ]
    for place, words in wanted:
        assert any(line.startswith(place) and words in line for line in told), (place, words, told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server\n", "line 1: Expected"),
        ("[clinic.elm]\nname = 'a'\nname = 'b'\n", "line 3: Cannot overwrite"),
        ("", "clinic: at least one clinic"),
        ("clinic = 3\n", "at least one clinic"),
        ("[clinic.elm]\nname='Elm'\n[server]\nsecret='short'\n", "server.secret: this must have at least 32"),
        ("[clinic.elm]\nname='Elm'\n[server]\ndatabase='mysql://x'\n", "server.database: this must be"),
        ("[clinic.elm]\nname='Elm'\nice=[{urls=['http://x']}]\n", "clinic.elm.ice.urls: this must be a list"),
        ("[clinic.elm]\nname='Elm'\nice=[{urls=['turn:x']}]\n", "needs `secret`"),
        (f"{MAIL}port=0\n", "server.mail.port: this must be a number from 1 to 65535"),
        (f"{MAIL}security='ssl'\n", "server.mail.security: this must be one of starttls, tls, none"),
        (f"{MAIL}user='desk'\n", "server.mail.user: user and password belong together"),
        (f"{MAIL}password='hush'\n", "server.mail.user: user and password belong together"),
        (f"{MAIL}user='desk'\npassword='env:NOT_SET'\n", "server.mail.password: the environment variable NOT_SET"),
        (f"{MAIL}user='d'\npassword='h'\nsecurity='none'\n", "server.mail.security: a password goes to another"),
        (f"{MAIL}ca='none.pem'\n", "server.mail.ca: the file none.pem cannot be read"),
        (f"{MAIL}hst='x'\n", "server.mail.hst: this name is not known; did you mean 'host'?"),
        (MAIL.replace("mail.elm.example", "a b"), "server.mail.host: this must be the name of your mail server"),
        (MAIL.replace("desk@elm.example", "desk"), "server.mail.sender: this must be the address that mail comes from"),
        (MAIL.replace("url=", "bind="), "server.mail: mail needs server.url"),
        ("[clinic.elm]\nname='Elm'\n[server]\nmail='x'\n", "server.mail: this must be a table"),
        ("[clinic.elm]\nname='Elm'\n[clinic.elm.core]\nfax='1'\n", "clinic.elm.core.fax: this name is not known"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, words: str) -> None:
    assert any(words in line for line in mistakes(tmp_path, text)), mistakes(tmp_path, text)


def test_a_file_that_is_missing_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="housecall init"):
        load(tmp_path)
    (tmp_path / "housecall.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path)


def test_port_may_come_from_the_environment(tmp_path: Path) -> None:
    text = '[server]\nport = 8000\n[clinic.elm]\nname = "Elm"\n'
    (tmp_path / "housecall.toml").write_text(text, encoding="utf-8")
    assert load(tmp_path, environ={}).port == 8000
    assert load(tmp_path, environ={"PORT": "9000"}).port == 9000
    assert "PORT: this variable" in mistakes(tmp_path, text, {"PORT": "many"})[0]


def test_secrets_may_be_elsewhere_and_are_not_printed(tmp_path: Path) -> None:
    (tmp_path / "turn").write_text("hush-file\n")
    (tmp_path / "housecall.toml").write_text(
        '[server]\nsecret = "env:KEY"\n[clinic.elm]\nname = "Elm"\n'
        'ice = [{urls = ["turn:t.example.org"], secret = "file:turn"}]\n',
        encoding="utf-8",
    )
    site = load(tmp_path, environ={"KEY": "hush-" + "k" * 40})
    assert site.secret.startswith(b"hush-")
    assert site.clinics["elm"].ice[0].secret == "hush-file"
    assert "hush" not in repr(site)


def test_the_servers_own_key_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    (tmp_path / "housecall.toml").write_text('[clinic.elm]\nname = "Elm"\n', encoding="utf-8")
    first = load(tmp_path, environ={}).secret
    assert len(first) == 32
    assert load(tmp_path, environ={}).secret == first
    assert (tmp_path / "data/secret").stat().st_mode & 0o077 == 0


def test_the_mail_server_has_the_usual_ports_and_hides_its_password(tmp_path: Path) -> None:
    for security, port in (("starttls", 587), ("tls", 465), ("none", 25)):
        (tmp_path / "housecall.toml").write_text(f"{MAIL}security='{security}'\n", encoding="utf-8")
        site = load(tmp_path, environ={})
        assert site.mail
        assert (site.mail.port, site.mail.security) == (port, security)
    (tmp_path / "password").write_text("hush-file\n")
    (tmp_path / "housecall.toml").write_text(f"{MAIL}user='desk'\npassword='file:password'\n", encoding="utf-8")
    site = load(tmp_path, environ={})
    assert site.mail
    assert site.mail.password == "hush-file"
    assert "hush" not in repr(site)


def test_links_begin_with_the_address_of_the_clinic(tmp_path: Path) -> None:
    two = "[clinic.elm]\nname='Elm'\nhost='elm.example'\n[clinic.oak]\nname='Oak'\nhost='oak.example:8443'\n"
    for text, clinic, wanted in (
        (MAIL, "elm", "https://elm.example"),
        ("[clinic.elm]\nname='Elm'\n", "elm", "http://localhost:8000"),
        (two, "oak", "https://oak.example:8443"),
        (f"[server]\nurl='http://elm.example'\n{two}", "oak", "http://oak.example:8443"),
    ):
        (tmp_path / "housecall.toml").write_text(text, encoding="utf-8")
        assert load(tmp_path, environ={}).address_of(clinic) == wanted
