"""Campaigns: a code that a federation spreads. It tells the branch, the entry channel and the newsletter's issue.

One rule: a code opens the first page, and nothing else; whoever guesses one has been let in, as anybody is. The kit's
address is drawn from the code with the house's key, so nobody finds it who was not given it, and nothing keeps it.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, insert, select, update

from federations.tables import campaigns
from store.keys import Keyring

Channel = Literal["branche", "site", "opcommerce", "salon", "autre"]
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)
LONGEST_ISSUE: Final = 80
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Signs that nobody takes for another, read aloud or off a poster."""
_LENGTH: Final = 7
_TAKEN: Final = "code-"
"""How a hand-over code begins in a Telegram link: no campaign may be taken for one."""

Fault = Literal["branch", "channel", "issue", "dates", "code", "taken"]


class BadCampaign(ValueError):
    """A campaign that can't be made; `code` names why, for a door to say it."""

    def __init__(self, code: Fault) -> None:
        super().__init__(code)
        self.code: Fault = code


@dataclass(frozen=True)
class Campaign:
    """See the module. Open from `opens_on` to `closes_on`, both included, unless it was closed before."""

    code: str
    branch: str
    channel: Channel
    issue: str
    opens_on: date
    closes_on: date | None = None
    closed_on: date | None = None

    @property
    def ends_on(self) -> date | None:
        """Its last day, if it has one."""
        return min((day for day in (self.closes_on, self.closed_on) if day), default=None)

    def open_on(self, day: date) -> bool:
        """Whether who comes that day counts for it."""
        return self.opens_on <= day and (self.ends_on is None or day <= self.ends_on)


def create(tx: Connection, wanted: Campaign, branches: Collection[str]) -> Campaign:
    """Keep a campaign; a code is drawn for it where it has none. Raises BadCampaign, and keeps nothing."""
    wanted = replace(wanted, issue=" ".join(wanted.issue.split()))
    if wanted.branch not in branches:
        raise BadCampaign("branch")
    if wanted.channel not in CHANNELS:
        raise BadCampaign("channel")
    if not 0 < len(wanted.issue) <= LONGEST_ISSUE or not wanted.issue.isprintable():
        raise BadCampaign("issue")
    if wanted.closes_on and wanted.closes_on < wanted.opens_on:
        raise BadCampaign("dates")
    if wanted.code and (not _CODE.fullmatch(wanted.code) or wanted.code.startswith(_TAKEN)):
        raise BadCampaign("code")
    made = wanted if wanted.code else replace(wanted, code=_drawn(tx))
    if find(tx, made.code) is not None:
        raise BadCampaign("taken")
    tx.execute(insert(campaigns).values(vars(made)))
    return made


def find(tx: Connection, code: str) -> Campaign | None:
    """The campaign of this code, as it is written or in capitals, as one reads it off a poster."""
    if not _CODE.fullmatch(code):
        return None
    rows = tx.execute(select(campaigns).where(campaigns.c.code.in_({code, code.upper()}))).all()
    return next((_campaign(row) for row in sorted(rows, key=lambda row: row.code != code)), None)


def of_branch(tx: Connection, branch: str | None) -> list[Campaign]:
    """The campaigns of a branch, or all of them, newest first."""
    wanted = select(campaigns).order_by(campaigns.c.opens_on.desc(), campaigns.c.code)
    return [
        _campaign(row) for row in tx.execute(wanted if branch is None else wanted.where(campaigns.c.branch == branch))
    ]


def close(tx: Connection, code: str, today: date) -> Campaign | None:
    """End a campaign today, for good; None if there is none. One that is over stays as it is."""
    found = find(tx, code)
    if found is None or (found.ends_on and found.ends_on < today):
        return found
    tx.execute(update(campaigns).where(campaigns.c.code == found.code).values(closed_on=today))
    return replace(found, closed_on=today)


def kit_token(keyring: Keyring, code: str) -> str:
    """What the kit's address has that cannot be guessed: 132 bits."""
    return base64.urlsafe_b64encode(keyring.digest("kit", code)).decode()[:22]


def opens_kit(keyring: Keyring, code: str, token: str) -> bool:
    """Whether this is the kit's address of this code."""
    return hmac.compare_digest(kit_token(keyring, code).encode(), token.encode("utf-8", "replace"))


def _drawn(tx: Connection) -> str:
    while find(tx, code := "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))) is not None:
        pass
    return code


def _campaign(row: Any) -> Campaign:
    return Campaign(row.code, row.branch, row.channel, row.issue, row.opens_on, row.closes_on, row.closed_on)
