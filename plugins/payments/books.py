"""What a clinic's payments come to: the list, totals by currency and month, and a file for a spreadsheet."""

import csv
import datetime as dt
import io
from dataclasses import dataclass

from sqlalchemy import func, select

from housecall import Base, db

from . import currencies, states
from .models import Payment

PAGE = 50  #: payments of one page of the list
MONTHS = 12  #: of the picture


@dataclass(frozen=True, kw_only=True)
class Total:
    """What came in, in one currency: minor units, the money given back apart."""

    currency: str
    count: int
    taken: int
    back: int
    months: list[tuple[str, int]]  #: (YYYY-MM in UTC, what was left of it), the last twelve

    @property
    def left(self):
        return self.taken - self.back

    def shown(self, amount):
        return currencies.shown(amount, self.currency)

    def bars(self):
        """(month, words, height from 0 to 1) of each month."""
        most = max([1, *(amount for _, amount in self.months)])
        return [(month, self.shown(amount), max(amount, 0) / most) for month, amount in self.months]


def mine(clinic, member):
    """Which payments a member may see: all for owners and admins, else those that the member has asked for."""
    query = select(Payment).where(Payment.clinic_id == clinic)
    return query if member.role in ("owner", "admin") else query.where(Payment.member_id == member.id)


def page(clinic, member, number):
    """(payments of a page of the list, the newest first; how many pages there are)."""
    query = mine(clinic, member)
    count = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = db.session.scalars(
        query.order_by(Payment.created.desc(), Payment.id).limit(PAGE).offset((number - 1) * PAGE)
    )
    return list(rows), max(1, -(-count // PAGE))


def one(clinic, member, payment):
    """A payment that this member may see, or None."""
    return db.session.scalar(mine(clinic, member).where(Payment.id == payment))


def totals(clinic, member, *, live):
    """A Total for each currency, the largest count first; test payments apart from real ones."""
    query = mine(clinic, member).where(Payment.state.in_(states.TAKEN), Payment.live == live)
    by = {}
    for row in db.session.scalars(query):
        by.setdefault(row.currency, []).append(row)
    months = last_months(dt.datetime.now(dt.UTC).date())
    found = []
    for currency, rows in by.items():
        left = dict.fromkeys(months, 0)
        for row in rows:
            month = day(row.paid)[:7]
            if month in left:
                left[month] += row.amount - row.refunded
        taken, back = sum(row.amount for row in rows), sum(row.refunded for row in rows)
        found.append(Total(currency=currency, count=len(rows), taken=taken, back=back, months=list(left.items())))
    return sorted(found, key=lambda total: (-total.count, total.currency))


def last_months(today):
    """The last twelve months as YYYY-MM, this one at the end."""
    number = today.year * 12 + today.month - 1
    return [f"{n // 12:04}-{n % 12 + 1:02}" for n in range(number - MONTHS + 1, number + 1)]


def day(ms):
    """A time as YYYY-MM-DD HH:MM in UTC."""
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M") if ms else ""


def names(rows):
    """Member's id -> name, of those who have asked for these payments."""
    table = Base.metadata.tables["member"]
    wanted = {row.member_id for row in rows if row.member_id}
    found = db.session.execute(
        select(table.c.id, table.c.display_name, table.c.first_name, table.c.last_name).where(table.c.id.in_(wanted))
    )
    return {id: shown or f"{first} {last}".strip() for id, shown, first, last in found}


def sheet(clinic, member):
    """All payments as CSV with a heading: amounts as numbers with a point, times in UTC. No patient is in it."""
    rows = list(db.session.scalars(mine(clinic, member).order_by(Payment.created)))
    known, out = names(rows), io.StringIO()
    write = csv.writer(out)
    write.writerow(
        ["asked", "paid", "state", "amount", "given back", "currency", "asked by", "mode", "payment", "stripe"]
    )
    for row in rows:
        amounts = (currencies.plain(each, row.currency) for each in (row.amount, row.refunded))
        mode = "live" if row.live else "test"
        cells = [day(row.created), day(row.paid), row.state, *amounts, row.currency.upper()]
        write.writerow([*cells, _cell(known.get(row.member_id, "")), mode, row.id, row.intent or ""])
    return out.getvalue()


def _cell(text):
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
