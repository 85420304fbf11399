"""Carries mail by the program `sendmail` of the server's own machine. What it answers is in sysexits.h."""

import os
import shutil
import subprocess
from email.message import EmailMessage

from housecall import Delivery, hookimpl, settings

LATER = 75  # EX_TEMPFAIL; the others from 64 to 78 are for good
LIMIT = 60  # seconds


def program():
    return shutil.which("sendmail", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/lib")


def written(message, sender):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, message.to, message.subject
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.reply_to:
        mail["Reply-To"] = message.reply_to
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    for each in message.attachments:
        main, _, sub = each.type.partition(";")[0].partition("/")
        mail.add_attachment(each.body, maintype=main, subtype=sub, filename=each.name)
    return mail.as_bytes()


@hookimpl
def can_deliver(clinic, kind):
    return True if kind == "mail" and settings("sendmail", clinic=clinic)["sender"] and program() else None


@hookimpl
def deliver(message):
    sender, found = settings("sendmail", clinic=message.clinic)["sender"], program()
    if message.kind != "mail" or not sender or not found:
        return None
    line = [found, "-i", "-f", sender, "--", message.to]
    try:
        done = subprocess.run(line, input=written(message, sender), capture_output=True, timeout=LIMIT)  # noqa: S603
    except FileNotFoundError:
        return Delivery(state="later", reason="The program sendmail is not there.")
    except subprocess.TimeoutExpired:  # it was ended when it had all of the message
        return Delivery(state="unsure", reason="The program sendmail did not come back.")
    if done.returncode == 0:
        return Delivery(state="sent", reference=message.id)
    if done.returncode == LATER:
        return Delivery(state="later", reason="The program sendmail asks to try again later.")
    if done.returncode < 0:
        return Delivery(state="unsure", reason="The program sendmail was ended by somebody.")
    return Delivery(state="refused", reason=f"The program sendmail refused it ({done.returncode}).")
