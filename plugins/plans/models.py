"""What lasts: what each practice has subscribed to, as Stripe said when it was last asked, and what it has told us."""

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from housecall import Base


class Subscription(Base):
    """A practice's. The states are those of standing.py."""

    __tablename__ = "plans_subscription"
    __table_args__ = {"info": {"owner": "plans"}}  # noqa: RUF012

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    plan: Mapped[str] = mapped_column(String(40), default="")  #: a free one that was chosen
    price: Mapped[str] = mapped_column(String(80), default="")  #: of what is paid for; housecall.toml says which plan
    state: Mapped[str] = mapped_column(String(20), default="none")
    since: Mapped[int] = mapped_column(BigInteger, default=0)  #: ms: when the state began
    until: Mapped[int] = mapped_column(BigInteger, default=0)  #: ms: when the trial, or what is paid for, ends
    ends: Mapped[bool] = mapped_column(default=False)  #: it was cancelled, and goes on until then
    customer: Mapped[str] = mapped_column(String(80), default="", index=True)
    subscription: Mapped[str] = mapped_column(String(80), default="")
    live: Mapped[int] = mapped_column(BigInteger, default=0)  #: how many subscriptions go on; two are a mistake
    trialed: Mapped[bool] = mapped_column(default=False)  #: it has had its trial
    asked: Mapped[int] = mapped_column(BigInteger, default=0)  #: ms: when Stripe last answered


class Seen(Base):
    """An event of Stripe's that was heeded."""

    __tablename__ = "plans_event"
    __table_args__ = {"info": {"owner": "plans"}}  # noqa: RUF012

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)  #: ms
