"""The erasure journal: a file of keyed hashes of what must not come back, kept apart from the data.

One rule: it only grows, and it is on disk before anything is erased. At start it erases whatever a restored backup
brought back (conversations, addresses taken back) and says again who must not be written to; at any time it tells
whether a message may still leave. Where several machines serve one database it is a folder that they share, or copy to
one another: each writes its own file there, and reads them all.
"""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

from sqlalchemy import Connection, delete, select

from store import contacts, meta
from store.engine import Unavailable
from store.keys import Keyring, fsync_folder
from store.tables import conversations

_PURPOSE = "erasure"
_REPLAYED = "journal_replayed"  # digest of the journal as it was last replayed on this database


_EMPTY = hashlib.sha256(b"").hexdigest()
_SUFFIX = ".journal"


class JournalMissing(Exception):
    """There is no journal where this database has read one; the message is a French sentence for the operator."""


class Journal:
    """One line an erasure: 64 hexadecimal digits for a conversation, the same after a word for an address.

    `place`: a file, or a folder that is there already; `path`: the file that this machine writes.
    """

    def __init__(self, place: Path) -> None:
        self._folder = place if place.is_dir() else None
        self.path = place / f"{socket.gethostname()}{_SUFFIX}" if self._folder else place
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
        size = sum(file.stat().st_size for file in self._files())
        if size != self._known[0]:
            self._known = (size, self._lines())
        return _line(keyring, conversation) in self._known[1]

    def replay(self, tx: Connection, keyring: Keyring) -> int:
        """Erase the conversations and addresses of the journal that are still there, and say how many.

        Quick when this database has already replayed the journal as it stands. `db.scrub()` after. Run daily, it also
        ends an erasure that was written here and could not be committed. Raises JournalMissing.
        """
        erased = self._lines()
        mark = hashlib.sha256(b"\n".join(sorted(erased))).hexdigest()
        known = meta.get(tx, _REPLAYED)
        if known == mark:
            return 0
        if known not in (None, _EMPTY) and not self._files():
            raise JournalMissing(
                f"Le journal des effacements {self.path} est absent, alors que cette base en a déjà relu un : ce qui a "
                "été effacé pourrait revenir. Remettez-le depuis sa copie ; avec plusieurs machines, c'est un dossier "
                "partagé (docs/deploy.md). S'il est perdu pour de bon, créez un fichier vide à cette place."
            )
        names = tx.scalars(select(conversations.c.id)).all() if erased else ()
        back = [name for name in names if _line(keyring, name) in erased]
        for name in back:
            tx.execute(delete(conversations).where(conversations.c.id == name))
        addresses = contacts.say_again(tx, keyring, erased)
        meta.put(tx, _REPLAYED, mark)
        return len(back) + addresses

    def _files(self) -> list[Path]:
        if self._folder is not None:
            return sorted(self._folder.glob(f"*{_SUFFIX}"))
        return [self.path] if self.path.exists() else []

    def _lines(self) -> frozenset[bytes]:
        return frozenset(line for file in self._files() for line in file.read_bytes().split())


def _line(keyring: Keyring, conversation: str) -> bytes:
    return keyring.digest(_PURPOSE, conversation).hex().encode()
