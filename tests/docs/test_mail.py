"""docs/mail.md: what it says to write is taken, and what it shows is what the command says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import housecall
from housecall import cli, config, mail

PAGE = (Path(__file__).resolve().parents[2] / "docs/mail.md").read_text(encoding="utf-8")


def block(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S)


def test_the_settings_are_taken(tmp_path: Path) -> None:
    (toml,) = block("toml")
    text = toml.replace("# ca =", "ca =") + '[clinic.main]\nname = "Elm"\n'
    (tmp_path / "data").mkdir()
    for name in ("mail-password", "mail-ca.pem"):
        (tmp_path / "data" / name).write_text("hush\n")
    (tmp_path / "housecall.toml").write_text(text, encoding="utf-8")
    site = config.load(tmp_path, environ={})
    assert site.mail
    assert (site.mail.port, site.mail.password) == (587, "hush")
    assert set(config.MAIL_KEYS) - {"port"} == set(
        re.findall(r"^(?:# )?(\w+) = ", toml.split("[server.mail]")[1], re.M)
    )


def test_the_steps_are_those_of_the_command() -> None:
    source = "".join(Path(module.__file__).read_text(encoding="utf-8") for module in (mail, cli))
    said = (
        "Connected to",
        "with a certificate for",
        "Signed in as",
        "has taken the message.",
        "look whether it is there",
    )
    for words, line in zip(said, block("text")[0].splitlines()[2:], strict=True):
        assert words in line
        assert words in source


def test_the_example_posts(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = block("python")
    told: dict[str, Any] = {}
    for name, stands_in in {
        "deliverable": lambda clinic, kind: True,
        "address": lambda clinic: "https://elm.example",
        "letter": lambda clinic, paragraphs, **more: (repr((paragraphs, more)), "<p>"),
        "post": lambda clinic, kind, to, **more: told.update(clinic=clinic, kind=kind, to=to, **more) or "id",
    }.items():
        assert name in housecall.__all__
        monkeypatch.setattr(housecall, name, stands_in, raising=False)
    space: dict[str, Any] = {}
    exec(compile(code, "<mail.md>", "exec"), space)  # noqa: S102  our own page
    assert space["remind"]("main", "grace@navy.example", "drsmith") == "id"
    assert "https://elm.example/drsmith" in told["text"]
    for name in re.findall(r"`(\w+)[`(]", PAGE.split("## For authors")[1]):
        assert name in (*housecall.__all__, "state", "tries", "reason", "due", "expires", "fate", "sendmail", "mailbox",
                        "deliver", "can_deliver"), name  # fmt: skip
