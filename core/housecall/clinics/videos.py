"""Videos of waiting rooms: encoded anew by a program beside the server (reencode.py). It needs `housecall[video]`."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from . import reencode
from .images import Encoded
from .refused import Refused

LARGEST = 60 * 1024 * 1024  #: bytes of an upload
PATIENCE = 400  #: seconds until a program that hangs is stopped; it may use 300 of a core


def available() -> bool:
    """Whether this server can encode videos."""
    return importlib.util.find_spec("av") is not None


def encode(data: bytes) -> tuple[Encoded, Encoded]:
    """The video in MP4 and its first picture in JPEG. Raises Refused(video=...): `large_`, `long_` or `not_a_video`."""
    if len(data) > LARGEST:
        raise Refused(video="large_video")
    with tempfile.TemporaryDirectory(prefix="housecall-") as folder:
        source, video, poster = (Path(folder) / name for name in ("source", "video.mp4", "poster.jpg"))
        source.write_bytes(data)
        command = [sys.executable, "-m", reencode.__name__, str(source), str(video), str(poster)]
        try:
            done = subprocess.run(command, timeout=PATIENCE, check=False, capture_output=True)  # noqa: S603  our own program
        except subprocess.TimeoutExpired:
            raise Refused(video="long_video") from None
        if done.returncode:
            raise Refused(video="long_video" if done.returncode == reencode.TOO_LONG else "not_a_video")
        import PIL.Image

        with PIL.Image.open(poster) as picture:
            width, height = picture.size
        return (
            Encoded(type="video/mp4", width=width, height=height, bytes=video.read_bytes()),
            Encoded(type="image/jpeg", width=width, height=height, bytes=poster.read_bytes()),
        )
