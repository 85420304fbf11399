"""How many parts a text is sent in: GSM 03.38's letters or UCS-2. Pages count by housecall/segments.js."""

from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")  #: each takes the place of two


@dataclass(frozen=True, kw_only=True)
class Size:
    """What a text takes. Units are septets, or code units of 16 bits."""

    encoding: str  #: "gsm7" or "ucs2"
    units: int
    parts: int
    left: int  #: units that still fit into the last part
    strange: tuple[str, ...] = ()  #: the letters that make it UCS-2, at most five


def size(text):
    """What a text takes when it is sent."""
    strange = tuple(dict.fromkeys(c for c in text if c not in BASIC and c not in EXTENSION))[:5]
    if strange:
        costs, one, many, encoding = [2 if ord(c) > 0xFFFF else 1 for c in text], 70, 67, "ucs2"
    else:
        costs, one, many, encoding = [2 if c in EXTENSION else 1 for c in text], 160, 153, "gsm7"
    units = sum(costs)
    if units <= one:
        return Size(encoding=encoding, units=units, parts=1 if units else 0, left=one - units, strange=strange)
    parts, left = 1, many
    for cost in costs:  # what takes two places is not cut in two
        if cost > left:
            parts, left = parts + 1, many
        left -= cost
    return Size(encoding=encoding, units=units, parts=parts, left=left, strange=strange)
