"""The command `housecall`: run | demo | init | check | migrate | member | mail | plugin | theme | turn | bench."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from .config import Site

ROLES = ("owner", "admin", "provider", "staff")
MOST_REPORT = 1024 * 1024  #: bytes that are read of a delivery report
NO_MAIL = "server.mail is not set: where no plugin carries mail, people get links by hand only. See docs/mail.md."

TOML = """\
# Housecall's settings. `housecall check` says what is wrong with them; the server reads them when it starts.

[server]
# The address that people type. Browsers give camera and microphone to https pages (and to localhost) only.
# url = "https://elm.example.org"
port = 8000
# Behind Caddy or nginx on the same machine: 1. Reached directly: 0.
# trusted_proxies = 1
# database = "postgresql://housecall@localhost/housecall"     (without it: SQLite in the folder data)

# Mail: new passwords, invitations, confirmations. `housecall mail test you@elm.example.org` tries it.
# [server.mail]
# host = "mail.elm.example.org"
# security = "starttls"                 (port 587), "tls" (465), or "none" (25) for a server on this machine
# user = "desk@elm.example.org"
# password = "file:data/mail-password"
# sender = "desk@elm.example.org"

[clinic.main]
name = "Our practice"
# Who may make an account: "invitation", "open" or "closed".
sign_up = "invitation"

[clinic.main.core]
# Shown on the contact page.
# email = "desk@elm.example.org"
# phone = "+1 555 0100"
# address = "1 Elm Street"
# emergency = "911"

# Calls that cannot go directly from browser to browser need your own relay:
# [[clinic.main.ice]]
# urls = ["turn:turn.elm.example.org:3478"]
# secret = "file:data/turn-secret"
"""

DEMO = """\
[server]
port = 8000

[clinic.demo]
name = "Elm Street Practice"
sign_up = "open"

[clinic.demo.core]
email = "desk@elm.example"
phone = "+1 555 0100"
address = "1 Elm Street, Springfield"
emergency = "911"
"""


def main(argv: list[str] | None = None) -> int:
    """Entry point of the command. Exit codes: 0 good, 1 problems found (all listed), 2 usage."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    parser, known = _parser()
    words = sys.argv[1:] if argv is None else argv
    if words and not words[0].startswith("-") and words[0] not in known:
        code = _of_a_plugin(words[0], words[1:])
        if code is not None:
            return code
    arguments = parser.parse_args(words)
    action: Callable[[argparse.Namespace], int] = arguments.action
    try:
        return action(arguments)
    except KeyboardInterrupt:
        return 0


def _of_a_plugin(name: str, words: list[str]) -> int | None:
    """Run a command that a plugin of the site brings; None where there is no site, or no such command."""
    taken = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    taken.add_argument("--dir", type=Path, default=Path())
    given, rest = taken.parse_known_args(words)
    if not (given.dir / "housecall.toml").is_file():
        return None
    import click

    from . import clinics, config, workshop

    with _site(given.dir) as site:
        if site is None:
            return 1
        with _clinics_of(site, migrate=False) as app:
            try:
                plugins = workshop.plugins(app, site)
            except config.ConfigError as error:
                return _problem(str(error))
            on = [(plugin, each) for plugin in plugins.on_anywhere() for each in plugin.commands if each.name == name]
            if not on:
                return None
            plugin, found = on[0]
            plugins.prepare(plugin)  # as a start of the server does
            app.extensions["housecall"] = SimpleNamespace(site=site, registry=plugins)  # for `settings` and `address`
            clinics.database.db.session.rollback()  # what was read before knows no table that is new
            try:
                return found.main(rest, prog_name=f"housecall {name}", standalone_mode=False) or 0
            except click.ClickException as error:
                error.show()
                return error.exit_code


def _parser() -> tuple[argparse.ArgumentParser, Collection[str]]:
    """The parser, and the commands that it knows."""
    parser = argparse.ArgumentParser(prog="housecall", description="Self-hosted telemedicine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, action: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help)
        made.set_defaults(action=action)
        return made

    def folder(to: argparse.ArgumentParser) -> None:
        to.add_argument("dir", nargs="?", type=Path, default=Path(), metavar="DIR", help="the site's folder (.)")

    command("demo", demo, "Start a throwaway clinic and print a provider's and a patient's link.")
    command("init", init, "Make a folder with a housecall.toml to edit.").add_argument("dir", type=Path, metavar="DIR")
    serving = command("run", run, "Serve the clinics of a folder.")
    serving.add_argument("--safe", action="store_true", help="without the site's own plugins and themes")
    folder(serving)
    folder(command("check", check, "Say everything that is wrong with a folder's settings and database."))
    folder(command("migrate", migrate, "Bring a folder's database up to this version."))
    _workshop(command)
    measuring = command("bench", bench, "Measure how many rooms this server carries, with a throwaway practice.")
    measuring.add_argument("--waiting", type=_count, default=200, metavar="N", help="patients who wait (200)")
    measuring.add_argument("--seconds", type=_count, default=5, metavar="N", help="of calls (5)")
    relaying = command("turn", turn, "Write the settings of a relay (coturn) for calls that cannot go directly.")
    relaying.add_argument("host", metavar="HOST", help="the relay's name, as browsers reach it: turn.elm.example.org")
    relaying.add_argument("--cert", default="", metavar="PEM", help="its certificate, for TLS on port 443")
    relaying.add_argument("--key", default="", metavar="PEM", help="the certificate's key")
    folder(relaying)
    members = command("member", lambda _: 2, "Add a member, reset a password, list members.")
    verbs = members.add_subparsers(required=True, metavar="add|reset|list")

    def verb(name: str, action: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=help, description=help)
        made.set_defaults(action=action)
        made.add_argument("--dir", type=Path, default=Path(), metavar="DIR", help="the site's folder (.)")
        made.add_argument("--clinic", metavar="ID", help="which clinic, where there are several")
        return made

    verb("add", member_add, "Print a one-time link that makes an account.").add_argument(
        "--role", choices=ROLES, default="provider"
    )
    verb("reset", member_reset, "Print a link that sets a new password.").add_argument("email", metavar="EMAIL")
    verb("list", member_list, "List the members of the clinics.")
    _mail(command)
    return parser, commands.choices


def _mail(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands about mail."""
    to = command("mail", lambda _: 2, "Try the mail server, take in a mail that came back.").add_subparsers(
        required=True, metavar="test|bounce"
    )
    what = "Send a mail to an address, and say each step."
    trying = to.add_parser("test", help=what, description=what)
    trying.set_defaults(action=mail_test)
    trying.add_argument("address", metavar="ADDRESS")
    what = "Read a delivery report from standard input: the message that it is about is marked as come back."
    taking = to.add_parser("bounce", help=what, description=what)
    taking.set_defaults(action=mail_bounce)
    for each in (trying, taking):
        each.add_argument("--dir", type=Path, default=Path(), metavar="DIR", help="the site's folder (.)")


def _workshop(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands about plugins and themes."""

    def verb(
        to: Any, name: str, action: Callable[[argparse.Namespace], int], help: str, *names: str
    ) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = to.add_parser(name, help=help, description=help)
        made.set_defaults(action=action)
        for each in names:
            made.add_argument(each.lower(), metavar=each)
        made.add_argument("--dir", type=Path, default=Path(), metavar="DIR", help="the site's folder (.)")
        return made

    plugins = command("plugin", lambda _: 2, "Make, list, copy and purge plugins.")
    to = plugins.add_subparsers(required=True, metavar="new|list|eject|purge")
    verb(to, "new", plugin_new, "Write a small plugin that keeps all rules, and its test.", "ID")
    verb(to, "list", plugin_list, "List the plugins: found, loaded, on, and what keeps one out.")
    verb(to, "eject", plugin_eject, "Copy a plugin that Housecall comes with, under a new id.", "ID", "NEW")
    purge = verb(to, "purge", plugin_purge, "Drop a plugin's tables, settings and switches for good.", "ID")
    purge.add_argument("--yes", action="store_true", help="do not ask")
    themes = command("theme", lambda _: 2, "Make and list themes.")
    to = themes.add_subparsers(required=True, metavar="new|list")
    verb(to, "new", theme_new, "Write a theme to change.", "ID")
    verb(to, "list", theme_list, "List the themes.")


def plugin_new(arguments: argparse.Namespace) -> int:
    from . import workshop

    try:
        for path in workshop.new_plugin(arguments.dir, arguments.id):
            print(f"Made {path}")
    except workshop.NotDone as error:
        return _problem(str(error))
    print("Restart the server, then switch it on under Practice, Plugins.")
    return 0


def plugin_list(arguments: argparse.Namespace) -> int:
    from . import config, workshop

    with _site(arguments.dir) as site:
        if site is None:
            return 1
        with _clinics_of(site) as app:
            try:
                found = workshop.plugins(app, site)
            except config.ConfigError as error:
                return _problem(str(error))
            for line in workshop.listed(found):
                print(line)
            return 1 if any(plugin.problem for plugin in found.found) else 0


def plugin_eject(arguments: argparse.Namespace) -> int:
    from . import workshop

    try:
        folder = workshop.eject(arguments.dir, arguments.id, arguments.new)
    except workshop.NotDone as error:
        return _problem(str(error))
    print(f"Made {folder}. Switch {arguments.id} off where you switch {arguments.new} on.")
    return 0


def plugin_purge(arguments: argparse.Namespace) -> int:
    from . import workshop

    with _site(arguments.dir) as site:
        if site is None:
            return 1
        if not arguments.yes:
            print(f"This deletes all that the plugin {arguments.id} has kept, in every clinic, for good.")
            print(f"Stop the server first. Type {arguments.id} to go on: ", end="", flush=True)
            if sys.stdin.readline().strip() != arguments.id:
                return _problem("Nothing was changed.")
        with _clinics_of(site):
            try:
                dropped = workshop.purge(site, arguments.id)
            except workshop.NotDone as error:
                return _problem(str(error))
    print(f"Gone: {', '.join((*dropped, 'its settings', 'its switches'))}.")
    return 0


def theme_new(arguments: argparse.Namespace) -> int:
    from . import workshop

    try:
        print(f"Made {workshop.new_theme(arguments.dir, arguments.id)}")
    except workshop.NotDone as error:
        return _problem(str(error))
    return 0


def theme_list(arguments: argparse.Namespace) -> int:
    from . import workshop

    for line in workshop.themes(arguments.dir):
        print(line)
    return 0


def demo(_: argparse.Namespace) -> int:
    """A clinic in a temporary folder that is gone afterwards."""
    from . import server

    folder = Path(tempfile.mkdtemp(prefix="housecall-demo-"))
    try:
        (folder / "housecall.toml").write_text(DEMO, encoding="utf-8")
        (folder / "data").mkdir(mode=0o700)

        def ready(app: Flask) -> None:
            from . import clinics

            site: Site = app.extensions["housecall"].site
            with app.app_context():
                provider = _demo_provider()
                token = clinics.invitations.demo_token(site.secret, provider.id)
                room = clinics.members.rooms_of(provider)[0]
            print(f"provider  {site.address}/sign-in/link#{token}")
            print(f"patient   {site.address}/{room.slug}")

        return server.serve(folder, demo=True, ready=ready)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def init(arguments: argparse.Namespace) -> int:
    folder: Path = arguments.dir
    if (folder / "housecall.toml").exists():
        return _problem(f"{folder / 'housecall.toml'} is already there; nothing was changed.")
    (folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "housecall.toml").write_text(TOML, encoding="utf-8")
    print(f"Made {folder / 'housecall.toml'}. Edit it, then: housecall run {folder}")
    return 0


def run(arguments: argparse.Namespace) -> int:
    from . import server

    def ready(app: Flask) -> None:
        site: Site = app.extensions["housecall"].site
        print(f"Housecall is ready at {site.address}")
        with app.app_context():
            for clinic, token in _owner_links():
                print(f"{clinic.name} has no owner yet. Open this once to become it: {_link(site, clinic, token)}")

    return server.serve(arguments.dir, safe=arguments.safe, ready=ready)


def check(arguments: argparse.Namespace) -> int:
    from . import config

    try:
        site = config.load(arguments.dir)
    except config.ConfigError as error:
        return _problem(str(error))
    problems = [str(problem) for problem in _problems(site)]
    for problem in problems:
        print(problem)
    if site.mail is None:
        print(NO_MAIL)
    if not problems:
        print("Everything is in order.")
    if sys.stdout.isatty():
        _show_relay_tests(site)
    return 1 if problems else 0


def _show_relay_tests(site: Site) -> None:
    """What this machine cannot know: whether a phone outside reaches the relay. A QR code lets one try."""
    from . import qr, relay
    from .web import relay_proof

    for clinic in site.clinics.values():
        if any(relay.Road.read(url) for server in clinic.ice for url in server.urls):
            link = f"{site.address_of(clinic.id)}/-/relay#{relay_proof.token(site.secret, clinic.id)}"
            print(
                f"\nTest the relay of {clinic.name} from outside: open this on a phone without Wi-Fi, in half an hour."
            )
            print(f"{qr.blocks(link)}\n{link}")


def _problems(site: Site) -> Iterator[str]:
    from . import clinics, relay, workshop
    from .reading import nearest

    if not site.url:
        yield "server.url is not set: browsers give camera and microphone to https addresses (and localhost) only."
    elif site.url.startswith("http://") and "localhost" not in site.url:
        yield "server.url is not https: browsers will not give camera and microphone to it."
    elif site.url.startswith("https://") and not site.trusted_proxies:
        yield "server.trusted_proxies is 0: behind a proxy that does TLS it must be 1, or all addresses look like one."
    yield from _problems_of_mail(site)
    themes = workshop.find_themes(site.folder)
    for broken in themes.broken.values():
        yield f"theme {broken.id} cannot be used: {broken.problem}"
    for clinic in site.clinics.values():
        if clinic.theme is not None and clinic.theme not in themes.good:
            yield f"clinic.{clinic.id}.theme: there is no theme {clinic.theme!r}; {nearest(clinic.theme, themes.good)}"
        if not clinic.ice:
            yield (
                f"clinic.{clinic.id}.ice is empty: two browsers behind strict networks will not reach each other. "
                "Name your own STUN or TURN server."
            )
        for server in clinic.ice:
            for problem in relay.problems(server):
                yield f"clinic.{clinic.id}.ice: {problem}"
    with _clinics_of(site, migrate=False) as app:
        behind = list(clinics.database.problems())
        yield from behind
        yield from _problems_of_plugins(app, site, database=not behind)


def _problems_of_mail(site: Site) -> Iterator[str]:
    """Whether the mail server, where there is one, can be reached and lets us in. Nothing is sent."""
    from . import mail

    if site.mail is None:
        return  # a practice may do without
    if site.mail.security == "none" and not site.mail.local:
        yield "server.mail.security is none: mail goes to another machine unencrypted, links for new passwords too."
    try:
        with mail.session(site.mail):
            pass
    except mail.Trouble as trouble:
        yield f"server.mail: {trouble.reason} {trouble.fix}"


def _problems_of_plugins(app: Flask, site: Site, *, database: bool) -> Iterator[str]:
    from functools import partial

    from . import config
    from .extending import checkup, hooks, registry
    from .runtime import inline

    make = partial(hooks.Hooks, context=app.app_context, spawn=inline)
    try:
        plugins = registry.Registry(site, make)
    except config.ConfigError as error:
        yield str(error)
        return
    yield from checkup.quarantined(plugins)
    if database:
        yield from checkup.problems(plugins)


def mail_test(arguments: argparse.Namespace) -> int:
    """The way of a mail to the server that takes it, with one fix for the step that fails."""
    import secrets
    from urllib.parse import urlsplit

    from . import mail
    from .message import EMAIL, Message

    with _site(arguments.dir) as site:
        if site is None:
            return 1
        if site.mail is None:
            return _problem(NO_MAIL)
        if not EMAIL.fullmatch(arguments.address):
            return _problem(f"{arguments.address!r} is no address, such as you@elm.example.org")
        clinic, id = next(iter(site.clinics.values())), secrets.token_urlsafe(16)
        text = f"{clinic.name} can send mail: this is the test that you asked for on its server."
        about: dict[str, Any] = {
            "id": id,
            "clinic": clinic.id,
            "kind": "mail",
            "owner": "core",
            "subject": f"Test of {clinic.name}",
        }
        try:
            message = Message(**about, to=arguments.address, text=text)
            made = mail.compose(message, name=clinic.name, sender=site.mail.sender)
            mail.hand_over(site.mail, made, said=print, greeting=urlsplit(site.address).hostname or "")
        except ValueError as error:
            return _problem(f"This cannot be written as a mail: {error}")
        except mail.Trouble as trouble:
            said = f"\nIt said: {trouble.answer}" if trouble.answer else ""
            return _problem(f"{trouble.reason}{said}\n{trouble.fix}")
    print(f"Now look whether it is there: in the mailbox of {arguments.address}, or among its spam.")
    return 0


def mail_bounce(arguments: argparse.Namespace) -> int:
    """For an alias of the mail server: what nobody can use ends quietly, or the report would be answered by another."""
    import time

    from . import clinics, mail

    with _site(arguments.dir) as site:
        if site is None:
            return 1
        if site.mail is None:
            return _problem(NO_MAIL)
        found = mail.bounced(sys.stdin.buffer.read(MOST_REPORT), site.mail.sender)
        if found is None:
            print("This is no report of a delivery that failed.")
            return 0
        with _clinics_of(site, migrate=False):
            ids, status = found
            reason = f"The mail came back: the address does not take it ({status})."
            for each in ids:
                for clinic in site.clinics:
                    if clinics.outbox.report(clinic, each, "bounced", reason, time.time_ns() // 1_000_000):
                        clinics.database.erase(clinics.database.db.engine)
                        print("The message is marked as come back.")
                        return 0
    print("The message that it is about is not known any more.")
    return 0


def migrate(arguments: argparse.Namespace) -> int:
    with _site(arguments.dir) as site:
        if site is None:
            return 1
        with _clinics_of(site):
            print("The database is up to date.")
    return 0


def member_add(arguments: argparse.Namespace) -> int:
    from . import clinics

    with _member_command(arguments) as (site, clinic):
        if clinic is None:
            return 1
        token = clinics.invitations.make(clinic.id, arguments.role, made_by=None)
        print(_link(site, clinic, token))
    return 0


def member_reset(arguments: argparse.Namespace) -> int:
    from . import clinics

    with _member_command(arguments) as (site, clinic):
        if clinic is None:
            return 1
        member = clinics.members.by_email(clinic.id, arguments.email)
        if member is None:
            return _problem(f"No member of {clinic.name} has the address {arguments.email}.")
        print(_link(site, clinic, clinics.invitations.reset_token(site.secret, member)))
    return 0


def member_list(arguments: argparse.Namespace) -> int:
    from . import clinics

    with _site(arguments.dir) as site:
        if site is None:
            return 1
        with _clinics_of(site):
            for clinic in clinics.clinic.all():
                for member in clinics.members.of(clinic.id):
                    state = "  disabled" if member.disabled_at else ""
                    print(f"{clinic.id}  {member.role:8}  {member.email}{state}")
    return 0


@contextmanager
def _site(folder: Path) -> Iterator[Site | None]:
    from . import config

    try:
        site: Site | None = config.load(folder)
    except config.ConfigError as error:
        _problem(str(error))
        site = None
    yield site


@contextmanager
def _member_command(arguments: argparse.Namespace) -> Iterator[tuple[Any, Any]]:
    """The site and the clinic that a member command is about; the clinic is None after a problem was printed."""
    from . import clinics

    with _site(arguments.dir) as site:
        if site is None:
            yield None, None
            return
        with _clinics_of(site):
            if arguments.clinic is None and len(site.clinics) > 1:
                _problem(f"Several clinics are here; name one: --clinic {'|'.join(site.clinics)}")
                yield site, None
            elif arguments.clinic is not None and arguments.clinic not in site.clinics:
                _problem(f"There is no clinic {arguments.clinic!r}; known: {', '.join(site.clinics)}")
                yield site, None
            else:
                yield site, clinics.clinic.by_id(arguments.clinic or next(iter(site.clinics)))


@contextmanager
def _clinics_of(site: Site, *, migrate: bool = True) -> Iterator[Flask]:
    """The lasting half alone, without sockets: enough for commands about members and settings."""
    from flask import Flask

    from . import clinics

    app = Flask("housecall")
    app.config["SQLALCHEMY_DATABASE_URI"] = site.database
    clinics.database.init_app(app)
    with app.app_context():
        if migrate:
            clinics.database.upgrade(clinics.database.db.engine)
            clinics.clinic.upsert(site.clinics.values())
        try:
            yield app
        finally:
            clinics.database.db.session.remove()
            clinics.database.db.engine.dispose()


def _owner_links() -> Iterator[tuple[Any, str]]:
    from . import clinics

    for clinic in clinics.clinic.all():
        if not clinics.members.of(clinic.id):
            yield clinic, clinics.invitations.make(clinic.id, "owner", made_by=None)


def turn(arguments: argparse.Namespace) -> int:
    """Write coturn's settings and the secret that we share with it; say what to do with them."""
    import secrets

    from . import relay

    if bool(arguments.cert) != bool(arguments.key):
        return _problem("--cert and --key belong together: a certificate without its key is none.")
    if not relay.HOST.fullmatch(arguments.host):
        return _problem(f"{arguments.host!r} is no host name, such as turn.elm.example.org")
    data = arguments.dir / "data"
    data.mkdir(parents=True, exist_ok=True)
    kept, made = data / "turn-secret", arguments.dir / "turnserver.conf"
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(32), encoding="utf-8")
    made.touch(mode=0o600)
    secret = kept.read_text(encoding="utf-8").strip()
    made.write_text(
        relay.configuration(arguments.host, secret, certificate=arguments.cert, key=arguments.key), encoding="utf-8"
    )
    urls = ", ".join(f'"{url}"' for url in relay.addresses(arguments.host, tls=bool(arguments.cert)))
    rights = relay.ON_443 if arguments.cert else ""
    print(f"""{made} is coturn's configuration. On the relay's machine (Debian, Ubuntu):

    sudo apt-get install coturn
    sudo install -m 640 -g turnserver {made} /etc/turnserver.conf
    sudo systemctl restart coturn

{rights}Open UDP and TCP 3478{", TCP 443" if arguments.cert else ""} and UDP 49600 to 49999. Then in housecall.toml:

    [[clinic.main.ice]]
    urls = [{urls}]
    secret = "file:data/turn-secret"

`housecall check` then sends bytes through it by each of these ways, and shows a QR code for the same test
from a phone outside.""")
    return 0


def _count(text: str) -> int:
    """A number of one or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a number of at least 1")
    return int(text)


def bench(arguments: argparse.Namespace) -> int:
    """How many rooms does this server carry?"""
    from . import capacity

    try:
        capacity.bench(waiting=arguments.waiting, seconds=arguments.seconds)
    except (RuntimeError, OSError) as error:
        return _problem(f"The bench could not be run: {error}")
    return 0


def _demo_provider() -> Any:
    from . import clinics

    clinic = clinics.clinic.all()[0]
    provider = clinics.members.create(
        clinic.id, email="ada.smith@elm.example", first_name="Ada", last_name="Smith", role="owner", password=None
    )
    clinics.members.update(provider.id, {"title": "Dr", "specialty": "General practice"})
    clinics.rooms.create(clinic.id, slug="drsmith", name="Dr Ada Smith", owner_id=provider.id)
    return provider


def _link(site: Site, clinic: Any, token: str) -> str:
    return f"{site.address_of(clinic.id)}/sign-in/link#{token}"


def _problem(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
