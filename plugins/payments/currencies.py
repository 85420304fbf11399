"""Money as Stripe counts it: integers of a currency's minor unit, read from what people type and shown to them.

Source: https://docs.stripe.com/currencies (presentment currencies, zero-decimal, three-decimal, special cases).
"""

import re
import unicodedata


def _codes(text):
    return tuple(text.split())


#: All that cards may be charged in.
CODES = _codes("""
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp
    cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr
    isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn
    myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle
    sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw
""")
NONE = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")  #: no minor unit
THREE = _codes("bhd jod kwd omr tnd")  #: a thousandth, and the last digit is 0
WHOLE = _codes("isk ugx")  #: have no minor unit any more, yet are told in hundredths, which are 00
MOST = 99_999_999  #: minor units of one charge

#: What people write beside a number, and what it may mean; the code itself always may.
SIGNS = {
    "€": ("eur",),
    "£": ("gbp", "egp", "fkp", "gip", "shp"),
    "¥": ("jpy", "cny"),
    "円": ("jpy",),
    "元": ("cny",),
    "₹": ("inr",),
    "₪": ("ils",),
    "₩": ("krw",),
    "₫": ("vnd",),
    "₱": ("php",),
    "₺": ("try",),
    "₽": ("rub",),
    "₴": ("uah",),
    "₦": ("ngn",),
    "฿": ("thb",),
    "zł": ("pln",),
    "kč": ("czk",),
    "ft": ("huf",),
    "fr": ("chf", "xaf", "xof", "xpf"),
    "fr.": ("chf", "xaf", "xof", "xpf"),
    "kr": ("sek", "nok", "dkk", "isk"),
    "kr.": ("sek", "nok", "dkk", "isk"),
    "r": ("zar",),
    "r$": ("brl",),
    "$": _codes(
        "usd ars aud bbd bmd bnd bsd bzd cad clp cop fjd gyd hkd jmd kyd lrd mxn nad nzd sbd sgd srd ttd twd uyu xcd"
    ),
}
ARABIC = str.maketrans("٫٬", ".,")  #: what parts decimals and thousands beside Arabic digits
NUMBER = re.compile(r"\d[\d.,]*|[.,]\d+")


class Unclear(Exception):
    """What was typed is no amount of this currency. `code`: empty, invalid, currency (another one is named),
    ambiguous (12.345 may be thousands), decimals (more than there are), step (the last one must be 0), zero, big."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def digits(currency):
    """How many decimals Stripe's minor unit stands for: 0, 2 or 3."""
    return 0 if currency in NONE else 3 if currency in THREE else 2


def step(currency):
    """Minor units that each amount is a multiple of."""
    return 100 if currency in WHOLE else 10 if currency in THREE else 1


def parse(text, currency):
    """The minor units that somebody means by "12,50", "12.50 €" or "EUR 1 234.50". Raises Unclear."""
    text = "".join(str(unicodedata.decimal(c, c)) for c in unicodedata.normalize("NFKC", text)).strip().lower()
    text = re.sub(r"(?<=\d)[\s'’_](?=\d{3}(?!\d))", "", text.translate(ARABIC))  # only parts thousands
    text = re.sub(r"(?<=\d)[.,]\s*[-–—]+$", "", text)  # 12.- is 12
    if not text:
        raise Unclear("empty")
    found = NUMBER.findall(text)
    rest = NUMBER.sub(" ", text, count=1).split()
    if len(found) != 1:
        raise Unclear("invalid")
    for word in rest:
        meant = (word,) if word in CODES else SIGNS.get(word)
        if meant is None:
            raise Unclear("invalid")
        if currency not in meant:
            raise Unclear("currency")
    amount = _minor(found[0].rstrip(".,"), currency)
    if amount == 0:
        raise Unclear("zero")
    if amount > MOST:
        raise Unclear("big")
    if amount % step(currency):
        raise Unclear("step")
    return amount


def _minor(number, currency):
    """The minor units of a number that may have one separator of thousands and one of decimals."""
    whole, fraction = _parts(number, digits(currency))
    if not re.fullmatch(r"\d{0,12}", whole) or not re.fullmatch(r"\d{0,12}", fraction):
        raise Unclear("invalid")
    wanted = digits(currency)
    if fraction[wanted:].strip("0"):
        raise Unclear("decimals")
    return int(whole or "0") * 10**wanted + int(fraction[:wanted].ljust(wanted, "0") or "0")


def _parts(number, wanted):
    marks = re.findall(r"[.,]", number)
    if not marks:
        return number, ""
    last = marks[-1]
    if len(set(marks)) == 2:  # 1.234,50: the last one is that of the decimals
        whole, _, fraction = number.rpartition(last)
        other = "," if last == "." else "."
        if last in whole or not _thousands(whole, other):
            raise Unclear("invalid")
        return whole.replace(other, ""), fraction
    if len(marks) > 1:  # 1.234.567: only thousands come more than once
        if not _thousands(number, last):
            raise Unclear("invalid")
        return number.replace(last, ""), ""
    whole, _, fraction = number.partition(last)
    if len(fraction) == 3 and whole.strip("0") and len(whole) <= 3:
        if wanted == 0:
            return whole + fraction, ""
        raise Unclear("ambiguous")
    return whole, fraction


def _thousands(number, mark):
    return re.fullmatch(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+", number) is not None


def plain(amount, currency):
    """An amount as a number that `parse` reads: "12.50", "1234"; without the last digits where they are always 0."""
    whole, fraction = _split(amount, currency)
    fraction = fraction if currency not in THREE else fraction.removesuffix("0")
    return f"{whole}.{fraction}" if fraction else str(whole)


def shown(amount, currency):
    """An amount for a page: "1,234.50 EUR"."""
    whole, fraction = _split(amount, currency)
    return f"{whole:,}{'.' if fraction else ''}{fraction} {currency.upper()}"


def _split(amount, currency):
    places = digits(currency)
    whole, fraction = divmod(amount, 10**places)
    return whole, "" if not places or (currency in WHOLE and not fraction) else f"{fraction:0{places}}"
