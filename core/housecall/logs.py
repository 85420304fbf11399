"""Log lines as JSON from an allow-list: what is not named here cannot be logged."""

from __future__ import annotations

import json
import logging
import time

FIELDS = frozenset({"event", "method", "rule", "status", "ms", "outcome", "code", "kind", "clinic", "plugin", "hook"})


class Lines(logging.Formatter):
    """One JSON object a line. Messages of others are dropped: their arguments may hold what patients typed."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "ts": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        own = getattr(record, "fields", None)
        if own is None:
            line["event"] = "foreign"
        else:
            line.update((k, v) for k, v in own.items() if k in FIELDS and len(str(v)) < 80)
        if record.exc_info and record.exc_info[2]:
            kind, _, tb = record.exc_info
            while tb is not None and tb.tb_next:
                tb = tb.tb_next
            line["exception"] = kind.__name__ if kind else "?"  # class and place, never the message
            if tb is not None:
                line["at"] = f"{tb.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{tb.tb_lineno}"
        return json.dumps(line)


def log(event: str, *, level: int = logging.INFO, exc_info: bool = False, **fields: object) -> None:
    """Write one line; of `fields` only the allowed ones come through."""
    logging.getLogger("housecall").log(level, event, extra={"fields": {"event": event, **fields}}, exc_info=exc_info)
