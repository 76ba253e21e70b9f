"""`autodiag visit`: a firm that phoned, the visits to come, one cancelled, an expert's card. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from bot import shell

if TYPE_CHECKING:
    from bot.house import House

app = typer.Typer(no_args_is_help=True, help="Les visites de l'expert.")
Id = Annotated[str, typer.Argument(help="Le numéro que donne « list ».", show_default=False)]
Text = typer.Option


def _say(do: Callable[[House], list[str]]) -> None:
    from bot.people import Wrong
    from store.engine import Unavailable

    here = shell.house()
    try:
        for sentence in do(here):
            print(sentence)
    except Wrong as wrong:
        shell.stop(2, wrong)
    except Unavailable as error:
        shell.stop(1, error)
    finally:
        here.store.close()


@app.command()
def add(
    at: Annotated[
        str, typer.Argument(help="Le moment, à l'heure de Paris : « 2026-12-01 14:00 ».", show_default=False)
    ],
    company: Annotated[str, Text("--entreprise", help="Le nom de l'entreprise.", show_default=False)],
    contact: Annotated[str, Text("--contact", help="La personne à demander.", show_default=False)],
    phone: Annotated[str, Text("--telephone", help="Son numéro.", show_default=False)],
    postcode: Annotated[str, Text("--code-postal", help="Celui du commerce ; sans lui, à distance.")] = "",
    address: Annotated[str, Text("--adresse", help="Où l'expert doit venir.")] = "",
    siret: Annotated[str, Text("--siret", help="Facultatif.")] = "",
    branch: Annotated[str, Text("--branche", help="Le métier : optique, chaussure…")] = "",
    expert: Annotated[str, Text("--expert", help="Cet expert-là, par son numéro ; sinon, le plus libre.")] = "",
) -> None:
    """Réserve une visite pour une entreprise qui a téléphoné ; chaque message devient un appel à faire par l'expert."""
    from bot.visit import desk

    told = {
        "rdv-entreprise": company,
        "rdv-contact": contact,
        "rdv-telephone": phone,
        "rdv-postal": postcode,
        "rdv-adresse": address,
        "rdv-siret": siret,
    }
    _say(lambda here: desk.add(here, at, told, branch=branch, expert=expert))


@app.command("list")
def listed() -> None:
    """Les visites à venir, sans le nom d'aucune entreprise."""
    from bot.visit import desk

    _say(desk.listed)


@app.command()
def cancel(number: Id) -> None:
    """Annule une visite au nom de l'expert : le commerçant est prévenu, et d'autres moments lui sont proposés."""
    from bot.visit import desk

    _say(lambda here: desk.cancel(here, number))


@app.command()
def expert(
    number: Annotated[
        str, typer.Argument(help="Le numéro que donne « autodiag consultant list ».", show_default=False)
    ],
    phone: Annotated[str | None, Text("--telephone", help="Où vérifier que c'est bien cette personne.")] = None,
    departments: Annotated[str | None, Text("--departements", help="« 75,92 » ; « tous » : partout.")] = None,
    branches: Annotated[str | None, Text("--branches", help="« optique,chaussure » ; « toutes » : toutes.")] = None,
    hours: Annotated[str | None, Text("--heures", help="« lun-ven 9:00-12:00, lun-jeu 14:00-17:30 ».")] = None,
) -> None:
    """Règle la fiche d'un expert : son numéro, où il va, pour quels métiers, quand ; puis la montre."""
    from bot.visit import desk

    _say(lambda here: desk.expert(here, number, phone, departments, branches, hours))
