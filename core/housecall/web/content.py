"""What a waiting room shows besides the house: its provider's words, picture, video, links, or the theme's blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from markdown_it import MarkdownIt
from markupsafe import Markup

from ..clinics.models import Room
from . import look

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).disable("image")


def _safe(url: str) -> bool:
    return url.lower().startswith(("http://", "https://", "mailto:", "tel:"))


_markdown.validateLink = _safe  # type: ignore[method-assign]


def _opens_elsewhere(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    tokens[index].attrSet("target", "_blank")
    return str(renderer.renderToken(tokens, index, options, env))


_markdown.add_render_rule("link_open", _opens_elsewhere)


def markdown(text: str) -> Markup:
    """CommonMark without HTML and without pictures; links go out in a page of their own."""
    return Markup(_markdown.render(text))  # noqa: S704  made by the renderer, which escapes all that is not its own


def shown(content: Mapping[str, Any]) -> dict[str, Any]:
    """A room's content for templates; where it has none of its own, that of the theme."""
    own = {
        "text": markdown(content["text"]) if content.get("text") else "",
        "image": url_for("account.image", image_id=content["image"]) if content.get("image") else "",
        "alt": content.get("alt", ""),
        "links": content.get("links", []),
        "video": url_for("account.image", image_id=content["video"]) if content.get("video") else "",
        "poster": url_for("account.image", image_id=content["poster"]) if content.get("poster") else "",
        "told": content.get("told", ""),
    }
    return own if any(own[name] for name in ("text", "image", "video", "links")) else _of_theme()


def _of_theme() -> dict[str, Any]:
    found: dict[str, Any] = {"text": "", "image": "", "alt": "", "video": "", "links": []}
    for block in look.theme().blocks:
        if block["type"] == "text":
            found["text"] = Markup("{}{}").format(found["text"], markdown(block["text"]))
        elif block["type"] == "image":
            found |= {"image": look.asset(block["image"]), "alt": block["alt"]}
        else:
            found["links"] = [*found["links"], *block["links"]]
    return found


def of(room: Room) -> dict[str, Any]:
    return shown(room.content or {})
