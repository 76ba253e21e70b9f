"""Free times: open hours in Paris, exceptions, travel, and what is never on offer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from visits.slots import PARIS, Agenda, Rules, Span, Weekly, a_few_a_day, free, good, slices, weeks

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
OFFICE = tuple(Weekly(day, 9 * 60, 12 * 60) for day in range(5))
CHRISTMAS = date(2026, 12, 25)


def rules(**changed: object) -> Rules:
    known: dict[str, object] = {
        "on_site": timedelta(hours=2),
        "remote": timedelta(hours=1),
        "travel": timedelta(minutes=45),
        "notice": timedelta(days=2),
        "horizon": timedelta(days=45),
        "day_off": lambda day: day == CHRISTMAS,
    }
    return Rules(**(known | changed))  # type: ignore[arg-type]


def utc(day: int, hour: int, minute: int = 0, month: int = 11, year: int = 2026) -> datetime:
    """Hours as a clock on a wall in Paris shows them."""
    return datetime(year, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


def starts(agenda: Agenda, *, on_site: bool = True, now: datetime = NOW, **changed: object) -> list[datetime]:
    return list(free(agenda, rules(**changed), now, on_site=on_site))


def test_a_visit_fits_whole_in_the_open_hours_after_the_notice() -> None:
    found = starts(Agenda(weekly=OFFICE))
    assert found[:4] == [utc(25, 10), utc(26, 9), utc(26, 9, 30), utc(26, 10)]
    assert all(at.astimezone(PARIS).hour < 11 for at in found)


def test_hours_stay_those_of_the_wall_when_daylight_saving_ends() -> None:
    agenda = Agenda(weekly=(Weekly(4, 14 * 60, 16 * 60),))
    found = starts(agenda, now=datetime(2026, 10, 20, 8, tzinfo=UTC), horizon=timedelta(days=14))
    assert found == [datetime(2026, 10, 23, 12, tzinfo=UTC), datetime(2026, 10, 30, 13, tzinfo=UTC)]


def test_a_public_holiday_is_closed_unless_somebody_opens_it() -> None:
    agenda = Agenda(weekly=OFFICE)
    assert not any(at.astimezone(PARIS).date() == CHRISTMAS for at in starts(agenda))
    opened = Agenda(weekly=OFFICE, openings=(Span(utc(25, 9, month=12), utc(25, 11, month=12)),))
    assert utc(25, 9, month=12) in starts(opened)


def test_travel_is_kept_on_both_sides_of_a_visit_on_site_and_only_there() -> None:
    day = (Weekly(3, 8 * 60, 18 * 60),)
    visit = (Span(utc(26, 11), utc(26, 13)), True)
    near = [at for at in starts(Agenda(weekly=day, visits=(visit,)), on_site=False) if at < utc(27, 0)]
    assert utc(26, 9) in near  # 9 h to 10 h, and the travel begins at 10 h 15
    assert utc(26, 9, 30) not in near
    assert utc(26, 13, 30) not in near
    assert utc(26, 14) in near
    remote = (Span(utc(26, 11), utc(26, 13)), False)
    assert utc(26, 13) in starts(Agenda(weekly=day, visits=(remote,)), on_site=False)
    assert utc(26, 13) not in starts(Agenda(weekly=day, visits=(remote,)), on_site=True)


def test_an_absence_closes_and_leaves_no_travel_around_it() -> None:
    day = (Weekly(3, 8 * 60, 12 * 60),)
    found = starts(Agenda(weekly=day, absences=(Span(utc(26, 10), utc(26, 12)),)), horizon=timedelta(days=5))
    assert found == [utc(26, 8)]


def test_the_three_good_ones_are_of_three_half_days_when_there_are() -> None:
    found = good(starts(Agenda(weekly=(*OFFICE, *(Weekly(day, 14 * 60, 18 * 60) for day in range(5))))))
    assert found == [utc(25, 10), utc(25, 14), utc(26, 9)]


def test_never_three_in_the_same_hour_if_another_hour_is_free() -> None:
    two_hours = [utc(26, 9), utc(26, 9, 30), utc(26, 10), utc(26, 10, 30)]
    assert good(two_hours) == [utc(26, 9), utc(26, 9, 30), utc(26, 10)]
    assert good([utc(26, 9), utc(26, 9, 30)]) == [utc(26, 9), utc(26, 9, 30)]
    assert good([]) == []


def test_weeks_begin_on_monday_in_paris_and_a_long_day_is_thinned() -> None:
    found = weeks([utc(29, 23, 30), utc(30, 9)])  # Sunday night and Monday morning
    assert list(found) == [date(2026, 11, 23), date(2026, 11, 30)]
    day = [utc(26, 9) + timedelta(minutes=30 * step) for step in range(12)]
    few = a_few_a_day(day, 4)
    assert (few[0], few[-1], len(few)) == (day[0], day[-1], 4)


def test_a_visit_covers_its_quarter_hours_and_no_other() -> None:
    assert len(slices(Span(utc(26, 9), utc(26, 11)))) == 8
    assert not set(slices(Span(utc(26, 9), utc(26, 11)))) & set(slices(Span(utc(26, 11), utc(26, 12))))
    assert set(slices(Span(utc(26, 9, 10), utc(26, 9, 20)))) >= set(slices(Span(utc(26, 9, 15), utc(26, 9, 20))))


minutes = st.integers(0, 60 * 24 * 20).map(lambda at: NOW + timedelta(minutes=at))
spans = st.tuples(minutes, st.integers(1, 600)).map(lambda two: Span(two[0], two[0] + timedelta(minutes=two[1])))
weekly = st.tuples(st.integers(0, 6), st.integers(0, 1400), st.integers(1, 600)).map(
    lambda three: Weekly(three[0], three[1], min(three[1] + three[2], 1440))
)
agendas = st.builds(
    Agenda,
    weekly=st.lists(weekly, max_size=6).map(tuple),
    openings=st.lists(spans, max_size=3).map(tuple),
    absences=st.lists(spans, max_size=4).map(tuple),
    busy=st.lists(spans, max_size=4).map(tuple),
    visits=st.lists(st.tuples(spans, st.booleans()), max_size=4).map(tuple),
)


@given(agendas, st.booleans(), st.integers(0, 90))
def test_a_free_time_touches_nothing_taken_and_lies_in_open_hours(agenda: Agenda, on_site: bool, travel: int) -> None:
    away = timedelta(minutes=travel)
    book = rules(travel=away, horizon=timedelta(days=21), notice=timedelta(hours=3))
    found = list(free(agenda, book, NOW, on_site=on_site))
    assert found == sorted(set(found))
    for start in found:
        visit = Span(start, start + book.lasts(on_site=on_site))
        assert NOW + book.notice <= start <= NOW + book.horizon
        assert not any(visit.overlaps(span) for span in (*agenda.absences, *agenda.busy))
        for span, was in agenda.visits:
            assert not visit.overlaps(span.widened(away if on_site or was else timedelta(0)))
        for at in (visit.start, visit.end - timedelta(seconds=1)):
            here = at.astimezone(PARIS)
            open_week = here.date() != CHRISTMAS and any(
                hours.weekday == here.weekday() and hours.opens * 60 <= _seconds(here) < hours.closes * 60
                for hours in agenda.weekly
            )
            assert open_week or any(span.start <= at < span.end for span in agenda.openings)


def _seconds(at: datetime) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


@given(st.lists(minutes, max_size=30), st.integers(1, 5))
def test_good_ones_are_among_the_free_ones_in_order_without_twice(every: list[datetime], wanted: int) -> None:
    found = good(sorted(every), wanted)
    assert found == sorted(set(found))
    assert set(found) <= set(every)
    assert len(found) == min(wanted, len(set(every)))
