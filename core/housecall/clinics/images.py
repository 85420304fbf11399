"""Pictures, and where they and videos are kept: decoded and encoded anew, so that nothing but pixels is kept."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass

from sqlalchemy.orm import Session

from .database import db
from .models import Image
from .passwords import Offload
from .refused import Refused

LARGEST = 8 * 1024 * 1024  #: bytes of an upload
PIXELS = 40_000_000  #: of an upload; more is a bomb or a poster
SIDE = 512  #: pixels of the longer side of a face that we keep
LARGE = 1600  #: of a picture in a waiting room
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A picture as it will be stored."""

    type: str
    width: int
    height: int
    bytes: bytes


def encode(data: bytes, *, offload: Offload, side: int = SIDE) -> Encoded:
    """Raises Refused(photo=...) with large_picture or not_a_picture."""
    if len(data) > LARGEST:
        raise Refused(photo="large_picture")
    import PIL.ImageOps  # noqa: F401  3 MiB that a server does without until here; not first in a thread beside the loop

    try:
        return offload(_encode, data, side)  # type: ignore[no-any-return]
    except Refused:
        raise
    except Exception:  # whatever a decoder says of a broken file
        raise Refused(photo="not_a_picture") from None


def _encode(data: bytes, side: int) -> Encoded:
    from PIL import Image as Pillow
    from PIL import ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
        try:
            with Pillow.open(io.BytesIO(data), formats=FORMATS) as picture:
                if picture.width * picture.height > PIXELS:
                    raise Refused(photo="large_picture")
                upright = ImageOps.exif_transpose(picture).convert("RGB")
        except Pillow.DecompressionBombError:
            raise Refused(photo="large_picture") from None
    upright.thumbnail((side, side))
    upright.info.clear()  # comments would be written again
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=85, optimize=True)
    return Encoded(type="image/jpeg", width=upright.width, height=upright.height, bytes=out.getvalue())


def add(session: Session, clinic_id: str, picture: Encoded) -> str:
    """Store a picture or a video; the answer is its id."""
    row = Image(
        clinic_id=clinic_id,
        type=picture.type,
        width=picture.width,
        height=picture.height,
        sha256=hashlib.sha256(picture.bytes).hexdigest(),
        bytes=picture.bytes,
    )
    session.add(row)
    session.flush()
    return row.id


def drop(session: Session, image_id: str | None) -> None:
    row = session.get(Image, image_id) if image_id else None
    if row is not None:
        session.delete(row)


def find(clinic_id: str, image_id: str) -> Image | None:
    row = db.session.get(Image, image_id)
    return row if row is not None and row.clinic_id == clinic_id else None
