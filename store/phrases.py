"""The recovery phrase: four French words, shown once, that open everything where a mailed link opens little.

One rule: only a slow keyed hash is kept, and five wrong tries close the phrase. A refusal is returned, not raised: the
try it cost must be committed. `harden` takes a twentieth of a second: never inside a transaction.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sqlalchemy import Connection, delete, insert, select, update

from store.keys import Keyring
from store.tables import phrases

WORDS = 4
TRIES = 5
_COST = {"length": 32, "n": 2**14, "r": 8, "p": 1}
_SIGNIFICANT = 4
"""Letters by which no two words of the list are alike, accents left out: the rest of a word may be mistyped."""


class Unread(ValueError):
    """What was typed cannot be a phrase, and costs no try; the message is a French sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a phrase opened nothing. `tries_left` counts for "wrong" only."""

    reason: Literal["none", "wrong", "closed"]
    tries_left: int = 0


def draw() -> tuple[str, ...]:
    """Four words at random of 2,048: 44 bits, against five tries."""
    words = tuple(_list().values())
    return tuple(secrets.choice(words) for _ in range(WORDS))


def read_phrase(typed: str) -> tuple[str, ...]:
    """The four words meant: any case, accents or not, any separator, and mistakes past a word's fourth letter.

    Their order counts. Raises Unread.
    """
    given = re.findall(r"[a-z]+", _plain(typed))
    if len(given) != WORDS:
        raise Unread(f"Il faut les {WORDS} mots de votre phrase, séparés par des espaces, dans leur ordre.")
    known = _list()
    for place, word in enumerate(given, 1):
        if word[:_SIGNIFICANT] not in known:
            raise Unread(f"Je ne reconnais pas le mot numéro {place}. Regardez comment vous l'aviez noté.")
    return tuple(known[word[:_SIGNIFICANT]] for word in given)


def harden(keyring: Keyring, conversation: str, words: tuple[str, ...]) -> bytes:
    """What is kept of a phrase. Slow on purpose."""
    salt = keyring.digest("phrase/salt", conversation)
    slow = Scrypt(salt=salt, **_COST).derive(" ".join(words).encode())
    return keyring.digest("phrase", slow)


def keep(tx: Connection, conversation: str, hardened: bytes) -> None:
    """Make this the phrase of the conversation, with all its tries; an earlier one stops working."""
    tx.execute(delete(phrases).where(phrases.c.conversation == conversation))
    tx.execute(insert(phrases).values(conversation=conversation, digest=hardened, tries=0))


def check(tx: Connection, conversation: str, hardened: bytes) -> Refusal | None:
    """None if this is the phrase; or why it is not. Commit in both cases."""
    mine = phrases.c.conversation == conversation
    row = tx.execute(select(phrases).where(mine).with_for_update()).one_or_none()
    if row is None:
        return Refusal("none")
    if row.tries >= TRIES:
        return Refusal("closed")
    right = hmac.compare_digest(row.digest, hardened)
    tx.execute(update(phrases).where(mine).values(tries=0 if right else row.tries + 1))
    left = TRIES - row.tries - 1
    return None if right else Refusal("wrong", left) if left else Refusal("closed")


@cache
def _list() -> dict[str, str]:
    """The French list of BIP-39, by the letters that tell its words apart."""
    from mnemonic import Mnemonic  # its file is read for the few who leave an address

    words = (unicodedata.normalize("NFC", word) for word in Mnemonic("french").wordlist)
    return {_plain(word)[:_SIGNIFICANT]: word for word in words}


def _plain(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.lower().replace("œ", "oe").replace("æ", "ae"))
    return "".join(sign for sign in parts if not unicodedata.combining(sign))
