"""`autodiag outbox`: what waits to leave and what did not, for the operator; never to whom, nor what it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from bot import shell
from bot.house import House
from store import backlog
from store.engine import Unavailable

LIMIT = 200
"""Lines listed at most."""

app = typer.Typer(no_args_is_help=True, help="La boîte d'envoi : ce qui attend, ce qui n'est pas parti.")
Numbers = Annotated[list[int] | None, typer.Argument(help="Les numéros, tels que « list » les donne.")]
T = TypeVar("T")

_STATES = {
    "waiting": "attend",
    "taken": "en cours",
    "maybe": "attend, peut-être déjà parti",
    "failed": "abandonné",
    "unknown": "peut-être parti",
    "expired": "périmé",
    "dropped": "retiré",
}


@app.command("list")
def show(
    everything: Annotated[bool, typer.Option("--tout", help="Aussi ce qui attend son heure, et le reste.")] = False,
) -> None:
    """Montre ce qui demande une décision : abandonné, peut-être parti, ou en retard."""

    def look(house: House, tx: Connection) -> None:
        now = house.now()
        found = backlog.listed(tx, now, everything=everything, limit=LIMIT + 1)
        if not found:
            print("Rien n'attend." if everything else "Rien ne demande de décision.")
            return
        Console().print(_table(found[:LIMIT], lambda job: now - (job.settled_at or job.due_at)))
        if len(found) > LIMIT:
            print(f"… et d'autres : les {LIMIT} plus anciens sont montrés.")

    _with(lambda house: house.store.db.read(lambda tx: look(house, tx)))


@app.command()
def retry(
    numbers: Numbers = None,
    every: Annotated[bool, typer.Option("--tous", help="Tout ce qui a été abandonné.")] = False,
) -> None:
    """Refait ces envois dans la minute. Ce qui est « peut-être parti » peut alors arriver deux fois."""
    if every == bool(numbers):
        shell.stop(2, "Donnez des numéros, ou --tous pour tout ce qui a été abandonné.")
    ids = None if every else numbers
    done = _with(lambda house: house.store.db.write(lambda tx: backlog.again(tx, house.now(), ids)))
    _say(done, numbers, "À refaire", "introuvable, en cours, périmé ou retiré")


@app.command()
def drop(numbers: Numbers = None) -> None:
    """Retire ces envois pour de bon : ils ne partiront pas."""
    if not numbers:
        shell.stop(2, "Donnez les numéros à retirer.")
    done = _with(lambda house: house.store.db.write(lambda tx: backlog.drop(tx, house.now(), numbers)))
    _say(done, numbers, "Retiré", "introuvable, en cours, ou déjà réglé")


def _with(work: Callable[[House], T]) -> T:
    house = shell.house()
    try:
        return work(house)
    except Unavailable as error:
        shell.stop(1, error)
    finally:
        house.store.close()


def _say(done: list[int], asked: list[int] | None, verb: str, otherwise: str) -> None:
    print(f"{verb} : {', '.join(map(str, done)) or 'rien'}.")
    if left := sorted(set(asked or ()) - set(done)):
        shell.stop(1, f"Laissé tel quel ({otherwise}) : {', '.join(map(str, left))}.")


def _table(jobs: list[backlog.Listed], age: Callable[[backlog.Listed], timedelta]) -> Table:
    made = Table(box=None, header_style="bold")
    for heading in ("N°", "Travail", "État", "Depuis", "Essais", "Raison"):
        made.add_column(heading, justify="right" if heading in ("N°", "Essais") else "left")
    for job in jobs:
        state = _STATES.get(job.state, job.state)
        made.add_row(str(job.id), job.kind, state, _since(age(job)), str(job.attempts), job.reason or "")
    return made


def _since(age: timedelta) -> str:
    """How long, in one unit; ahead of its time: « dans »."""
    seconds = abs(age).total_seconds()
    for unit, length in (("j", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{'dans ' if age < timedelta(0) else ''}{seconds // length:.0f} {unit}"
    return f"{'dans ' if age < timedelta(0) else ''}{seconds:.0f} s"
