"""`housecall run` with a relay's credentials that live for eight seconds: `brief_server.py run DIR`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from housecall.config import Site
    from housecall.runtime import Runtime


def main(arguments: list[str]) -> int:
    from housecall import cli, server

    prepare = server._prepare

    def prepared(site: Site, runtime: Runtime) -> Flask | None:
        from housecall.web import ice

        ice.LIFETIME = 8
        return prepare(site, runtime)

    server._prepare = prepared
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
