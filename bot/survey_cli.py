"""`autodiag milestone` and `autodiag survey`: what starts the satisfaction survey, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Annotated, Literal

import typer

from bot.shell import house as open_house_here
from bot.shell import stop


def milestone(
    conversation: Annotated[
        str, typer.Argument(help="Le numéro de dossier que le dirigeant lit dans « Vos données ».")
    ],
    what: Annotated[
        Literal["visit", "report", "debrief", "support"],
        typer.Argument(
            help="visit : visite faite ; report : rapport remis ; debrief : bilan fait ; support : accompagnement fini."
        ),
    ],
    on: Annotated[
        datetime | None, typer.Option("--le", formats=["%Y-%m-%d"], help="Le jour ; sans lui : aujourd'hui.")
    ] = None,
    undo: Annotated[bool, typer.Option("--annuler", help="Retire cette étape.")] = False,
) -> None:
    """Note une étape de la visite : l'enquête de satisfaction en dépend."""
    from bot.milestones import Ambiguous, note
    from bot.turn import Gone
    from dialogue.calendar import PARIS
    from store.engine import Unavailable

    house = open_house_here()
    day = on.date() if on else house.now().astimezone(PARIS).date()
    noon = datetime.combine(day, time(12), PARIS).astimezone(UTC)
    try:
        house.store.db.write(lambda tx: note(house, tx, conversation, what, None if undo else noon))
    except Gone:
        stop(2, f"Aucun dossier « {conversation} » : relisez le numéro, huit signes au moins, de 0 à 9 et de a à f.")
    except Ambiguous:
        stop(2, f"Plusieurs dossiers commencent par « {conversation} » : donnez plus de signes du numéro.")
    except Unavailable as error:
        stop(1, error)
    finally:
        house.store.close()
    print("Étape retirée." if undo else f"Étape notée au {day:%d/%m/%Y}.")


def survey() -> None:
    """Affiche l'enquête de satisfaction : par branche à partir de dix réponses, et les commentaires sans leur date."""
    from rich.console import Console

    from bot import survey as opinions
    from store.engine import Unavailable

    house = open_house_here()
    try:
        found = house.store.db.read(lambda tx: opinions.read(house, tx))
        Console().print(opinions.table(found, house))
    except Unavailable as error:
        stop(1, error)
    finally:
        house.store.close()
