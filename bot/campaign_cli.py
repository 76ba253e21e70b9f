"""`autodiag campaign`: campaigns, for whoever runs the programme, with the addresses to hand on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.shell import house as open_house_here
from bot.shell import stop

if TYPE_CHECKING:
    from bot.house import House
    from federations.campaigns import Campaign

app = typer.Typer(no_args_is_help=True, help="Les campagnes des fédérations : un lien, son kit, ses dates.")
_WHY = {
    "branch": "« {branch} » n'est pas un métier de referential/profile.yml ; il y a {known}.",
    "channel": "Le canal est l'un de ceux-ci : branche, site, opcommerce, salon, autre.",
    "issue": "Donnez le numéro de la lettre, ou un nom de 80 signes au plus : --numero 'Lettre 12'.",
    "dates": "Le dernier jour ne peut pas être avant le premier.",
    "code": "Un code a 40 signes au plus, parmi A-Z, a-z, 0-9, _ et -, et ne commence pas par « code- ».",
    "taken": "Ce code est déjà pris : donnez-en un autre, ou laissez-le tirer au sort.",
}
_DAY = ["%Y-%m-%d"]


@app.command()
def create(
    branch: Annotated[str, typer.Option("--branche", help="Un métier de referential/profile.yml.")],
    channel: Annotated[str, typer.Option("--canal", help="branche, site, opcommerce, salon ou autre.")],
    issue: Annotated[str, typer.Option("--numero", help="Le numéro de la lettre, ou un nom.")],
    code: Annotated[str, typer.Option("--code", help="Le code du lien ; sans lui, tiré au sort.")] = "",
    opens: Annotated[
        datetime | None, typer.Option("--ouvre", formats=_DAY, help="Premier jour ; sans lui, aujourd'hui.")
    ] = None,
    closes: Annotated[
        datetime | None, typer.Option("--ferme", formats=_DAY, help="Dernier jour ; sans lui, aucun.")
    ] = None,
) -> None:
    """Crée une campagne ; donne son lien et l'adresse de son kit."""
    from federations import campaigns
    from federations.campaigns import CHANNELS, BadCampaign, Campaign
    from store.engine import Unavailable

    house = open_house_here()
    trades = house.flow.questionnaire.profile[0].by_choice
    try:
        known = next((each for each in CHANNELS if each == channel), None)
        if known is None:
            raise BadCampaign("channel")
        first = opens.date() if opens else house.today()
        wanted = Campaign(code, branch, known, issue, first, closes.date() if closes else None)
        made = house.store.db.write(lambda tx: campaigns.create(tx, wanted, trades))
        print(_said(house, made))
    except BadCampaign as bad:
        stop(2, f"{_WHY[bad.code].format(branch=branch, known=', '.join(trades))} Rien n'a été créé.")
    except Unavailable as error:
        stop(1, error)
    finally:
        house.store.close()


@app.command("list")
def list_all(
    branch: Annotated[str, typer.Option("--branche", help="Celles d'une branche seulement.")] = "",
) -> None:
    """Montre les campagnes, les plus récentes d'abord, avec leur lien et leur kit."""
    from federations import campaigns
    from store.engine import Unavailable

    house = open_house_here()
    try:
        found = house.store.db.read(lambda tx: campaigns.of_branch(tx, branch or None))
        print("\n\n".join(_said(house, each) for each in found) or "Aucune campagne.")
    except Unavailable as error:
        stop(1, error)
    finally:
        house.store.close()


@app.command()
def close(code: Annotated[str, typer.Argument(help="Le code de la campagne.")]) -> None:
    """Finit une campagne aujourd'hui, pour de bon ; son lien laisse toujours entrer."""
    from federations import campaigns
    from store.engine import Unavailable

    house = open_house_here()
    try:
        found = house.store.db.write(lambda tx: campaigns.close(tx, code, house.today()))
        if found is None:
            stop(2, f"Aucune campagne « {code} ». Leurs codes : autodiag campaign list")
        print(_said(house, found))
    except Unavailable as error:
        stop(1, error)
    finally:
        house.store.close()


def _said(house: House, campaign: Campaign) -> str:
    """A campaign in a few lines. Telegram's link is on the page of the kit, which a running server fills."""
    from bot.web.kit import flyer_of, kit_path

    dates, ends = f"du {campaign.opens_on:%d/%m/%Y}", campaign.ends_on
    if ends:
        dates = f"finie le {ends:%d/%m/%Y}" if ends < house.today() else f"{dates} au {ends:%d/%m/%Y}"
    return "\n".join(
        (
            f"{campaign.code}  {campaign.branch}, {campaign.channel} : {campaign.issue} ({dates})",
            f"  lien : {flyer_of(house, campaign).address}",
            f"  kit  : {house.settings.server.public_url}{kit_path(house, campaign.code)}",
        )
    )
