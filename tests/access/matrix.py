"""Every route of the spaces, who may take it, and what of theirs it names: the table that the matrix test crosses.

A room that brings a route adds its line here; the test fails until it has. `make` makes something of an account's and
gives its id, which stands for what is between braces in the path and for `{id}` in the fields.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection

from access import passkeys
from access.accounts import ROLES, Account, Role
from access.ceremony import Made
from bot.house import House
from bot.visit import changes, notices
from bot.visit.rules import rules
from federations import campaigns
from federations.campaigns import Campaign
from visits import bookings, consultants
from visits.bookings import Wanted
from visits.slots import Span, Weekly


@dataclass(frozen=True)
class Line:
    """One route. `sent`: the form, or for a script's own address, the JSON."""

    method: str
    path: str
    roles: tuple[Role, ...]
    make: Callable[[House, Account], str] | None = None
    sent: Mapping[str, str] = field(default_factory=dict)
    script: bool = False

    def names(self, id_: str) -> tuple[str, dict[str, str]]:
        """The address and what is sent, for this id."""
        path = re.sub(r"\{\w+\}", lambda _: id_, self.path)
        return path, {name: value.replace("{id}", id_) for name, value in self.sent.items()}


def a_passkey(house: House, account: Account) -> str:
    """One more passkey of this account, under the name that a page gives it."""
    new = Made(secrets.token_bytes(32), b"public key", 0, "usb")

    keyring, today = house.store.keyring, house.today()
    return house.store.db.write(lambda tx: passkeys.add(tx, keyring, account, new, "usb", today)).hex()


def a_campaign(house: House, account: Account) -> str:
    """A campaign of this federation's branch."""
    wanted = Campaign("", account.branch or "", "site", "Mai", house.today(), None)
    return house.store.db.write(lambda tx: campaigns.create(tx, wanted, [wanted.branch])).code


def a_visit(house: House, account: Account) -> str:
    """A visit of a firm that phoned, at the next free time of this consultant."""

    def work(tx: Connection) -> str:
        keyring, now, want = house.store.keyring, house.now(), Wanted(True, None, None, only=account.id)
        if consultants.find(tx, keyring, account.id) is None:
            changes.consultant_joins(house, tx, account)
            consultants.set_hours(tx, account.id, [Weekly(day, 8 * 60, 20 * 60) for day in range(7)])
        start = next(iter(bookings.times(tx, keyring, rules(house), now, want)))
        held = bookings.hold(tx, keyring, rules(house), now, want, start, conversation=None)
        assert held is not None
        told = {"rdv-entreprise": "Lunettes Secret", "rdv-contact": "Nadia Secret", "rdv-telephone": "06 00 00 00 00"}
        booking = bookings.confirm(tx, keyring, held, told, now, None)
        notices.booked(house, tx, booking, told)
        return booking.id

    return house.store.db.write(work)


def a_visit_done(house: House, account: Account) -> str:
    """The same, once it took place."""
    name = a_visit(house, account)

    def work(tx: Connection) -> None:
        booking = bookings.find(tx, name)
        assert booking is not None
        bookings.mark(tx, booking, "visit", booking.starts_at.date())

    house.store.db.write(work)
    return name


def an_exception(house: House, account: Account) -> str:
    """An absence of this consultant."""

    def work(tx: Connection) -> str:
        changes.consultant_joins(house, tx, account)
        start = house.now() + timedelta(days=300)
        return consultants.add_exception(tx, account.id, Span(start, start + timedelta(hours=1)), opens=False)

    return house.store.db.write(work)


FORM = {"id": "x" * 24}
PHONED = {
    **FORM,
    "ou": "distance",
    "moment": "20261209-1000",
    "rdv-entreprise": "Lunettes",
    "rdv-contact": "Nadia",
    "rdv-telephone": "01 99 00 00 00",
}
SPACE = "/espace/consultant"
VISIT = f"{SPACE}/visites/{{visite}}"

LINES = (
    Line("GET", "/espace", ROLES),
    Line("GET", "/espace/cles", ROLES),
    Line("POST", "/espace/cles", ROLES, a_passkey, {**FORM, "faire": "retirer", "cle": "{id}"}),
    Line("POST", "/espace/cles/defi", ROLES, script=True),
    Line("POST", "/espace/cles/preuve", ROLES, script=True),
    Line("GET", "/espace/consultant", ("consultant",)),
    Line(
        "POST",
        "/espace/consultant/appels",
        ("consultant",),
        a_visit,
        {**FORM, "visite": "{id}", "appel": "booked"},
    ),
    Line("GET", VISIT, ("consultant",), a_visit),
    Line("POST", VISIT, ("consultant",), a_visit, {**FORM, "faire": "annuler"}),
    Line("GET", f"{VISIT}/synthese", ("consultant",), a_visit),
    Line("GET", f"{VISIT}/synthese.pdf", ("consultant",), a_visit),
    Line("GET", f"{VISIT}/diagnostic", ("consultant",), a_visit),
    Line("POST", f"{VISIT}/diagnostic", ("consultant",), a_visit_done, FORM),
    Line("GET", f"{SPACE}/nouvelle", ("consultant",)),
    Line("POST", f"{SPACE}/nouvelle", ("consultant",), sent=PHONED),
    Line("GET", f"{SPACE}/heures", ("consultant",)),
    Line("POST", f"{SPACE}/heures", ("consultant",), sent=FORM),
    Line(
        "POST",
        f"{SPACE}/heures/exceptions",
        ("consultant",),
        an_exception,
        {**FORM, "faire": "retirer", "exception": "{id}"},
    ),
    Line("GET", f"{SPACE}/fiche", ("consultant",)),
    Line("POST", f"{SPACE}/fiche", ("consultant",), sent={**FORM, "telephone": "01 99 00 11 22"}),
    Line("GET", f"{SPACE}/photo", ("consultant",)),
    Line("POST", f"{SPACE}/photo", ("consultant",), sent={**FORM, "faire": "retirer"}),
    Line("GET", f"{SPACE}/calendrier", ("consultant",)),
    Line("POST", f"{SPACE}/calendrier", ("consultant",), sent={**FORM, "faire": "flux"}),
    Line("GET", "/espace/federation", ("federation",)),
    Line("GET", "/espace/federation/chiffres.csv", ("federation",)),
    Line("GET", "/espace/federation/campagnes", ("federation",)),
    Line("POST", "/espace/federation/campagnes", ("federation",), sent={**FORM, "numero": "Mai", "canal": "site"}),
    Line("GET", "/espace/federation/campagnes/{code}", ("federation",), a_campaign),
    Line("POST", "/espace/federation/campagnes/{code}", ("federation",), a_campaign, {**FORM, "faire": "finir"}),
)

INVENTED = (
    "0",
    "null",
    "None",
    "undefined",
    "%00",
    "%2e%2e",
    "*",
    "' OR 1=1 --",
    "é",
    "f" * 24,
    "0" * 64,
    "9" * 400,
)
"""Ids that lead nowhere. The empty one is tried too."""
