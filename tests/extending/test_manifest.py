"""plugin.toml: everything that is wrong with one is told at once, with its line and the nearest known name."""

from __future__ import annotations

from pathlib import Path

import pytest

from housecall.extending import manifest
from housecall.extending.manifest import ManifestError
from housecall.extending.nouns import Event, Fragment, Job, Manifest
from plugin_folders import LAMP, POSTER, TALLY, plain, write

HEAD = 'id = "lamp"\nname = "Lamp"\nversion = "1.0"\napi = "1.0"\n'  # four lines: what follows begins at line 5


def mistakes(folder: Path, toml: str, **files: str) -> list[str]:
    write(folder, lamp={"plugin.toml": toml, **files})
    with pytest.raises(ManifestError) as caught:
        manifest.read(folder / "plugins/lamp")
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("", "id: this is needed"),
        ('id = "lamp"\nname = "Lamp"\nversion = "1"\n', "api: this is needed"),
        (HEAD.replace('"lamp"', '"lantern"'), "line 1: id: 'lantern' is not the folder's name, 'lamp'"),
        (HEAD.replace('"lamp"', '"Lamp"'), "line 1: id: an id is 2 to 31 small letters"),
        (HEAD.replace('"lamp"', '"core"'), "line 1: id: an id is 2 to 31 small letters"),
        (HEAD.replace('api = "1.0"', 'api = "2.0"'), "line 4: api: this server offers 1.0; a plugin for 2.0"),
        (HEAD + 'sumary = "x"', "line 5: sumary: this name is not known; did you mean 'summary'?"),
        (HEAD + "restricted = 1", "line 5: restricted: this must be true or false"),
        (HEAD + 'on_refuse = "blok"', "line 5: on_refuse: 'blok' is not known; did you mean 'block'?"),
        (HEAD + 'worker = "bell.js"', "line 5: worker: there is no file static/bell.js; known: lamp.js"),
        (HEAD + 'csp = ["wsm"]', "line 5: csp: 'wsm' is not known; did you mean 'wasm'?"),
        (HEAD + "requires = [1]", "line 5: requires: this must be a list of texts"),
        (HEAD + "broken", "line 5: "),
        (HEAD + "[fragment]", "line 5: fragment: this must be a list"),
        (
            HEAD + '[[fragment]]\nslot = "call.sid"\nmodule = "x.js"',
            "line 6: fragment.slot: 'call.sid' is not known; did",
        ),
        (HEAD + '[[fragment]]\nmodule = "x.js"', "line 5: fragment.slot: this is needed; known: sign_in.methods"),
        (
            HEAD + '[[data]]\nwhat = "x"\nwhose = ["patient"]\npurpose = "y"\nkept = "never"\n[[data]]\nwhat = "x"\n',
            "line 10: data[2].kept: this is needed",
        ),
        (
            HEAD + '[[event]]\nname = "a"\nfrom = ["patient"]\n[[event]]\nname = "b"\nfrom = ["guest"]\n'
            '[event.fields.x]\ntype = "boo"\n',
            "line 12: event[2].fields.x.type: this type is not known",
        ),
        (HEAD + '[[fragment]]\nslot = "call.bar"', "line 5: fragment: a fragment needs a template, a module or both"),
        (
            HEAD + '[[fragment]]\nslot = "call.bar"\nmodule = "lam.js"',
            "line 7: fragment.module: there is no file static/lam.js; did you mean 'lamp.js'?",
        ),
        (HEAD + '[[fragment]]\nslot = "call.bar"\nmodule = "../plugin.toml"', "there is no file static/../plugin.toml"),
        (
            HEAD + '[[fragment]]\nslot = "call.bar"\nmodule = "lamp.js"\nroles = ["pacient"]',
            "line 8: fragment.roles: 'pacient' is not known; did you mean 'patient'?",
        ),
        (HEAD + '[[event]]\nname = "On!"\nfrom = ["patient"]', "line 6: event.name: an event needs a name of small"),
        (
            HEAD + '[[transfer]]\nname = "Parcel"\nfrom = ["patient"]',
            "line 6: transfer.name: a transfer needs a name of small",
        ),
        (
            HEAD + '[[transfer]]\nname = "on"',
            "transfer.from: say who may give it: one or more of provider, patient, guest",
        ),
        (
            HEAD + '[[transfer]]\nname = "on"\nfrom = ["patient"]\nto = "one"\nsize = 0',
            "line 8: transfer.to: 'one' is not known",
        ),
        (
            HEAD + '[[transfer]]\nname = "on"\nfrom = ["patient"]\nsize = 17179869185',
            "line 8: transfer.size: this must be from 1 to 17179869184 bytes",
        ),
        (
            HEAD + '[[transfer]]\nname = "on"\nfrom = ["patient"]\n' * 2,
            "transfer: 'on' is declared twice",
        ),
        (HEAD + '[[event]]\nname = "on"', "event.from: say who may send it: one or more of provider, patient, guest"),
        (
            HEAD + '[[event]]\nname = "on"\nfrom = ["patient"]\nsize = 20000',
            "line 8: event.size: this must be from 1 to",
        ),
        (
            HEAD + '[[event]]\nname = "on"\nfrom = ["patient"]\nrate = "fast"',
            'line 8: event.rate: this must be such as "20/s"',
        ),
        (
            HEAD + '[[event]]\nname = "on"\nfrom = ["patient"]\nto = "other"',
            "line 8: event.to: 'other' is not known; did you mean 'others'?",
        ),
        (
            HEAD + '[[event]]\nname = "on"\nfrom = ["patient"]\n[event.fields.lit]\ntype = "boo"',
            "line 9: event.fields.lit.type: this type is not known; did you mean 'bool'?",
        ),
        (HEAD + '[[step]]\nid = "lit"\n[step.fields.a]\nlabel = "A"', "step.title: a step needs a title"),
        (HEAD + '[[step]]\nid = "lit"\ntitle = "Lit"', "line 5: step: a step has either fields or a template"),
        (HEAD + '[settings.watts]\ntype = "int"', "settings.watts.label: a label is needed"),
        (
            HEAD + '[settings.watts]\nlabel = "W"\nscope = "romm"',
            "line 7: settings.watts.scope: this scope is not known; did you mean 'room'?",
        ),
        (
            HEAD + '[[data]]\nwhat = "x"\nwhose = ["patient"]\npurpose = "y"\nkept = "forever"',
            'line 9: data.kept: this must be "never"',
        ),
        (HEAD + '[[data]]\nwhat = "x"\npurpose = "y"\nkept = "never"', "data.whose: say whose it is"),
        (
            HEAD + '[[outgoing]]\nhost = "https://x.example"\nwhy = "y"',
            "line 6: outgoing.host: this must be a host name",
        ),
        (HEAD + '[[outgoing]]\nhost = "x.example"', "outgoing.why: say why this host is called"),
        (HEAD + '[[job]]\nname = "sweep"\nevery = "often"', 'line 7: job.every: this must be such as "15 minutes"'),
        (HEAD + '[[job]]\nname = "sweep"\nevery = "1 hour"', "line 5: job: a job needs an __init__.py"),
    ],
)
def test_each_mistake_is_named_with_its_line_and_the_nearest_known_name(tmp_path: Path, toml: str, told: str) -> None:
    found = mistakes(tmp_path, toml, **{"static/lamp.js": ""})
    assert any(told in each for each in found), found


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    toml = (
        HEAD + 'sumary = "x"\n[[event]]\nname = "on"\nfrom = ["pacient"]\n[[event]]\nname = "on"\nfrom = ["patient"]\n'
    )
    found = mistakes(tmp_path, toml + '[settings.watts]\ntype = "itn"\n')
    assert [each.split(": ")[:2] for each in found] == [
        ["line 5", "sumary"],
        ["line 6", "event"],
        ["line 8", "event[1].from"],
        ["line 12", "settings.watts.label"],
        ["line 13", "settings.watts.type"],
    ]


def test_a_folder_without_a_manifest_says_so(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"plugin\.toml: there is no plugin\.toml"):
        manifest.read(tmp_path)


def test_a_good_manifest_is_read_whole(tmp_path: Path) -> None:
    write(tmp_path, LAMP, POSTER, TALLY)
    lamp = manifest.read(tmp_path / "plugins/lamp")
    assert (lamp.name, lamp.version, lamp.restricted, lamp.on_refuse) == ("Lamp", "1.2", False, "allow")
    assert [field.id for field in lamp.settings if field.scope == "clinic"] == [
        *("opens", "closes", "wait", "watts", "price", "shape", "words", "key")
    ]
    assert lamp.data[0].whose == ("patient", "guest", "member")
    assert lamp.outgoing[0].host == "api.lamp.example"
    poster = manifest.read(tmp_path / "plugins/poster")
    assert {each.slot for each in poster.fragments} == {
        *("account.home", "admin.home", "sign_in.methods", "room.settings")
    }
    tally = manifest.read(tmp_path / "plugins/tally")
    assert [(job.name, job.every) for job in tally.jobs] == [("count", 3600)]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"events": [Event(name="on", sources=("pacient",))]}, "'pacient' is not known; did you mean 'patient'?"),
        ({"events": [Event(name="On", sources=("patient",))]}, "an event needs a name of small letters"),
        ({"events": [Event(name="on", sources="patient")]}, "events.from: this must be"),
        ({"events": [Event(name="on", sources=("patient",), fields=(7,))]}, "this must be a tuple of Field"),
        ({"events": [Event(name="on", sources=("patient",), size=10**6)]}, "this must be from 1 to 16384 bytes"),
        ({"events": [Event(name="on", sources=("patient",), rate="20/s")]}, "this must be events a second"),
        ({"events": [Event(name="on", sources=("patient",), states=("wating",))]}, "did you mean 'waiting'?"),
        ({"events": [Event(name="on", sources=("patient",), rate=float("nan"))]}, "this must be events a second"),
        ({"events": [7]}, "events: this must be a Event"),
        ({"settings": [7]}, "settings: this must be a Field"),
        ({"fragments": [Fragment(slot="call.side", module="nope.js")]}, "there is no file static/nope.js"),
        ({"fragments": [Fragment(slot="call.side", module="a.mjs")]}, "'a.mjs' must end in .js"),
        ({"fragments": [Fragment(slot="call.side", module="a.js", order="1")]}, "fragments.order: this must be"),
        ({"events": [Event(name="on", sources=("patient",), handler=print)]}, 'a handler needs path="server"'),
        ({"events": [Event(name="on", sources=("patient",))] * 2}, "'on' is declared twice"),
        ({"fragments": [Fragment(slot="call.sid")]}, "'call.sid' is not known; did you mean 'call.side'?"),
        ({"jobs": [Job(name="sweep", every=60)]}, "a job needs `run`"),
        ({"jobs": [Job(name="sweep", every=0, run=print)]}, "`every`, in seconds"),
    ],
)
def test_what_python_contributes_is_checked_as_the_manifest_is(
    more: dict[str, list[object]], told: str, tmp_path: Path
) -> None:
    (tmp_path / "static").mkdir()
    for name in ("a.mjs", "a.js"):
        (tmp_path / "static" / name).write_text("export const mount = () => {};")
    with pytest.raises(ManifestError) as caught:
        manifest.with_more(Manifest(id="lamp", name="Lamp", version="1", api="1.0"), tmp_path, **more)
    assert told in str(caught.value)
    assert str(caught.value).startswith("__init__.py: ")


def test_the_least_that_a_plugin_needs_is_four_lines(tmp_path: Path) -> None:
    write(tmp_path, plain("lamp"))
    assert manifest.read(tmp_path / "plugins/lamp").id == "lamp"
