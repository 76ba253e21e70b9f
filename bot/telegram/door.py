"""What the Telegram door keeps while the process lives: its calls, its name, and who is being answered.

Replies that belong to no conversation are said from memory and written nowhere: there is nothing to seal them with,
and nothing to erase.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import structlog

from bot.house import House
from bot.telegram.face import Face
from bot.telegram.pace import Pace
from bot.telegram.post import Blocked, Post
from bot.worker import Later, Never

TELEGRAM = "telegram"
_TRIES = 6
_AT_ONCE = 16
"""Calls of no consequence under way at most: beyond, they would only slow down those that matter."""
_PAYLOAD = "code-"
"""What marks a hand-over code in the payload of /start."""

log = structlog.get_logger(TELEGRAM)


@dataclass
class Door:
    """See the module. `name`: the bot's public name, known once Telegram has answered."""

    house: House
    post: Post
    name: str = ""
    locks: WeakValueDictionary[int, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _speaking: set[int] = field(default_factory=set)

    def one_at_a_time(self, chat: int) -> asyncio.Lock:
        """Held while an update of this chat is taken, so that they are taken in the order in which they came."""
        return self.locks.setdefault(chat, asyncio.Lock())

    def tell(self, chat: int, face: Face, *, then_leave: bool = False) -> None:
        """Say something that belongs to no conversation, once the update is committed; one thing at a time a chat."""
        if chat not in self._speaking:
            self._speaking.add(chat)
            self._start(self._tell(chat, face, then_leave=then_leave))

    def heard(self, callback: str) -> None:
        """Stop the waiting sign of a button; when Telegram does not answer, those signs stop by themselves."""
        if len(self._tasks) < _AT_ONCE:
            self._start(self.post.heard(callback))

    def clear(self, chat: int, message: int) -> None:
        """Delete a message of ours that should not stay, if Telegram still lets us."""
        self._start(self.post.delete(chat, message))

    async def learn_name(self) -> None:
        """Ask Telegram who we are, until it answers."""
        wait = 1.0
        while not self.name:
            try:
                self.name = await self.post.name()
                log.info("telegram_ready", mode=self.house.settings.telegram.mode)
            except (Later, Never, Blocked) as error:
                log.warning("telegram_silent", reason=str(error))
                await asyncio.sleep(wait)
                wait = min(60.0, wait * 2)

    async def close(self) -> None:
        """Let what is being said end, briefly, then let go."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)
        for task in self._tasks:
            task.cancel()
        await self.post.close()

    def _start(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, chat: int, face: Face, *, then_leave: bool) -> None:
        try:
            for attempt in range(_TRIES):
                try:
                    for text in filter(None, face.texts):
                        await self.post.send(chat, text, face.keyboard)
                    break
                except Later as later:
                    await asyncio.sleep(later.after if later.after is not None else 2.0**attempt)
                except (Never, Blocked):
                    break
            else:
                log.error("telegram_reply_lost")
            if then_leave:
                await self.post.leave(chat)
        finally:
            self._speaking.discard(chat)


def door_of(house: House) -> Door:
    """The door of this house, made at its first use; only where a token is set."""
    found: Door | None = house.doors.get(TELEGRAM)
    if found is None:
        found = house.doors[TELEGRAM] = Door(house, Post(house.settings.telegram, Pace()))
    return found


def start_link(house: House, payload: str) -> str | None:
    """The link that opens Telegram and says this to the bot; None while the door is not open."""
    door: Door | None = house.doors.get(TELEGRAM)
    return f"https://t.me/{door.name}?start={payload}" if door and door.name else None


def telegram_link(house: House, code: str) -> str | None:
    """The link that opens this conversation in Telegram, from a hand-over code; None while the door is not open."""
    return start_link(house, f"{_PAYLOAD}{code}")


def code_in(payload: str) -> str | None:
    """The hand-over code that the payload of /start carries, or None."""
    return payload.removeprefix(_PAYLOAD) if payload.startswith(_PAYLOAD) else None
