"""What lasts of a payment: amount, state and Stripe's ids. There is no name in it, no line of text, and no visit.

What ties a payment to a visit is sealed, and gone with the visit.
"""

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from housecall import Base

OWNED = {"info": {"owner": "payments"}}


class Payment(Base):
    """One payment that a member has asked for. Money: minor units of Stripe (currencies.py). Times: ms."""

    __tablename__ = "payments_payment"
    __table_args__ = (Index("payments_payment_clinic", "clinic_id", "created"), OWNED)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)  #: random; Stripe's idempotency key and reference
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"))
    member_id: Mapped[str | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))  #: none: at check-in
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    refunded: Mapped[int] = mapped_column(BigInteger)
    refunding: Mapped[int] = mapped_column(BigInteger)  #: what is being given back; 0 when Stripe has answered
    refunding_from: Mapped[int] = mapped_column(BigInteger)  #: `refunded` when that began: part of the key for Stripe
    state: Mapped[str] = mapped_column(String(12))  #: states.py
    cancelled: Mapped[bool]  #: a member has taken it back, whether Stripe knows it yet or not
    live: Mapped[bool]  #: real money, or Stripe's test mode
    account: Mapped[str] = mapped_column(String(40))  #: of Stripe, on which it was made
    session: Mapped[str | None] = mapped_column(String(100), index=True)
    intent: Mapped[str | None] = mapped_column(String(100), index=True)
    created: Mapped[int] = mapped_column(BigInteger)
    changed: Mapped[int] = mapped_column(BigInteger)
    paid: Mapped[int | None] = mapped_column(BigInteger)  #: when we learnt that it is


class Tie(Base):
    """Which visit a payment is for, while that goes on."""

    __tablename__ = "payments_tie"
    __table_args__ = OWNED

    payment_id: Mapped[str] = mapped_column(ForeignKey("payments_payment.id", ondelete="CASCADE"), primary_key=True)
    mark: Mapped[str] = mapped_column(String(64), index=True)  #: fingerprint of the visit's id
    sealed: Mapped[str] = mapped_column(Text)  #: JSON: visit, line, step, url
    made: Mapped[int] = mapped_column(BigInteger)


class Heard(Base):
    """An event of Stripe's that was heard, so that it is not heard twice."""

    __tablename__ = "payments_heard"
    __table_args__ = OWNED

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    event: Mapped[str] = mapped_column(String(100), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)


class Account(Base):
    """The Stripe account that a clinic has connected, and the address at which Stripe tells us of it."""

    __tablename__ = "payments_account"
    __table_args__ = OWNED

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    account: Mapped[str] = mapped_column(String(40))  #: Stripe's id
    ready: Mapped[bool]  #: it may take payments
    live: Mapped[bool]
    key: Mapped[str] = mapped_column(String(64))  #: fingerprint of the key that it was connected with
    hook: Mapped[str] = mapped_column(String(32))  #: the secret part of our address
    endpoint: Mapped[str] = mapped_column(String(100))  #: Stripe's id of it; empty where Stripe cannot reach us
    sealed: Mapped[str] = mapped_column(Text)  #: the secret with which Stripe signs
    checked: Mapped[int] = mapped_column(BigInteger)
