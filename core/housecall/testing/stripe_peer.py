"""A Stripe on loopback that checks every request against the official library's own parameter types.

The types of `stripe` are made from Stripe's own description of its API, so what passes here is not merely our idea of
it. They say nothing of lengths, formats and combinations: those that we rely on are written by hand in `Rules`.
A script as well, for a process of its own: it prints its address and ends with whoever started it. A key decides the
account: `sk_test_` or `rk_test_` and eight letters or digits that name it, then anything.
A test moves it by POST /_peer/…, with JSON (see Control); `Stripe` is the hand that does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import importlib
import itertools
import json
import os
import re
import secrets
import subprocess
import sys
import threading
import time
import types
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple, Self, Union, cast, get_args, get_origin
from urllib.parse import parse_qsl, urlencode, urlsplit

API = "2026-10-28"  #: the version that events of this peer name
DECLINED = "4000000000000002"  #: a card that is declined; every other that begins with 4 pays
#: Minor units that an amount must be a multiple of: three decimals end in 0; some have two, which must be 00.
STEPS = {"bhd": 10, "jod": 10, "kwd": 10, "omr": 10, "tnd": 10, "isk": 100, "ugx": 100}
LEAST = {"usd": 50, "eur": 50, "gbp": 30, "jpy": 50, "chf": 50, "isk": 0}  #: of a charge, in minor units
TRIES = 3  #: of a webhook, a moment apart
#: What hangs on a path of its own: the object's name and the beginning of its ids.
KINDS = {
    "accounts": ("account", "acct"),
    "account_links": ("account_link", "acctlink"),
    "billing_portal/configurations": ("billing_portal.configuration", "bpc"),
    "billing_portal/sessions": ("billing_portal.session", "bps"),
    "charges": ("charge", "ch"),
    "checkout/sessions": ("checkout.session", "cs_test"),
    "customers": ("customer", "cus"),
    "events": ("event", "evt"),
    "invoices": ("invoice", "in"),
    "payment_intents": ("payment_intent", "pi"),
    "prices": ("price", "price"),
    "products": ("product", "prod"),
    "refunds": ("refund", "re"),
    "subscriptions": ("subscription", "sub"),
    "webhook_endpoints": ("webhook_endpoint", "we"),
}
PREFIXES = {name: prefix for name, prefix in KINDS.values()}
ACTIONS = {"expire", "confirm", "cancel"}
Object = dict[str, Any]


class Refused(Exception):
    """An error in Stripe's shape."""

    def __init__(self, message: str, param: str = "", code: str = "", *, status: int = 400, type: str = "") -> None:
        super().__init__(message)
        self.status = status
        kind = type or ("invalid_request_error" if status != 402 else "card_error")
        told = {"type": kind, "message": message, "param": param, "code": code}
        self.body = {"error": {key: value for key, value in told.items() if value}}


class Answer(NamedTuple):
    """What a request is answered: JSON, or a page."""

    status: int
    body: Any
    headers: dict[str, str] = {}  # noqa: RUF012  never changed


# What a form says, and whether the library's types allow it


def decode(body: str) -> Object:
    """`a[b][0][c]=1&d[]=2` as nested dicts; one whose keys are all digits is a list. Raises Refused."""
    out: Object = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        keys = re.findall(r"[^\[\]]+|\[\]", name)
        if not keys or "".join([keys[0], *(key if key == "[]" else f"[{key}]" for key in keys[1:])]) != name:
            raise Refused(f"Invalid name of a parameter: {name}", name)
        place = out
        for number, key in enumerate(keys):
            key = str(len(place)) if key == "[]" else key
            if number == len(keys) - 1:
                place[key] = value
            elif not isinstance(place := place.setdefault(key, {}), dict):
                raise Refused(f"Invalid parameter: {name}", name)
    return cast(Object, _listed({key: value for key, value in out.items()}, top=True))


def _listed(value: Any, *, top: bool = False) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(each) for key, each in value.items()}
    if inner and not top and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def parameters(resource: str, verb: str) -> Any:
    """The library's TypedDict for a call, such as ("checkout/sessions", "Create"), or None."""
    *folder, last = resource.split("/")
    noun = last.removesuffix("s").title().replace("_", "")
    module = importlib.import_module(".".join(["stripe.params", *folder]))
    return getattr(module, f"{noun}{verb}Params", None)


def hints(declared: Any) -> dict[str, tuple[Any, bool]]:
    """Key -> its type, and whether it is required, of one of the library's TypedDicts."""
    import typing_extensions
    from stripe import _request_options, _stripe_context

    known = _HINTS.get(declared)
    if known is None:
        module = importlib.import_module(declared.__module__)
        names = {**vars(_request_options), **vars(module), "StripeContext": _stripe_context.StripeContext}
        found = typing_extensions.get_type_hints(declared, globalns=names, include_extras=True)
        options = set(_request_options.RequestOptions.__annotations__)
        known = {}
        for key, hint in found.items():
            loose = getattr(get_origin(hint), "_name", "") == "NotRequired"
            if key not in options:
                known[key] = (get_args(hint)[0] if loose else hint, key in declared.__required_keys__ and not loose)
        _HINTS[declared] = known
    return known


_HINTS: dict[Any, dict[str, tuple[Any, bool]]] = {}


def check(value: Any, declared: Any, path: str) -> Any:
    """The value as its declared type has it. Raises Refused, which names the place: line_items[0][quantity]."""
    origin, inner = get_origin(declared), get_args(declared)
    if getattr(origin, "_name", "") in ("NotRequired", "Required", "Annotated"):
        return check(value, inner[0], path)
    if declared is Any:
        return value
    if origin in (Union, types.UnionType):
        return _union(value, inner, path)
    if origin is Literal:
        if value not in map(_text, inner):
            raise Refused(f"Invalid {path}: must be one of {', '.join(map(_text, inner))}", path, "parameter_invalid")
        return next(each for each in inner if _text(each) == value)
    if origin is list:
        if not isinstance(value, list):
            raise Refused(f"Invalid array: {path}", path, "parameter_invalid")
        return [check(each, inner[0], f"{path}[{number}]") for number, each in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise Refused(f"Invalid hash: {path}", path, "parameter_invalid")
        return {key: check(each, inner[1], f"{path}[{key}]") for key, each in value.items()}
    if hasattr(declared, "__required_keys__"):
        return checked(value, declared, path)
    return _plain(value, declared, path)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any, declared: Any, path: str) -> Any:
    if not isinstance(value, str):
        raise Refused(f"Invalid value: {path}", path, "parameter_invalid")
    if declared is str:
        return value
    if declared is bool and value in ("true", "false"):
        return value == "true"
    if declared is int and re.fullmatch(r"-?\d{1,15}", value):
        return int(value)
    if declared in (float, Decimal) and re.fullmatch(r"-?\d{1,15}(\.\d{1,12})?", value):
        return value
    name = {int: "integer", bool: "boolean"}.get(declared, "value")
    raise Refused(f"Invalid {name}: {value}", path, f"parameter_invalid_{name}")


def _union(value: Any, members: tuple[Any, ...], path: str) -> Any:
    """The first member that the value fits. A list of words together with `str` is an open list: closed here, so that a
    word that is misspelt fails."""
    members = tuple(each for each in members if each is not type(None))
    words = [each for each in members if get_origin(each) is Literal]
    if any(word for each in words for word in get_args(each)):
        members = tuple(each for each in members if each is not str)
    if isinstance(value, dict):  # what is wrong inside is better told than that nothing fits
        inner = [each for each in members if hasattr(each, "__required_keys__")]
        members = tuple(inner) if len(inner) == 1 else members
    refused: Refused | None = None
    for each in members:
        try:
            return check(value, each, path)
        except Refused as reason:
            refused = reason
    raise refused or Refused(f"Invalid value: {path}", path)


def checked(value: Any, declared: Any, path: str = "") -> Object:
    """A hash against a TypedDict: unknown keys and missing ones are refused."""
    if not isinstance(value, dict):
        raise Refused(f"Invalid hash: {path}", path, "parameter_invalid")
    known, out = hints(declared), {}
    for key, each in value.items():
        place = f"{path}[{key}]" if path else key
        if key not in known:
            raise Refused(f"Received unknown parameter: {place}", place, "parameter_unknown")
        out[key] = check(each, known[key][0], place)
    for key, (_, required) in known.items():
        if required and key not in value:
            place = f"{path}[{key}]" if path else key
            raise Refused(f"Missing required param: {place}.", place, "parameter_missing")
    return out


# What is kept


@dataclass
class Call:
    """One request: whose objects it sees, and what it says."""

    peer: Peer
    account: str
    platform: str
    params: Object
    key: str = ""  #: of idempotency

    @property
    def connected(self) -> bool:
        return self.account != self.platform

    def get(self, kind: str, id: str) -> Object:
        """Raises Refused (404) where this account has no such object."""
        found = self.peer.objects.get(self.account, {}).get(id)
        if found is None or found["object"] != kind:
            raise Refused(f"No such {kind.split('.')[-1]}: '{id}'", "id", "resource_missing", status=404)
        return found

    def put(self, kind: str, **values: Any) -> Object:
        id = values.pop("id", "") or f"{PREFIXES[kind]}_{secrets.token_hex(12)}"
        made = {"id": id, "object": kind, "created": int(time.time()), "livemode": False, **values}
        self.peer.objects.setdefault(self.account, {})[id] = made
        return made

    def tell(self, type: str, about: Object) -> None:
        self.peer.tell(self.account, type, about, self.key)


@dataclass
class Peer:
    """All accounts and what they have."""

    address: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    objects: dict[str, dict[str, Object]] = field(default_factory=dict)  #: account -> id -> object, oldest first
    owners: dict[str, str] = field(default_factory=dict)  #: connected account -> its platform
    answers: dict[tuple[str, str, str], tuple[str, Answer]] = field(default_factory=dict)  #: by idempotency key
    requests: list[Object] = field(default_factory=list)
    deliveries: list[Object] = field(default_factory=list)
    #: beginning of a path, after its method ("POST /v1/refunds") -> status to fail with, "cut" (hang up at once) or
    #: "lost" (do it, then hang up)
    fail: dict[str, Any] = field(default_factory=dict)
    silent: bool = False  #: no webhook goes out by itself
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def tell(self, account: str, type: str, about: Object, key: str = "") -> Object:
        """A new event, on its way to whoever listens."""
        event: Object = {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": API,
            "created": int(time.time()),
            "type": type,
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": f"req_{next(self.numbers)}", "idempotency_key": key or None},
            "data": {"object": json.loads(json.dumps(about))},
        }
        self.objects.setdefault(account, {})[event["id"]] = event
        if not self.silent:
            threading.Thread(target=self.deliver, args=(account, event, TRIES), daemon=True).start()
        return event

    def deliver(self, account: str, event: Object, tries: int = 1) -> list[int]:
        """Send an event to each endpoint that listens; the last statuses (0: nobody there)."""
        with self.lock:
            sides = [(account, False), (self.owners.get(account, ""), True)]
            endpoints = [
                (each, connect)
                for side, connect in sides
                for each in list(self.objects.get(side, {}).values())
                if each["object"] == "webhook_endpoint" and each["status"] == "enabled" and each["_connect"] == connect
            ]
        done = []
        for endpoint, connect in endpoints:
            if "*" in endpoint["enabled_events"] or event["type"] in endpoint["enabled_events"]:
                body = json.dumps({**event, "account": account} if connect else event)
                done.append(self._send(endpoint, event, body, tries))
        return done

    def _send(self, endpoint: Object, event: Object, body: str, tries: int) -> int:
        status = 0
        for number in range(tries):
            if number:
                time.sleep(0.3 * number)  # so that a handler that failed is asked again, not at once
            request = urllib.request.Request(endpoint["url"], body.encode(), {"Content-Type": "application/json"})
            request.add_header("Stripe-Signature", signature(body, endpoint["secret"]))
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    status = answer.status
            except urllib.error.HTTPError as error:
                status = error.code
                error.close()
            except OSError:
                status = 0
            with self.lock:
                self.deliveries.append(
                    {"event": event["id"], "type": event["type"], "url": endpoint["url"], "status": status}
                )
            if 200 <= status < 300:
                break
        return status


def signature(body: str, secret: str, at: int | None = None) -> str:
    """The header Stripe-Signature of a body, made at a time (seconds since 1970; default: now)."""
    at = int(time.time()) if at is None else at
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.{body}'.encode(), hashlib.sha256).hexdigest()}"


# What each call does


def money(amount: Any, currency: str, param: str) -> None:
    """Stripe's rules for an amount in minor units."""
    if not re.fullmatch("[a-z]{3}", currency):
        raise Refused(f"Invalid currency: {currency}", param.replace("unit_amount", "currency"))
    if not isinstance(amount, int) or amount < 0:
        raise Refused("Invalid non-negative integer", param, "parameter_invalid_integer")
    if amount > 99_999_999:
        raise Refused("Amount must be no more than 99999999", param, "amount_too_large")
    if amount % STEPS.get(currency, 1):
        raise Refused("Invalid amount for this currency", param, "parameter_invalid_integer")


def web(value: str, param: str) -> None:
    if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc:
        raise Refused("Not a valid URL", param, "url_invalid")


class Rules:
    """One method for each call of the API, named by resource and verb."""

    def accounts_create(self, call: Call) -> Object:
        made = call.put("account", charges_enabled=False, details_submitted=False, payouts_enabled=False, **call.params)
        call.peer.owners[made["id"]] = call.platform
        call.peer.objects[made["id"]] = {made["id"]: made}
        return made

    def account_links_create(self, call: Call) -> Object:
        account = call.get("account", call.params["account"])
        web(call.params.get("return_url", ""), "return_url")
        web(call.params.get("refresh_url", ""), "refresh_url")
        made = call.put("account_link", account=account["id"], _back=call.params["return_url"])
        made.update(url=f"{call.peer.address}/onboard/{made['id']}", expires_at=made["created"] + 300)
        return made

    def checkout_sessions_create(self, call: Call) -> Object:
        said, now = call.params, int(time.time())
        mode = said.get("mode")
        if mode not in ("payment", "subscription"):
            raise Refused("You must provide `mode`, payment or subscription.", "mode", "parameter_missing")
        if not said.get("success_url"):
            raise Refused("You must provide `success_url`.", "success_url", "parameter_missing")
        for name in ("success_url", "cancel_url"):
            if name in said:
                web(said[name], name)
        if not said.get("line_items"):
            raise Refused("You must provide `line_items`.", "line_items", "parameter_missing")
        if len(said.get("client_reference_id", "")) > 200:
            raise Refused("Invalid string: longer than 200", "client_reference_id")
        expires = said.get("expires_at", now + 86400)
        if not now + 1790 <= expires <= now + 86410:
            raise Refused("The `expires_at` timestamp must be 30 minutes to 24 hours from now.", "expires_at")
        if said.get("payment_intent_data", {}).get("application_fee_amount") and not call.connected:
            raise Refused("A fee needs a connected account.", "payment_intent_data[application_fee_amount]")
        own = call.peer.objects.get(call.account, {}).get(call.account)
        if call.connected and own and not own["charges_enabled"]:
            raise Refused("Your account cannot currently make charges.", code="account_invalid")
        if said.get("customer"):
            call.get("customer", said["customer"])
        items = [self._line(call, mode, line, number) for number, line in enumerate(said["line_items"])]
        total, currency = sum(item["amount_total"] for item in items), items[0]["currency"]
        if mode == "payment" and total < LEAST.get(currency, 1):
            raise Refused(f"The total must be at least {LEAST.get(currency, 1)} {currency}", code="amount_too_small")
        made = call.put(
            "checkout.session",
            mode=mode,
            status="open",
            payment_status="unpaid",
            amount_subtotal=total,
            amount_total=total,
            currency=currency,
            client_reference_id=said.get("client_reference_id"),
            customer=said.get("customer"),
            customer_email=said.get("customer_email"),
            payment_intent=None,
            subscription=None,
            success_url=said["success_url"],
            cancel_url=said.get("cancel_url"),
            expires_at=expires,
            metadata=said.get("metadata", {}),
            _said=said,
            _items=items,
            _account=call.account,
        )
        made["url"] = f"{call.peer.address}/c/pay/{made['id']}"
        return made

    def _line(self, call: Call, mode: str, line: Object, number: int) -> Object:
        place, data = f"line_items[{number}]", line.get("price_data")
        if bool(line.get("price")) == bool(data):
            raise Refused("You must specify either `price` or `price_data`.", f"{place}[price]")
        if data:
            money(data.get("unit_amount"), data["currency"], f"{place}[price_data][unit_amount]")
            if bool(data.get("product")) == bool(data.get("product_data")):
                raise Refused("You must specify either `product` or `product_data`.", f"{place}[price_data][product]")
            if data.get("product"):
                call.get("product", data["product"])
            price = call.put("price", active=False, **{"recurring": None, **data})
        else:
            price = call.get("price", line["price"])
        if (mode == "subscription") != bool(price.get("recurring")):
            raise Refused("A price of this kind is not for this mode.", f"{place}[price]")
        many = line.get("quantity", 1)
        name = (data or {}).get("product_data", {}).get("name", "")
        amount = price["unit_amount"] * many
        return {"amount_total": amount, "currency": price["currency"], "name": name, "price": price["id"], "many": many}

    def checkout_sessions_expire(self, call: Call, found: Object) -> Object:
        if found["status"] != "open":
            raise Refused('Only Checkout Sessions with a status in ["open"] can be expired.', code="resource_state")
        found.update(status="expired", url=None)
        call.tell("checkout.session.expired", public(found))
        return found

    def payment_intents_create(self, call: Call) -> Object:
        said = call.params
        money(said["amount"], said["currency"], "amount")
        if said.get("application_fee_amount") and not call.connected:
            raise Refused("A fee needs a connected account.", "application_fee_amount")
        known = ("amount", "currency", "customer", "payment_method")
        made = call.put("payment_intent", **{key: said.get(key) for key in known}, metadata=said.get("metadata", {}))
        made.update(status="requires_confirmation", latest_charge=None, last_payment_error=None)
        return self.payment_intents_confirm(call, made) if said.get("confirm") else made

    def payment_intents_confirm(self, call: Call, found: Object) -> Object:
        method = call.params.get("payment_method") or found["payment_method"]
        if not method:
            raise Refused("You must provide a payment method.", "payment_method", "parameter_missing")
        if found["status"] == "succeeded":
            raise Refused("This PaymentIntent has already succeeded.", code="payment_intent_unexpected_state")
        pay(call, found, declined="Declined" in method)
        return found

    def payment_intents_cancel(self, call: Call, found: Object) -> Object:
        if found["status"] in ("succeeded", "canceled"):
            raise Refused("This PaymentIntent cannot be canceled.", code="payment_intent_unexpected_state")
        found["status"] = "canceled"
        call.tell("payment_intent.canceled", public(found))
        return found

    def refunds_create(self, call: Call) -> Object:
        said = call.params
        if bool(said.get("payment_intent")) == bool(said.get("charge")):
            raise Refused("One of `payment_intent` or `charge` is needed.", "payment_intent")
        paid = call.get("payment_intent", said["payment_intent"]) if said.get("payment_intent") else None
        charge = call.get("charge", (paid["latest_charge"] or "") if paid else said["charge"])
        left = charge["amount"] - charge["amount_refunded"]
        amount = said.get("amount", left)
        if left == 0:
            raise Refused("Charge has already been refunded.", code="charge_already_refunded")
        if not 0 < amount <= left:
            raise Refused(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", "amount")
        if amount % STEPS.get(charge["currency"], 1):
            raise Refused("Invalid amount for this currency", "amount", "parameter_invalid_integer")
        made = call.put(
            "refund",
            amount=amount,
            currency=charge["currency"],
            charge=charge["id"],
            payment_intent=charge["payment_intent"],
            status="succeeded",
            reason=said.get("reason"),
            metadata=said.get("metadata", {}),
        )
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        call.tell("refund.created", public(made))
        call.tell("charge.refunded", public(charge))
        return made

    def customers_create(self, call: Call) -> Object:
        made = call.put("customer", **{"metadata": {}, "email": None, **call.params})
        call.tell("customer.created", public(made))
        return made

    def products_create(self, call: Call) -> Object:
        return call.put("product", **{"active": True, "metadata": {}, **call.params})

    def prices_create(self, call: Call) -> Object:
        said = call.params
        money(said.get("unit_amount"), said["currency"], "unit_amount")
        if bool(said.get("product")) == bool(said.get("product_data")):
            raise Refused("You must specify either `product` or `product_data`.", "product")
        if said.get("product"):
            call.get("product", said["product"])
        else:
            said["product"] = call.put("product", active=True, metadata={}, **said.pop("product_data"))["id"]
        return call.put("price", **{"active": True, "recurring": None, "metadata": {}, "lookup_key": None, **said})

    def subscriptions_create(self, call: Call) -> Object:
        said = call.params
        if not said.get("customer") or not said.get("items"):
            raise Refused("A subscription needs `customer` and `items`.", "items", "parameter_missing")
        call.get("customer", said["customer"])
        items = [(call.get("price", each.get("price", "")), each.get("quantity", 1)) for each in said["items"]]
        days = said.get("trial_period_days", 0)
        return subscribe(call, said["customer"], items, days, said.get("metadata", {}))

    def subscriptions_update(self, call: Call, found: Object) -> Object:
        said = call.params
        for number, each in enumerate(said.pop("items", [])):
            item = next((i for i in found["items"]["data"] if i["id"] == each.get("id")), None)
            if item is None:
                raise Refused("No such subscription item.", f"items[{number}][id]", "resource_missing")
            item["price"] = public(call.get("price", each["price"])) if each.get("price") else item["price"]
            item["quantity"] = each.get("quantity", item["quantity"])
        if said.pop("trial_end", None) == "now" and found["status"] == "trialing":
            found.update(status="active", trial_end=int(time.time()))
        said.pop("proration_behavior", None)
        if "cancel_at_period_end" in said:
            end = found["items"]["data"][0]["current_period_end"]
            found["cancel_at"] = end if said["cancel_at_period_end"] else None
        found["metadata"] |= said.pop("metadata", {})
        found.update(said)
        call.tell("customer.subscription.updated", public(found))
        return found

    def subscriptions_delete(self, call: Call, found: Object) -> Object:
        if found["status"] == "canceled":
            raise Refused("No such subscription.", "id", "resource_missing", status=404)
        found.update(status="canceled", ended_at=int(time.time()), canceled_at=int(time.time()))
        call.tell("customer.subscription.deleted", public(found))
        return found

    def billing_portal_configurations_create(self, call: Call) -> Object:
        return call.put("billing_portal.configuration", active=True, **call.params)

    def billing_portal_sessions_create(self, call: Call) -> Object:
        customer = call.get("customer", call.params.get("customer", ""))
        back = call.params.get("return_url", "")
        if back:
            web(back, "return_url")
        made = call.put("billing_portal.session", customer=customer["id"], return_url=back, _account=call.account)
        made["url"] = f"{call.peer.address}/p/session/{made['id']}"
        return made

    def webhook_endpoints_create(self, call: Call) -> Object:
        said = call.params
        web(said["url"], "url")
        if not said["enabled_events"]:
            raise Refused("You must name events.", "enabled_events")
        made = call.put(
            "webhook_endpoint",
            url=said["url"],
            enabled_events=said["enabled_events"],
            description=said.get("description"),
            metadata=said.get("metadata", {}),
            status="enabled",
            secret=f"whsec_{secrets.token_hex(16)}",
            _connect=bool(said.get("connect")),
        )
        return {**made, "_shown": True}

    def webhook_endpoints_update(self, call: Call, found: Object) -> Object:
        said = call.params
        if "disabled" in said:
            found["status"] = "disabled" if said.pop("disabled") else "enabled"
        found.update(said)
        return found


def public(made: Object) -> Object:
    """An object as Stripe shows it: what begins with _ is the peer's own, and a webhook's secret is told once."""
    hidden = {"secret"} if made["object"] == "webhook_endpoint" and not made.get("_shown") else set()
    return {key: value for key, value in made.items() if not key.startswith("_") and key not in hidden}


def pay(call: Call, intent: Object, *, declined: bool, tell: bool = True) -> Object:
    """Charge a PaymentIntent. Raises Refused (402) where the card is declined."""
    charge = call.put(
        "charge",
        amount=intent["amount"],
        currency=intent["currency"],
        amount_refunded=0,
        refunded=False,
        payment_intent=intent["id"],
        paid=not declined,
        status="failed" if declined else "succeeded",
        metadata=intent["metadata"],
    )
    intent["latest_charge"] = charge["id"]
    if declined:
        reason = {"type": "card_error", "code": "card_declined", "message": "Your card was declined."}
        intent.update(status="requires_payment_method", last_payment_error=reason)
        call.tell("payment_intent.payment_failed", public(intent))
        raise Refused(reason["message"], code="card_declined", status=402)
    intent.update(status="succeeded", amount_received=intent["amount"], last_payment_error=None)
    call.tell("payment_intent.succeeded", public(intent))
    call.tell("charge.succeeded", public(charge))
    return charge


def subscribe(call: Call, customer: str, items: list[tuple[Object, int]], trial: int, metadata: Object) -> Object:
    """A new subscription of these prices, with `trial` days for nothing."""
    now = int(time.time())
    for number, (price, _) in enumerate(items):
        if not price.get("recurring"):
            raise Refused("A subscription needs recurring prices.", f"items[{number}][price]")
    end = now + (trial or 30) * 86400
    rows = [
        {
            "id": f"si_{secrets.token_hex(8)}",
            "object": "subscription_item",
            "price": public(price),
            "quantity": many,
            "current_period_start": now,
            "current_period_end": end,
        }
        for price, many in items
    ]
    made = call.put(
        "subscription",
        customer=customer,
        currency=items[0][0]["currency"],
        status="trialing" if trial else "active",
        trial_end=end if trial else None,
        cancel_at_period_end=False,
        cancel_at=None,
        canceled_at=None,
        ended_at=None,
        metadata=metadata,
        items={"object": "list", "data": rows, "has_more": False},
    )
    call.tell("customer.subscription.created", public(made))
    invoice(call, made, paid=True, amount=0 if trial else None)
    return made


def invoice(call: Call, subscription: Object, *, paid: bool, amount: int | None = None) -> Object:
    due = sum(row["price"]["unit_amount"] * row["quantity"] for row in subscription["items"]["data"])
    made = call.put(
        "invoice",
        customer=subscription["customer"],
        currency=subscription["currency"],
        amount_due=due if amount is None else amount,
        status="paid" if paid else "open",
        parent={"type": "subscription_details", "subscription_details": {"subscription": subscription["id"]}},
    )
    subscription["latest_invoice"] = made["id"]
    call.tell("invoice.paid" if paid else "invoice.payment_failed", public(made))
    return made


# What people see: the pages that Stripe hosts


class Pages:
    """Checkout, onboarding and the billing portal, as pages with one form."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def find(self, id: str) -> tuple[Call, Object]:
        for account, kept in list(self.peer.objects.items()):
            if id in kept:
                return Call(self.peer, account, self.peer.owners.get(account, account), {}), kept[id]
        raise Refused("There is no such page.", status=404)

    def checkout(self, id: str, form: Object | None) -> Answer:
        call, session = self.find(id)
        if session["status"] == "open" and session["expires_at"] <= time.time():
            Rules().checkout_sessions_expire(call, session)
        if session["status"] != "open":
            return page(
                "This payment page is no longer available", "<p>It has expired or has been used.</p>", status=410
            )
        total = f"{session['amount_total']} {session['currency']}"
        if form is None:
            return page("Pay", _checkout_form(session, total))
        if form.get("card", "") == DECLINED:
            try:
                self._intent(call, session, declined=True)
            except Refused as reason:
                return page("Pay", f"<p role=alert>{reason}</p>{_checkout_form(session, total)}", status=402)
        if form.get("method") == "bank":
            self._intent(call, session, later=True)
            session.update(status="complete", url=None)
            call.tell("checkout.session.completed", public(session))
        else:
            free = False
            if session["mode"] == "payment":
                self._intent(call, session)
            else:
                free = self._subscription(call, session, form)["status"] == "trialing"
            session.update(status="complete", payment_status="no_payment_required" if free else "paid", url=None)
            call.tell("checkout.session.completed", public(session))
        back = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
        return Answer(303, "", {"Location": back})

    def _intent(self, call: Call, session: Object, *, declined: bool = False, later: bool = False) -> None:
        data = session["_said"].get("payment_intent_data", {})
        if session["payment_intent"] is None:
            made = call.put(
                "payment_intent",
                amount=session["amount_total"],
                currency=session["currency"],
                status="processing",
                latest_charge=None,
                last_payment_error=None,
                description=data.get("description"),
                application_fee_amount=data.get("application_fee_amount"),
                metadata=data.get("metadata", {}),
            )
            session["payment_intent"] = made["id"]
        if not later:
            pay(call, call.get("payment_intent", session["payment_intent"]), declined=declined)

    def _subscription(self, call: Call, session: Object, form: Object) -> Object:
        said = session["_said"].get("subscription_data", {})
        if not session["customer"]:
            email = session["customer_email"] or form.get("email") or None
            session["customer"] = call.put("customer", email=email, metadata={})["id"]
        items = [(call.get("price", item["price"]), item["many"]) for item in session["_items"]]
        days = said.get("trial_period_days", 0)
        made = subscribe(call, session["customer"], items, days, said.get("metadata", {}))
        session["subscription"] = made["id"]
        return made

    def onboard(self, id: str, form: Object | None) -> Answer:
        _, link = self.find(id)
        if form is None:
            return page("Open your account", "<form method=post><button>Finish</button></form>")
        account = self.peer.objects[link["account"]][link["account"]]
        account.update(charges_enabled=True, details_submitted=True, payouts_enabled=True)
        self.peer.tell(account["id"], "account.updated", public(account))
        return Answer(303, "", {"Location": link["_back"]})

    def portal(self, id: str, form: Object | None) -> Answer:
        call, session = self.find(id)
        mine = [
            each
            for each in self.peer.objects[call.account].values()
            if each["object"] == "subscription" and each["customer"] == session["customer"]
        ]
        if form is None:
            rows = "".join(f"<li>{each['id']} {each['status']}</li>" for each in mine)
            buttons = "<button name=do value=cancel>Cancel plan</button><button name=do value=keep>Keep plan</button>"
            price = "<label>Price <input name=price></label><button name=do value=price>Change plan</button>"
            back = html.escape(session["return_url"])
            return page(
                "Your plan", f"<ul>{rows}</ul><form method=post>{price}{buttons}</form><a href='{back}'>Back</a>"
            )
        for each in mine:
            if form["do"] == "price":
                row = each["items"]["data"][0]["id"]
                call.params = {"items": [{"id": row, "price": form["price"]}]}
            else:
                call.params = {"cancel_at_period_end": form["do"] == "cancel"}
            Rules().subscriptions_update(call, each)
        return Answer(303, "", {"Location": session["return_url"]})


def _checkout_form(session: Object, total: str) -> str:
    lines = "".join(f"<li>{html.escape(item['name'])}</li>" for item in session["_items"])
    back = html.escape(session["cancel_url"] or "")
    return (
        f"<ul>{lines}</ul><p>{total}</p><form method=post><label>E-mail <input name=email></label>"
        "<label>Card number <input name=card inputmode=numeric></label>"
        "<label>Method <select name=method><option value=card>Card<option value=bank>Bank</select></label>"
        f"<button>Pay</button></form><a href='{back}'>Back</a>"
    )


def page(title: str, body: str, *, status: int = 200) -> Answer:
    head = f"<!doctype html><html lang=en><meta charset=utf-8><link rel=icon href='data:,'><title>{title}</title>"
    return Answer(status, f"{head}<main><h1>{title}</h1>{body}</main>", {"Content-Type": "text/html; charset=utf-8"})


# What a test may ask


class Control:
    """POST /_peer/<name> with JSON: each method is one thing that a test may do, beyond what the API can."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def set(self, **values: Any) -> Any:
        """`fail` and `silent` as in Peer."""
        for key, value in values.items():
            if key not in ("fail", "silent"):
                raise Refused(f"unknown: {key}")
            setattr(self.peer, key, value)

    def requests(self) -> Any:
        """Every request to the API so far: method, path, account, key (of idempotency), params, status, replayed."""
        return self.peer.requests

    def deliveries(self) -> Any:
        """Every delivery of a webhook so far: event, type, url, status."""
        return self.peer.deliveries

    def objects(self, kind: str, account: str = "") -> Any:
        """All objects of a kind, of one account or of all, oldest first."""
        return [
            public(each)
            for owner, kept in self.peer.objects.items()
            for each in kept.values()
            if each["object"] == kind and account in ("", owner)
        ]

    def deliver(self, events: list[str]) -> Any:
        """Send these events, in this order, once each; event -> the statuses of its endpoints."""
        known = {each["id"]: (owner, each) for owner, kept in self.peer.objects.items() for each in kept.values()}
        return [self.peer.deliver(*known[id]) for id in events]

    def settle(self, session: str, paid: bool) -> Any:
        """The bank has decided about a payment that was on its way."""
        call, found = Pages(self.peer).find(session)
        intent = call.get("payment_intent", found["payment_intent"])
        try:
            pay(call, intent, declined=not paid)
        except Refused:
            call.tell("checkout.session.async_payment_failed", public(found))
        else:
            found["payment_status"] = "paid"
            call.tell("checkout.session.async_payment_succeeded", public(found))

    def expire(self, session: str) -> Any:
        """The time of a session is over."""
        call, found = Pages(self.peer).find(session)
        Rules().checkout_sessions_expire(call, found)

    def period(self, subscription: str, paid: bool = True) -> Any:
        """The period of a subscription has ended, and the next was paid or not; one that was cancelled is over."""
        call, found = Pages(self.peer).find(subscription)
        if found["cancel_at_period_end"]:
            Rules().subscriptions_delete(call, found)
            return
        for row in found["items"]["data"]:
            row["current_period_start"] = row["current_period_end"]
            row["current_period_end"] += 30 * 86400
        found["status"] = "active" if paid else "past_due"
        invoice(call, found, paid=paid)
        call.tell("customer.subscription.updated", public(found))

    def status(self, subscription: str, status: str) -> Any:
        """A subscription is given a status: unpaid, paused, incomplete, canceled …"""
        call, found = Pages(self.peer).find(subscription)
        found["status"] = status
        kind = "deleted" if status == "canceled" else "updated"
        call.tell(f"customer.subscription.{kind}", public(found))

    def trial_will_end(self, subscription: str) -> Any:
        call, found = Pages(self.peer).find(subscription)
        call.tell("customer.subscription.trial_will_end", public(found))

    def tell(self, type: str, object: Object, account: str) -> Any:
        """An event of any type, about anything."""
        return self.peer.tell(account, type, object)["id"]


# HTTP


class Desk(BaseHTTPRequestHandler):
    """Reads requests and answers them."""

    protocol_version = "HTTP/1.1"
    peer: Peer

    def log_message(self, *_: Any) -> None:
        """Nothing: tests ask for `requests`."""

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def do_DELETE(self) -> None:
        self.serve()

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = urlsplit(self.path).path
        how = None if path.startswith("/_peer/") else self._failing(path)
        if how == "cut":
            return self._hang_up()
        if isinstance(how, int):
            answer = Answer(how, Refused("The peer was told to fail.", status=how, type=_kind(how)).body)
        else:
            answer = self._answer(path, body)
        if how == "lost":
            return self._hang_up()
        self._send(answer)

    def _failing(self, path: str) -> Any:
        for start, how in self.peer.fail.items():
            if f"{self.command} {path}".startswith(start) or path.startswith(start):
                return how
        return None

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _answer(self, path: str, body: str) -> Answer:
        try:
            if path.startswith("/_peer/"):
                name = path.removeprefix("/_peer/")
                lock = nullcontext() if name == "deliver" else self.peer.lock  # whoever hears of an event asks us
                with lock:
                    return Answer(200, json.dumps(getattr(Control(self.peer), name)(**json.loads(body or "{}"))))
            with self.peer.lock:
                return self._api(path, body) if path.startswith("/v1/") else self._page(path, body)
        except Refused as reason:
            return Answer(reason.status, reason.body)

    def _page(self, path: str, body: str) -> Answer:
        form = dict(parse_qsl(body, keep_blank_values=True)) if self.command == "POST" else None
        pages = Pages(self.peer)
        known: dict[str, Callable[[str, Object | None], Answer]] = {
            "/c/pay/": pages.checkout,
            "/onboard/": pages.onboard,
            "/p/session/": pages.portal,
        }
        for start, show in known.items():
            if path.startswith(start):
                return show(path.removeprefix(start), form)
        raise Refused("There is no such page.", status=404)

    def _api(self, path: str, body: str) -> Answer:
        platform = self._platform()
        account = self.headers.get("Stripe-Account") or platform
        if account != platform and self.peer.owners.get(account) != platform:
            raise Refused(
                f"The provided key does not have access to account '{account}' (or that account does not exist).",
                code="account_invalid",
                status=403,
            )
        key = self.headers.get("Idempotency-Key", "") if self.command == "POST" else ""
        said = decode(body if self.command == "POST" else urlsplit(self.path).query or body)
        row: Object = {"method": self.command, "path": path, "account": account, "key": key, "params": said}
        self.peer.requests.append(row)
        print_ = json.dumps(said, sort_keys=True)
        before = self.peer.answers.get((account, path, key)) if key else None
        if before and before[0] != print_:
            raise Refused(
                "Keys for idempotent requests can only be used with the same parameters they were first used with.",
                type="idempotency_error",
            )
        if before:
            row.update(status=before[1].status, replayed=True)
            return before[1]._replace(headers={"Idempotent-Replayed": "true"})
        try:
            answer = Answer(200, Api(self.peer, account, platform, key).do(self.command, path, said))
        except Refused as reason:
            answer = Answer(reason.status, reason.body)
        row.update(status=answer.status, replayed=False)
        if key and answer.status < 500:
            made = json.loads(json.dumps(answer.body))  # as it was then
            self.peer.answers[account, path, key] = (print_, answer._replace(body=made))
        return answer

    def _platform(self) -> str:
        """The account that a key names, by Bearer or Basic."""
        given = self.headers.get("Authorization", "")
        kind, _, key = given.partition(" ")
        if kind == "Basic":
            key = base64.b64decode(key).decode().partition(":")[0]
        named = re.fullmatch(r"(?:sk|rk)_test_([A-Za-z0-9]{8})[A-Za-z0-9]*", key)
        if not named:
            shown = f"{key[:8]}***{key[-4:]}" if key else "none"
            raise Refused(f"Invalid API Key provided: {shown}", status=401)
        return f"acct_{named[1]}"

    def _send(self, answer: Answer) -> None:
        body = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json", "Request-Id": f"req_{next(self.peer.numbers)}"}
        for name, value in {**headers, **answer.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _kind(status: int) -> str:
    return "api_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"


@dataclass
class Api:
    """One call of the API, within one account."""

    peer: Peer
    account: str
    platform: str
    key: str

    def do(self, method: str, path: str, said: Object) -> Object:
        parts = path.removeprefix("/v1/").split("/")
        if path == "/v1/account" and method == "GET":
            call = Call(self.peer, self.account, self.platform, said, self.key)
            mine = self.peer.objects.get(self.account, {}).get(self.account)
            return public(mine or call.put("account", id=self.account, charges_enabled=True, details_submitted=True))
        kind = "/".join(parts[:2]) if parts[0] in ("checkout", "billing_portal") else parts[0]
        rest = parts[kind.count("/") + 1 :]
        if kind not in KINDS or len(rest) > 2 or (len(rest) == 2 and rest[1] not in ACTIONS):
            raise Refused(f"Unrecognized request URL ({method}: {path}).", status=404)
        verb = self._verb(method, rest)
        params = self._checked(kind, verb, said)
        expand = params.pop("expand", [])
        call = Call(self.peer, self.account, self.platform, params, self.key)
        found = call.get(KINDS[kind][0], rest[0]) if rest else None
        made = self._done(call, kind, verb, found)
        for way in expand:
            expanded(call, made, way.split("."))
        return made

    def _verb(self, method: str, rest: list[str]) -> str:
        if len(rest) == 2:
            return rest[1]
        plain = {"GET": "retrieve", "POST": "update", "DELETE": "delete"} if rest else {"GET": "list", "POST": "create"}
        return plain.get(method, "?")

    def _checked(self, kind: str, verb: str, said: Object) -> Object:
        name = "Cancel" if (kind, verb) == ("subscriptions", "delete") else verb.title()
        declared = parameters(kind, name)
        if declared is not None:
            return checked(said, declared)
        if verb in ("retrieve", "delete") and not set(said) - {"expand"}:
            return said
        raise Refused(f"Unrecognized request ({verb} of {kind}).", status=404)

    def _done(self, call: Call, kind: str, verb: str, found: Object | None) -> Object:
        doing = getattr(Rules(), f"{kind.replace('/', '_')}_{verb}", None)
        if doing is not None:
            return public(doing(call, found) if found is not None else doing(call))
        if verb == "list":
            return self._list(call, kind)
        if found is not None and verb == "retrieve":
            return public(found)
        if found is not None and verb == "update":
            found["metadata"] = {**found.get("metadata", {}), **call.params.pop("metadata", {})}
            found.update(call.params)
            return public(found)
        if found is not None and verb == "delete":
            del self.peer.objects[self.account][found["id"]]
            return {"id": found["id"], "object": found["object"], "deleted": True}
        raise Refused(f"The peer does not know {verb} of {kind}.", status=404)

    def _list(self, call: Call, kind: str) -> Object:
        said = call.params
        limit, after = said.pop("limit", 10), said.pop("starting_after", "")
        said = {key: value for key, value in said.items() if value != "all"}
        rows = [
            each
            for each in reversed(list(self.peer.objects.get(self.account, {}).values()))
            if each["object"] == KINDS[kind][0] and all(fits(each, key, value) for key, value in said.items())
        ]
        ids = [each["id"] for each in rows]
        rows = rows[ids.index(after) + 1 :] if after in ids else rows
        shown = [public(each) for each in rows[:limit]]
        return {"object": "list", "url": f"/v1/{kind}", "has_more": len(rows) > limit, "data": shown}


def fits(made: Object, key: str, value: Any) -> bool:
    """Whether an object is one of those that a list was asked for."""
    if key == "created" and isinstance(value, dict):
        compare = {"gte": int.__ge__, "gt": int.__gt__, "lte": int.__le__, "lt": int.__lt__}
        return all(compare[how](made["created"], int(each)) for how, each in value.items())
    if key in ("types", "lookup_keys"):
        return made.get(key.removesuffix("s")) in value
    return bool(made.get(key) == value)


def expanded(call: Call, made: Any, way: list[str]) -> None:
    """Put objects in the place of their ids, along a path such as ["data", "payment_intent"]."""
    for each in made if isinstance(made, list) else [made]:
        inner = each.get(way[0])
        if isinstance(inner, str):
            inner = each[way[0]] = public(call.peer.objects[call.account][inner])
        if inner is not None and way[1:]:
            expanded(call, inner, way[1:])


# The hand that moves it


class Stripe:
    """A peer in a process of its own, for tests."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError("the Stripe peer does not start")
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.communicate()  # its input ends, and so does it
            self.process = None

    def ask(self, name: str, **about: Any) -> Any:
        """Do what Control has by this name."""
        request = urllib.request.Request(f"{self.url}/_peer/{name}", json.dumps(about).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def submit(self, url: str, **form: str) -> int:
        """Send the form of a page that the peer hosts, as a browser does that follows no redirect; its status."""
        status, _ = self.fetch(url, **form)
        return status

    def fetch(self, url: str, **form: str) -> tuple[int, str]:
        """Send a hosted page's form; the status and where it leads on."""
        request = urllib.request.Request(url, urlencode(form or {"do": "go"}).encode())
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=60) as answer:
                return answer.status, answer.headers.get("Location", "")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers.get("Location", "")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def main() -> None:
    peer = Peer()
    desk = type("Desk", (Desk,), {"peer": peer})
    server = ThreadingHTTPServer(("127.0.0.1", 0), desk)
    server.daemon_threads = True
    peer.address = f"http://127.0.0.1:{server.server_address[1]}"
    print(peer.address, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()  # until whoever started us ends, or wants us to
    os._exit(0)


if __name__ == "__main__":
    main()
