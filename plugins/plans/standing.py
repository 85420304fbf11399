"""What a practice has: of what Stripe says, what we keep; of what we keep, what holds at a time. Pure functions.

States: none (nothing was ever subscribed to) · chosen (a free plan) · incomplete (a first payment is not finished) ·
trialing · active · past_due (a payment has failed; the plan goes on for the days of grace, then it has lapsed) · ended.
"""

from dataclasses import dataclass

from .tariffs import WHOLE, Plan

DAY = 86_400_000  #: ms

#: Stripe's word for a subscription -> ours. What is not here has ended: canceled, unpaid, paused, incomplete_expired.
STATES = {"trialing": "trialing", "active": "active", "past_due": "past_due", "incomplete": "incomplete"}
LIVE = ("active", "trialing", "past_due")  #: best first
ORDER = (*LIVE, "incomplete", "ended")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What holds now."""

    plan: Plan
    state: str  #: as above, or lapsed, or unknown (it is paid for, and no plan of housecall.toml has its price)
    paid: Plan | None = None  #: what is paid for, or was
    until: int = 0  #: ms: when the trial, what is paid for, or the grace ends
    ends: bool = False
    live: bool = False  #: a subscription goes on at Stripe, which has a page for it

    def days(self, now):
        """Days that are left, the begun one included."""
        return max(0, -(-(self.until - now) // DAY))


def at(book, row, now):
    """The standing of a practice at a time (ms), by its row (or None) and the plans of the server."""
    state = row.state if row else "none"
    if state == "chosen":
        plan = book.by_id(row.plan)
        if plan is None or plan.price:  # housecall.toml has changed since
            return Standing(plan=book.default, state="none")
        return Standing(plan=plan, state=state)
    paid = book.by_price(row.price) if row and row.price else None
    if state not in LIVE:
        return Standing(plan=book.default, state=state, paid=paid)
    if paid is None:
        return Standing(plan=WHOLE, state="unknown", until=row.until, ends=row.ends, live=True)
    if state != "past_due":
        return Standing(plan=paid, state=state, paid=paid, until=row.until, ends=row.ends, live=True)
    until = row.since + book.grace * DAY
    if now >= until:
        return Standing(plan=book.default, state="lapsed", paid=paid, until=until, live=True)
    return Standing(plan=paid, state=state, paid=paid, until=until, ends=row.ends, live=True)


def heard(subscriptions, row, now):
    """What changes in a row, by all subscriptions that Stripe has of its customer, whatever their order."""
    found = sorted(subscriptions, key=lambda each: (ORDER.index(_state(each)), -each["created"], each["id"]))
    if not found:
        return {"asked": now}
    best, state = found[0], _state(found[0])
    same = row.state == state and row.subscription == best["id"]
    item = best["items"]["data"][0]
    end = best["trial_end"] if state == "trialing" else item["current_period_end"]
    ends = bool(best["cancel_at_period_end"] or best["cancel_at"])
    more = {"plan": ""} if state in LIVE else {}
    if row.state == "chosen" and state not in LIVE:
        state = "chosen"  # a free plan that was chosen since is not undone by one that has ended
    return {
        "state": state,
        "price": item["price"]["id"],
        "since": row.since if same else now,
        "until": ((best["cancel_at"] if ends else None) or end or 0) * 1000,
        "ends": ends,
        "subscription": best["id"],
        "live": live(found),
        "trialed": row.trialed or any(each["trial_end"] for each in found),
        "asked": now,
        **more,
    }


def live(subscriptions):
    """How many go on."""
    return sum(_state(each) in LIVE for each in subscriptions)


def _state(subscription):
    return STATES.get(subscription["status"], "ended")
