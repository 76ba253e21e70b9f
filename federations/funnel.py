"""The funnel: how many conversations reached each step, by branch and week, and by campaign; where they stopped.

One rule: a conversation counts once for a step, in the week and the branch where it reached it, and the count outlives
it. Exact counts stay here: what leaves has been through `counts`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from federations import campaigns, once
from federations.campaigns import Campaign
from federations.counts import ENOUGH, Ran, Told, at_closing, by_theme, moved, told
from federations.tables import campaign_steps, reached, stops, weekly
from store.keys import Keyring
from store.tables import conversations

Step = Literal["begun", "short_done", "done", "visit_booked", "visit_done", "surveyed"]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
_AFTER: Final[Mapping[Step, Step]] = {
    "short_done": "begun",
    "done": "short_done",
    "visit_booked": "begun",
    "visit_done": "visit_booked",
    "surveyed": "visit_done",
}
"""The step that one passes before this one, whoever one is."""
OF_CAMPAIGN: Final = STEPS[:3]
ELSEWHERE: Final = "autre"
"""The branch of whoever did not say theirs."""
SILENT: Final = timedelta(days=14)
_STOPPED: Final = "stopped"
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True)
class Funnel:
    """A branch as its federation may see it. `mondays`: the weeks that are over; `everyone`: branches together."""

    branch: str
    mondays: tuple[date, ...]
    steps: Mapping[Step, Told]
    everyone: Mapping[Step, int]
    stopped: Mapping[str, int]


@dataclass(frozen=True)
class Report:
    """A campaign, and once it is over its first steps, each "at least so many".

    None: not told yet, or never (fewer than `ENOUGH` began).
    """

    campaign: Campaign
    steps: Mapping[Step, int] | None


def reach(
    tx: Connection,
    keyring: Keyring,
    conversation: str,
    branch: str | None,
    campaign: str | None,
    step: Step,
    today: date,
) -> bool:
    """Count this conversation at this step, unless it was already; whether it was new. Never called for a trial."""
    if not once.first(tx, keyring, conversation, step):
        return False
    _more(tx, weekly, branch=branch or ELSEWHERE, monday=monday_of(today), step=step)
    if campaign and step in OF_CAMPAIGN:
        known = campaigns.find(tx, campaign)
        if known and known.open_on(today):
            _more(tx, campaign_steps, campaign=known.code, step=step)
    return True


def sweep(tx: Connection, keyring: Keyring, sections: Collection[str], today: date) -> None:
    """Count once those who stopped two weeks ago before their first result, by branch and by the section left at."""
    kept = conversations.c
    left = select(kept.id, kept.branch, kept.step).where(
        kept.trial.is_(False), kept.last_on <= today - SILENT, kept.step.in_(sections)
    )
    marks = select(reached.c.step).where(reached.c.conversation.in_(left.with_only_columns(kept.id)))
    known = set(tx.scalars(marks))
    for row in tx.execute(left).all():
        if once.mark_of(keyring, row.id, _STOPPED) not in known and once.first(tx, keyring, row.id, _STOPPED):
            _more(tx, stops, branch=row.branch or ELSEWHERE, section=row.step, shown=0)
    for row in tx.execute(select(stops).where(stops.c.n != stops.c.shown)).all():
        here = (stops.c.branch == row.branch) & (stops.c.section == row.section)
        tx.execute(update(stops).where(here).values(shown=moved(row.shown, row.n)))


def read(tx: Connection, branch: str, today: date) -> Funnel:
    """A branch's funnel, as it may be told."""
    mondays, counts = _weeks(tx, today)
    everyone: dict[Step, int] = dict.fromkeys(STEPS, 0)
    for each in counts:
        for step, found in _told(counts[each], mondays).items():
            everyone[step] += found.total
    rows = tx.execute(select(stops.c.section, stops.c.shown).where(stops.c.branch == branch))
    stopped = by_theme(dict(map(tuple, rows)))
    return Funnel(branch, mondays, _told(counts.get(branch, {}), mondays), everyone, stopped)


def reports(tx: Connection, branch: str, today: date) -> list[Report]:
    """Every campaign of a branch, newest first, with what is told of those whose last week is over."""
    mondays, counts = _weeks(tx, today)
    steps = _told(counts.get(branch, {}), mondays)
    found: list[Report] = []
    ran: dict[Step, list[Ran]] = {step: [] for step in OF_CAMPAIGN}
    for campaign in sorted(campaigns.of_branch(tx, branch), key=lambda each: (each.ends_on or date.max, each.code)):
        weeks = _ran(campaign, mondays)
        if weeks is None:
            found.append(Report(campaign, None))
            continue
        rows = select(campaign_steps.c.step, campaign_steps.c.n).where(campaign_steps.c.campaign == campaign.code)
        exact = dict(map(tuple, tx.execute(rows)))
        shown = {step: at_closing(exact.get(step, 0), weeks, steps[step], ran[step]) for step in OF_CAMPAIGN}
        if shown["begun"] < ENOUGH:
            found.append(Report(campaign, None))
            continue
        for step in OF_CAMPAIGN:
            ran[step].append(Ran(weeks, shown[step]))
        found.append(Report(campaign, shown))
    return sorted(found, key=lambda each: (each.campaign.opens_on, each.campaign.code), reverse=True)


def monday_of(day: date) -> date:
    """The first day of this day's week."""
    return day - timedelta(days=day.weekday())


def _weeks(tx: Connection, today: date) -> tuple[tuple[date, ...], dict[str, dict[tuple[Step, date], int]]]:
    """The weeks that are over since the first count of all, and every branch's exact counts in them."""
    counts: dict[str, dict[tuple[Step, date], int]] = {}
    first = this = monday_of(today)
    for row in tx.execute(select(weekly).where(weekly.c.monday < this)):
        counts.setdefault(row.branch, {})[row.step, row.monday] = row.n
        first = min(first, row.monday)
    return tuple(first + n * _WEEK for n in range((this - first).days // 7)), counts


def _told(counts: Mapping[tuple[Step, date], int], mondays: Sequence[date]) -> dict[Step, Told]:
    found: dict[Step, Told] = {}
    for step in STEPS:
        found[step] = told([counts.get((step, monday), 0) for monday in mondays], found.get(_AFTER.get(step, step)))
    return found


def _ran(campaign: Campaign, mondays: Sequence[date]) -> range | None:
    """The places of a campaign's weeks among those that are over; None while one of them is not."""
    ends = campaign.ends_on
    over = [place for place, monday in enumerate(mondays) if ends and monday_of(campaign.opens_on) <= monday <= ends]
    if ends is None or not mondays or mondays[-1] < monday_of(ends) or not over:
        return None
    return range(over[0], over[-1] + 1)


def _more(tx: Connection, table: Table, *, shown: int | None = None, **key: object) -> None:
    row: dict[str, Any] = {**key, "n": 1} | ({} if shown is None else {"shown": shown})
    adding = (sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert)(table).values(row)
    tx.execute(adding.on_conflict_do_update(index_elements=list(key), set_={"n": table.c.n + 1}))
