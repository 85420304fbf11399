"""The clock, and the hours in which nobody wants to hear anything."""

import datetime as dt
import time
import zoneinfo


def now():
    """ms since 1970."""
    return time.time_ns() // 1_000_000


def quiet(at, start, end, zone):
    """Whether `at` (ms) lies in the quiet hours from `start` to `end` ("22:00" to "07:00") of a zone."""
    if not start or not end or start == end:
        return False
    clock = dt.datetime.fromtimestamp(at / 1000, zoneinfo.ZoneInfo(zone)).strftime("%H:%M")
    return start <= clock < end if start < end else clock >= start or clock < end
