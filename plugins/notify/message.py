"""What is sent: that somebody waits, and where. Never a name of a patient, nor anything about them (R38)."""

import json

from housecall import address, letter, words_in

from . import answers

PLUGIN = "notify"
ROOMS = 60  #: characters of rooms' names in a message


def waiting(call, member, kind, rooms):
    """What `post` needs of a message to a member; `rooms` has the name of a room for each who waits there."""
    _ = words_in(PLUGIN, member.lang)
    names = _short(sorted(set(rooms)))
    if len(rooms) == 1:
        what = _("Someone is waiting: %(room)s") % {"room": names}
    else:
        what = _("%(count)s people are waiting: %(rooms)s") % {"count": len(rooms), "rooms": names}
    home, link = address(call.clinic_id), answers.link(call)
    if kind == "push":
        return {"text": json.dumps({"title": what, "open": "/dashboard", "answer": link, "label": _("Answer")})}
    if kind == "text":
        return {"text": f"{what}. {_('Answer:')} {home}{link}"}
    why = _("You get this because you asked for it on your profile. There you can change it: %(link)s")
    text, html = letter(
        call.clinic_id,
        [f"{what}."],
        button=(_("Answer without signing in"), home + link),
        notes=[_("Open the waiting room: %(link)s") % {"link": f"{home}/dashboard"}, why % {"link": f"{home}/account"}],
        lang=member.lang,
    )
    return {"subject": what, "text": text, "html": html}


def trial(member, kind):
    """A message that somebody sends to themselves, to see that it comes."""
    _ = words_in(PLUGIN, member.lang)
    what = _("A test of your notifications")
    if kind == "push":
        return {"text": json.dumps({"title": what, "open": "/account"})}
    return {"text": f"{what}."} | ({"subject": what} if kind == "mail" else {})


def _short(names):
    """Names of rooms, as many as fit, the rest counted."""
    shown, left = [], list(names)
    while left and (not shown or len(", ".join([*shown, left[0]])) <= ROOMS):
        shown.append(left.pop(0)[:ROOMS])
    return ", ".join(shown) + (f" +{len(left)}" if left else "")
