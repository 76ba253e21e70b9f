"""The erasure journal: a file of keyed hashes of what must not come back, kept apart from the data.

One rule: it only grows, and it is on disk before anything is erased. At start it erases whatever a restored backup
brought back (conversations, addresses taken back) and says again who must not be written to; at any time it tells
whether a message may still leave.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sqlalchemy import Connection, delete, select

from store import contacts, meta
from store.engine import Unavailable
from store.keys import Keyring, fsync_folder
from store.tables import conversations

_PURPOSE = "erasure"
_REPLAYED = "journal_replayed"  # digest of the journal as it was last replayed on this database


class Journal:
    """One line an erasure: 64 hexadecimal digits for a conversation, the same after a word for an address."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: tuple[int, frozenset[bytes]] = (0, frozenset())

    def write(self, keyring: Keyring, conversation: str) -> None:
        """Add a conversation, and return once it is on disk. Raises Unavailable if it could not be written."""
        self.add(_line(keyring, conversation))

    def add(self, mark: bytes) -> None:
        """Add a line, and return once it is on disk. Raises Unavailable if it could not be written."""
        line = b"\n" + mark + b"\n"  # a cut line stays alone
        try:
            new = not self.path.exists()
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                written = os.write(handle, line)
                os.fsync(handle)
            finally:
                os.close(handle)
            if new:
                fsync_folder(self.path.parent)
        except OSError as error:
            raise Unavailable(
                f"Le journal des effacements {self.path} ne peut pas être écrit ({error.strerror}). "
                "Rien n'a été effacé : libérez de la place ou rendez ce dossier accessible, puis réessayez."
            ) from error
        if written != len(line):
            raise Unavailable(f"Le disque du journal {self.path} est plein. Rien n'a été effacé : réessayez.")

    def holds(self, keyring: Keyring, conversation: str) -> bool:
        """Whether this conversation was erased: no message may leave for it."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size != self._known[0]:
            self._known = (size, frozenset(self._text().split()))
        return _line(keyring, conversation) in self._known[1]

    def replay(self, tx: Connection, keyring: Keyring) -> int:
        """Erase the conversations and addresses of the journal that are still there, and say how many.

        Quick when this database has already replayed the journal as it stands. `db.scrub()` after. Run daily, it also
        ends an erasure that was written here and could not be committed.
        """
        text = self._text()
        mark = hashlib.sha256(text).hexdigest()
        if meta.get(tx, _REPLAYED) == mark:
            return 0
        erased = frozenset(text.split())
        names = tx.scalars(select(conversations.c.id)).all() if erased else ()
        back = [name for name in names if _line(keyring, name) in erased]
        for name in back:
            tx.execute(delete(conversations).where(conversations.c.id == name))
        addresses = contacts.say_again(tx, keyring, erased)
        meta.put(tx, _REPLAYED, mark)
        return len(back) + addresses

    def _text(self) -> bytes:
        return self.path.read_bytes() if self.path.exists() else b""


def _line(keyring: Keyring, conversation: str) -> bytes:
    return keyring.digest(_PURPOSE, conversation).hex().encode()
