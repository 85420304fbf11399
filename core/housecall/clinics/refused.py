"""Bad input, field by field."""

from __future__ import annotations


class Sentence(str):
    """What stands in place of a code where a plugin says why: shown to people as it is."""


class Refused(Exception):
    """A change that was not made; `fields` maps each wrong field to a stable code (web/messages.py has the words)."""

    def __init__(self, **fields: str):
        self.fields = fields
        super().__init__(", ".join(f"{name}: {code}" for name, code in fields.items()))
