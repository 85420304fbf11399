"""What is sent to somebody outside: a message, what is attached to it, and what became of it."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import asdict, dataclass, field
from email.message import EmailMessage

KINDS = ("mail", "text", "push")
STATES = ("sent", "refused", "later", "unsure")  #: what a carrier may say of one try
_PART = r"[^\s@<>\"(),;:\\\x00-\x1f\x7f%s]+"
EMAIL = re.compile(f"{_PART % ''}@{_PART % '.'}(\\.{_PART % '.'})+")
LONGEST = {"to": 4096, "subject": 200, "text": 20_000, "html": 200_000, "reply_to": 254}  #: characters
LARGEST = 2 * 1024 * 1024  #: bytes of all attachments
MOST_REASON = 300  #: characters


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that goes with a mail. `type` may have parameters: `text/calendar; method=REQUEST; charset=utf-8`."""

    name: str  #: as the reader saves it
    type: str  #: the media type
    body: bytes = field(repr=False)
    inline: bool = False  #: another way to say the text, as an invitation to a calendar is; not a file beside it


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message to one address. Nothing of what it says, or to whom, is in its repr."""

    id: str  #: random; the same at each try, so a carrier may use it to recognise one that it has already
    clinic: str
    kind: str  #: "mail", "text" or "push"
    owner: str  #: the plugin that posted it, or "core"
    to: str = field(repr=False)
    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    reply_to: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Raises ValueError, which names the field and never its value."""
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")
        for name, most in LONGEST.items():
            if len(getattr(self, name)) > most:
                raise ValueError(f"{name} has at most {most} characters")
        for name in ("to", "subject", "reply_to"):
            if any(ord(letter) < 32 or ord(letter) == 127 for letter in getattr(self, name)):
                raise ValueError(f"{name} is one line")
        if not self.to.strip() or (self.kind == "mail" and not EMAIL.fullmatch(self.to)):
            raise ValueError(f"to is no address of a {self.kind}")
        if self.reply_to and not EMAIL.fullmatch(self.reply_to):
            raise ValueError("reply_to is no address of a mail")
        if sum(len(each.body) for each in self.attachments) > LARGEST:
            raise ValueError(f"attachments have at most {LARGEST} bytes in all")
        for each in self.attachments:
            if not each.name or re.search(r"[\x00-\x1f\x7f/\\]", each.name):
                raise ValueError("the name of an attachment is one line without slashes")
            if re.search(r"[\x00-\x1f\x7f]", each.type) or media_type(each.type)[0].split("/")[0] == "multipart":
                raise ValueError("the type of an attachment is a media type, such as text/calendar")

    def packed(self) -> str:
        """What is sealed until it is sent: all that the row of the outbox does not say openly."""
        what = {name: getattr(self, name) for name in LONGEST}
        files = [asdict(each) | {"body": base64.b64encode(each.body).decode()} for each in self.attachments]
        return json.dumps({**what, "attachments": files}, separators=(",", ":"))

    @classmethod
    def unpacked(cls, packed: str, *, id: str, clinic: str, kind: str, owner: str) -> Message:
        what = json.loads(packed)
        files = [Attachment(**each | {"body": base64.b64decode(each["body"])}) for each in what.pop("attachments")]
        return cls(id=id, clinic=clinic, kind=kind, owner=owner, attachments=tuple(files), **what)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What became of one try. "later" only when the carrier has surely not taken the message; in doubt it is "unsure".

    `reason` is a sentence for people; it must hold nothing of the message. `reference` is the carrier's own id, by
    which it may report afterwards; only its SHA-256 is kept.
    """

    state: str  #: "sent", "refused", "later" or "unsure"
    reason: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"state is one of {', '.join(STATES)}")


def media_type(written: str) -> tuple[str, dict[str, str]]:
    """A media type and its parameters. What is none is `application/octet-stream`."""
    part = EmailMessage()
    part["Content-Type"] = written
    if part["Content-Type"].defects:
        return "application/octet-stream", {}
    return part.get_content_type(), dict(part["Content-Type"].params)
