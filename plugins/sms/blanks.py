"""Requests with blanks: {to}, {text} and others, filled in as the place where they stand wants it."""

import base64
import json
import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from .wire import WORD, Request

#: What can stand in a request, and what it is.
BLANKS = {
    "to": "the number, with its +",
    "digits": "the number without its +",
    "text": "what is sent",
    "from": "the sender of the settings",
    "ref": "our mark of this text; the same when it is tried again",
    "report": "the address for delivery reports",
    "coding": "0 where GSM's letters are enough, 2 for UCS-2",
    "user": "the name of the settings",
    "key": "the key of the settings",
}
KINDS = {"form": "application/x-www-form-urlencoded", "json": "application/json", "plain": "text/plain; charset=utf-8"}
_BLANK = re.compile(r"\{([a-z]+)\}")
_HEADER = re.compile(r"([^:\s]+):[ \t]*(.*)")


class Mistake(ValueError):
    """What is wrong with a request: the setting, and a sentence."""

    def __init__(self, field, what):
        self.field, self.what = field, what
        super().__init__(what)


def filled(values, given, *, sign_in=True):
    """The request that `values` (http_method, url, http_headers, http_kind, http_body) describe. `given`: blanks.

    With `sign_in`, a name of the settings goes with the key in a header, too (Basic). Raises Mistake.
    """
    method, url = values.get("http_method") or "POST", values.get("url") or ""
    whole = _put("url", url, lambda name: quote(given[name], safe=""))
    parts = urlsplit(whole)
    if parts.scheme not in ("http", "https") or not parts.hostname or _BLANK.search(urlsplit(url).netloc):
        raise Mistake("url", "This must be an address that begins with https:// and has no blank in its host.")
    headers = dict(_headers(values.get("http_headers") or "", given))
    if sign_in and given["user"]:
        pair = base64.b64encode(f"{given['user']}:{given['key']}".encode()).decode()
        headers.setdefault("Authorization", f"Basic {pair}")
    body, kind = b"", values.get("http_kind") or "form"
    if method != "GET" and values.get("http_body"):
        body = _body(kind, values["http_body"], given)
        headers.setdefault("Content-Type", KINDS[kind])
    return Request(method=method, url=whole, headers=tuple(headers.items()), body=body)


def _headers(written, given):
    for line in filter(None, map(str.strip, written.split("\n"))):
        match = _HEADER.fullmatch(line)
        if not match or not WORD.fullmatch(match[1]):
            raise Mistake("http_headers", "Each line must be such as X-Key: {key}.")
        if match[1].lower() in ("host", "content-length", "connection", "transfer-encoding"):
            raise Mistake("http_headers", f"{match[1]} is written by Housecall itself.")
        if "{text}" in match[2]:
            raise Mistake("http_headers", "{text} has no place in a header: it may have several lines.")
        yield match[1], _put("http_headers", match[2], lambda name: given[name])


def _body(kind, written, given):
    def as_it_is(text):
        return _put("http_body", text, lambda name: given[name])

    if kind == "json":
        try:
            tree = json.loads(written)
        except ValueError:
            raise Mistake("http_body", 'This is no JSON. A blank stands in quotes there, as in "{to}".') from None
        return json.dumps(_in_strings(tree, as_it_is)).encode()
    if kind == "form":
        try:
            pairs = parse_qsl(written.replace("\n", ""), keep_blank_values=True, strict_parsing=True)
        except ValueError:
            raise Mistake("http_body", "A form is written as name=value&name=value.") from None
        return urlencode([(name, as_it_is(value)) for name, value in pairs]).encode()
    return as_it_is(written).encode()


def _in_strings(tree, change):
    """JSON with another text in place of each of its texts, however deep."""
    if isinstance(tree, str):
        return change(tree)
    if isinstance(tree, list):
        return [_in_strings(each, change) for each in tree]
    if isinstance(tree, dict):
        return {key: _in_strings(value, change) for key, value in tree.items()}
    return tree


def _put(field, text, value):
    if unknown := [name for name in _BLANK.findall(text) if name not in BLANKS]:
        raise Mistake(field, f"{{{unknown[0]}}} is not known; known: {', '.join(f'{{{name}}}' for name in BLANKS)}.")
    return _BLANK.sub(lambda match: value(match[1]), text)  # at once: what is put in is not looked at again
