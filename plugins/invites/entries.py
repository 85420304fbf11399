"""Calendar entries (RFC 5545, 5546): to send, to take back, to follow. None names a patient or a reason."""

import datetime as dt

PRODUCT = "-//Housecall//Invitations//EN"
ALARM = dt.timedelta(minutes=-15)


def moment(ms):
    """A time in ms as icalendar wants it: in UTC, for a table of zones would be longer than the entry."""
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC)


def entry(method, *, uid, sequence, at, minutes, summary, url="", text="", organizer=None, attendee=""):
    """One appointment as bytes. `method`: REQUEST, CANCEL (both to an attendee) or PUBLISH (for one's own calendar).

    `at` is ms, `organizer` (name, address). A higher `sequence` of the same `uid` takes the place of a lower one.
    """
    from icalendar import Alarm, Event, vCalAddress

    event = Event()
    event.add("uid", uid)
    event.add("sequence", sequence)
    event.add("dtstamp", dt.datetime.now(dt.UTC))
    event.add("dtstart", moment(at))
    event.add("dtend", moment(at + minutes * 60_000))
    event.add("summary", summary)
    event.add("class", "PRIVATE")
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    if url:
        event.add("location", url)
        event.add("url", url)
    if text:
        event.add("description", text)
    if organizer and method != "PUBLISH":
        name, address = organizer
        who = vCalAddress(f"mailto:{address}")
        who.params["CN"] = name
        event.add("organizer", who)
        guest = vCalAddress(f"mailto:{attendee}")
        guest.params.update({"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION", "RSVP": "TRUE"})
        event.add("attendee", guest)
    if method != "CANCEL":
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", summary)
        alarm.add("trigger", ALARM)
        event.add_component(alarm)
    return _calendar([event], method=method).to_ical()


def feed(rows, *, summary, host, url):
    """The appointments of a member, for a calendar that follows an address."""
    from icalendar import Event

    events = []
    for row in rows:
        event = Event()
        event.add("uid", f"{row.id}@{host}")
        event.add("sequence", row.sequence)
        event.add("dtstamp", moment(row.changed))
        event.add("dtstart", moment(row.at))
        event.add("dtend", moment(row.at + row.minutes * 60_000))
        event.add("summary", summary)
        event.add("class", "PRIVATE")
        event.add("status", "CANCELLED" if row.cancelled else "CONFIRMED")
        event.add("url", url)
        events.append(event)
    return _calendar(events, name=summary).to_ical()


def _calendar(events, *, method="", name=""):
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    if method:
        calendar.add("method", method)
    if name:
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", dt.timedelta(hours=1), {"VALUE": "DURATION"})
    for event in events:
        calendar.add_component(event)
    return calendar
