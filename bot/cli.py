"""`autodiag`: the command line. Each command reads its arguments, calls one room, prints; nothing is decided here.

Exit codes: 0 done, 1 found wanting (faults, refused start), 2 wrong use or bad input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated

import typer

from bot.answers_cli import score, summary
from bot.campaign_cli import app as campaign_app
from bot.db_cli import app as db_app
from bot.outbox_cli import app as outbox_app
from bot.people_cli import ROLES, people_app
from bot.shell import house as _house
from bot.shell import settings as _settings
from bot.shell import stop as _stop
from bot.shell import testing as _testing
from bot.survey_cli import milestone, survey
from bot.understand_cli import understand
from bot.visit_cli import app as visit_app
from referential.yamlfile import Faults

app = typer.Typer(no_args_is_help=True, add_completion=False, help="L'Autodiag dans une conversation.")
app.add_typer(db_app, name="db")
mail_app = typer.Typer(no_args_is_help=True, help="Les e-mails.")
app.add_typer(mail_app, name="mail")
telegram_app = typer.Typer(no_args_is_help=True, help="La porte Telegram.")
app.add_typer(telegram_app, name="telegram")
app.add_typer(outbox_app, name="outbox")
app.add_typer(visit_app, name="visit")
app.add_typer(campaign_app, name="campaign")
app.command()(score)
app.command()(summary)
app.command()(milestone)
app.command()(survey)
app.command()(understand)


def main() -> None:
    """Entry point of the `autodiag` command."""
    app()


@app.command()
def serve() -> None:
    """Ouvre le chat web et fait le travail de fond, jusqu'à Ctrl-C."""
    from bot.house import open_house
    from bot.serve import PortTaken, configure_logs, event_loop, listen
    from bot.serve import serve as serve_house
    from store.engine import AlreadyOwned, Unavailable
    from store.journal import JournalMissing
    from store.keys import KeyProblem
    from store.migrations import MigrationProblem

    settings = _settings()
    configure_logs(settings.server.log_level)
    _testing(settings)
    new_key = not settings.storage.key_file.exists()
    try:
        house = open_house(settings, own=True)
    except Faults as found:
        _stop(1, "Le contenu a des défauts, rien n'est démarré :", *found.faults)
    except (KeyProblem, JournalMissing, AlreadyOwned, MigrationProblem, Unavailable) as error:
        _stop(1, error)
    try:
        listening = listen(house)
        print(f"Autodiag est ouvert : {settings.server.public_url}", flush=True)
        print(f"Telegram : {settings.telegram.mode}" if settings.telegram.on else "Telegram : fermé, aucun jeton.")
        print(settings.mail.told)
        if back := house.store.brought_back:
            print(f"Une sauvegarde remise avait ramené ce qui était effacé. Effacements rejoués : {back}.")
        if new_key:
            print(f"Clé de chiffrement créée : {settings.storage.key_file}. Copiez-la en lieu sûr, à part des données.")
        if settings.storage.key_beside_data:
            print("Attention : la clé est dans le dossier des données ; une copie de l'un emporte l'autre.")
        if settings.server.https and not settings.server.trusted_proxies:
            print(
                "Attention : adresse en https sans proxy de confiance (serveur: proxys_de_confiance). "
                "Derrière un proxy, tous les visiteurs passeraient pour un seul, et /metrics pour une lecture locale."
            )
        sys.stdout.flush()
        with asyncio.Runner(loop_factory=event_loop) as runner:
            runner.run(serve_house(house, listening))
    except PortTaken as error:
        _stop(1, error)
    finally:
        house.store.close()


@app.command()
def worker() -> None:
    """Fait le travail de fond et rien d'autre, à côté d'autres processus (PostgreSQL seulement), jusqu'à Ctrl-C."""
    from bot.serve import configure_logs, event_loop, work

    settings = _settings()
    if settings.storage.database_url.startswith("sqlite"):
        _stop(
            1,
            "Avec SQLite, le travail de fond se fait dans « autodiag serve », seul à tenir le fichier de la base. "
            "« autodiag worker » demande PostgreSQL (docs/deploy.md).",
        )
    configure_logs(settings.server.log_level)
    house = _house(settings)
    try:
        with asyncio.Runner(loop_factory=event_loop) as runner:
            runner.run(work(house, lambda: print("Le travail de fond est en marche.", flush=True)))
    finally:
        house.store.close()


@app.command()
def chat(
    trial: Annotated[bool, typer.Option("--essai", help="Conversation d'essai, effacée après 24 heures.")] = False,
) -> None:
    """La même conversation, dans le terminal."""
    from rich.console import Console

    from bot import terminal
    from store.engine import Unavailable

    async def ask() -> str | None:
        try:
            return await asyncio.to_thread(console.input, "\n> ")
        except EOFError:
            return None

    console = Console()
    house = _house()
    house.ear.learn_meanwhile()
    try:
        asyncio.run(terminal.chat(house, console, ask, trial=trial))
    except KeyboardInterrupt:
        console.print("\nÀ bientôt.")
    except Unavailable as error:
        _stop(1, error)
    finally:
        house.store.close()


@app.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="Affiche les nombres en JSON.")] = False,
    links: Annotated[bool, typer.Option("--links", help="Visite aussi les adresses (demande Internet).")] = False,
) -> None:
    """Vérifie les questions, les tutoriels et le lexique ; dit où et comment corriger."""
    from bot import check as checks
    from bot.content import load_content
    from bot.links import visit_all

    try:
        content = load_content()
        faults = [*checks.check(content), *checks.sayings(content)]
    except Faults as found:
        faults = list(found.faults)
        content = None
    if faults or content is None:
        if as_json:
            print(json.dumps({"faults": [vars(fault) for fault in faults]}, ensure_ascii=False, indent=2))
        _stop(1, *faults, f"{len(faults)} défaut{'s' if len(faults) > 1 else ''} à corriger.")
    found_counts = checks.counts(content)
    if as_json:
        print(json.dumps({**found_counts, "faults": []}, indent=2))
    else:
        print("Contenu en ordre : " + ", ".join(f"{name} {count}" for name, count in found_counts.items()))
    if links:
        broken = 0
        for visit in visit_all(checks.addresses(content)):
            broken += not visit.fine
            moved = f" → {visit.landed}" if visit.landed != visit.address else ""
            print(
                f"{'bon' if visit.fine else 'À REVOIR'}  {visit.status or visit.said}  {visit.address}{moved}",
                flush=True,
            )
        if broken:
            _stop(1, f"{broken} adresse(s) à revoir.")


@telegram_app.command("setup")
def telegram_setup() -> None:
    """Présente le bot à Telegram : son adresse, ses commandes, sa description, son menu ; dit ce qui a été fait."""
    settings = _settings()
    if not settings.telegram.on:
        _stop(1, "Il manque le jeton : donnez AUTODIAG_TELEGRAM_TOKEN, que BotFather vous a remis (docs/telegram.md).")
    from bot.telegram.setup import SetupFailed, setup

    try:
        for sentence in asyncio.run(setup(settings)):
            print(sentence)
    except SetupFailed as failed:
        _stop(1, failed)


@mail_app.command("test")
def mail_test(address: Annotated[str, typer.Argument(help="Où écrire : votre adresse.")]) -> None:
    """Envoie un e-mail d'essai tout de suite, et dit ce que le serveur d'envoi en a fait."""
    from bot.mail.trial import try_out
    from store.addresses import BadAddress

    house = _house()
    try:
        left, sentence = asyncio.run(try_out(house, address))
    except BadAddress as bad:
        _stop(2, bad)
    finally:
        house.store.close()
    if not left:
        _stop(1, sentence)
    print(sentence)


@app.command()
def stats() -> None:
    """Affiche les chiffres : par porte et par étape, des totaux sans les essais ; et les vagues de statistiques."""
    from rich.console import Console

    from bot import stats as figures
    from federations import waves
    from store.engine import Unavailable

    house = _house()
    try:
        found_figures = house.store.db.read(lambda tx: figures.read(tx, house.now()))
        Console().print(figures.table(found_figures, house.flow))
        for partition in house.store.db.read(waves.read):
            Console().print("", figures.published(partition, house.flow))
    except Unavailable as error:
        _stop(1, error)
    finally:
        house.store.close()


for _role in ROLES:
    app.add_typer(people_app(_role), name=_role)


if __name__ == "__main__":
    main()
