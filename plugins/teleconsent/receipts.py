"""Receipts: the SHA-256 of a signed document, the time, and which form it is of. There is no name in it."""

import re
import time

from sqlalchemy import delete, func, select

from housecall import db, write

from .models import Receipt

YEARS = 10  #: as plugin.toml says
SHA256 = re.compile(r"[0-9a-f]{64}")


def now():
    return time.time_ns() // 1_000_000


def keep(clinic, sha256, form, version):
    """Whether a receipt is there now; a second one of the same document changes nothing."""
    if not SHA256.fullmatch(sha256):
        return False
    with write() as session:
        if session.get(Receipt, (clinic, sha256)) is None:
            session.add(Receipt(clinic_id=clinic, sha256=sha256, form=form, version=version, at=now()))
    return True


def find(sha256):
    """The receipts of a document, of whichever practice of this server."""
    return list(db.session.scalars(select(Receipt).where(Receipt.sha256 == sha256)))


def begin():
    """When the receipts of each practice of this server begin."""
    return dict(db.session.execute(select(Receipt.clinic_id, func.min(Receipt.at)).group_by(Receipt.clinic_id)).all())


def oldest():
    """Since when receipts are kept at most."""
    return now() - YEARS * 365 * 86_400_000


def sweep(clinic):
    """Forget what is older than we say."""
    first = oldest()
    with write() as session:
        session.execute(delete(Receipt).where(Receipt.clinic_id == clinic, Receipt.at < first))
