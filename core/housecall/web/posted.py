"""What became of a message, for whoever has its id: 128 random bits, told to the page that posted it alone."""

from __future__ import annotations

from flask import Blueprint, abort, g, jsonify
from flask.typing import ResponseReturnValue

from ..postroom import posted

pages = Blueprint("posted", __name__)


@pages.get("/-/posted/<message_id>")
def fate(message_id: str) -> ResponseReturnValue:
    """`{state, tries, reason}`; nothing of what it says, or to whom. 404 an hour after its end."""
    found = posted(g.clinic.id, message_id)
    if found is None:
        abort(404)
    return jsonify(state=found.state, tries=found.tries, reason=found.reason)
