"""Stripe behind a few verbs: what we ask of it, and what it says in our words. Its library comes when it is used."""

import contextlib
import re

from .states import Seen

TIMEOUT = 12  #: seconds for one answer
LIFE = 23 * 3600  #: seconds that a payment page is open; Stripe allows 30 minutes to 24 hours
KEY = re.compile(r"(sk|rk)_(live|test)_\w{8,200}")
PAGE = "https://checkout.stripe.com/"  #: where live payment pages are
EVENTS = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.payment_failed",
    "charge.refunded",
)
ACCOUNT_EVENTS = ("account.updated",)  #: of a platform, whose clinics have accounts of their own


class Trouble(Exception):
    """Stripe did not do what was asked. `sure`: it surely has not; else it may have.

    `code`: off (not connected), down (no answer, or not able to), busy, key (does not take our key), permission (the
    key may not), missing (has no such thing), refused (says no, and why: `said`).
    """

    def __init__(self, code, said="", *, sure=True):
        super().__init__(code)
        self.code, self.said, self.sure = code, said, sure


class Forged(Exception):
    """A message that Stripe has not signed for us, or long ago."""


class Stripe:
    """One account of Stripe: the clinic's own by its key, or a clinic's account by the platform's key.

    A context manager: its connection is closed at the end. Each verb raises Trouble.
    """

    def __init__(self, key, *, account="", base=""):
        stripe = _library()
        self._http = stripe.RequestsClient(timeout=TIMEOUT)
        where = {"base_addresses": {"api": base}} if base else {}
        self._client = stripe.StripeClient(key, http_client=self._http, max_network_retries=1, **where)
        self._of = {"stripe_account": account} if account else {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._http.close()

    def create(self, payment, *, amount, currency, line, created, success, cancel, fee=0):
        """A payment page. The same payment, asked for again, is the same page. `created`: seconds since 1970."""
        product = {"name": line}
        price = {"currency": currency, "unit_amount": amount, "product_data": product}
        intent = {"metadata": {"payment": payment}}
        if fee:
            intent["application_fee_amount"] = fee
        params = {
            "mode": "payment",
            "client_reference_id": payment,
            "line_items": [{"quantity": 1, "price_data": price}],
            "payment_intent_data": intent,
            "success_url": success,
            "cancel_url": cancel,
            "expires_at": created + LIFE,
        }
        with _asking():
            made = self._client.v1.checkout.sessions.create(params, {**self._of, "idempotency_key": payment})
        return _seen(made)

    def session(self, session):
        """How a payment stands."""
        with _asking():
            more = {"expand": ["payment_intent.latest_charge"]}
            return _seen(self._client.v1.checkout.sessions.retrieve(session, more, {**self._of}))

    def expire(self, session):
        """Close a payment page. Trouble("refused") where it is not open any more."""
        with _asking():
            self._client.v1.checkout.sessions.expire(session, {}, {**self._of})

    def refund(self, intent, amount, *, key):
        """Give back a part or all. The same `key`, asked for again, gives nothing twice."""
        with _asking():
            params = {"payment_intent": intent, "amount": amount}
            self._client.v1.refunds.create(params, {**self._of, "idempotency_key": key})

    def account(self):
        """(id, may take payments) of this account; ("", True) where the key may not ask."""
        try:
            with _asking():
                found = self._client.v1.accounts.retrieve_current({}, {**self._of})
        except Trouble as trouble:
            if trouble.code == "permission":
                return "", True
            raise
        return found.id, bool(_told(found, "charges_enabled"))

    def look_around(self):
        """Use what payments need, without changing anything: pages, refunds, addresses."""
        for listed in (self._client.v1.checkout.sessions, self._client.v1.refunds, self._client.v1.webhook_endpoints):
            with _asking():
                listed.list({"limit": 1}, {**self._of})

    def try_card(self, amount, currency):
        """Charge Stripe's test card; the payment's id. For a test key only, which moves no money."""
        ways = {"enabled": True, "allow_redirects": "never"}
        card = {"payment_method": "pm_card_visa", "automatic_payment_methods": ways, "confirm": True}
        with _asking():
            return self._client.v1.payment_intents.create({"amount": amount, "currency": currency, **card}).id

    def hook(self, url, *, connect=False):
        """(id, secret) of an address at which Stripe tells us what has happened; `connect`: on clinics' accounts."""
        params = {"url": url, "enabled_events": [*EVENTS, *(ACCOUNT_EVENTS if connect else ())]}
        if connect:
            params["connect"] = True
        with _asking():
            made = self._client.v1.webhook_endpoints.create(params)
        return made.id, made.secret

    def unhook(self, endpoint):
        with _asking():
            self._client.v1.webhook_endpoints.delete(endpoint)

    def open_account(self):
        """A new account of a clinic, which pays Stripe's fees and sees Stripe's dashboard. By the platform's key."""
        controller = {
            "fees": {"payer": "account"},
            "losses": {"payments": "stripe"},
            "stripe_dashboard": {"type": "full"},
        }
        with _asking():
            return self._client.v1.accounts.create({"controller": controller}).id

    def onboarding(self, account, *, back, again):
        """The address at which Stripe asks a clinic what it must know; good for some minutes."""
        params = {"account": account, "type": "account_onboarding", "return_url": back, "refresh_url": again}
        with _asking():
            return self._client.v1.account_links.create(params).url


def event(body, signature, secret):
    """What Stripe tells us: (event id, type, live, account or "", object). Raises Forged."""
    stripe = _library()
    try:
        told = stripe.Webhook.construct_event(body, signature, secret, tolerance=300)
    except (stripe.SignatureVerificationError, ValueError):
        raise Forged from None
    about = told.data.object
    return told.id, told.type, bool(told.livemode), _told(told, "account") or "", about.to_dict()


def is_page(url, *, live):
    """Whether an address is that of a payment page of Stripe's, to be shown to a patient."""
    return url.startswith(PAGE) if live else re.match(r"https?://", url) is not None


def _library():
    import stripe

    stripe.enable_telemetry = False  # how fast we were is nobody's business
    return stripe


@contextlib.contextmanager
def _asking():
    """Stripe's errors as Trouble."""
    stripe = _library()
    try:
        yield
    except stripe.AuthenticationError:
        raise Trouble("key") from None
    except stripe.PermissionError as error:
        raise Trouble("permission", error.user_message or "") from None
    except stripe.RateLimitError:
        raise Trouble("busy") from None
    except stripe.InvalidRequestError as error:
        code = "missing" if error.code == "resource_missing" else "refused"
        raise Trouble(code, error.user_message or "") from None
    except stripe.StripeError:
        raise Trouble("down", sure=False) from None


def _told(found, name):
    return getattr(found, name, None)


def _seen(session):
    intent = _told(session, "payment_intent")
    whole = intent if intent is not None and not isinstance(intent, str) else None
    charge = _told(whole, "latest_charge")
    charge = charge if charge is not None and not isinstance(charge, str) else None
    return Seen(
        session=session.id,
        status=session.status,
        payment=session.payment_status,
        url=_told(session, "url") or "",
        reference=_told(session, "client_reference_id") or "",
        amount=session.amount_total,
        currency=session.currency,
        intent=(whole.id if whole is not None else intent) or "",
        declined=_told(whole, "status") == "requires_payment_method" and _told(whole, "last_payment_error") is not None,
        refunded=_told(charge, "amount_refunded") or 0,
        expires=_told(session, "expires_at") or 0,
    )
