"""How a payment stands: what we know of it, what Stripe says of it, and what follows; pure, in any order."""

from dataclasses import dataclass

MAKING = "making"  #: kept here, not yet for sure at Stripe
REQUESTED = "requested"
OPENED = "opened"  #: the patient has gone to Stripe's page
PENDING = "pending"  #: the patient's bank takes days
PAID = "paid"
FAILED = "failed"  #: declined; while Stripe's page is open, another try may come
EXPIRED = "expired"
CANCELLED = "cancelled"
REFUNDED = "refunded"  #: all of it
STATES = (MAKING, REQUESTED, OPENED, PENDING, PAID, FAILED, EXPIRED, CANCELLED, REFUNDED)
WAITING = (MAKING, REQUESTED, OPENED, FAILED)  #: the patient may still pay
UNSETTLED = (*WAITING, PENDING)  #: Stripe is asked again how these stand
TAKEN = (PAID, REFUNDED)  #: money was taken, and perhaps given back


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What Stripe says of a Checkout Session and of the payment behind it, read again by id."""

    session: str
    status: str  #: of the session: open, complete, expired
    payment: str  #: unpaid, paid, no_payment_required
    url: str = ""
    reference: str = ""  #: our payment's id
    amount: int = 0
    currency: str = ""
    intent: str = ""
    declined: bool = False  #: the last try was
    refunded: int = 0  #: minor units
    expires: int = 0  #: seconds since 1970


def follow(state, cancelled, refunded, seen):
    """The state that follows. `cancelled`: a member has taken the payment back; `refunded`: minor units known so far.

    What is known is never lost to a look that is older: money that was taken stays taken, what is over stays over.
    """
    if seen.payment != "unpaid" or state in TAKEN:
        return REFUNDED if max(refunded, seen.refunded) >= seen.amount else PAID
    if seen.status == "complete":
        return FAILED if seen.declined else PENDING
    if state in (EXPIRED, CANCELLED, PENDING):
        return state
    if seen.status == "expired":
        return CANCELLED if cancelled else EXPIRED
    if seen.declined:
        return FAILED
    return REQUESTED if state == MAKING else state
