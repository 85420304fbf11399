"""What can be seen in a plugin's files without running them: what its Python imports, what its pages would fetch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import housecall

ADDRESS = re.compile(r"""https?://[^\s"'`<>)]+|(?:src|href|action)=["']//[^"']+|url\(\s*["']?//[^)]+""", re.I)
NAMESPACES = ("http://www.w3.org/",)  #: names that look like addresses and are never asked
LINK = re.compile(r"<a\s[^>]*>", re.I)  #: leads elsewhere only when somebody clicks it
COMMENT = re.compile(r"/\*.*?\*/|\{#.*?#\}|<!--.*?-->|(?:^|(?<=\s))//[^\n]*", re.S | re.M)
INLINE = (
    (re.compile(r"<script(?![^>]*\ssrc=)", re.I), "an inline script"),
    (re.compile(r"<style|\sstyle\s*=", re.I), "an inline style"),
    (re.compile(r"<[^>]*\son[a-z]+\s*=", re.I), "an inline event handler"),
    (re.compile(r"javascript:", re.I), "a javascript: address"),
)


def foreign_imports(folder: Path) -> Iterator[str]:
    """Each import of something of Housecall that it does not offer to plugins, as a sentence."""
    for path in sorted(folder.rglob("*.py")):
        where, tree = path.relative_to(folder), ast.parse(path.read_text(encoding="utf-8"))
        for name, line in _imported(tree, deep=len(where.parts)):
            yield f"{where}:{line} uses {name}; a plugin may use: {', '.join(housecall.__all__)}"


def _imported(tree: ast.AST, *, deep: int) -> Iterator[tuple[str, int]]:
    """The names of Housecall that are not offered, and what lies outside of the plugin's folder."""
    packages = {
        alias.asname or "housecall"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "housecall"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("housecall."):
                    yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level > deep:
                yield "." * node.level + module, node.lineno
            elif node.level == 0 and module.startswith("housecall."):
                yield module, node.lineno
            elif node.level == 0 and module == "housecall":
                for alias in node.names:
                    if alias.name not in housecall.__all__:
                        yield f"housecall.{alias.name}", node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in packages:
            if node.attr not in housecall.__all__:
                yield f"housecall.{node.attr}", node.lineno
        elif isinstance(node, ast.Constant) and re.fullmatch(r"housecall(\.[a-z_]+)+", str(node.value)):
            yield str(node.value), node.lineno  # for import_module, sys.modules and their like


def foreign_code(folder: Path) -> Iterator[str]:
    """Each place of its pages that runs inline code or names another host, as a sentence."""
    for below in ("templates", "static"):
        for path in sorted((folder / below).rglob("*")):
            where = path.relative_to(folder)
            if path.suffix not in (".html", ".js", ".css", ".svg", ".json", ".mjs") or where.parts[1] == "vendor":
                continue
            text = COMMENT.sub("", path.read_text(encoding="utf-8"))
            for found in ADDRESS.findall(LINK.sub("", text) if path.suffix == ".html" else text):
                if not found.startswith(NAMESPACES):
                    yield f"{where} names another host: {found}"
            if path.suffix in (".html", ".svg"):
                for pattern, what in INLINE:
                    if pattern.search(text):
                        yield f"{where} holds {what}"


def hook_names(folder: Path) -> Iterator[tuple[str, bool]]:
    """The functions that a plugin marks as hooks, and whether each is a wrapper."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for mark in node.decorator_list:
                    call = mark.func if isinstance(mark, ast.Call) else mark
                    name = call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")
                    if name == "hookimpl":
                        given = {k.arg: k.value for k in mark.keywords} if isinstance(mark, ast.Call) else {}
                        named = given.get("specname")
                        yield (
                            str(named.value) if isinstance(named, ast.Constant) else node.name,
                            "wrapper" in given or "hookwrapper" in given,
                        )
