"""A video as a waiting room may show it. Run as a program of its own: a hostile file breaks nothing but this.

`python -m housecall.clinics.reencode SOURCE VIDEO POSTER` writes H.264 and AAC in MP4, which every browser plays,
without any of the source's metadata, and its first picture. Exit code 3: too long; any other but 0: cannot be read.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

LONGEST = 120  #: seconds
WIDTH, HEIGHT = 1280, 720
FPS = 30
TOO_LONG = 3
CPU = 300  #: seconds of one core
MEMORY = 3 * 1024**3  #: bytes of address space; a decoder of large pictures takes 1 GB


def main(source: str, video: str, poster: str) -> int:
    import av

    os.nice(10)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with av.open(source) as coming, av.open(video, "w", format="mp4", options={"movflags": "+faststart"}) as going:
        pictures = coming.streams.video[0]
        sound = coming.streams.audio[0] if coming.streams.audio else None
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=48_000)
        graph: Any = None
        shown: Any = None
        said = going.add_stream("aac", rate=48_000, options={"b": "96k"}) if sound else None
        early: list[Any] = []  # sound before the first picture, whose size the head of the file must name
        frames: Iterator[Any] = coming.decode(pictures, *([sound] if sound else []))
        for frame in frames:
            if frame.time is not None and frame.time > LONGEST:
                return TOO_LONG
            if isinstance(frame, av.AudioFrame):
                for part in resampler.resample(frame):
                    early += said.encode(part)  # type: ignore[union-attr]
                if shown is not None:
                    going.mux(early)
                    early = []
                continue
            if graph is None:
                graph = _graph(av, pictures, frame)
            graph.push(frame)
            for ready in _ready(av, graph):
                if shown is None:
                    shown = going.add_stream("libx264", rate=FPS, options={"crf": "26", "preset": "veryfast"})
                    shown.width, shown.height, shown.pix_fmt = ready.width, ready.height, "yuv420p"
                    ready.to_image().save(poster, "JPEG", quality=80)
                going.mux(shown.encode(ready))
        graph.push(None)
        for ready in _ready(av, graph):
            going.mux(shown.encode(ready))
        going.mux(early)
        for stream in (shown, said):
            if stream is not None:
                going.mux(stream.encode(None))
    return 0


def _graph(av: Any, stream: Any, frame: Any) -> Any:
    """Upright, at most 1280 x 720, at most 30 a second, square pixels."""
    turn = {90: [("transpose", "2")], -90: [("transpose", "1")], 180: [("hflip", ""), ("vflip", "")]}
    turns = turn.get(180 if abs(frame.rotation) == 180 else frame.rotation, [])
    fit = f"w='2*trunc(iw*min(1,min({WIDTH}/iw,{HEIGHT}/ih))/2)':h='2*trunc(ih*min(1,min({WIDTH}/iw,{HEIGHT}/ih))/2)'"
    graph = av.filter.Graph()
    last = graph.add_buffer(template=stream, time_base=frame.time_base or Fraction(1, 90_000))
    for name, words in [*turns, ("scale", fit), ("setsar", "1"), ("fps", str(FPS)), ("format", "yuv420p")]:
        step = graph.add(name, words or None)
        last.link_to(step)
        last = step
    last.link_to(graph.add("buffersink"))
    graph.configure()
    return graph


def _ready(av: Any, graph: Any) -> Any:
    while True:
        try:
            yield graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
