"""What commands share: stopping with sentences, the settings, the house. Nothing is decided here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import typer

from bot.settings import Settings, SettingsError, load_settings
from referential.yamlfile import Faults

if TYPE_CHECKING:
    from bot.house import House


def stop(code: int, *sentences: object) -> NoReturn:
    """End the command: 1 found wanting, 2 wrong use."""
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    raise typer.Exit(code)


def settings() -> Settings:
    """The settings; stops with what is wrong in them."""
    try:
        return load_settings()
    except SettingsError as error:
        stop(1, *error.sentences)


def testing(given: Settings) -> None:
    """Take the variables of tests, where they may stand, and say so; stops where they may not."""
    from bot import testing as tests

    try:
        if tests.begin(given):
            said = "Attention : réglage d'essai. Un test peut arrêter ce processus, ou changer l'heure."
            print(said, file=sys.stderr)
    except SettingsError as error:
        stop(1, *error.sentences)


def house(given: Settings | None = None) -> House:
    """The house beside a server, if there is one; stops with what is wrong when it can't be opened."""
    from bot.house import open_house
    from store.engine import Unavailable
    from store.journal import JournalMissing
    from store.keys import KeyProblem
    from store.migrations import MigrationProblem

    given = given or settings()
    testing(given)
    try:
        return open_house(given)
    except Faults as found:
        stop(1, *found.faults)
    except (KeyProblem, JournalMissing, MigrationProblem, Unavailable) as error:
        stop(1, error)
