"""The terminal door: the same conversation, typed. For trying content and for whoever lives in a terminal."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.panel import Panel

from bot.house import House
from bot.turn import Present, begin, take
from dialogue.events import Clicked, Commanded, Event
from dialogue.flow import Flow
from dialogue.present import Turn
from dialogue.session import Session

DOOR = "terminal"


async def chat(house: House, console: Console, ask: Callable[[], Awaitable[str | None]], *, trial: bool) -> None:
    """Play one conversation until it is erased, or `ask` gives None (end of input)."""
    console.print(Panel(house.words.say("welcome"), border_style="green"))
    here, _ = await begin(house, door=DOOR, incoming=secrets.token_urlsafe(), trial=trial)
    while True:
        turn = here.turn(house)
        _show(console, house, here, turn)
        said = await ask()
        if said is None:
            return
        here = await take(
            house,
            door=DOOR,
            incoming=secrets.token_urlsafe(),
            conversation=here.conversation,
            revision=here.revision,
            event=_event(house, turn, said),
        )
        if here.outcome == "erased":
            console.print(house.words.say("erased"))
            return


def _event(house: House, turn: Turn, said: str) -> Event | Callable[[Flow, Session], Event]:
    """A number picks what is on screen, unless words are asked for: a choice, else a button; the rest is read."""
    typed = turn.question is not None and bool(turn.question.typed)  # there a number is an answer
    place = int(said) - 1 if said.isdecimal() and len(said) < 4 and not typed else -1
    choices = turn.question.choices if turn.question else ()
    if turn.question and 0 <= place < len(choices):
        return Clicked(turn.question.node, choices[place].id)
    button = place - len(choices)
    if place >= 0 and 0 <= button < len(turn.buttons):
        pressed = turn.buttons[button]
        return Commanded(pressed.name, pressed.node, pressed.word)
    return house.typed(said)


def _show(console: Console, house: House, here: Present, turn: Turn) -> None:
    console.print()
    if here.outcome in ("stale", "refused"):
        console.print(house.words.say("stale", label=""), style="yellow")
    for message in turn.messages:
        console.print(message.text, markup=False, highlight=False)
        console.print()
    offered: list[str] = []
    if turn.question:
        asked = turn.question
        where = (
            asked.title
            if asked.section == "profile"
            else f"{asked.title} · {asked.progress.done + 1} sur {asked.progress.total}"
        )
        console.print(where, style="dim", markup=False)
        console.print(asked.text, style="bold", markup=False, highlight=False)
        offered = [option.label for option in asked.choices]
    for number, label in enumerate((*offered, *(button.label for button in turn.buttons)), 1):
        style = "" if number <= len(offered) else "dim"
        console.print(f"  {number}. {label}", style=style, markup=False, highlight=False)
