"""A letter as a message: plain text, and headers that say who writes, that a machine does, and how to stop it.

One rule: nothing in it is followed. No picture, no redirection, no HTML part: text reads everywhere, and hides nothing.
A letter about a visit carries it as an iCalendar object.
"""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from bot.house import House
from bot.mail.letters import Letter
from store.contacts import stop_token

_POLICY = SMTP.clone(cte_type="7bit")


def compose(house: House, letter: Letter, to: str) -> EmailMessage:
    """The message of a letter to this address. The same letter gives the same Message-ID, so that a repeat is known."""
    settings, public = house.settings, house.settings.server.public_url
    stop = f"{public}/e/{stop_token(house.store.keyring, letter.purpose, to)}"
    links = {"link": f"{public}/{'confirmer' if letter.contact else 'm'}/{letter.link}"} if letter.link else {}
    text = house.words.say(f"mail_{letter.template}", stop=stop, **links, **letter.values)
    subject, _, body = text.partition("\n")
    message = EmailMessage(_POLICY)
    message["From"] = sender(house)
    message["To"] = to
    message["Reply-To"] = Address(settings.contact.name, addr_spec=settings.contact.email)
    message["Subject"] = subject
    message["Date"] = format_datetime(house.now())
    message["Message-ID"] = f"<{letter.id}@{sender(house).domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["List-Unsubscribe"] = f"<{stop}>"
    if settings.server.https:  # RFC 8058 asks for https
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(body.strip() + "\n", cte="quoted-printable")
    message["Content-Language"] = "fr"
    if letter.calendar:
        _add_calendar(message, letter.calendar)
    return message


def _add_calendar(message: EmailMessage, calendar: str) -> None:
    """An invitation, its update or its end as calendars read it (RFC 6047); what is only to keep, as a file."""
    found = re.search(r"^METHOD:(\w+)", calendar, re.MULTILINE)
    method = found[1] if found else "PUBLISH"
    if method == "PUBLISH":
        message.add_attachment(calendar.encode(), "text", "calendar", filename="rendez-vous.ics", cte="base64")
    else:
        message.add_alternative(calendar, "calendar", cte="quoted-printable", params={"method": method})


def sender(house: House) -> Address:
    """Who writes, as mail programmes show it."""
    mail = house.settings.mail
    return Address(mail.name or house.settings.programme.name, addr_spec=mail.sender or "autodiag@localhost.invalid")
