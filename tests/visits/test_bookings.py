"""One time is never given twice, and a time given back is on offer again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Connection, exc, func, insert, select

from store import conversations
from store.open import Store
from tests.visits.conftest import LEA, NOW, RULES, employ
from visits import bookings, consultants, places
from visits.bookings import HELD_FOR, Booking, Wanted, hold
from visits.consultants import Consultant
from visits.slots import Span, Weekly, slices
from visits.tables import visit_slices

T = TypeVar("T")
PARIS_SHOP = Wanted(on_site=True, department="75", branch="optique")


def free_times(store: Store, want: Wanted = PARIS_SHOP, now: datetime = NOW) -> list[datetime]:
    return list(store.db.read(lambda tx: bookings.times(tx, store.keyring, RULES, now, want)))


def held(
    store: Store, start: datetime, who: str | None = None, want: Wanted = PARIS_SHOP, now: datetime = NOW
) -> Booking:
    found = try_to_hold(store, start, who, want, now)
    assert found is not None
    return found


def try_to_hold(
    store: Store, start: datetime, who: str | None = None, want: Wanted = PARIS_SHOP, now: datetime = NOW
) -> Booking | None:
    return store.db.write(lambda tx: hold(tx, store.keyring, RULES, now, want, start, conversation=who))


def booked(store: Store, start: datetime, who: str | None = None, **told: str) -> Booking:
    def work(tx: Connection) -> Booking:
        mine = hold(tx, store.keyring, RULES, NOW, PARIS_SHOP, start, conversation=who)
        assert mine is not None
        key = conversations.hold(tx, store.keyring, who) if who else None
        return bookings.confirm(tx, store.keyring, mine, told, NOW, key[0] if key else None)

    return store.db.write(work)


def test_a_thousand_attempts_at_once_give_each_time_to_one_firm(
    store: Store, lea: Consultant, firm: Callable[[], str]
) -> None:
    times = [at for at in free_times(store) if at.minute == 0][:20]
    who = [firm() for _ in range(50)]

    async def race() -> list[Booking | None]:
        async def attempt(number: int) -> Booking | None:
            start, me = times[number % len(times)], who[number % 50] if number % 2 else None
            return await store.db.submit(
                lambda tx: hold(tx, store.keyring, RULES, NOW, PARIS_SHOP, start, conversation=me)
            )

        return await asyncio.gather(*(attempt(number) for number in range(1000)))

    began = time.perf_counter()
    won = [found for found in asyncio.run(race()) if found]
    standing = store.db.read(lambda tx: [found for one in won if (found := bookings.find(tx, one.id))])
    starts = Counter(one.starts_at for one in standing)
    assert starts, "somebody won"
    assert max(starts.values()) == 1
    assert not any(a.span.overlaps(b.span) for a in standing for b in standing if a.id < b.id)
    written = store.db.read(lambda tx: tx.scalar(select(func.count()).select_from(visit_slices)))
    assert written == 8 * len(standing), "the slices of losers and of times given back are gone"
    assert time.perf_counter() - began < 60, "racing is not waiting"


def test_the_database_has_the_last_word_even_if_nobody_looks(
    store: Store, lea: Consultant, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = free_times(store)[0]
    first = held(store, start)
    monkeypatch.setattr(bookings, "_free", lambda *_: True)
    assert try_to_hold(store, start) is None
    assert try_to_hold(store, start + timedelta(minutes=45)) is None
    again = {"consultant": lea.id, "slice": next(iter(slices(first.span))), "booking": first.id}
    with pytest.raises(exc.IntegrityError):
        store.db.write(lambda tx: tx.execute(insert(visit_slices).values(again)))
    assert store.db.read(lambda tx: tx.scalar(select(func.count()).select_from(visit_slices))) == 8


def test_a_time_held_is_hidden_for_ten_minutes_then_on_offer_again(store: Store, lea: Consultant) -> None:
    start = free_times(store)[4]
    mine = held(store, start)
    assert start not in free_times(store)
    later = NOW + HELD_FOR
    assert start not in free_times(store, now=later - timedelta(seconds=1))
    assert start in free_times(store, now=later)
    theirs = held(store, start, now=later)
    assert store.db.read(lambda tx: bookings.find(tx, mine.id)) is None
    assert theirs.consultant == lea.id


def test_answering_keeps_a_time_for_half_an_hour_at_most(store: Store, lea: Consultant) -> None:
    mine = held(store, free_times(store)[0])
    for minutes, until in ((5, 15), (15, 25), (24, 30), (29, 30)):
        store.db.write(lambda tx, m=minutes: bookings.prolong(tx, mine, NOW + timedelta(minutes=m)))  # type: ignore[misc]
        found = store.db.read(lambda tx: bookings.find(tx, mine.id))
        assert found is not None
        assert found.held_until == NOW + timedelta(minutes=until)


def test_holding_another_time_gives_the_first_back(store: Store, lea: Consultant, firm: Callable[[], str]) -> None:
    me = firm()
    first, second = free_times(store)[0], free_times(store)[5]
    held(store, first, me)
    held(store, second, me)
    assert first in free_times(store)
    assert second not in free_times(store)


def test_two_visits_on_site_leave_the_time_to_travel(store: Store, lea: Consultant) -> None:
    start = free_times(store)[0]
    mine = booked(store, start)
    assert try_to_hold(store, mine.ends_at) is None
    assert held(store, mine.ends_at + RULES.travel).starts_at == mine.ends_at + RULES.travel


def test_a_time_that_has_become_past_or_too_near_is_refused(store: Store, lea: Consultant) -> None:
    start = free_times(store)[0]
    assert try_to_hold(store, start, now=start - RULES.notice) is not None
    assert try_to_hold(store, start, now=start - RULES.notice + timedelta(minutes=1)) is None
    assert try_to_hold(store, start, now=start + timedelta(hours=1)) is None


def test_only_who_serves_the_department_and_the_branch_is_offered(store: Store) -> None:
    employ(store, replace(LEA, branches=("optique",)))
    assert free_times(store)
    assert not free_times(store, replace(PARIS_SHOP, department="33"))
    assert not free_times(store, replace(PARIS_SHOP, branch="chaussure"))
    assert free_times(store, Wanted(on_site=False, department=None, branch="optique"))


def test_the_least_busy_goes_first_and_a_second_one_serves_the_same_time(store: Store, lea: Consultant) -> None:
    other = employ(store, replace(LEA, name="Ali Benoît"))
    start, later = free_times(store)[0], free_times(store)[30]
    first = booked(store, later)
    second = held(store, start)
    third = held(store, start)
    assert second.consultant != first.consultant
    assert {second.consultant, third.consultant} == {lea.id, other.id}
    assert try_to_hold(store, start) is None


def test_a_moved_visit_keeps_its_id_counts_the_move_and_gives_its_time_back(
    store: Store, lea: Consultant, firm: Callable[[], str]
) -> None:
    me = firm()
    start = free_times(store)[0]
    visit = booked(store, start, me, entreprise="Optique Bastille")
    near = start + timedelta(minutes=30)
    want = replace(PARIS_SHOP, only=lea.id, but=visit.id)
    assert near in free_times(store, want), "its own time does not stand in its way"

    def work(tx: Connection) -> Booking:
        new = hold(tx, store.keyring, RULES, NOW, want, near, conversation=me)
        assert new is not None
        return bookings.move(tx, visit, new)

    moved = store.db.write(work)
    assert (moved.id, moved.sequence, moved.moves, moved.starts_at) == (visit.id, 1, 1, near)
    assert store.db.read(lambda tx: bookings.details(tx, store.keyring, moved)) == {"entreprise": "Optique Bastille"}
    assert store.db.read(lambda tx: tx.scalar(select(func.count()).select_from(visit_slices))) == 8
    assert moved.ends_at + RULES.travel in free_times(store)


def test_a_move_given_up_leaves_the_visit_where_it_was(store: Store, lea: Consultant, firm: Callable[[], str]) -> None:
    me = firm()
    visit = booked(store, free_times(store)[0], me)
    held(store, visit.starts_at + timedelta(minutes=30), me, replace(PARIS_SHOP, but=visit.id))
    store.db.write(lambda tx: bookings.release(tx, me))
    kept = store.db.read(lambda tx: set(tx.scalars(select(visit_slices.c.slice))))
    assert kept == set(slices(visit.span))


def test_a_cancelled_time_is_on_offer_again_and_what_was_told_is_forgotten(store: Store, lea: Consultant) -> None:
    visit = booked(store, free_times(store)[0], entreprise="Optique Bastille")
    assert visit.starts_at not in free_times(store)
    gone = store.db.write(lambda tx: bookings.cancel(tx, visit, "manager"))
    assert visit.starts_at in free_times(store)
    assert (gone.status, gone.sequence) == ("cancelled", 1)
    assert store.db.read(lambda tx: bookings.details(tx, store.keyring, gone)) is None


def test_what_a_firm_told_goes_with_its_conversation(store: Store, lea: Consultant, firm: Callable[[], str]) -> None:
    me = firm()
    visit = booked(store, free_times(store)[0], me, entreprise="Optique Bastille")
    store.db.write(lambda tx: conversations.erase(tx, store.keyring, store.journal, me))
    left = store.db.read(lambda tx: bookings.find(tx, visit.id))
    assert left is not None
    assert left.conversation is None
    assert store.db.read(lambda tx: bookings.details(tx, store.keyring, left)) is None


def test_who_has_left_is_booked_no_more(store: Store, lea: Consultant) -> None:
    start = free_times(store)[0]
    assert store.db.write(lambda tx: consultants.leave(tx, lea.id, NOW.date()))
    assert not free_times(store)
    assert try_to_hold(store, start) is None
    assert not store.db.read(consultants.any_working)


def test_exceptions_and_busy_times_close_and_openings_open(store: Store, lea: Consultant) -> None:
    start = free_times(store)[0]
    whole_day = Span(start, start + timedelta(hours=8))
    key = store.db.write(lambda tx: consultants.add_exception(tx, lea.id, whole_day, opens=False))
    assert start not in free_times(store)
    assert not store.db.write(lambda tx: consultants.drop_exception(tx, "other", key))
    assert store.db.write(lambda tx: consultants.drop_exception(tx, lea.id, key))
    assert start in free_times(store)
    store.db.write(lambda tx: consultants.set_busy(tx, lea.id, [whole_day, whole_day], NOW))
    assert start not in free_times(store)
    saturday = datetime(2026, 11, 28, 9, tzinfo=NOW.tzinfo)
    assert saturday not in free_times(store)
    store.db.write(
        lambda tx: consultants.add_exception(tx, lea.id, Span(saturday, saturday + timedelta(hours=3)), opens=True)
    )
    assert saturday in free_times(store)


def test_hours_that_make_no_sense_are_refused_and_change_nothing(store: Store, lea: Consultant) -> None:
    before = free_times(store)
    with pytest.raises(ValueError, match="begin before"):
        store.db.write(lambda tx: consultants.set_hours(tx, lea.id, [Weekly(0, 600, 540)]))
    assert free_times(store) == before


def test_the_waiting_list_is_served_in_order_and_a_place_is_kept_for_who_was_called(
    store: Store, lea: Consultant, firm: Callable[[], str]
) -> None:
    quotas = {"optique": 1}
    visit = booked(store, free_times(store)[0])
    first, second = firm(), firm()

    def left(me: str = "") -> int:
        return store.db.read(lambda tx: places.left(tx, quotas, "optique", NOW, me=me))

    assert left() == 0
    assert store.db.write(lambda tx: places.wait(tx, first, "optique", NOW)) == 1
    assert store.db.write(lambda tx: places.wait(tx, second, "optique", NOW + timedelta(seconds=1))) == 2
    assert store.db.write(lambda tx: places.wait(tx, first, "optique", NOW + timedelta(days=1))) == 1
    assert store.db.write(lambda tx: places.call(tx, quotas, NOW)) == []
    store.db.write(lambda tx: bookings.cancel(tx, visit, "manager"))
    assert store.db.write(lambda tx: places.call(tx, quotas, NOW)) == [first]
    assert (left(), left(first), left(second)) == (0, 1, 0)
    assert store.db.write(lambda tx: places.call(tx, quotas, NOW)) == []
    late = NOW + places.KEPT_FOR
    assert store.db.write(lambda tx: places.call(tx, quotas, late)) == [second]
    assert store.db.read(lambda tx: places.rank(tx, first)) == 2


def test_a_consultant_reads_a_visit_until_thirty_days_after_its_last_milestone(store: Store, lea: Consultant) -> None:
    visit = booked(store, free_times(store)[0])

    def readable(days: int) -> bool:
        day = visit.starts_at.date() + timedelta(days=days)
        return bool(store.db.read(lambda tx: bookings.of_consultant(tx, lea.id, day)))

    assert (readable(30), readable(31)) == (True, False)
    after = visit.starts_at.date() + timedelta(days=20)
    store.db.write(lambda tx: bookings.mark_support(tx, visit, after, after + timedelta(days=5), 3))
    assert (readable(55), readable(56)) == (True, False)
    with pytest.raises(ValueError, match="ends after"):
        store.db.write(lambda tx: bookings.mark_support(tx, visit, after, after - timedelta(days=1), 1))
