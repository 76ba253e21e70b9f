"""The people who are let in, for the command line: invited, listed, revoked, let in again. Gives back what to print.

One rule: a link is told once, to whoever runs the command, and by e-mail to the person where there is mail; only its
keyed hash is kept, and the letter, sealed, until it has left.
"""

from __future__ import annotations

import unicodedata

from sqlalchemy import Connection

from access import accounts, invitations, passkeys
from access.accounts import Account, Person, Role
from access.site import NoPasskeysHere, site_of
from bot.house import House
from bot.mail.letters import letter_to
from bot.visit import changes
from store.addresses import BadAddress, read_address, same

_LONGEST = 80
_ELSEWHERE = "autre"
"""The choice of the profile that is no branch."""


class Wrong(Exception):
    """What was asked can't be done; the message is a French sentence, and nothing was written."""


def invite(
    house: House, role: Role, name: str, *, email: str = "", firm: str = "", branch: str | None = None
) -> list[str]:
    """A new account, and its link. Raises Wrong."""
    _reachable(house)
    person = _person(name, email, firm)
    if branch is not None:
        known = [each.id for each in house.flow.questionnaire.profile[0].choices if each.id != _ELSEWHERE]
        if branch not in known:
            raise Wrong(f"La branche « {branch} » n'existe pas. Choisissez parmi : {', '.join(known)}.")

    def work(tx: Connection) -> list[str]:
        for other in accounts.all_of(tx, house.store.keyring, role):
            if person.email and other.person.email == person.email and not other.revoked_on:
                raise Wrong(
                    f"{person.email} a déjà un espace ({other.person.name}). Lien perdu, ou clés perdues : "
                    f"autodiag {role} recover {other.id}"
                )
        account = accounts.create(tx, house.store.keyring, role, person, house.today(), branch=branch)
        if role == "consultant":
            changes.consultant_joins(house, tx, account)
        return _hand_over(house, tx, account, invitations.invite(tx, house.store.keyring, account.id, house.now()))

    return house.store.db.write(work)


def listed(house: House, role: Role) -> list[str]:
    """Everybody of a role, a line each."""
    keyring = house.store.keyring
    lines = house.store.db.read(lambda tx: [_line(house, tx, each) for each in accounts.all_of(tx, keyring, role)])
    return lines or [f"Personne pour l'instant. Pour inviter : autodiag {role} invite"]


def revoke(house: House, role: Role, name: str) -> list[str]:
    """An account closed at once. Raises Wrong."""
    found = _named(house, role, name)

    def work(tx: Connection) -> int:
        if not accounts.revoke(tx, found.id, house.today()):
            raise Wrong(f"L'espace de {found.person.name} était déjà fermé.")
        return changes.consultant_leaves(house, tx, found.id) if role == "consultant" else 0

    cancelled = house.store.db.write(work)
    said = [f"C'est fait : {found.person.name} ne peut plus entrer, sur aucun appareil."]
    if cancelled:
        said.append(
            f"Visites annulées : {cancelled}. Les commerçants sont prévenus, d'autres moments leur sont proposés."
        )
    return said


def recover(house: House, role: Role, name: str) -> list[str]:
    """A new link for somebody who lost theirs, or their passkeys, which stop at once. Raises Wrong."""
    _reachable(house)
    found = _named(house, role, name)
    if found.revoked_on:
        raise Wrong(f"L'espace de {found.person.name} est fermé : invitez à nouveau cette personne.")

    def work(tx: Connection) -> list[str]:
        keys = passkeys.count(tx, found.id)
        token = invitations.recover(tx, house.store.keyring, found.id, house.now())
        ended = "Ses anciennes clés ne marchent plus, et tous ses appareils sont sortis."
        return [ended if keys else "L'ancien lien ne marche plus.", *_hand_over(house, tx, found, token)]

    return house.store.db.write(work)


def _hand_over(house: House, tx: Connection, account: Account, token: str) -> list[str]:
    """The link, for whoever runs the command; and in a letter, where there is mail and an address."""
    person, until = account.person, house.now() + invitations.OPEN_FOR
    link, day = f"{house.settings.server.public_url}/invitation/{token}", f"{until:%d/%m/%Y}"
    told = {"name": person.name, "role": account.role, "link": link, "until": day}
    once = house.store.keyring.digest("invitation letter", token).hex()
    posted = bool(person.email) and letter_to(
        house, tx, person.email, "invitation", told, purpose="invitations", dedup=once, expires_at=until
    )
    return [
        f"Invitation de {person.name} ({account.id}) :",
        link,
        f"Elle sert une fois, jusqu'au {day}. Remettez-la à cette personne seule : qui s'en sert entre.",
        *([f"Elle part aussi par e-mail à {person.email}."] if posted else []),
    ]


def _line(house: House, tx: Connection, account: Account) -> str:
    person, keys = account.person, passkeys.of(tx, account)
    until = invitations.pending(tx, account.id, house.now())
    used = max((key.used_on or key.created_on for key in keys), default=None)
    if account.revoked_on:
        stands = f"fermé le {account.revoked_on:%d/%m/%Y}"
    elif used:
        stands = f"{len(keys)} clé{'s' if len(keys) > 1 else ''}, dernier passage le {used:%d/%m/%Y}"
    else:
        stands = f"invitation ouverte jusqu'au {until:%d/%m/%Y}" if until else "invitation finie, sans clé"
    said = (account.id, account.branch, person.name, person.firm, person.email, stands)
    return "  ".join(part for part in said if part)


def _named(house: House, role: Role, name: str) -> Account:
    found = house.store.db.read(lambda tx: accounts.find(tx, house.store.keyring, name))
    if found is None or found.role != role:
        raise Wrong(f"Personne n'a l'identifiant « {name} » ici. Voyez la liste : autodiag {role} list")
    return found


def _reachable(house: House) -> None:
    """Raises Wrong where the public address lets nobody make a passkey."""
    try:
        site_of(house.settings.server.public_url, house.settings.programme.name)
    except NoPasskeysHere as error:
        raise Wrong(str(error)) from None


def _person(name: str, email: str, firm: str) -> Person:
    try:
        email = same(read_address(email)) if email else ""
    except BadAddress as bad:
        raise Wrong(str(bad)) from None
    return Person(_words(name, "Le nom"), email, _words(firm, "L'entreprise") if firm else "")


def _words(given: str, what: str) -> str:
    """A name on one line: not empty, not endless, nothing that does not print."""
    tidy = " ".join(given.split())
    if not tidy or len(tidy) > _LONGEST or any(unicodedata.category(sign).startswith("C") for sign in tidy):
        raise Wrong(f"{what} doit tenir en une ligne, de 1 à {_LONGEST} signes.")
    return tidy
