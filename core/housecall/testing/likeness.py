"""What one clinic of a server answers, made comparable: without tokens, times, ports and the ids that are drawn."""

from __future__ import annotations

import json
import re
from typing import Any

import requests

from .practice import Practice, Room
from .visitor import Visitor

PAGES = ("", "help", "contact", "privacy", "cookies", "sign-in", "sign-up", "nothing-here")
MEMBERS_PAGES = ("dashboard", "dashboard/history", "account", "account/logins", "admin")
#: An owner's, but for `admin` and `admin/plugins`: these list what the server has found, so that it can be switched on.
OWNERS_PAGES = ("dashboard", "account", "admin/people", "admin/rooms", "admin/look")
PASSING = (  # what differs between any two answers
    (re.compile(r'nonce="[^"]+"'), 'nonce=""'),
    (re.compile(r"'nonce-[^']+'"), "'nonce'"),
    (re.compile(r'"token": "[^"]+"'), '"token": ""'),
    (re.compile(r'name="token" value="[^"]+"'), 'name="token" value=""'),
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"\d+ invitations? (is|are) open"), "INVITATIONS"),  # each start without an owner makes one
    (re.compile(r"\b\d{13}\b"), "MS"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?"), "TIME"),
    (re.compile(r"(hc-[\w-]+)=[^;]+"), r"\1=VALUE"),
)
CHANGING = ("Date", "Content-Length")  #: headers; the bodies are compared themselves


def answers(
    practice: Practice, room: Room, owners: Room, host: str, plugin: str, known: dict[str, Any]
) -> dict[str, str]:
    """Everything that somebody may ask who looks for a plugin; `known` is what its own server knows of it.

    `room` is a provider's and `owners` an owner's, each with a login.
    """

    def plain(text: str) -> str:
        for number, own in enumerate((room, owners)):
            for value, name in ((own.slug, "SLUG"), (own.id, "ROOM"), (own.member, "MEMBER"), (own.email, "EMAIL")):
                text = text.replace(value, f"{name}{number}")
        for pattern, instead in PASSING:
            text = pattern.sub(instead, text)
        return text.replace(str(practice.port), "PORT")

    def told(answer: requests.Response) -> str:
        headers = sorted(f"{name}: {value}" for name, value in answer.headers.items() if name not in CHANGING)
        return plain("\n".join([str(answer.status_code), *headers, "", answer.text]))

    visitor, member = Visitor(practice.url, host=host), Visitor(practice.url, host=host, login=room.login)
    owner = Visitor(practice.url, host=host, login=owners.login)
    own = [f"-/{plugin}", f"-/{plugin}/", f"-//{plugin}/x", f"/-/{plugin}/", f"-/{plugin}/nothing"]
    own += [*(rule.lstrip("/") for rule, _ in known["pages"])]
    settings = [f"admin/settings/{plugin}", f"admin/settings/{plugin}.toml"]
    assets = [f"-/asset/{plugin}/0/nothing.js", *(url.lstrip("/") for url in known["assets"])]
    found = {}
    for path in (*PAGES, room.slug, *own, *assets):
        found[f"GET /{plain(path)}"] = told(visitor.get(f"/{path}"))
    for path in (*MEMBERS_PAGES, *own):
        found[f"GET /{path} of a member"] = told(member.get(f"/{path}"))
    for path in (*OWNERS_PAGES, *settings, *own):
        found[f"GET /{path} of an owner"] = told(owner.get(f"/{path}"))
    for path in own:
        found[f"POST /{path}"] = told(visitor.post(f"/{path}", {}, at=f"/{room.slug}"))
        found[f"POST /{path} without a token"] = told(
            visitor.http.post(f"{visitor.url}/{path}", headers=visitor.headers(), timeout=30)
        )
    found["check-in"] = str(visitor.check_in(room.slug, "Grace").status_code)
    with member.dashboard() as board, visitor.seat(room.id) as seat:
        for name, socket in (("dashboard", board), ("seat", seat)):
            hello = socket.hear("welcome")
            found[f"parts of the {name}"] = json.dumps(hello["parts"])
            if name == "seat":
                visit = hello["visit"]["id"]
                found["steps"] = json.dumps(hello["visit"]["steps"])
        for event in ("nothing", *(event["name"] for event in known["events"])):
            for path_, said in (("body", {"body": {}}), ("sealed", {"sealed": {"iv": "", "data": "", "keys": {}}})):
                for name, socket in (("dashboard", board), ("seat", seat)):
                    asked = {"event": f"{plugin}:{event}", "visit": visit, "id": "1", **said}
                    found[f"say {event} {path_} of the {name}"] = json.dumps(socket.ask("say", asked))
        for step in ("nothing", *known["steps"]):
            found[f"step {step}"] = json.dumps(seat.ask("step", {"id": f"{plugin}:{step}", "done": True}))
    return found
