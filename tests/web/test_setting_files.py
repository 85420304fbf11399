"""A file that a practice sets for a plugin: pages carry its address, and what is no picture is not shown as one."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

from housecall.testing import Practice, Visitor
from plugin_folders import plain, write

PICTURE, OTHER = b"\x89PNG\r\n\x1a\n and more", b"<svg onload='1'/>"


def data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def test_a_file_comes_to_modules_as_an_address(serve: Callable[..., Practice], tmp_path: Path) -> None:
    fields = "".join(f'[settings.{name}]\ntype = "file"\nlabel = "A file"\n' for name in ("face", "drawing", "none"))
    fragment = '[[fragment]]\nslot = "waiting.main"\ntemplate = "face.html"\n'
    plugin = {**plain("anna", fields + fragment), "templates/face.html": "<p></p>"}
    toml = (
        '[clinic.main]\nname = "Elm"\nplugins = ["anna"]\n'
        f'[clinic.main.anna]\nface = "{data("image/png", PICTURE)}"\ndrawing = "{data("image/svg+xml", OTHER)}"\n'
    )
    practice = serve(toml, folder=write(tmp_path / "site", plugin))
    visitor = Visitor(practice.url)
    page = visitor.get(f"/{practice.room().slug}").text
    assert base64.b64encode(PICTURE).decode() not in page
    face, drawing = (re.search(rf'"/-/asset/anna/[0-9a-f]{{16}}/setting/{name}"', page) for name in ("face", "drawing"))
    assert face
    assert drawing
    assert re.search(r'"none": ?null', page)
    answer = visitor.get(face[0].strip('"'))
    assert (answer.content, answer.headers["Content-Type"]) == (PICTURE, "image/png")
    assert "immutable" in answer.headers["Cache-Control"]
    answer = visitor.get(drawing[0].strip('"'))
    assert (answer.content, answer.headers["Content-Type"]) == (OTHER, "application/octet-stream")
    for right, wrong in (("face", "drawing"), ("face", "other"), ("anna", "core")):
        assert visitor.get(face[0].strip('"').replace(right, wrong)).status_code == 404
