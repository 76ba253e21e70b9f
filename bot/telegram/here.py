"""What may be done about one update of a private chat: begin, take a turn, say something, join from the web.

Each is one transaction that claims the update in the inbox and puts in the outbox what must be shown; the bell is rung
after COMMIT.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from bot import turn
from bot.house import House
from bot.telegram import keys
from bot.telegram.door import TELEGRAM, Door
from bot.telegram.face import plain
from bot.telegram.show import SCREEN, Screen, Show, enqueue, sentences
from bot.turn import EventOf, Gone
from dialogue.events import Clicked, Event
from federations import campaigns
from store import chats, codes, conversations, inbox, ways
from store.chats import Chat

_ASIDE = f"{TELEGRAM}/aside"
"""Inbox of what is answered without a turn: the turn may still take the update if it comes again at its time."""


class Here:
    """One update of one private chat, and what may be done about it. `pressed`: the message of the button, or 0."""

    def __init__(self, door: Door, number: int, incoming: str, pressed: int = 0) -> None:
        self.door, self.house, self.number = door, door.house, number
        self.incoming, self.pressed = incoming, pressed
        self.token = chats.token(self.house.store.keyring, TELEGRAM, number)

    def way(self, chat: Chat) -> str:
        """The chat, as a show names it."""
        return chat.way.hex()

    async def find(self, *, unblock: bool = True) -> Chat | None:
        """The chat, if it has a conversation. Counts as a use of its way; who speaks is not blocking us any more."""
        store, today = self.house.store, self.house.today()
        found = await store.db.query(lambda tx: chats.find(tx, store.keyring, self.token, today))
        if found is None:
            return None
        chat, way = found
        if way.last_on < today:
            await store.db.submit(lambda tx: ways.find(tx, store.keyring, self.token, today))
        if chat.blocked and unblock:
            await store.db.submit(lambda tx: chats.block(tx, chat.way, blocked=False))
        return chat

    async def begin(self, campaign: str | None) -> None:
        """A new conversation, and its first question under the words of welcome; with its federation's, by its link."""
        house, hello = self.house, sentences(["telegram_hello"])
        code = campaign or ""
        found = await house.store.db.query(lambda tx: campaigns.find(tx, code)) if code else None
        if found:
            campaign = found.code
            if house.settings.federation(found.branch):
                hello = (("telegram_with", found.branch), *hello)

        def then(tx: Connection, begun: turn.Present) -> None:
            self._bind(tx, begun.conversation, Show("", anew=True, said=hello, pressed=self.pressed))

        fact = house.flow.questionnaire.profile[0]
        given = {fact.id: found.branch} if found and found.branch in fact.by_choice else None
        entry = found.channel if found else "branche" if campaign else "direct"
        try:
            await turn.begin(
                house,
                door=TELEGRAM,
                incoming=self.incoming,
                entry=entry,
                campaign=campaign,
                given=given,
                token=self.token,
                then=then,
            )
        except Gone:  # this very message began a conversation that was erased since
            return
        house.bell.ring()

    async def take(self, chat: Chat, event: Event | EventOf, show: Show, revision: int | None = None) -> None:
        """A turn, and the show of where it leads; or why it could not be."""
        house = self.house
        try:
            now = await turn.take(
                house,
                door=TELEGRAM,
                incoming=self.incoming,
                conversation=chat.conversation,
                revision=revision,
                event=event,
                then=lambda tx, present: enqueue(house, tx, present.conversation, show),
            )
        except Gone:
            await self.say(None, "")
            return
        house.bell.ring()
        if now.outcome == "erased":
            self._farewell()
        elif now.outcome in ("stale", "refused"):
            node = event.node if isinstance(event, Clicked) else ""
            if isinstance(event, Clicked) and now.answered(node) == event.choice:
                return  # pressed twice: it stands as they wanted
            await self.aside(chat, replace(show, said=(*show.said, ("stale", node))))

    async def aside(self, chat: Chat, show: Show, *, paper: bool = False) -> None:
        """Show without a turn, once an update."""
        house = self.house

        def work(tx: Connection) -> None:
            if inbox.claim(tx, house.store.keyring, _ASIDE, self.incoming, house.today()):
                enqueue(house, tx, chat.conversation, show, paper=paper)

        await house.store.db.submit(work)
        house.bell.ring()

    async def say(self, chat: Chat | None, sentence: str) -> None:
        """A sentence, then the present question; without a conversation, the sentence and how to begin."""
        if chat is not None:
            await self.aside(chat, Show(self.way(chat), anew=True, said=sentences([sentence])))
            return
        if not await self._first_time():
            return
        house = self.house
        settings = house.settings
        values = {"url": settings.server.public_url, "legal": settings.legal, "retention": settings.retention}
        said = house.words.say(sentence, outside=False, **values) if sentence else ""
        words = "\n\n".join(filter(None, (said, house.words.say("telegram_nothing_here") if not said else "")))
        self.door.tell(self.number, plain(words, [(house.words.label("begin"), keys.Ask("begin"))]))

    async def join(self, chat: Chat | None, code: str, *, sure: bool = False) -> None:
        """Come from the web by a code. Where this chat has answers of its own, ask first which one to keep."""
        house = self.house

        def work(tx: Connection) -> str:
            keyring = house.store.keyring
            if not inbox.claim(tx, keyring, TELEGRAM, self.incoming, house.today()):
                return ""
            found = codes.redeem(tx, keyring, code, house.now())
            if isinstance(found, codes.Refusal):
                if chat is not None:
                    enqueue(
                        house, tx, chat.conversation, Show(self.way(chat), True, said=sentences(["telegram_bad_code"]))
                    )
                return "refused"
            if chat is not None and chat.conversation != found and not sure and _has_answers(house, tx, chat):
                again = codes.issue_code(tx, keyring, found, house.now())
                asked = Show(self.way(chat), True, said=(("telegram_switch", again),), view="switch")
                enqueue(house, tx, chat.conversation, asked)
                return "asked"
            show = Show("", True, pressed=self.pressed, said=sentences(["telegram_joined"]))
            self._bind(tx, found, show)
            return "joined"

        became = await house.store.db.submit(work)
        house.bell.ring()
        if became == "refused" and chat is None:
            said = house.words.say("telegram_bad_code")
            self.door.tell(self.number, plain(said, [(house.words.label("begin"), keys.Ask("begin"))]))

    def _bind(self, tx: Connection, conversation: str, show: Show) -> None:
        """Make this chat the conversation's, and show it there."""
        store = self.house.store
        held = conversations.hold(tx, store.keyring, conversation)
        if held is None:
            return
        state = SCREEN.dump_json(Screen(self.number))
        way = chats.bind(tx, store.keyring, held[0], conversation, self.token, state, self.house.today())
        enqueue(self.house, tx, conversation, replace(show, way=way.hex()))

    async def _first_time(self) -> bool:
        store, today = self.house.store, self.house.today()
        return await store.db.submit(lambda tx: inbox.claim(tx, store.keyring, _ASIDE, self.incoming, today))

    def _farewell(self) -> None:
        if self.pressed:
            self.door.clear(self.number, self.pressed)
        self.door.tell(self.number, plain(self.house.words.say("telegram_erased")))


def _has_answers(house: House, tx: Connection, chat: Chat) -> bool:
    """Whether the conversation of this chat has moved since it was begun."""
    held = conversations.hold(tx, house.store.keyring, chat.conversation)
    return held is not None and held[1] > 1
