"""Booking in the chat, as a manager lives it: from "voir un expert" to a visit that is moved, cancelled, erased."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from bot.doers import doers
from bot.house import House
from bot.turn import Present, look, records, take
from bot.visit.rules import rules
from bot.worker import work_once
from dialogue import engine, sessions
from dialogue.events import Clicked, Commanded, Event, Wrote
from tests.bot.test_turn import run, send, started
from tests.conftest import Clock
from tests.visits.conftest import LEA, OFFICE
from visits import bookings, calls, consultants, places
from visits.bookings import Booking
from visits.consultants import Consultant
from visits.tables import bookings as rows
from visits.tables import visit_slices

TOLD: dict[str, Event] = {
    "rdv-adresse": Wrote("rdv-adresse", "12 rue de la Roquette"),
    "rdv-entreprise": Wrote("rdv-entreprise", "Optique Bastille"),
    "rdv-siret": Wrote("rdv-siret", "732 829 320 00074"),
    "rdv-contact": Wrote("rdv-contact", "Nadia"),
    "rdv-joindre": Clicked("rdv-joindre", "e-mail"),
    "rdv-e-mail": Wrote("rdv-e-mail", "nadia@optique.example"),
    "rdv-telephone": Wrote("rdv-telephone", "0612345678"),
    "rdv-presta-jour": Clicked("rdv-presta-jour", "a-demander"),
    "rdv-prestataire": Clicked("rdv-prestataire", "na"),
    "rdv-postes": Wrote("rdv-postes", "3"),
    "rdv-caisses": Clicked("rdv-caisses", "na"),
}


@pytest.fixture
def lea(house: House) -> Consultant:
    def work(tx: Connection) -> Consultant:
        made = consultants.add(tx, house.store.keyring, LEA)
        consultants.set_hours(tx, made.id, OFFICE)
        return made

    return house.store.db.write(work)


@pytest.fixture
def shop(house: House) -> Present:
    """An optician of ten who has told that much, and asks for a visit at once."""
    return opened(house)


def opened(house: House, facts: dict[str, str] | None = None, *, trial: bool = False) -> Present:
    told = {"branche": "optique", "effectif": "2-10", "gestion_ailleurs": "non"} | (facts or {})
    here, _ = started(house, trial=trial, first=Clicked("branche", told.pop("branche")))
    return go(house, here, *(Clicked(node, choice) for node, choice in told.items()))


def asked(house: House, here: Present) -> str:
    question = here.turn(house).question
    return question.node if question else ""


def options(house: House, here: Present) -> dict[str, str]:
    question = here.turn(house).question
    return {option.id: option.label for option in question.choices} if question else {}


def said(house: House, here: Present) -> str:
    return "\n".join(message.text for message in here.turn(house).messages)


def go(house: House, here: Present, *events: Event) -> Present:
    for event in events:
        here = send(house, here, event)
        assert here.outcome == "taken", (event, here.refusal)
    return here


def to_times(house: House, here: Present) -> Present:
    agreed = (Commanded("book"), Clicked("rdv-accord", "suite"), Clicked("rdv-mode", "sur-place"))
    return go(house, here, *agreed, Wrote("rdv-postal", "75011"))


def to_confirm(house: House, here: Present, **changed: Event) -> Present:
    told = TOLD | {name.replace("_", "-"): event for name, event in changed.items()}
    while (node := asked(house, here)) != "rdv-confirmer":
        here = go(house, here, told[node])
    return here


def chosen(house: House, here: Present, place: int = 0) -> Present:
    return go(house, here, Clicked("rdv-heure", list(options(house, here))[place]))


def booked(house: House, here: Present, **changed: Event) -> Present:
    here = to_confirm(house, chosen(house, to_times(house, here)), **changed)
    return go(house, here, Clicked("rdv-confirmer", "oui"))


def visit_of(house: House, here: Present) -> Booking:
    found = house.store.db.read(lambda tx: bookings.booked_by(tx, here.conversation))
    assert found is not None
    return found


def slices_taken(house: House) -> int:
    return len(house.store.db.read(lambda tx: tx.execute(select(visit_slices)).all()))


def test_without_any_consultant_the_bot_gives_the_number_to_call(house: House, shop: Present) -> None:
    here = go(house, shop, Commanded("book"))
    assert here.front[0].id == "autodiag"
    assert house.settings.contact.phone in said(house, here)


def test_three_taps_lead_to_a_time_and_what_is_handed_over_is_read_first(
    house: House, lea: Consultant, shop: Present
) -> None:
    here = go(house, shop, Commanded("book"))
    assert asked(house, here) == "rdv-accord"
    assert "Quel est votre métier ? Optique-lunetterie" in said(house, here)
    here = go(house, here, Clicked("rdv-accord", "suite"), Clicked("rdv-mode", "distance"))
    assert asked(house, here) == "rdv-heure"
    found = list(options(house, here).values())
    assert found[-1] == "Autres moments"
    assert found[0] == "Mercredi 25 novembre à 11 h"
    assert len(found) == 4


def test_a_visit_is_booked_from_the_first_word_to_the_code_at_the_door(
    house: House, lea: Consultant, shop: Present
) -> None:
    here = chosen(house, to_times(house, shop))
    assert asked(house, here) == "rdv-adresse"
    here = to_confirm(house, here)
    recap = said(house, here)
    assert "Optique Bastille" in recap
    assert "73282932000074" in recap
    assert "Léa Martin, Cabinet Exemple" in recap
    here = go(house, here, Clicked("rdv-confirmer", "oui"))
    visit = visit_of(house, here)
    told = house.store.db.read(lambda tx: bookings.details(tx, house.store.keyring, visit))
    assert told is not None
    assert told["rdv-entreprise"] == "Optique Bastille"
    assert "rdv-caisses" not in told, "what was passed is not kept"
    assert (visit.status, visit.sharing, visit.branch, visit.on_site) == ("booked", "later", "optique", True)
    end = said(house, here)
    assert told["code"] in end
    assert len(told["code"]) == 4
    assert LEA.phone in end
    assert "par e-mail" not in end, "no letter leaves this house"
    assert here.held.diary.since["appointment"] == visit.starts_at
    assert "visit_wanted" not in here.held.diary.since or here.held.diary.since["visit_wanted"]


def test_what_replays_gives_the_same_conversation(house: House, lea: Consultant, shop: Present) -> None:
    here = booked(house, shop)
    held = sessions.Sessions(engine.begin(house.flow))
    for record in run(records(house, here.conversation)):
        flows = house.store.db.read(lambda tx, held=held: house.flows_of(tx, house.flow, held))  # type: ignore[misc]
        held = sessions.take(flows, held, record.event, datetime.fromisoformat(record.at), record.door).held
    assert held.others == here.held.others
    assert held.autodiag == here.held.autodiag


def test_weeks_then_the_times_of_one_then_back(house: House, lea: Consultant, shop: Present) -> None:
    here = to_times(house, shop)
    first = options(house, here)
    here = go(house, here, Clicked("rdv-heure", "autres"))
    week = options(house, here)
    assert next(iter(week.values())).startswith("Semaine du 23 novembre (")
    here = go(house, here, Clicked("rdv-heure", list(week)[1]))
    times = options(house, here)
    assert all(
        label.split()[0] in ("Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Autres") for label in times.values()
    )
    assert len(times) == 26
    here = go(house, here, Clicked("rdv-heure", "autres"), Clicked("rdv-heure", "proches"))
    assert options(house, here) == first
    assert slices_taken(house) == 0


def test_a_time_taken_meanwhile_is_said_kindly_with_others(house: House, lea: Consultant, shop: Present) -> None:
    slow = to_times(house, shop)
    chosen(house, to_times(house, opened(house)))
    first = next(iter(options(house, slow)))
    here = go(house, slow, Clicked("rdv-heure", first))
    assert asked(house, here) == "rdv-heure"
    assert "Quelqu'un vient de prendre ce moment" in said(house, here)
    assert first not in options(house, here)


def test_a_time_that_became_past_while_choosing_is_not_given(
    house: House, lea: Consultant, shop: Present, clock: Clock
) -> None:
    here = to_times(house, shop)
    old = next(iter(options(house, here)))
    clock.forward(days=7)
    here = go(house, here, Clicked("rdv-heure", old))
    assert "Quelqu'un vient de prendre" in said(house, here)
    assert slices_taken(house) == 0


def test_a_hold_that_expired_is_taken_again_or_lost_at_the_confirmation(
    house: House, lea: Consultant, shop: Present, clock: Clock
) -> None:
    here = to_confirm(house, chosen(house, to_times(house, shop), 1))
    start = datetime.strptime(here.held.by("booking").answers["rdv-heure"] + "Z", "%Y%m%d-%H%M%z")
    clock.forward(minutes=11)
    other = house.store.db.write(
        lambda tx: bookings.hold(
            tx,
            house.store.keyring,
            rules(house),
            house.now(),
            bookings.Wanted(True, "75", "optique"),
            start,
            conversation=None,
        )
    )
    assert other is not None
    lost = go(house, here, Clicked("rdv-confirmer", "oui"))
    assert asked(house, lost) == "rdv-heure"
    assert "Quelqu'un vient de prendre" in said(house, lost)
    again = chosen(house, lost)
    assert asked(house, again) == "rdv-confirmer", "nothing is to be written again"
    done = go(house, again, Clicked("rdv-confirmer", "oui"))
    assert visit_of(house, done).starts_at != start


def test_refusing_the_handover_books_nothing(house: House, lea: Consultant, shop: Present) -> None:
    here = go(house, shop, Commanded("book"), Clicked("rdv-accord", "rien"))
    assert here.turn(house).place == "end"
    assert "rien n'est transmis" in said(house, here)


def test_a_trial_sees_everything_and_takes_nothing(house: House, lea: Consultant) -> None:
    here = booked(house, opened(house, trial=True))
    assert "Ceci est un essai" in said(house, here)
    assert house.store.db.read(lambda tx: tx.execute(select(rows)).all()) == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"effectif": "300-plus"}, "300 personnes"),
        ({"gestion_ailleurs": "etranger"}, "à l'étranger"),
        ({"branche": "autre"}, "ne couvre pas votre métier"),
    ],
)
def test_who_may_not_have_a_visit_is_told_at_once(
    house: House, lea: Consultant, facts: dict[str, str], words: str
) -> None:
    here = go(house, opened(house, facts), Commanded("book"))
    assert words in said(house, here)
    assert here.front[0].id == "autodiag"


def test_before_the_profile_is_known_the_bot_asks_it_first(house: House, lea: Consultant) -> None:
    here, _ = started(house)
    here = go(house, here, Commanded("book"))
    assert "votre entreprise" in said(house, here)
    assert asked(house, here) == "branche"


def test_the_bad_postcode_is_told_and_asked_again(house: House, lea: Consultant, shop: Present) -> None:
    here = go(house, shop, Commanded("book"), Clicked("rdv-accord", "suite"), Clicked("rdv-mode", "sur-place"))
    here = send(house, here, Wrote("rdv-postal", "7501"))
    assert asked(house, here) == "rdv-postal"
    assert "cinq chiffres" in said(house, here)


def test_where_nobody_goes_the_bot_gives_the_number(house: House, lea: Consultant, shop: Present) -> None:
    here = go(house, shop, Commanded("book"), Clicked("rdv-accord", "suite"), Clicked("rdv-mode", "sur-place"))
    here = go(house, here, Wrote("rdv-postal", "29200"))
    assert options(house, here) == {}
    assert house.settings.contact.phone in said(house, here)


def test_a_visit_is_moved_up_to_a_limit(house: House, lea: Consultant, shop: Present) -> None:
    here = booked(house, shop)
    first = visit_of(house, here)
    for count in (1, 2):
        here = go(house, here, Commanded("book"), Clicked("rdv-que-faire", "deplacer"))
        assert asked(house, here) == "rdv-heure"
        here = chosen(house, here, 1)
        assert asked(house, here) == "rdv-deplacer"
        here = go(house, here, Clicked("rdv-deplacer", "oui"))
        moved = visit_of(house, here)
        assert (moved.id, moved.moves) == (first.id, count)
        assert here.held.diary.since["appointment"] == moved.starts_at
    here = go(house, here, Commanded("book"), Clicked("rdv-que-faire", "deplacer"))
    assert house.settings.contact.phone in said(house, here)
    assert slices_taken(house) == 10


def test_a_cancelled_time_is_on_offer_again_and_another_can_be_taken(
    house: House, lea: Consultant, shop: Present
) -> None:
    here = booked(house, shop)
    start = visit_of(house, here).starts_at
    here = go(house, here, Commanded("book"), Clicked("rdv-que-faire", "annuler"), Clicked("rdv-annuler", "oui"))
    assert "annulé" in said(house, here)
    assert "appointment" not in here.held.diary.since
    assert slices_taken(house) == 0
    here = go(house, here, Commanded("book"), Clicked("rdv-accord", "suite"))
    assert asked(house, here) == "rdv-heure", "what was told is not asked again"
    assert start.strftime("%Y%m%d-%H%M") in options(house, here)
    here = go(house, chosen(house, here), Clicked("rdv-confirmer", "oui"))
    assert visit_of(house, here).starts_at == start


def test_too_late_to_change_gives_the_number(house: House, lea: Consultant, shop: Present, clock: Clock) -> None:
    here = booked(house, shop)
    clock.at = visit_of(house, here).starts_at - timedelta(hours=23)
    for what in ("deplacer", "annuler"):
        there = go(house, here, Commanded("book"), Clicked("rdv-que-faire", what))
        assert house.settings.contact.phone in said(house, there)
        here = there
    assert visit_of(house, here).status == "booked"


def test_erasing_everything_cancels_the_visit_and_frees_its_time(house: House, lea: Consultant, shop: Present) -> None:
    here = booked(house, shop)
    visit = visit_of(house, here)
    gone = send(house, go(house, here, Commanded("erase")), Commanded("confirm"))
    assert gone.outcome == "erased"
    left = house.store.db.read(lambda tx: bookings.find(tx, visit.id))
    assert left is not None
    assert (left.status, left.cancelled_by, left.conversation, left.sealed) == ("cancelled", "erasure", None, None)
    assert slices_taken(house) == 0


def test_a_firm_with_a_telephone_only_gives_its_consultant_dated_calls(
    house: House, lea: Consultant, shop: Present
) -> None:
    here = booked(house, shop, rdv_joindre=Clicked("rdv-joindre", "telephone"))
    visit = visit_of(house, here)
    found = house.store.db.read(lambda tx: calls.to_make(tx, lea.id))
    assert [(call.what, call.due_at) for call in found] == [
        ("booked", house.now()),
        ("day_before", visit.starts_at - timedelta(days=1)),
        ("two_hours", visit.starts_at - timedelta(hours=2)),
    ]
    assert house.store.db.write(lambda tx: calls.made(tx, lea.id, visit.id, "booked", house.now()))
    assert not house.store.db.write(lambda tx: calls.made(tx, "other", visit.id, "day_before", house.now()))


def test_when_places_run_out_a_list_is_kept_and_served(house: House, lea: Consultant, shop: Present) -> None:
    few(house, 0)
    here = go(house, shop, Commanded("book"))
    assert asked(house, here) == "rdv-attente"
    here = go(house, here, Clicked("rdv-attente", "oui"))
    assert "à la place 1" in said(house, here)
    here = go(house, here, Commanded("book"))
    assert "à la place 1" in said(house, here)
    assert house.store.db.read(lambda tx: places.rank(tx, shop.conversation)) == 1
    looked = run(look(house, shop.conversation))
    assert looked.revision == here.revision


def test_the_last_places_are_given_once_each_whoever_is_quick(house: House, lea: Consultant) -> None:
    few(house, 3)
    house.store.db.write(lambda tx: consultants.set_hours(tx, consultants.add(tx, house.store.keyring, LEA).id, OFFICE))
    shops = [to_times(house, opened(house)) for _ in range(8)]
    times = list(options(house, shops[0]))

    async def all_at_once() -> list[Present]:
        return await asyncio.gather(
            *(
                take(
                    house,
                    door="web",
                    incoming=f"quick-{number}",
                    conversation=shop.conversation,
                    revision=shop.revision,
                    event=Clicked("rdv-heure", times[number % 3]),
                )
                for number, shop in enumerate(shops)
            )
        )

    done = run(all_at_once())
    held = [here for here in done if asked(house, here) == "rdv-adresse"]
    assert len(held) == 3
    others = [here for here in done if here not in held]
    assert all(asked(house, here) in ("rdv-attente", "rdv-heure") for here in others)
    assert all(
        "Quelqu'un vient de prendre" in said(house, here) or "liste d'attente" in said(house, here) for here in others
    )


def test_a_place_that_frees_up_is_offered_to_the_first_who_waits(
    house: House, lea: Consultant, shop: Present, clock: Clock
) -> None:
    few(house, 1)
    first = booked(house, shop)
    second = go(house, opened(house), Commanded("book"), Clicked("rdv-attente", "oui"))
    clock.forward(seconds=1)
    third = go(house, opened(house), Commanded("book"), Clicked("rdv-attente", "oui"))
    go(house, first, Commanded("book"), Clicked("rdv-que-faire", "annuler"), Clicked("rdv-annuler", "oui"))
    while run(work_once(house, doers(house))):
        pass
    told = run(look(house, second.conversation))
    assert asked(house, told) == "rdv-place"
    assert "s'est libérée pour vous" in said(house, told)
    assert asked(house, run(look(house, third.conversation))) != "rdv-place"
    assert house.store.db.read(lambda tx: places.left(tx, {"optique": 1}, "optique", house.now())) == 0, "kept for them"
    there = go(house, told, Clicked("rdv-place", "oui"))
    assert asked(house, there) == "rdv-accord"
    there = booked_from_agreement(house, there)
    assert visit_of(house, there).branch == "optique"
    assert house.store.db.read(lambda tx: places.rank(tx, third.conversation)) == 1


def booked_from_agreement(house: House, here: Present) -> Present:
    here = go(house, here, Clicked("rdv-accord", "suite"), Clicked("rdv-mode", "distance"))
    return go(house, to_confirm(house, chosen(house, here)), Clicked("rdv-confirmer", "oui"))


def few(house: House, count: int) -> None:
    """So many places for opticians."""
    visits = house.settings.visits.model_copy(update={"places": {"optique": count}})
    object.__setattr__(house, "settings", house.settings.model_copy(update={"visits": visits}))


def test_going_back_to_the_times_gives_the_one_held_back(house: House, lea: Consultant, shop: Present) -> None:
    here = to_times(house, shop)
    first = options(house, here)
    here = chosen(house, here)
    assert slices_taken(house) == 10
    here = go(house, here, Commanded("back"))
    assert asked(house, here) == "rdv-heure"
    assert options(house, here) == first
    assert slices_taken(house) == 0
