"""What housecall.toml says: `[server.plans]` and each `[[server.plans.plan]]`."""

import importlib.util
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TABLE = {"key": str, "webhook_secret": str, "grace": int, "base": str, "plan": list}
PLAN = {
    "id": str,
    "name": str,
    "text": str,
    "cost": str,
    "price": str,
    "trial": int,
    "members": int,
    "rooms": int,
    "plugins": list,
    "default": bool,
}
ID = re.compile(r"[a-z][a-z0-9_-]{0,39}")
KEY = re.compile(r"(sk|rk)_(test|live)_\w+")
GRACE = 7  #: days for which a plan goes on when its payment has failed


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a practice may have, and what people read about it."""

    id: str
    name: str
    text: str = ""  #: a sentence
    cost: str = ""  #: in words, such as "29 € a month"; what is charged is the price's
    price: str = ""  #: Stripe's id of a recurring price; none: free
    trial: int = 0  #: days, once for each practice
    members: int | None = None  #: at most; none: as many as they like
    rooms: int | None = None
    plugins: tuple[str, ...] | None = None  #: those that it may have; none: all


#: What nobody limits: a server without plans, and a practice that pays for one that the server does not know any more.
WHOLE = Plan(id="", name="")


@dataclass(frozen=True, kw_only=True)
class Book:
    """All plans of a server."""

    plans: tuple[Plan, ...] = ()
    default: Plan = WHOLE
    key: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    grace: int = GRACE  #: days
    base: str = ""  #: another address than Stripe's own, for tests

    @property
    def live(self):
        """Whether the key moves real money."""
        return "_live_" in self.key

    @property
    def paid(self):
        """Whether any plan is paid for."""
        return any(plan.price for plan in self.plans)

    def by_id(self, id):
        return next((plan for plan in self.plans if plan.id == id), None)

    def by_price(self, price):
        return next((plan for plan in self.plans if plan.price and plan.price == price), None)


def read(table):
    """The book that a table of housecall.toml makes; what is wrong with it is noted there."""
    top, plans, places, defaults = table.read(TABLE), [], {}, []
    for place, entry in table.each("plan", PLAN):
        plan = _plan(table, place, entry)
        for name in ("id", "price"):
            value = getattr(plan, name)
            if value and (name, value) in places:
                table.wrong(f"{place}.{name}", f"{value!r} is that of {places[name, value]} already")
            places[name, value] = place
        if entry.get("default"):
            defaults.append((place, plan))
        plans.append(plan)
    _check(table, top, plans, defaults)
    return Book(
        plans=tuple(plans),
        default=defaults[0][1] if defaults else WHOLE,
        key=top.get("key", ""),
        webhook_secret=top.get("webhook_secret", ""),
        grace=top.get("grace", GRACE),
        base=top.get("base", "").rstrip("/"),
    )


def _plan(table, place, entry):
    given = {name: value for name, value in entry.items() if name not in ("default", "plugins")}
    plan = Plan(**{"id": "", "name": "", **given}, plugins=_plugins(table, f"{place}.plugins", entry))
    if not ID.fullmatch(plan.id):
        table.wrong(f"{place}.id", "each plan needs an id of small letters, digits, - and _")
    if not plan.name.strip():
        table.wrong(f"{place}.name", "each plan needs a name, as people read it")
    if plan.price and not plan.price.startswith("price_"):
        table.wrong(f"{place}.price", "this must be Stripe's id of a recurring price, which begins with price_")
    if plan.trial and not plan.price:
        table.wrong(f"{place}.trial", "what is free needs no trial; this belongs to a plan with a `price`")
    if not 0 <= plan.trial <= 730:
        table.wrong(f"{place}.trial", "this must be from 0 to 730 days")
    for name in ("members", "rooms"):
        most = getattr(plan, name)
        if most is not None and most < 1:
            table.wrong(f"{place}.{name}", "this must be 1 or more; leave it out for as many as they like")
    return plan


def _plugins(table, where, entry):
    if "plugins" not in entry:
        return None
    if not all(isinstance(name, str) for name in entry["plugins"]):
        table.wrong(where, "this must be a list of plugins, such as ['chat']; leave it out for all")
        return ()
    return tuple(table.one_of(where, name, table.plugins) for name in entry["plugins"])


def _check(table, top, plans, defaults):
    if not plans:
        if table.entries:
            table.wrong("plan", "at least one plan is needed: [[server.plans.plan]] with an id and a name")
        return
    if len(defaults) != 1:
        table.wrong("plan", "one plan, and only one, is the one without a subscription: default = true")
    for place, plan in defaults:
        if plan.price:
            table.wrong(f"{place}.price", "the default plan is what a practice has without paying; it has no price")
    if any(plan.price for plan in plans):
        if importlib.util.find_spec("stripe") is None:
            table.wrong("plan", "plans with a price need the Python module 'stripe': pip install 'housecall[plans]'")
        for name in ("key", "webhook_secret"):
            if not top.get(name):
                table.wrong(name, "this is needed where a plan has a price; env:NAME or file:PATH keeps it elsewhere")
    if top.get("key") and not KEY.fullmatch(top["key"]):
        table.wrong("key", "this must be a secret or restricted key of Stripe: sk_… or rk_…")
    if not 0 <= top.get("grace", GRACE) <= 90:
        table.wrong("grace", "this must be from 0 to 90 days")
    if base := top.get("base"):
        if urlsplit(base).scheme not in ("http", "https") or not urlsplit(base).netloc:
            table.wrong("base", "this must be an address; it is for tests, and left out everywhere else")
        elif "_live_" in top.get("key", ""):
            table.wrong("base", "a live key goes to Stripe and to nobody else")
