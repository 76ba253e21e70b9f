"""The operator's figures: completion by step and by door. Totals only, never a trial, never one firm.

Milestones come from `store.tallies`, which outlives conversations; where people stand comes from the conversations
still kept. A milestone is counted for the door where it was reached: who changes door on the way counts for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.console import Group
from rich.table import Table
from sqlalchemy import Connection, func, select

from dialogue.flow import Flow
from federations.disclosure import LEVEL, TOGETHER, Band, Release, missing_between
from federations.waves import Partition
from store import backlog, tables, tallies

BANDS: Mapping[Band, str] = {
    "quarter": "25 % ou moins",
    "under_half": "entre 25 et 50 %",
    "half": "de 50 % à moins de 75 %",
    "three_quarters": "75 % ou plus",
}
"""The four bands, in words."""
SILENT = timedelta(days=14)
"""Unfinished and silent this long: abandoned (DESIGN.md)."""


@dataclass(frozen=True)
class Figures:
    """`reached`: milestones by door and name; `going`, `abandoned`: conversations kept, by step."""

    reached: Mapping[tuple[str, str], int]
    going: Mapping[str, int]
    abandoned: Mapping[str, int]
    outbox: backlog.Health

    @property
    def doors(self) -> tuple[str, ...]:
        """The doors by which something happened."""
        return tuple(sorted({door for door, _ in self.reached}))

    def total(self, milestone: str) -> int:
        """One milestone, all doors together."""
        return sum(n for (_, name), n in self.reached.items() if name == milestone)


def read(tx: Connection, now: datetime) -> Figures:
    """The figures as they stand. Reads only."""
    kept = tables.conversations
    silent = kept.c.last_on <= now.date() - SILENT
    rows = tx.execute(
        select(kept.c.step, silent.label("silent"), func.count().label("n"))
        .where(kept.c.trial.is_(False))
        .group_by(kept.c.step, silent)
    ).all()
    return Figures(
        reached=tallies.totals(tx),
        going={row.step or "": row.n for row in rows if not row.silent},
        abandoned={row.step or "": row.n for row in rows if row.silent},
        outbox=backlog.health(tx, now),
    )


def places(flow: Flow) -> tuple[str, ...]:
    """Where an unfinished conversation may stand: the profile, then each theme, as they are asked."""
    return tuple(section.id for section in flow.sections if section.asks != "opened")


def table(figures: Figures, flow: Flow) -> Group:
    """What `autodiag stats` prints."""
    return Group(_doors(figures), "", _steps(figures, flow))


def published(partition: Partition, flow: Flow) -> Group:
    """What was published of the answers in one partition: the operator reads what federations read, and no more."""
    name = "Toutes les branches réunies" if partition.id == TOGETHER else f"Branche {partition.id}"
    made = Table(title=f"Réponses. {name} : {', '.join(partition.branches)}", title_justify="left")
    made.add_column("Part des entreprises où c'est à renforcer")
    for each in partition.published:
        made.add_column(f"Vague {each.release.number} ({each.release.units})")
    for theme in flow.questionnaire.themes:
        made.add_row(theme.title, *(_band(each.release, theme.id) for each in partition.published))
    made.add_section()
    made.add_row("Niveau moyen ou satisfaisant", *(_band(each.release, LEVEL) for each in partition.published))
    lacking = missing_between(partition.waiting)
    why = "plus tôt, ou mise à jour à chaque réponse, une statistique dirait ce qu'une entreprise a répondu"
    waits = f"Prochaine vague : il manque {lacking[0]} à {lacking[1]} entreprises. Pourquoi attendre : {why}."
    return Group(made, waits) if partition.published else Group(made.title or "", waits)


def _band(release: Release, value: str) -> str:
    return BANDS[release.bands[value]] if value in release.bands else "–"


def _doors(figures: Figures) -> Table:
    made = Table(title="Par porte, depuis l'ouverture (essais exclus)", title_justify="left")
    made.add_column("Porte")
    for heading in ("Commencées", "Recommencées", "Premier résultat", "%", "Autodiag terminé", "%", "Tutoriels faits"):
        made.add_column(heading, justify="right")
    for door in figures.doors:
        made.add_row(door, *_line({name: n for (where, name), n in figures.reached.items() if where == door}))
    made.add_section()
    made.add_row("Toutes", *_line({name: figures.total(name) for _, name in figures.reached}), style="bold")
    return made


def _line(reached: Mapping[str, int]) -> list[str]:
    """The cells of one door; both shares are of all the Autodiags begun, those begun again included."""
    begun, again, short, done, tutorials = (
        reached.get(name, 0) for name in ("begun", "restarted", "short_done", "done", "tutorial_done")
    )
    shares = (_share(short, begun + again), _share(done, begun + again))
    return [str(begun), str(again), str(short), shares[0], str(done), shares[1], str(tutorials)]


def _steps(figures: Figures, flow: Flow) -> Table:
    title = "Par étape, conversations encore gardées (essais exclus)"
    made = Table(title=title, title_justify="left")
    made.add_column("Étape")
    for heading in ("Arrivées là", "%", "En cours là", f"Abandonnées là ({SILENT.days} j)"):
        made.add_column(heading, justify="right")
    here = places(flow)
    going, left = ({place: found.get(place, 0) for place in here} for found in (figures.going, figures.abandoned))
    everyone = arrived = sum(figures.going.values()) + sum(figures.abandoned.values())
    for place in here:
        cells = (str(arrived), _share(arrived, everyone), str(going[place]), str(left[place]))
        made.add_row(flow.section[place].title, *cells)
        arrived -= going[place] + left[place]
    made.add_section()
    made.add_row("Premier résultat vu", str(arrived), _share(arrived, everyone), "", "", style="bold")
    return made


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"
