"""An update of Telegram becomes an event of the turn, committed before this returns; the answer leaves by the outbox.

Ids may restart at random, so an update is known by its id together with what it is about. What is sent besides text and
presses is answered by a sentence, and never stored. Raises store.engine.Unavailable when nothing could be saved: the
update must come again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog
from telegram import Bot, CallbackQuery, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus, ChatType

from bot import turn
from bot.house import House
from bot.telegram import keys
from bot.telegram.door import Door, code_in
from bot.telegram.face import Face, plain
from bot.telegram.here import Here
from bot.telegram.show import Show, sentences
from bot.turn import EventOf, Gone
from dialogue.engine import asking
from dialogue.events import Clicked, Command, Commanded, Event
from dialogue.flow import Flow
from dialogue.session import Session
from store import chats, codes
from store.chats import Chat

COMMANDS: Mapping[str, Command] = {
    "reprendre": "resume",
    "resultat": "result",
    "rdv": "book",
    "reponses": "answers",
    "supprimer": "erase",
    "stop": "pause",
}
SENTENCES = {
    "aide": "telegram_help",
    "help": "telegram_help",
    "mesdonnees": "telegram_data",
    "privacy": "telegram_privacy",
    "web": "telegram_web",
}
_ALONE = {
    "aide": "telegram_help",
    "help": "telegram_help",
    "mesdonnees": "telegram_privacy",
    "privacy": "telegram_privacy",
}
"""What may be said to a chat that has no conversation."""
_CAMPAIGN = re.compile(r"[A-Za-z0-9_-]{1,40}")
_COMMAND = re.compile(r"/([a-z0-9_]{1,32})(?:@\w+)?(?:\s+(\S{1,64}))?\s*", re.IGNORECASE)

log = structlog.get_logger("telegram")


def parsed(data: dict[str, Any], bot: Bot) -> Update | None:
    """The update, or None where the library can't read it: a novelty of Telegram, or not from it."""
    try:
        return Update.de_json(data, bot)
    except Exception as error:  # noqa: BLE001 — whatever the library raises on strange data
        log.warning("telegram_update_unread", reason=type(error).__name__)
        return None


async def receive(door: Door, update: Update) -> None:
    """Take one update, those of one chat in the order in which they come."""
    about = update.effective_chat
    if about is None:
        return
    async with door.one_at_a_time(about.id):
        if about.type != ChatType.PRIVATE:
            await _elsewhere(door, update)
        elif update.my_chat_member:
            await _membership(door, update.my_chat_member)
        elif query := update.callback_query:
            await _pressed(door, update.update_id, query)
        elif message := update.message or update.edited_message:
            await _written(door, update.update_id, message, edited=update.message is None)


async def _written(door: Door, update: int, message: Message, *, edited: bool) -> None:
    here = Here(door, message.chat.id, f"{update}/m/{message.chat.id}/{message.message_id}/{edited}")
    chat = await here.find()
    if edited or message.text is None:
        await here.say(chat, "telegram_edited" if edited else "telegram_only_text")
        return
    command = _COMMAND.fullmatch(message.text)
    if command:
        await _commanded(here, chat, command[1].lower(), command[2] or "", message.text)
    elif chat is None and (code := codes.read_code(message.text)):
        await here.join(chat, code)
    elif chat is None:
        await here.say(chat, "")
    else:
        await here.take(chat, here.house.typed(message.text), Show(here.way(chat), anew=True))


async def _commanded(here: Here, chat: Chat | None, name: str, payload: str, text: str) -> None:
    if name == "start":
        await _started(here, chat, payload)
    elif chat is None:
        await here.say(chat, _ALONE.get(name, "book" if name == "rdv" else ""))
    elif name in COMMANDS:
        await here.take(chat, Commanded(COMMANDS[name]), Show(here.way(chat), anew=True))
    elif name in SENTENCES:
        await here.say(chat, SENTENCES[name])
    elif name == "tutoriels":
        await _tutorials(here, chat)
    else:
        await here.take(chat, here.house.typed(text), Show(here.way(chat), anew=True))


async def _started(here: Here, chat: Chat | None, payload: str) -> None:
    """Begin; or go on, if there is something to go on with. The payload: a hand-over code, or a campaign."""
    if code := code_in(payload):
        await here.join(chat, code)
    elif chat is None:
        await here.begin(payload if _CAMPAIGN.fullmatch(payload) else None)
    else:
        said = sentences(["telegram_back"])
        await here.take(chat, Commanded("resume"), Show(here.way(chat), anew=True, said=said))


async def _tutorials(here: Here, chat: Chat) -> None:
    """All that is advised, once there is a result; the engine says how far it is otherwise."""
    show = Show(here.way(chat), anew=True)
    try:
        now = await turn.look(here.house, chat.conversation)
    except Gone:
        await here.say(None, "")
        return
    if now.session.short_done:
        await here.aside(chat, replace(show, view="tutorials"))
    else:
        await here.take(chat, Commanded("result"), show)


async def _pressed(door: Door, update: int, query: CallbackQuery) -> None:
    message = query.message
    if message is None:
        return
    here = Here(door, message.chat.id, f"{update}/c/{query.id}", message.message_id)
    chat = await here.find()
    key = keys.read(query.data or "")
    if chat is None:
        if key == keys.Ask("begin"):
            await here.begin(None)
        elif isinstance(key, keys.Switch):
            await here.join(None, key.code, sure=True)
        else:
            await here.say(None, "")
    else:
        await _answered(here, chat, key)
    door.heard(query.id)


async def _answered(here: Here, chat: Chat, key: keys.Key | None) -> None:
    show = Show(here.way(chat), pressed=here.pressed)
    match key:
        case keys.Pick(revision, node, choice):
            await here.take(chat, Clicked(node, choice), show, revision)
        case keys.Order(revision, name, node, word):
            await here.take(chat, Commanded(name, node, word), show, revision)
        case keys.Term(revision, place):
            await here.take(chat, _term(here.house, place), show, revision)
        case keys.Page(number):
            await here.aside(chat, replace(show, page=number))
        case keys.Ask("web"):
            await here.aside(chat, replace(show, anew=True, said=sentences(["telegram_web"])))
        case keys.Ask("paper"):
            await here.aside(chat, replace(show, anew=True), paper=True)
        case keys.Switch(code):
            await here.join(chat, code, sure=True)
        case keys.Ask():
            await here.aside(chat, show)
        case None:
            await here.aside(chat, replace(show, said=sentences(["stale"])))


async def _membership(door: Door, change: ChatMemberUpdated) -> None:
    """Blocked, or let in again. The conversation stays either way."""
    here = Here(door, change.chat.id, "")
    chat = await here.find(unblock=False)
    if chat is not None:
        gone = change.new_chat_member.status in (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)
        await door.house.store.db.submit(lambda tx: chats.block(tx, chat.way, blocked=gone))


async def _elsewhere(door: Door, update: Update) -> None:
    """A group or a channel: a polite no, then leave. In a channel there is nobody to say it to."""
    about, change = update.effective_chat, update.my_chat_member
    if about is None or (change and change.new_chat_member.status in (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)):
        return
    said = (
        Face((), None)
        if about.type == ChatType.CHANNEL
        else plain(door.house.words.say("telegram_group", bot=door.name))
    )
    door.tell(about.id, said, then_leave=True)


def _term(house: House, place: int) -> EventOf:
    """The difficult word at this place, among those of the question being asked; none, and the bot asks which."""

    def event(flow: Flow, session: Session) -> Event:
        step = asking(flow, session)
        terms = house.words.terms_in(step.question.text) if step else ()
        return Commanded("define", word=terms[place].term if 0 <= place < len(terms) else "")

    return event
