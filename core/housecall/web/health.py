"""Whether this server is well: for the operator's monitor, without a word about anybody."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from ..clinics.database import db

pages = Blueprint("health", __name__)


@pages.get("/-/health")
def health() -> ResponseReturnValue:
    db.session.execute(text("select 1"))
    return {"ok": True}
