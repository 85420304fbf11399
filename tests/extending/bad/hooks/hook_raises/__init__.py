"""Cannot hear of the end of a visit."""

from housecall import hookimpl


@hookimpl
def visit_changed(view, old, new, actor):
    if new == "ended":
        raise KeyError(view.room)
