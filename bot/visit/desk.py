"""Visits from the command line: what is typed is read or refused with a sentence; then the rooms do it.

One rule: nothing is written when something is refused. No firm's name is ever listed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from access import accounts
from bot.house import House
from bot.people import Wrong
from bot.visit import changes, notices
from bot.visit.rules import rules, when
from dialogue.fields import tidy
from referential.forms import FormQuestion
from visits import bookings, consultants
from visits.bookings import Wanted
from visits.consultants import Consultant
from visits.slots import PARIS, Weekly, good

_SHOWN = 8
_DAYS = ("lun", "mar", "mer", "jeu", "ven", "sam", "dim")
_HOURS = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?\s+(\d{1,2})[:h](\d{2})?-(\d{1,2})[:h](\d{2})?")
_NEEDED = {"rdv-entreprise": "--entreprise", "rdv-contact": "--contact", "rdv-telephone": "--telephone"}


def add(house: House, at: str, given: Mapping[str, str], *, branch: str = "", expert: str = "") -> list[str]:
    """Book a visit for a firm that phoned. Raises Wrong."""
    told = tidied(house, {name: text for name, text in given.items() if text.strip() or name in _NEEDED})
    known = [each.id for each in house.flow.questionnaire.profile[0].choices]
    if branch and branch not in known:
        raise Wrong(f"Le métier « {branch} » n'existe pas. Choisissez parmi : {', '.join(known)}.")
    start, code = _moment(at), told.get("rdv-postal", "")
    department = (code[:3] if code.startswith("97") else code[:2]) or None

    def work(tx: Connection) -> list[str]:
        only = _expert(house, tx, expert).id if expert else ""
        want = Wanted(bool(code), department, branch or None, only=only)
        keyring, now = house.store.keyring, house.now()
        held = bookings.hold(tx, keyring, rules(house), now, want, start, conversation=None)
        if held is None:
            others = [when(house, each) for each in good(bookings.times(tx, keyring, rules(house), now, want))]
            said = f"Libres : {' ; '.join(others)}." if others else "Aucun expert n'est libre par ce chemin."
            raise Wrong(f"Ce moment n'est pas libre ({when(house, start)}). {said}")
        kept = told | {"code": f"{secrets.randbelow(10_000):04d}"}
        booking = bookings.confirm(tx, keyring, held, kept, now, None)
        notices.booked(house, tx, booking, kept)
        who = consultants.find(tx, keyring, booking.consultant)
        name = who.card.name if who else ""
        return [
            f"C'est réservé : {when(house, start)}, avec {name}. Numéro : {booking.id[:_SHOWN]}.",
            f"À dire à l'entreprise : son visiteur lui donnera le code {kept['code']}.",
        ]

    return house.store.db.write(work)


def listed(house: House) -> list[str]:
    """The visits to come, a line each."""

    def work(tx: Connection) -> list[str]:
        lines = []
        for each in bookings.ahead(tx, house.now()):
            who = consultants.find(tx, house.store.keyring, each.consultant)
            where = "sur place" if each.on_site else "à distance"
            name = who.card.name if who else ""
            lines.append(f"{each.id[:_SHOWN]}  {when(house, each.starts_at)}, {where}, {name}, {each.branch or '-'}")
        return lines

    return house.store.db.read(work) or ["Aucune visite à venir."]


def cancel(house: House, number: str) -> list[str]:
    """Cancel a visit in its consultant's name. Raises Wrong."""

    def work(tx: Connection) -> list[str]:
        found = [each for each in bookings.ahead(tx, house.now()) if number and each.id.startswith(number.strip())]
        if len(found) != 1:
            raise Wrong("Aucune visite à venir n'a ce numéro : voyez « autodiag visit list ».")
        changes.consultant_cancels(house, tx, found[0].id, found[0].consultant)
        return ["C'est annulé. Le commerçant est prévenu, et d'autres moments lui sont proposés."]

    return house.store.db.write(work)


def expert(
    house: House, number: str, phone: str | None, departments: str | None, branches: str | None, hours: str | None
) -> list[str]:
    """Change an expert's card where something is given, and show it. Raises Wrong."""

    def work(tx: Connection) -> list[str]:
        who = _expert(house, tx, number)
        card = who.card
        if phone is not None:
            card = replace(card, phone=tidied(house, {"rdv-telephone": phone})["rdv-telephone"])
        if departments is not None:
            card = replace(card, departments=read_departments(departments))
        if branches is not None:
            card = replace(card, branches=_branches(house, branches))
        if hours is not None:
            consultants.set_hours(tx, who.id, read_hours(hours))
        who = consultants.change(tx, who, card)
        week = consultants.agendas(tx, [who.id], house.now())[who.id].weekly
        return [
            f"{card.name}, {card.firm or 'sans entreprise'} ; pour vérifier : {card.phone}",
            f"Départements : {', '.join(card.departments) or 'tous'}. Métiers : {', '.join(card.branches) or 'tous'}.",
            "Heures : " + (", ".join(_told(each) for each in sorted(week)) or "aucune, rien n'est proposé"),
        ]

    return house.store.db.write(work)


def read_hours(text: str) -> list[Weekly]:
    """Hours as they are typed: "lun-ven 9:00-12:00, lun 14h-17h30". Raises Wrong."""
    found = []
    for part in (part.strip().lower() for part in text.split(",") if part.strip()):
        read = _HOURS.fullmatch(part)
        if read is None or read[1] not in _DAYS or (read[2] or read[1]) not in _DAYS:
            raise Wrong(f"« {part} » n'est pas une plage d'heures : écrivez-la comme « lun-ven 9:00-12:00 ».")
        opens, closes = int(read[3]) * 60 + int(read[4] or 0), int(read[5]) * 60 + int(read[6] or 0)
        first, last = _DAYS.index(read[1]), _DAYS.index(read[2] or read[1])
        if first > last or not 0 <= opens < closes <= 24 * 60:
            raise Wrong(f"« {part} » finit avant de commencer : écrivez-la comme « lun-ven 9:00-12:00 ».")
        found += [Weekly(day, opens, closes) for day in range(first, last + 1)]
    if len({(each.weekday, each.opens) for each in found}) != len(found):
        raise Wrong("Deux plages commencent au même moment : gardez-en une.")
    return found


def _told(hours: Weekly) -> str:
    spoken = [f"{minutes // 60}:{minutes % 60:02d}" for minutes in (hours.opens, hours.closes)]
    return f"{_DAYS[hours.weekday]} {'-'.join(spoken)}"


def _expert(house: House, tx: Connection, number: str) -> Consultant:
    keyring = house.store.keyring
    people = [each for each in accounts.all_of(tx, keyring, "consultant") if each.id.startswith(number.strip())]
    if len(people) == 1 and number.strip():
        return changes.consultant_joins(house, tx, people[0])
    raise Wrong("Aucun expert n'a ce numéro : voyez « autodiag consultant list ».")


def read_departments(text: str) -> tuple[str, ...]:
    """Departments as they are typed: "75, 2A", or "tous" for all of them. Raises Wrong."""
    if text.strip().lower() == "tous":
        return ()
    found = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    wrong = next((each for each in found if not re.fullmatch(r"0[1-9]|[1-8]\d|9[0-5]|97\d|2[AB]", each)), None)
    if wrong or not found:
        raise Wrong(f"« {wrong or text} » n'est pas un département : écrivez « 75,92 », ou « tous ».")
    return tuple("20" if each in ("2A", "2B") else each for each in found)


def _branches(house: House, text: str) -> tuple[str, ...]:
    if text.strip().lower() == "toutes":
        return ()
    known = house.flow.questionnaire.profile[0].by_choice
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if wrong := next((each for each in found if each not in known), None):
        raise Wrong(f"Le métier « {wrong} » n'existe pas. Choisissez parmi : {', '.join(known)}.")
    return found


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d %H:%M").replace(tzinfo=PARIS).astimezone(UTC)
    except ValueError:
        raise Wrong(f"« {text} » n'est pas un moment : écrivez-le comme « 2026-12-01 14:00 ».") from None


def tidied(house: House, given: Mapping[str, str]) -> dict[str, str]:
    """What was typed for the booking's questions, as the chat would keep it. Raises Wrong with the chat's words."""
    questions = {question.id: question for question in house.content.forms["booking"].content.questions()}
    kept = {}
    for name, text in given.items():
        question = questions[name]
        assert isinstance(question, FormQuestion)  # noqa: S101 — those of a form
        tidied, fault = tidy(question, text)
        if fault:
            said = house.words.say("bad_text", fault=fault, longest=question.longest)
            raise Wrong(f"{question.text} {said}")
        kept[name] = tidied
    return kept
