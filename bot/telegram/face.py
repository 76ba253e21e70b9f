"""How a turn looks in a chat: texts short enough, buttons that carry keys. Lays out, never rewords.

A button's label that a phone would cut is numbered in the text, and the button bears the number; typed, the number of
an answer is read the same.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from telegram import InlineKeyboardMarkup

from bot.telegram import keys
from bot.telegram.sheet import A_ROW, Row, Sheet, button, paired
from bot.turn import Present
from dialogue.engine import result
from dialogue.present import Asked, Button, Message, Turn
from dialogue.shown import shown
from dialogue.words import Words
from referential.rules import UNKNOWN

TEXT, CAPTION = 4096, 1024
"""Characters that Telegram takes, counted in UTF-16 units."""
LONG = 32
"""Characters of a label beyond which a phone cuts it."""
A_PAGE = 12
"""Answers on a page."""
BULLET = "– "
_MENU = frozenset({"answers", "pause"})
"""Commands of a question that the menu holds, and the keyboard leaves out."""

View = Literal["", "tutorials", "switch"]
Style = Literal["", "b", "i"]


@dataclass(frozen=True)
class Part:
    """A paragraph or a few; `style`: the whole of it in bold or italics."""

    text: str
    style: Style = ""

    @property
    def html(self) -> str:
        """As Telegram reads it."""
        safe = html.escape(self.text, quote=False)
        return f"<{self.style}>{safe}</{self.style}>" if self.style else safe


@dataclass(frozen=True)
class Face:
    """What a chat is to show. `bars`: the picture of the result goes first, with the text below it if it fits."""

    parts: tuple[Part, ...]
    keyboard: InlineKeyboardMarkup | None
    bars: bool = False

    @property
    def caption(self) -> str | None:
        """The whole text as a picture's caption, or None when it is too long for one."""
        return _joined(self.parts) if _size(self.parts) <= CAPTION else None

    @property
    def texts(self) -> tuple[str, ...]:
        """The text as one message, or as many as it takes; buttons go under the last."""
        pages: list[list[Part]] = [[]]
        for part in _small(self.parts):
            if pages[-1] and _size([*pages[-1], part]) > TEXT:
                pages.append([])
            pages[-1].append(part)
        return tuple(_joined(page) for page in pages)


def plain(text: str, buttons: Sequence[tuple[str, keys.Key]] = ()) -> Face:
    """A few words that belong to no conversation, with a button a row."""
    rows = [[button(label, key)] for label, key in buttons]
    return Face((Part(text),), InlineKeyboardMarkup(rows) if rows else None)


def face(
    here: Present, words: Words, *, said: Sequence[str] = (), view: View = "", page: int = 0, code: str = ""
) -> Face:
    """The present turn. `said`: sentences of this door, put first; `view` and `page`: another look at the same turn."""
    turn = shown(here.flows, here.held, words)
    before = [Part(each) for each in said]
    sheet = Sheet(here.revision, words)
    if view == "switch":
        sheet.rows = [
            [button(words.label("switch"), keys.Switch(code))],
            [button(words.label("stay"), keys.Ask("stay"))],
        ]
        return Face(tuple(before), sheet.markup)
    if view == "tutorials":
        return _tutorials(here, words, sheet, before)
    if turn.question:
        return _question(turn, turn.question, words, sheet, before)
    if turn.place == "answers":
        return _answers(turn, words, sheet, before, page)
    return _other(turn, words, sheet, before)


def _question(turn: Turn, asked: Asked, words: Words, sheet: Sheet, before: list[Part]) -> Face:
    where = asked.title
    if asked.section != "profile" and asked.progress.total > 1:
        where += f" · {asked.progress.done + 1} sur {asked.progress.total}"
    parts = [*before, *_said(turn.messages), Part(where, "i"), Part(asked.text, "b")]
    if any(message.kind == "secret" for message in turn.messages):
        parts.insert(0, Part(words.say("telegram_secret"), "b"))
    whole = (UNKNOWN, asked.proposed)  # a yes and "je ne sais pas" are always in words, wherever they come
    numbered = any(len(option.label) > LONG for option in asked.choices if option.id not in whole)
    lines, row = [], Row()
    for number, option in enumerate(asked.choices, 1):
        key = keys.Pick(sheet.revision, asked.node, option.id)
        tick = "✓ " if option.id == asked.previous else ""
        if not numbered or option.id in whole:
            sheet.rows += [row] if row else []
            row = Row()
            sheet.rows.append([button(tick + option.label, key)])
        else:
            lines.append(f"{number}. {option.label}")
            row.append(button(f"{tick}{number}", key))
            if len(row) == A_ROW:
                sheet.rows.append(row)
                row = Row()
    sheet.rows += [row] if row else []
    if lines:
        parts.append(Part("\n".join(lines)))
    terms = words.terms_in(asked.text)
    sheet.rows += paired(
        (words.label("term", term=term.term), keys.Term(sheet.revision, place)) for place, term in enumerate(terms[:2])
    )
    sheet.commands(button for button in turn.buttons if button.name not in _MENU)
    return Face(tuple(parts), sheet.markup)


def _answers(turn: Turn, words: Words, sheet: Sheet, before: list[Part], page: int) -> Face:
    """The answers by pages: their lines numbered, the numbers to change one."""
    edits = [button for button in turn.buttons if button.name == "edit"]
    text = "\n".join(message.text for message in turn.messages)
    lines = [line.removeprefix(BULLET) for line in text.splitlines() if line.startswith(BULLET)]
    intro = text.split(f"\n{BULLET}", 1)[0].strip()
    page = max(0, min(page, (len(edits) - 1) // A_PAGE))
    shown = range(page * A_PAGE, min(len(edits), (page + 1) * A_PAGE))
    parts = [*before, Part(intro), Part("\n".join(f"{at + 1}. {lines[at]}" for at in shown))]
    numbers = [button(str(at + 1), sheet.key(edits[at])) for at in shown]
    sheet.rows += [numbers[at : at + A_ROW] for at in range(0, len(numbers), A_ROW)]
    turns = [button(words.label("page_before"), keys.Page(page - 1))] if page else []
    turns += [button(words.label("page_after"), keys.Page(page + 1))] if shown.stop < len(edits) else []
    sheet.rows += [turns] if turns else []
    sheet.commands(button for button in turn.buttons if button.name != "edit")
    sheet.own("web")
    return Face(tuple(part for part in parts if part.text), sheet.markup)


def _tutorials(here: Present, words: Words, sheet: Sheet, before: list[Part]) -> Face:
    """Every tutorial advised, best first, then the way back."""
    advised = [
        words.tutorials[action.tutorial] for action in result(here.flow, here.session).actions if action.tutorial
    ]
    intro = Part(words.say("telegram_tutorials", any=bool(advised)))
    buttons = [
        Button(words.label("tutorial", title=each.title, minutes=each.minutes), "tutorial", word=each.id)
        for each in advised
    ]
    lines = [Part(sheet.numbered(buttons))] if buttons else []
    sheet.commands([Button(words.label("result"), "result"), Button(words.label("resume"), "resume")])
    return Face((*before, intro, *lines), sheet.markup)


def _other(turn: Turn, words: Words, sheet: Sheet, before: list[Part]) -> Face:
    """The result, a tutorial, the themes, a pause, a confirmation."""
    at_result = turn.place == "result" and turn.status != "paused"
    beside = [message for message in turn.messages if message.kind != "result"]
    alone = at_result and not beside and not before
    messages = beside if at_result and beside else turn.messages
    parts = [*before, *_said(messages)]
    if turn.place == "confirm" and any(button.label == words.label("confirm_erase") for button in turn.buttons):
        parts.append(Part(words.say("telegram_erase")))
    long = [button for button in turn.buttons if len(button.label) > LONG]
    parts = _renumbered(parts, sheet, long)
    sheet.commands(button for button in turn.buttons if button not in long)
    if turn.beside:
        parts.append(Part(turn.beside.text, "b"))
        sheet.rows += paired(
            (option.label, keys.Pick(sheet.revision, turn.beside.node, option.id)) for option in turn.beside.choices
        )
    if at_result:
        sheet.own("paper", "web")
    elif turn.status == "paused":
        sheet.own("web")
    return Face(tuple(parts), sheet.markup, alone)


def _renumbered(parts: list[Part], sheet: Sheet, long: Sequence[Button]) -> list[Part]:
    """The numbers of long labels: at the line that says the same, else in a list at the end."""
    numbers = {button.label: number for number, button in enumerate(long, 1)}
    met: set[str] = set()

    def numbered(line: re.Match[str]) -> str:
        label = line[0].removeprefix(BULLET)
        if label not in numbers or label in met:
            return line[0]
        met.add(label)
        return f"{numbers[label]}. {label}"

    changed = [replace(part, text=re.sub(rf"(?m)^{BULLET}.*$", numbered, part.text)) for part in parts]
    sheet.numbered(long)
    rest = [f"{number}. {label}" for label, number in numbers.items() if label not in met]
    return [*changed, Part("\n".join(rest))] if rest else changed


def _said(messages: Sequence[Message]) -> list[Part]:
    return [Part(message.text) for message in messages if message.text]


def _joined(parts: Sequence[Part]) -> str:
    return "\n\n".join(part.html for part in parts)


def _size(parts: Sequence[Part]) -> int:
    return len("\n\n".join(part.text for part in parts).encode("utf-16-le")) // 2


def _small(parts: Sequence[Part]) -> Iterable[Part]:
    """The parts, those too long for one message cut at a line, or anywhere if need be."""
    for part in parts:
        text = part.text
        while _size([Part(text)]) > TEXT:
            cut = text.rfind("\n", 0, TEXT // 2)
            cut = cut if cut > 0 else TEXT // 2
            yield replace(part, text=text[:cut])
            text = text[cut:].lstrip("\n")
        if text:
            yield replace(part, text=text)
