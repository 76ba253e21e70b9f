"""When the bot speaks first: the hours, the week, the priorities, and the wish to be left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.house import day_off
from dialogue import sessions
from dialogue.calendar import Hours
from dialogue.diary import Diary, Said
from dialogue.engine import begin
from dialogue.events import Clicked, Marked, TimerFired
from dialogue.outreach import Look, Say, decide
from dialogue.session import Session
from dialogue.sessions import Sessions
from tests.dialogue.conftest import FLOW, do
from tests.dialogue.test_sessions import FLOWS

PARIS = ZoneInfo("Europe/Paris")
HOURS = Hours(9, 19, day_off)
MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)


def paris(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=PARIS)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        (paris(2026, 11, 23, 10, 30), paris(2026, 11, 23, 10, 30)),
        (paris(2026, 11, 23, 7), paris(2026, 11, 23, 9)),
        (paris(2026, 11, 23, 19), paris(2026, 11, 24, 9)),
        (paris(2026, 11, 28, 20), paris(2026, 11, 30, 9)),  # Saturday evening: not before Monday
        (paris(2026, 12, 24, 21), paris(2026, 12, 26, 9)),  # Christmas
        (paris(2027, 3, 28, 8), paris(2027, 3, 30, 9)),  # a Sunday when the clocks change, then Easter Monday
        (paris(2026, 10, 24, 20), paris(2026, 10, 26, 9)),  # clocks go back on the 25th
    ],
)
def test_the_hours_are_those_of_paris(at: datetime, opens: datetime) -> None:
    assert HOURS.open_from(at.astimezone(UTC)) == opens


@given(st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: MONDAY + timedelta(minutes=minutes)))
def test_an_open_instant_is_open_and_the_first(at: datetime) -> None:
    opens = HOURS.open_from(at)
    here = opens.astimezone(PARIS)
    assert opens >= at
    assert 9 <= here.hour < 19
    assert here.weekday() != 6
    assert not day_off(here.date())
    assert HOURS.open_from(opens) == opens
    if opens > at:
        assert (here.hour, here.minute, here.second) == (9, 0, 0), "later than asked: then at the opening"


def test_public_holidays_are_those_of_france() -> None:
    assert [day_off(date(2027, month, day)) for month, day in ((1, 1), (3, 29), (5, 6), (7, 14), (7, 15))] == [
        True,
        True,
        True,
        True,
        False,
    ]


def plan(held: Sessions, start: datetime, days: int = 60) -> list[tuple[datetime, str]]:
    """What is said, and when, to somebody who never answers."""
    said, now = [], start
    while now < start + timedelta(days=days):
        decided = decide(FLOWS, held, now, HOURS.open_from)
        if isinstance(decided, Say):
            said.append((now, decided.moment.id))
            held = sessions.take(FLOWS, held, TimerFired(decided.moment.id, decided.about), now, "timer").held
        elif isinstance(decided, Look):
            assert decided.at > now
            now = decided.at
        else:
            break
    return said


def begun(at: datetime = MONDAY) -> Sessions:
    held = Sessions(begin(FLOW))
    return sessions.take(FLOWS, held, Clicked("branche", "optique"), at, "web").held


def with_result(at_result: Session, **since: datetime) -> Sessions:
    return Sessions(at_result, diary=Diary(door="web", last=MONDAY, since={"result": MONDAY, **since}))


def test_an_unfinished_autodiag_is_recalled_after_one_day_and_eight() -> None:
    assert plan(begun(), MONDAY) == [
        (MONDAY + timedelta(days=1), "inacheve-1"),
        (MONDAY + timedelta(days=8), "inacheve-2"),
    ]


def test_never_out_of_hours_and_late_is_not_sent() -> None:
    saturday_night = paris(2026, 11, 27, 23).astimezone(UTC)
    assert plan(begun(saturday_night), saturday_night)[0][0] == paris(2026, 11, 30, 9)
    week_later = MONDAY + timedelta(days=6)
    found = decide(FLOWS, begun(), week_later, HOURS.open_from)
    assert isinstance(found, Look), "the first reminder is too late, the second not due"
    assert decide(FLOWS, begun(), MONDAY + timedelta(days=30), HOURS.open_from) is None


def test_whoever_comes_back_is_not_recalled_on_the_old_count() -> None:
    held = sessions.take(FLOWS, begun(), do("why"), MONDAY + timedelta(hours=20), "web").held
    assert plan(held, MONDAY)[0][0] >= MONDAY + timedelta(hours=44)


def test_a_result_is_followed_by_one_question_a_week_then_the_thirty_days(at_result: Session) -> None:
    said = plan(with_result(at_result), MONDAY)
    assert [name for _, name in said] == [
        "enquete-resultat-relance",
        "enquete-trente-jours",
        "enquete-trente-jours-relance",
    ]
    assert said[1][0] == MONDAY + timedelta(days=30)
    assert said[2][0] - said[1][0] == timedelta(days=7)


def test_a_visit_wanted_is_asked_about_twice_and_no_more_once_answered(at_result: Session) -> None:
    held = with_result(at_result, visit_wanted=MONDAY)
    names = [name for _, name in plan(held, MONDAY, days=20)]
    assert names == ["visite-voulue-1", "enquete-resultat-relance", "visite-voulue-2"], "the survey goes first"
    held = sessions.take(FLOWS, held, TimerFired("visite-voulue-1"), MONDAY + timedelta(days=2), "timer").held
    held = sessions.take(FLOWS, held, Clicked("visite-voulue", "pas-le-temps"), MONDAY + timedelta(days=2), "web").held
    assert "visite-voulue-2" not in [name for _, name in plan(held, MONDAY + timedelta(days=2), days=20)]


def test_the_survey_goes_before_the_visit_and_the_visit_before_the_tutorial(at_result: Session) -> None:
    late = MONDAY + timedelta(days=9)
    held = with_result(at_result, visit_wanted=MONDAY)
    held = replace(held, diary=replace(held.diary, tutorials={"double-code": MONDAY}))
    found = decide(FLOWS, held, late, HOURS.open_from)
    assert isinstance(found, Say)
    assert found.moment.kind == "survey"
    answered = replace(held, others={}, autodiag=at_result)
    answered = sessions.take(FLOWS, answered, do("result"), late, "web").held
    answered = sessions.take(FLOWS, answered, Clicked("sat-autodiag", "oui"), late, "web").held
    found = decide(FLOWS, answered, late, HOURS.open_from)
    assert isinstance(found, Say)
    assert found.moment.id == "visite-voulue-2"


def test_after_the_debrief_the_visit_is_asked_about_two_days_later_and_not_twice(at_result: Session) -> None:
    held = with_result(at_result, visit=MONDAY, report=MONDAY, debrief=MONDAY + timedelta(days=1))
    names = [name for _, name in plan(held, MONDAY, days=100)]
    assert names[0] == "enquete-restitution"
    assert "enquete-visite" not in names
    assert "enquete-trente-jours" not in names


def test_three_days_before_a_visit_beside_the_weekly_limit() -> None:
    held = sessions.take(FLOWS, begun(), Marked("appointment", MONDAY + timedelta(days=5)), MONDAY, "visits").held
    assert [name for _, name in plan(held, MONDAY)] == ["inacheve-1", "inacheve-avant-visite", "inacheve-2"]


def test_whoever_asked_for_quiet_is_never_spoken_to_first(at_result: Session) -> None:
    held = with_result(at_result, visit_wanted=MONDAY)
    quiet = sessions.take(FLOWS, held, do("quiet"), MONDAY, "web").held
    for days in range(0, 90, 3):
        assert decide(FLOWS, quiet, MONDAY + timedelta(days=days), HOURS.open_from) is None


MARKS = st.sampled_from(["visit_wanted", "visit", "report", "debrief", "support", "appointment"])


@given(
    st.dictionaries(MARKS, st.integers(-5, 60), max_size=5),
    st.lists(st.integers(0, 30), max_size=3),
    st.integers(0, 120),
    st.integers(0, 47),
)
def test_whatever_happened_at_most_one_a_week_in_the_hours_and_in_time(
    marks: dict[str, int], tutorials: list[int], start: int, half_hours: int
) -> None:
    at_result = _AT_RESULT
    since = {name: MONDAY + timedelta(days=days) for name, days in marks.items()}
    opened = {
        tutorial.id: MONDAY + timedelta(days=days)
        for tutorial, days in zip(FLOW.questionnaire.tutorials, tutorials, strict=False)
    }
    held = with_result(at_result, **since)
    held = replace(held, diary=replace(held.diary, tutorials=opened))
    now = MONDAY + timedelta(days=start, minutes=30 * half_hours)
    limited: list[datetime] = []
    for at, name in plan(held, now):
        here = at.astimezone(PARIS)
        assert 9 <= here.hour < 19
        assert here.weekday() != 6
        assert not day_off(here.date())
        if not FLOWS.plan.by_id[name].unlimited:
            assert not limited or at - limited[-1] >= timedelta(days=7)
            limited.append(at)


def _walked() -> Session:
    from tests.dialogue.conftest import walked

    return walked(begin(FLOW), {"branche": "alimentaire", "effectif": "1", "pil-qui": "personne"})


_AT_RESULT = _walked()


def test_a_diary_says_when_something_was_last_said() -> None:
    diary = Diary(said=(Said("tutoriel", "a", MONDAY), Said("tutoriel", "b", MONDAY + timedelta(days=7))))
    assert diary.last_said("tutoriel", "a") == MONDAY
    assert diary.last_said("tutoriel") is None
