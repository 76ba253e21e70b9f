"""What a mailed link opens: the question that waits, and what helps to answer it. Nothing of what was answered before.

One rule: whoever holds such a link may be anybody who reads that mailbox. `permits` and `glimpse` say all that they may
do and see, for every door; what is not named here is refused and hidden. The turn applies both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dialogue.events import Clicked, Command, Commanded, Event, NotUnderstood, ReadAnswer, Wrote
from dialogue.flow import Step
from dialogue.present import Turn

COMMANDS: Final[frozenset[Command]] = frozenset(
    {"why", "help", "define", "pause", "resume", "repeat", "leave", "quiet", "human", "emergency"}
)
"""`human` and `emergency` tell what the public pages tell: nobody under attack is sent to look for four words."""
BOOKING: Final = "booking"
"""The flow of a visit."""
_SAID: Final = frozenset(
    {
        "why", "help", "define", "unknown_word", "unclear", "understood", "own_words", "secret",
        "bad_text", "emergency", "human", "commands",
        "first_question", "paused", "quiet", "thanks", "book",
    }
)  # fmt: skip
"""What may be said beside the question. A remark or a story would tell the last answer, or the trade; what the bot says
first of a tutorial, which one was opened."""


def permits(event: Event, asked: Step | None) -> bool:
    """Whether this may be done by a mailed link, while this step is asked in front."""
    match event:
        case Clicked() | ReadAnswer() | Wrote():
            return asked is not None and event.node == asked.question.id and not _of_a_visit(event.node)
        case NotUnderstood():
            return True
        case Commanded():
            return event.name in COMMANDS
        case _:
            return False


def _of_a_visit(node: str) -> bool:
    """What is told for a visit, and the visit, have a link of their own; a place that is free may be answered."""
    return node.startswith("rdv-") and node != "rdv-place"


def glimpse(turn: Turn) -> Turn:
    """The turn as a mailed link shows it: the question without the answer it had, and no word on the others.

    Of a visit that is being booked, or is, nothing: neither where and when, nor the code at the door.
    """
    asked = turn.question if turn.question and not _of_a_visit(turn.question.node) else None
    told = () if turn.flow == BOOKING and asked is None else turn.messages
    return replace(
        turn,
        status="active",
        place="question" if asked else "rest",
        messages=tuple(said for said in told if said.kind in _SAID),
        question=replace(asked, previous="") if asked else None,
        buttons=tuple(button for button in turn.buttons if button.name in COMMANDS),
        beside=None,
    )
