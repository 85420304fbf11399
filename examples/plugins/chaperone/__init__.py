"""A visit begins when its provider has confirmed that a chaperone was offered. What the patient wishes stays sealed."""

from housecall import Event, Field, Step, hookimpl, settings

STEP = "offer"
confirmed: set[str] = set()  # visits; after a restart they are confirmed anew, which is the safe side


def needed(view):
    """Whether somebody must confirm before this visit begins."""
    rule = settings("chaperone", clinic=view.clinic)["confirm"]
    return rule == "always" or (rule == "asked" and f"chaperone:{STEP}" in view.steps)


def look(context, body):
    """What a card shows when it is drawn."""
    return {"needed": needed(context.visit), "confirmed": context.visit.id in confirmed}


def confirm(context, body):
    confirmed.add(context.visit.id)
    if f"chaperone:{STEP}" in context.visit.steps:
        context.step_done(STEP)  # asked in person: the patient need not answer any more
    context.emit("confirmed", {}, to="provider")


@hookimpl
def events():
    early = {"sources": ("provider",), "path": "server", "states": ("arriving", "waiting")}
    return [
        Event(name="look", handler=look, **early),
        Event(name="confirm", handler=confirm, **early),
        Event(name="confirmed", to="provider", **early),
    ]


@hookimpl
def checkin_steps(view):
    ask = settings("chaperone", clinic=view.clinic)["ask"]
    if ask == "nobody" or (ask == "video" and view.media != "video"):
        return []
    wish = Field(id="wish", type="bool", label="I would like a chaperone", help="Somebody who stays with you.")
    return [Step(id=STEP, title="Would you like a chaperone?", fields=(wish,), required=True)]


@hookimpl
def refuse_move(view, to):
    if to == "in_call" and view.id not in confirmed and needed(view):
        return "Confirm first that a chaperone was offered."
    return None


@hookimpl
def check_settings(values):
    if values["ask"] == "nobody" and values["confirm"] == "asked":
        return {"confirm": "Nobody is asked: choose another answer here, or ask patients at check-in."}
    return {}


@hookimpl
def visit_changed(view, new):
    if new == "ended":
        confirmed.discard(view.id)
