"""Every HTTP error as a page (or JSON for scripts) that says what happened and what to do next."""

from __future__ import annotations

import logging

from flask import Flask, g, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from ..logs import log
from .language import lang
from .look import render
from .messages import HTTP, say


def init_app(app: Flask) -> None:
    """Answer errors ourselves: Werkzeug's own pages are for programmers."""

    @app.errorhandler(HTTPException)
    def known(error: HTTPException) -> ResponseReturnValue:
        return answer(error.code or 500, allow=getattr(error, "valid_methods", None))

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> ResponseReturnValue:
        rule = request.url_rule.rule if request.url_rule else None
        log("error", level=logging.ERROR, exc_info=True, rule=rule, method=request.method)
        return answer(500)


def answer(status: int, allow: list[str] | None = None) -> ResponseReturnValue:
    """The answer for a status, in the form that the asker reads."""
    message = say(HTTP.get(str(status), HTTP["500" if status >= 500 else "400"]), lang())
    headers = {"Allow": ", ".join(sorted(allow))} if allow else {}
    if request.is_json or request.headers.get("X-Form-Token"):
        return jsonify(error=str(status), message=" ".join(message)), status, headers
    if "clinic" not in g:
        return f"{message.what}\n", status, {**headers, "Content-Type": "text/plain; charset=utf-8"}
    return render("error.html", status=status, what=message.what, next=message.next), status, headers
