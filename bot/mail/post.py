"""A message handed to the SMTP server, and its answer told as one of four: done, later, never, maybe.

One rule: only what was lost once the message was on its way may have left; what failed before it can be tried again.
Nothing raised or logged here carries an address or a word of the server's, which may repeat one.
"""

from __future__ import annotations

import asyncio
import os
import random
import ssl
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPSenderRefused,
)

from bot.settings import Mail, Settings
from bot.worker import Later, Never

BEFORE, HANDING = 10.0, 17.0
"""Seconds to be ready to hand the message over, and to hand it: together less than a try is given (worker.DEADLINE)."""
FIRST, SLOWEST = 5.0, 900.0
"""Seconds before a second try, doubled at each further one, up to this: a server down for a day is not hammered."""
CLOSED_TO_US = 300.0
"""Seconds before trying again what an operator must mend: a wrong password, a sender refused."""


async def deliver(settings: Settings, message: EmailMessage, attempts: int) -> None:
    """Hand over a message. Raises Later (`maybe`: it may have left) or Never; else it is the server's."""
    mail = settings.mail
    if mail.folder:
        await asyncio.to_thread(_write, mail.folder, message)
        return
    way = aiosmtplib.SMTP(
        hostname=mail.server,
        port=mail.port,
        timeout=HANDING,
        use_tls=mail.security == "tls",
        start_tls=mail.security == "starttls",
        tls_context=_trusting(mail.authority) if mail.security != "aucun" else None,
        local_hostname=urlsplit(settings.server.public_url).hostname or "localhost",
        username=mail.user.get_secret_value() or None,
        password=mail.password.get_secret_value() or None,
    )
    try:
        await _before(way, mail, message, attempts)
        await _handed(way, message, attempts)
        with suppress(SMTPException, OSError):  # it is theirs already
            await way.quit(timeout=1)
    finally:
        way.close()


async def _before(way: aiosmtplib.SMTP, mail: Mail, message: EmailMessage, attempts: int) -> None:
    """All that comes before the message itself: whatever fails here, nothing has left."""
    try:
        async with asyncio.timeout(BEFORE):
            await way.connect()
            await way.mail(mail.sender or "")
            await way.rcpt(message["To"])
    except SMTPAuthenticationError:
        raise Later("wrong_password", after=CLOSED_TO_US) from None
    except SMTPSenderRefused as refused:
        after = _soon(attempts) if refused.code < 500 else CLOSED_TO_US
        raise Later("sender_refused", after=after) from None
    except SMTPRecipientRefused as refused:
        if refused.code >= 500:
            raise Never("recipient_refused") from None
        raise Later("recipient_later", after=_soon(attempts)) from None
    except ssl.SSLError:
        raise Later("certificate", after=CLOSED_TO_US) from None
    except (SMTPException, OSError) as error:
        raise Later(_name(error), after=_soon(attempts)) from None


async def _handed(way: aiosmtplib.SMTP, message: EmailMessage, attempts: int) -> None:
    """The message, then the server's word. Without that word, it may have left."""
    try:
        async with asyncio.timeout(HANDING):
            await way.data(message.as_bytes())
    except SMTPDataError as refused:
        if refused.code >= 500:
            raise Never("message_refused") from None
        raise Later("message_later", after=_soon(attempts)) from None
    except (SMTPException, OSError) as error:
        raise Later(_name(error), maybe=True) from None


def _write(folder: Path, message: EmailMessage) -> None:
    """The developer's way out: one file a message, and the same file for the same message."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = message["Message-ID"].strip("<>").partition("@")[0]
    file = folder / f"{name}.eml"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(message.as_bytes())


def _trusting(authority: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority)


def _soon(attempts: int) -> float:
    """Later and later, and not all at the same second."""
    wait = min(SLOWEST, FIRST * 2.0 ** min(attempts - 1, 10))
    return wait * random.uniform(0.75, 1.25)  # noqa: S311 — no secret in a delay


def _name(error: BaseException) -> str:
    """What may be logged: names of types, never a message, which may repeat an address."""
    return type(error).__name__
