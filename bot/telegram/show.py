"""What leaves for a chat: the present turn, or the result as a PDF; jobs of the outbox, done after COMMIT.

A show is drawn when it leaves, from the conversation as it stands then: those of one chat that wait in a row are shown
once, the last state with everything that was to be said. So nothing false is ever shown, late or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile

import structlog
from pydantic import TypeAdapter
from sqlalchemy import Connection

from bot.entrance import hand_over
from bot.house import House
from bot.opened import opened, told
from bot.outreach import too_late
from bot.telegram.door import Door, door_of
from bot.telegram.face import Face, View, face
from bot.telegram.post import Blocked
from bot.turn import Happened, Present, stands
from bot.worker import Doers, Save, Sends
from dialogue.outreach import Say
from dialogue.present import label_of
from papers.result import bars_png, result_pdf
from store import chats, conversations, outbox
from store.chats import Chat
from store.keys import DataKey
from store.outbox import Job

SHOW, PAPER = "telegram.show", "telegram.paper"
log = structlog.get_logger("telegram")


@dataclass(frozen=True)
class Screen:
    """Where a chat stands: its number, the message that carries the buttons, whether it must stay as it is."""

    chat: int
    message: int = 0
    keep: bool = False


@dataclass(frozen=True)
class Show:
    """Show the present turn in the chat of this way.

    `anew`: after something typed, a new message; `pressed`: the message of the button; `said`: sentences to put
    first, by template, with what they need; `view`, `page`: another look at the same turn.
    """

    way: str
    anew: bool = False
    pressed: int = 0
    said: tuple[tuple[str, str], ...] = ()
    view: View = ""
    page: int = 0

    def and_then(self, later: Show) -> Show:
        """One show for this one and the next: the last look, and everything said."""
        said = tuple(dict.fromkeys((*self.said, *later.said)))
        return replace(later, anew=self.anew or later.anew, pressed=later.pressed or self.pressed, said=said)


SCREEN: TypeAdapter[Screen] = TypeAdapter(Screen)
_SHOW: TypeAdapter[Show] = TypeAdapter(Show)


def enqueue(
    house: House,
    tx: Connection,
    conversation: str,
    show: Show,
    *,
    paper: bool = False,
    expires_at: datetime | None = None,
) -> None:
    """Put a show in the outbox (the result on paper before it), in the transaction of what it shows."""
    held = conversations.hold(tx, house.store.keyring, conversation)
    if held is None:
        return
    key, revision = held
    for kind in (PAPER, SHOW) if paper else (SHOW,):
        outbox.append(
            tx,
            key,
            conversation=conversation,
            revision=revision,
            kind=kind,
            due_at=house.now(),
            payload=_SHOW.dump_json(show),
            line=conversation,
            expires_at=expires_at,
        )


def tell(house: House, tx: Connection, happened: Happened, said: Say) -> bool:
    """Say first in the chats of a conversation, if it has one that takes messages."""
    found = chats.of(tx, happened.loaded.id)
    for chat in found:
        enqueue(house, tx, chat.conversation, Show(chat.way.hex(), anew=True), expires_at=too_late(house, said))
    return bool(found)


def show_anew(house: House, tx: Connection, conversation: str, expires_at: datetime) -> bool:
    """Show where a conversation stands in its chats, in a new message; whether it has one that takes messages."""
    found = chats.of(tx, conversation)
    for chat in found:
        enqueue(house, tx, conversation, Show(chat.way.hex(), anew=True), expires_at=expires_at)
    return bool(found)


@dataclass(frozen=True)
class _Wanted:
    """What a job needs, read at once. `absorbed`: the shows behind it that this one makes needless."""

    here: Present
    key: DataKey = field(repr=False)
    chat: Chat
    screen: Screen = field(repr=False)
    show: Show
    absorbed: tuple[int, ...]


def _wanted(house: House, tx: Connection, job: Job) -> _Wanted | None:
    """None when there is nothing to show any more: erased, moved to another conversation, blocked."""
    loaded = conversations.load(tx, house.store.keyring, job.conversation or "", lock=False)
    if loaded is None:
        return None
    show = _SHOW.validate_json(outbox.opened(loaded.key, job))
    chat = chats.at(tx, bytes.fromhex(show.way))
    if chat is None or chat.conversation != loaded.id or chat.blocked:
        return None
    absorbed: list[int] = []
    if job.kind == SHOW:
        for behind in takewhile(lambda each: each.kind == SHOW, outbox.after(tx, job)):
            later = _SHOW.validate_json(outbox.opened(loaded.key, behind))
            if later.way != show.way:
                break
            show = show.and_then(later)
            absorbed.append(behind.id)
    here = stands(house, tx, loaded)
    return _Wanted(here, loaded.key, chat, SCREEN.validate_json(chat.state(loaded.key)), show, tuple(absorbed))


async def _show(house: House, job: Job) -> Save | None:
    wanted = await house.store.db.query(lambda tx: _wanted(house, tx, job))
    if wanted is None:
        return None
    drawn = await _draw(house, wanted)
    try:
        screen = await _put(house, door_of(house), wanted, drawn)
    except Blocked:
        return lambda tx: chats.block(tx, wanted.chat.way, blocked=True)

    def save(tx: Connection) -> None:
        if screen != wanted.screen:
            chats.keep(tx, wanted.key, wanted.chat, SCREEN.dump_json(screen))
        outbox.absorb(tx, wanted.absorbed, house.now())

    return save


async def _draw(house: House, wanted: _Wanted) -> Face:
    here, words, show = wanted.here, house.words, wanted.show
    said = [words.say(name, **_values(house, await _value(house, here, name, given))) for name, given in show.said]
    code = next((given for name, given in show.said if name == "telegram_switch"), "")
    return face(here, words, said=said, view=show.view, page=show.page, code=code)


async def _value(house: House, here: Present, name: str, given: str) -> str:
    """What a sentence needs, made when it leaves: a fresh code, a federation's name, who opened what, an old answer."""
    if name == "telegram_web":
        code = await hand_over(house, here.conversation)
        return f"{code[:4]} {code[4:]}"
    if name == "telegram_with":
        named = house.settings.federation(given)
        return named.name if named else ""
    if name == "telegram_data":
        return told(house, await opened(house, here.conversation), MOST_OPENINGS)
    flow, session = here.front
    question, standing = flow.question(given), session.answers.get(given)
    return label_of(house.words, question, standing) if question and standing else ""


def _values(house: House, value: str) -> dict[str, object]:
    """All that the templates of this door may call."""
    settings = house.settings
    return {
        "url": settings.server.public_url,
        "legal": settings.legal,
        "retention": settings.retention,
        "code": value,
        "label": value,
        "opened": value,
    }


async def _put(house: House, door: Door, wanted: _Wanted, drawn: Face) -> Screen:
    """Show it, in place after a press, else anew once the old buttons are gone; where the chat stands then."""
    screen, show, post = wanted.screen, wanted.show, door.post
    texts = drawn.texts
    in_place = screen.message and show.pressed in (0, screen.message) and not show.anew and not screen.keep
    in_place = in_place and not drawn.bars and len(texts) == 1
    if in_place and await post.edit(screen.chat, screen.message, texts[0], drawn.keyboard):
        return screen
    for old in {screen.message, show.pressed} - {0}:
        await post.strip(screen.chat, old)
    png = await _bars(house, wanted.here) if drawn.bars else None
    if png and drawn.caption:
        sent = await post.photo(screen.chat, png, drawn.caption, drawn.keyboard)
        return replace(screen, message=sent, keep=True)
    if png:
        await post.photo(screen.chat, png, house.words.say("telegram_bars"), None)
    for text in texts[:-1]:
        await post.send(screen.chat, text)
    sent = await post.send(screen.chat, texts[-1], drawn.keyboard)
    stays = drawn.bars or any(name in _STAY for name, _ in show.said)
    return replace(screen, message=sent, keep=stays)


MOST_OPENINGS = 10
"""Openings told in one message; the page has them all."""
_STAY = frozenset({"telegram_hello", "telegram_joined", "telegram_privacy", "telegram_data", "telegram_web"})
"""Sentences that must not vanish under the next question."""


async def _bars(house: House, here: Present) -> bytes | None:
    """The picture; without it the words are enough."""
    try:
        return await asyncio.to_thread(bars_png, here.flow, here.session, house.words)
    except Exception as error:  # noqa: BLE001 — a drawing that fails must not keep the result back
        log.error("picture_failed", reason=type(error).__name__)
        return None


async def _paper(house: House, job: Job) -> Save | None:
    """The result as a PDF. Found half done, it is sent again: twice is better than never."""
    wanted = await house.store.db.query(lambda tx: _wanted(house, tx, job))
    if wanted is None or not wanted.here.session.short_done:
        return None
    here, words, post = wanted.here, house.words, door_of(house).post
    pdf = await asyncio.to_thread(result_pdf, here.flow, here.session, words, date=house.today())
    try:
        await post.document(wanted.screen.chat, pdf, "autodiag-resultat.pdf", words.say("telegram_paper"))
    except Blocked:
        return lambda tx: chats.block(tx, wanted.chat.way, blocked=True)
    return None


DOERS: Doers = {SHOW: Sends(_show, repeats=True), PAPER: Sends(_paper, repeats=True)}
"""Both leave again when in doubt: a person waits for them, and the same screen twice says nothing false."""


def sentences(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Templates that need nothing, as `Show.said` wants them."""
    return tuple((name, "") for name in names)
