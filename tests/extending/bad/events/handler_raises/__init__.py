"""Has a handler that cannot take what its event declares."""

from housecall import Event, Field, hookimpl


def counted(context, body):
    return {"sum": body["number"] + body["other"]}


@hookimpl
def events():
    number = Field(id="number", type="int", label="Number", required=True)
    return [Event(name="count", sources=("provider",), path="server", fields=(number,), handler=counted)]
