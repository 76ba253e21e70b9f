"""The keyboard under a message, filled row by row for one revision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.telegram import keys
from dialogue.present import Button
from dialogue.words import Words

PAIRED = 20
"""Characters up to which two buttons share a row."""
A_ROW = 6
Row = list[InlineKeyboardButton]


class Sheet:
    """The keyboard as it is filled, row by row, for one revision."""

    def __init__(self, revision: int, words: Words) -> None:
        self.revision = revision
        self.words = words
        self.rows: list[Row] = []

    def key(self, button: Button) -> keys.Key:
        """What a command's button carries."""
        return keys.Order(self.revision, button.name, button.node, button.word)

    def commands(self, buttons: Iterable[Button]) -> None:
        """Commands in words, two short ones a row."""
        self.rows += paired((each.label, self.key(each)) for each in buttons)

    @property
    def markup(self) -> InlineKeyboardMarkup:
        """The keyboard."""
        return InlineKeyboardMarkup(self.rows)

    def numbered(self, buttons: Sequence[Button]) -> str:
        """Buttons that bear numbers; the lines that say what they are."""
        row = [button(str(number), self.key(each)) for number, each in enumerate(buttons, 1)]
        self.rows += [row[at : at + A_ROW] for at in range(0, len(row), A_ROW)]
        return "\n".join(f"{number}. {each.label}" for number, each in enumerate(buttons, 1))

    def own(self, *names: keys.Own) -> None:
        """What this door does by itself."""
        self.rows += paired((self.words.label(name), keys.Ask(name)) for name in names)


def button(label: str, key: keys.Key) -> InlineKeyboardButton:
    """A button that carries this key."""
    return InlineKeyboardButton(label, callback_data=keys.write(key))


def paired(offered: Iterable[tuple[str, keys.Key]]) -> list[Row]:
    """A row each, two short neighbours together."""
    rows: list[Row] = []
    for label, key in offered:
        last = rows[-1] if rows else None
        if last and len(last) == 1 and max(len(label), len(last[0].text)) <= PAIRED:
            last.append(button(label, key))
        else:
            rows.append([button(label, key)])
    return rows
