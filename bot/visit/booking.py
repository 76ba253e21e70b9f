"""The room `visits` in a turn: who may have a visit, free times, a time held, booked, moved, cancelled.

Called by the turn before it is saved, in its transaction, under the conversation's lock. One rule: it answers in events
(`Provided`, `Marked`), so that the conversation replays without it; a trial is shown everything and takes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from bot.house import House
from bot.turn import UnderWay
from bot.visit import handover, notices
from bot.visit.rules import card, may_change, may_move, rules, week_of, when
from dialogue.engine import asking, counted
from dialogue.events import AnswerRecorded, Digressed, Event, Marked, Offer, Provided
from dialogue.flow import AUTODIAG
from dialogue.present import outside_visit
from dialogue.session import Session
from referential.forms import FormQuestion
from referential.rules import NOT_CONCERNED, UNKNOWN
from visits import bookings, consultants, places
from visits.bookings import Sharing, Wanted
from visits.slots import a_few_a_day, good, weeks

FLOW = "booking"
TIME, AGREED, CONFIRM = "rdv-heure", "rdv-accord", "rdv-confirmer"
A_DAY = 5
"""Times shown of a day, at most, in the week that was asked for."""
WEEKS = 7
_SHARING: dict[str, Sharing] = {"suite": "later", "aujourdhui": "now", "coordonnees": "none"}
_KEPT = ("rdv-mode", "rdv-postal")


def answer(house: House, tx: Connection, turn: UnderWay) -> Sequence[Event]:
    """What the room answers to what was just concluded; nothing to nearly every turn."""
    if Digressed("book") in turn.facts:
        return _open(house, tx, turn)
    for fact in turn.facts:
        match fact:
            case AnswerRecorded() if fact.node in _STEPS:
                return _STEPS[fact.node](house, tx, turn, fact.choice) or _times_if_asked(house, tx, turn)
            case AnswerRecorded() if fact.node.startswith("rdv-") and not turn.loaded.trial:
                if held := bookings.held_by(tx, turn.loaded.id):
                    bookings.prolong(tx, held, house.now())
    return _times_if_asked(house, tx, turn)


def erased(house: House, tx: Connection, conversation: str) -> None:
    """A manager erases everything: the visit to come is cancelled, and its consultant told without a reason."""
    bookings.release(tx, conversation)
    booking = bookings.booked_by(tx, conversation)
    if booking and booking.starts_at > house.now():
        notices.cancelled(house, tx, bookings.cancel(tx, booking, "erasure"), {})


def _open(house: House, tx: Connection, turn: UnderWay) -> Sequence[Event]:
    """Somebody wants a visit: the one they have, times if they may have one, or why not, kindly and at once."""
    if booking := bookings.booked_by(tx, turn.loaded.id):
        told = bookings.details(tx, house.store.keyring, booking) or {}
        return [Provided(FLOW, "rendez-vous", ("rdv-que-faire",), values=card(house, tx, booking, told))]
    autodiag, flow = turn.held.autodiag, turn.flows.autodiag
    if outside_visit(flow, autodiag) or not consultants.any_working(tx):
        return []  # the Autodiag has already said it, or gives the number to call
    answers = counted(flow, autodiag)
    wanted = [fact.id for fact in flow.questionnaire.profile if fact.asked == "start"]
    asked = asking(flow, autodiag)
    if any(name not in answers for name in wanted[:2]) or (asked and asked.question.id in wanted):
        left = sum(name not in answers for name in wanted)
        return [Provided(AUTODIAG, say="booking_first", values={"left": str(max(1, left))})]
    branch = answers["branche"]
    if branch not in house.settings.visits.places and branch != UNKNOWN:
        return [Provided(AUTODIAG, say="booking_not_branch")]
    if _no_place_left(house, tx, turn):
        return _to_the_list(tx, turn)
    return [Provided(FLOW, "reserver", (AGREED, TIME, CONFIRM))]


def _no_place_left(house: House, tx: Connection, turn: UnderWay) -> bool:
    branch = _branch(turn)
    if branch is None:
        return False
    return places.left(tx, house.settings.visits.places, branch, house.now(), me=turn.loaded.id) <= 0


def _to_the_list(tx: Connection, turn: UnderWay) -> Sequence[Event]:
    if rank := places.rank(tx, turn.loaded.id):
        return [Provided(AUTODIAG, say="booking_waiting", values={"rang": str(rank)})]
    return [Provided(FLOW, "attente", ("rdv-attente",), say="booking_full")]


def _times_if_asked(house: House, tx: Connection, turn: UnderWay) -> Sequence[Event]:
    """The next good times, when the flow in front asks for one; whatever was held meanwhile is given back."""
    answered = isinstance(turn.event, Provided) and (turn.event.offers or turn.event.say == "booking_no_time")
    if turn.held.front != FLOW or answered:
        return []
    session = turn.held.by(FLOW)
    step = asking(turn.flows.of(session), session)
    if step is None or not isinstance(step.question, FormQuestion) or step.question.kind != "live":
        return []
    if not turn.loaded.trial:
        bookings.release(tx, turn.loaded.id)
    offers = _next(house, tx, turn, session)
    return [Provided(FLOW, offers=offers, say="" if offers else "booking_no_time")]


def _free(house: House, tx: Connection, turn: UnderWay, session: Session) -> list[datetime]:
    want = _wanted(tx, turn, session)
    return list(bookings.times(tx, house.store.keyring, rules(house), house.now(), want))


def _next(house: House, tx: Connection, turn: UnderWay, session: Session) -> tuple[Offer, ...]:
    starts = _free(house, tx, turn, session)
    found = [_offer(house, at) for at in good(starts)]
    if len(starts) > len(found):
        found.append(Offer("autres", house.words.label("other_times")))
    return tuple(found)


def _offer(house: House, at: datetime) -> Offer:
    said = when(house, at)
    return Offer(at.astimezone(UTC).strftime("%Y%m%d-%H%M"), said[:1].upper() + said[1:])


def _wanted(tx: Connection, turn: UnderWay, session: Session) -> Wanted:
    if session.opened == ("deplacer",) and (moving := bookings.booked_by(tx, turn.loaded.id)):
        return Wanted(moving.on_site, None, moving.branch, only=moving.consultant, but=moving.id)
    on_site = session.answers.get("rdv-mode") == "sur-place"
    code = session.answers.get("rdv-postal", "")
    department = (code[:3] if code.startswith("97") else code[:2]) if on_site else None
    return Wanted(on_site, department, _branch(turn))


def _branch(turn: UnderWay) -> str | None:
    found = counted(turn.flows.autodiag, turn.held.autodiag).get("branche", UNKNOWN)
    return None if found == UNKNOWN else found


def _time(house: House, tx: Connection, turn: UnderWay, choice: str) -> Sequence[Event]:
    """A time was chosen, or another look at them."""
    session = turn.held.by(FLOW)
    if choice == "proches":
        return [Provided(FLOW, forget=(TIME,))]
    if choice == "autres":
        by_week = list(weeks(_free(house, tx, turn, session)).items())[:WEEKS]
        found = [Offer(f"semaine-{monday:%Y%m%d}", week_of(house, monday, len(free))) for monday, free in by_week]
        return [Provided(FLOW, forget=(TIME,), offers=(*found, Offer("proches", house.words.label("next_times"))))]
    if choice.startswith("semaine-"):
        monday = datetime.strptime(choice, "semaine-%Y%m%d").replace(tzinfo=UTC).date()
        starts = a_few_a_day(weeks(_free(house, tx, turn, session)).get(monday, []), A_DAY)
        found = [_offer(house, at) for at in starts]
        return [Provided(FLOW, forget=(TIME,), offers=(*found, Offer("autres", house.words.label("other_weeks"))))]
    return _hold(house, tx, turn, session, _start(choice))


def _start(choice: str) -> datetime:
    return datetime.strptime(choice, "%Y%m%d-%H%M").replace(tzinfo=UTC)


def _hold(house: House, tx: Connection, turn: UnderWay, session: Session, start: datetime) -> Sequence[Event]:
    """Hold this time and say so, or say kindly that somebody was quicker."""
    want = _wanted(tx, turn, session)
    if turn.loaded.trial:
        return [Provided(FLOW, values=_as_if(house, tx, want, start))]
    if not want.but and want.branch is not None:
        bookings.lock(tx)
        bookings.release(tx, turn.loaded.id)
        if _no_place_left(house, tx, turn):
            return _to_the_list(tx, turn)
    sharing = _SHARING.get(session.answers.get(AGREED, ""), "none")
    held = bookings.hold(
        tx,
        house.store.keyring,
        rules(house),
        house.now(),
        want,
        start,
        conversation=turn.loaded.id,
        sharing=sharing,
    )
    if held is None:
        offers = _next(house, tx, turn, session)
        return [
            Provided(FLOW, forget=(TIME, CONFIRM), offers=offers, say="booking_taken" if offers else "booking_no_time")
        ]
    if want.but:
        return [Provided(FLOW, forget=("rdv-deplacer",), values={"nouveau": when(house, start)})]
    return [Provided(FLOW, values=card(house, tx, held, session.answers))]


def _as_if(house: House, tx: Connection, want: Wanted, start: datetime) -> dict[str, str]:
    """What a trial reads of a time that it does not take."""
    free = bookings.times(tx, house.store.keyring, rules(house), house.now(), want).get(start)
    lasts = rules(house).lasts(on_site=want.on_site)
    who = consultants.find(tx, house.store.keyring, free[0]) if free else None
    return {
        "quand": when(house, start),
        "duree": house.words.say("duration", minutes=int(lasts.total_seconds()) // 60),
        "expert": who.card.name if who else "",
        "firme": who.card.firm if who else "",
    }


def _agreement(house: House, tx: Connection, turn: UnderWay, choice: str) -> Sequence[Event]:
    return [Provided(FLOW, say="booking_none")] if choice == "rien" else []


def _confirmation(house: House, tx: Connection, turn: UnderWay, choice: str) -> Sequence[Event]:
    match choice:
        case "heure":
            return [Provided(FLOW, "reserver", (TIME, CONFIRM))]
        case "corriger":
            known = (name for name in turn.held.by(FLOW).answers if name not in (*_KEPT, AGREED, TIME))
            return [Provided(FLOW, "reserver", tuple(known))]
        case "oui":
            return _book(house, tx, turn)
    if not turn.loaded.trial:
        bookings.release(tx, turn.loaded.id)
    return [Provided(FLOW, say="booking_none")]


def _book(house: House, tx: Connection, turn: UnderWay) -> Sequence[Event]:
    """Book what is held; a time that slipped away while its manager was writing is taken again if it is free."""
    session = turn.held.by(FLOW)
    if turn.loaded.trial:
        return [Provided(FLOW, say="booking_trial")]
    start = _start(session.answers[TIME])
    held = bookings.held_by(tx, turn.loaded.id)
    if held is None or held.starts_at != start:
        lost = [event for event in _hold(house, tx, turn, session, start) if isinstance(event, Provided)]
        held = bookings.held_by(tx, turn.loaded.id)
        if held is None:
            return lost
    told = _told(turn, session) | {"code": f"{secrets.randbelow(10_000):04d}"}
    booking = bookings.confirm(tx, house.store.keyring, held, told, house.now(), turn.loaded.key)
    places.stop_waiting(tx, turn.loaded.id)
    handover.begin(house, tx, booking, turn.held.autodiag)
    notices.booked(house, tx, booking, told)
    return [
        Provided(FLOW, say="booking_booked", values=card(house, tx, booking, told)),
        Marked("appointment", booking.starts_at),
    ]


def _told(turn: UnderWay, session: Session) -> dict[str, str]:
    """What the firm told for its visit: the answers that stand, those passed left out."""
    standing = counted(turn.flows.of(session), session)
    return {
        name: given
        for name, given in standing.items()
        if given != NOT_CONCERNED and name not in (AGREED, TIME, CONFIRM)
    }


def _waiting(house: House, tx: Connection, turn: UnderWay, choice: str) -> Sequence[Event]:
    branch = _branch(turn)
    if choice != "oui" or branch is None:
        return [Provided(FLOW, say="booking_none")]
    rank = 1 if turn.loaded.trial else places.wait(tx, turn.loaded.id, branch, house.now())
    return [Provided(FLOW, say="booking_waiting", values={"rang": str(rank)})]


def _place(house: House, tx: Connection, turn: UnderWay, choice: str) -> Sequence[Event]:
    if choice != "non":
        return []
    places.stop_waiting(tx, turn.loaded.id)
    notices.serve_the_list(house, tx)
    return [Provided(FLOW, say="booking_none"), Marked("place", None)]


def _what_to_do(house: House, tx: Connection, turn: UnderWay, choice: str) -> Sequence[Event]:
    booking = bookings.booked_by(tx, turn.loaded.id)
    if booking is None:
        return []
    if choice == "deplacer" and may_move(house, booking):
        return [Provided(FLOW, "deplacer", (TIME, "rdv-deplacer"))]
    if choice == "annuler" and may_change(house, booking):
        return [Provided(FLOW, "annuler", ("rdv-annuler",))]
    return [Provided(FLOW, say="booking_kept" if choice == "garder" else "booking_too_late")]


def _moved(house: House, tx: Connection, turn: UnderWay, choice: str) -> Sequence[Event]:
    booking, session = bookings.booked_by(tx, turn.loaded.id), turn.held.by(FLOW)
    if booking is None or choice == "non":
        bookings.release(tx, turn.loaded.id)
        return [Provided(FLOW, say="booking_kept")]
    if choice == "heure":
        return [Provided(FLOW, "deplacer", (TIME, "rdv-deplacer"))]
    if not may_move(house, booking):
        return [Provided(FLOW, say="booking_too_late")]
    held = bookings.held_by(tx, turn.loaded.id)
    if held is None:
        lost = _hold(house, tx, turn, session, _start(session.answers[TIME]))
        held = bookings.held_by(tx, turn.loaded.id)
        if held is None:
            return lost
    told = bookings.details(tx, house.store.keyring, booking) or {}
    moved = bookings.move(tx, booking, held)
    notices.moved(house, tx, moved, told)
    return [
        Provided(FLOW, say="booking_moved", values=card(house, tx, moved, told)),
        Marked("appointment", moved.starts_at),
    ]


def _cancelled(house: House, tx: Connection, turn: UnderWay, choice: str) -> Sequence[Event]:
    booking = bookings.booked_by(tx, turn.loaded.id)
    if booking is None:
        return []
    if choice != "oui":
        return [Provided(FLOW, say="booking_kept")]
    if not may_change(house, booking):
        return [Provided(FLOW, say="booking_too_late")]
    told = bookings.details(tx, house.store.keyring, booking) or {}
    notices.cancelled(house, tx, bookings.cancel(tx, booking, "manager"), told)
    return [Provided(FLOW, say="booking_cancelled"), Marked("appointment", None)]


_STEPS: dict[str, Callable[[House, Connection, UnderWay, str], Sequence[Event]]] = {
    AGREED: _agreement,
    TIME: _time,
    CONFIRM: _confirmation,
    "rdv-attente": _waiting,
    "rdv-place": _place,
    "rdv-que-faire": _what_to_do,
    "rdv-deplacer": _moved,
    "rdv-annuler": _cancelled,
}
