"""Token buckets: how much of something one sender may do."""

from __future__ import annotations

import time
from collections.abc import Callable


class Bucket:
    """Lets `rate` things a second through, and `burst` at once after a pause."""

    __slots__ = ("at", "burst", "left", "rate")

    def __init__(self, rate: float, burst: float, now: float | None = None):
        self.rate, self.burst, self.left = rate, burst, burst
        self.at = time.monotonic() if now is None else now

    def take(self, now: float | None = None) -> bool:
        """Whether one more may pass now (seconds of a monotonic clock)."""
        now = time.monotonic() if now is None else now
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Buckets:
    """One bucket for each key, at most `most` of them; full buckets are forgotten first."""

    def __init__(self, rate: float, burst: float, *, most: int = 10_000, clock: Callable[[], float] = time.monotonic):
        self.rate, self.burst, self.most, self.clock = rate, burst, most, clock
        self.of: dict[str, Bucket] = {}

    def take(self, key: str) -> bool:
        """Whether one more may pass for `key`."""
        now = self.clock()
        bucket = self.of.get(key)
        if bucket is None:
            if len(self.of) >= self.most:
                self.forget(now)
            bucket = self.of[key] = Bucket(self.rate, self.burst, now)
        return bucket.take(now)

    def forget(self, now: float) -> None:
        """Drop buckets that have filled up again, and if none has, the oldest half."""
        full = [key for key, b in self.of.items() if b.left + (now - b.at) * self.rate >= self.burst]
        for key in full or sorted(self.of, key=lambda k: self.of[k].at)[: self.most // 2]:
            del self.of[key]
