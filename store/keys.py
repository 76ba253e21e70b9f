"""The master key, what is derived from it, and each conversation's own data key.

One rule: nothing falls back to clear text. A key that is missing, malformed or readable by others stops the
program with a sentence that says what to do. Erasing a wrapped data key erases what it sealed.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE_BYTES = 12
_LENGTH_BYTES = 4
_FORMAT = b"\x01"


class KeyProblem(Exception):
    """The master key cannot be used; the message is a French sentence for the operator, with what to do."""


class Tampered(Exception):
    """Sealed bytes do not open: another key, another place (table, row, column), or altered bytes."""


class DataKey:
    """The AES-256-GCM key of one conversation, or of one account. Never printed, never stored unwrapped."""

    __slots__ = ("_cipher",)

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def seal(self, plain: bytes, *, table: str, row: str, column: str, pad_to: int = 256) -> bytes:
        """Encrypt `plain` for one place only; the length given away is a multiple of `pad_to` bytes."""
        padded = _padded(plain, pad_to)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, padded, _place(table, row, column))

    def unseal(self, sealed: bytes, *, table: str, row: str, column: str) -> bytes:
        """Give back what `seal` took. Raises Tampered if key, place or bytes differ."""
        return _unpadded(_opened(self._cipher, sealed, _place(table, row, column)))


class Keyring:
    """The master key's sub-keys: one wraps data keys, one makes keyed hashes; `own` seals what has no data key."""

    __slots__ = ("_digest_key", "_wrap", "own")

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise ValueError(f"a master key is {KEY_BYTES} bytes, not {len(master)}")
        self._wrap = AESGCM(_derived(master, "wrap"))
        self._digest_key = _derived(master, "digest")
        self.own = DataKey(_derived(master, "own"))

    @classmethod
    def open(cls, path: Path, *, may_create: bool) -> Keyring:
        """Read the key file, or create it (mode 600) when it is absent and `may_create`. Raises KeyProblem."""
        try:
            if may_create and not path.exists():
                _create(path)
            return cls(_read(path))
        except FileNotFoundError:
            raise KeyProblem(
                f"Le fichier de clé {path} est introuvable, et la base a été chiffrée avec lui. "
                "Remettez ce fichier à sa place depuis votre copie de sauvegarde, puis relancez. "
                "Sans lui, les conversations sont illisibles. Rien n'a été modifié."
            ) from None
        except OSError as error:
            raise KeyProblem(
                f"Le fichier de clé {path} ne peut pas être ouvert ({error.strerror}). "
                "Vérifiez que le compte qui lance Autodiag possède ce fichier et son dossier, puis relancez."
            ) from error

    def digest(self, purpose: str, value: str | bytes) -> bytes:
        """Keyed hash (HMAC-SHA256, 32 bytes) of `value`; two purposes never give the same hash."""
        raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        name = purpose.encode()
        return hmac.new(self._digest_key, len(name).to_bytes(2) + name + raw, hashlib.sha256).digest()

    def new_data_key(self, owner: str, table: str = "conversations") -> tuple[DataKey, bytes]:
        """Draw a data key for one row of a table, by default a conversation: the key, and its wrapped form to store."""
        secret = secrets.token_bytes(KEY_BYTES)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        wrapped = _FORMAT + nonce + self._wrap.encrypt(nonce, secret, _place(table, owner, "wrapped_key"))
        return DataKey(secret), wrapped

    def unwrap(self, owner: str, wrapped: bytes, table: str = "conversations") -> DataKey:
        """Open a stored data key. Raises Tampered if it was wrapped by another key or for another row."""
        return DataKey(_opened(self._wrap, wrapped, _place(table, owner, "wrapped_key")))


def _derived(master: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"autodiag/{purpose}/1".encode()).derive(master)


def _place(table: str, row: str, column: str) -> bytes:
    return json.dumps([table, row, column]).encode()


def _opened(cipher: AESGCM, sealed: bytes, place: bytes) -> bytes:
    if sealed[:1] != _FORMAT:
        raise Tampered("unknown format of sealed bytes")
    start = 1 + _NONCE_BYTES
    try:
        return cipher.decrypt(sealed[1:start], sealed[start:], place)
    except (InvalidTag, ValueError):
        raise Tampered("sealed bytes do not open here with this key") from None


def _padded(plain: bytes, pad_to: int) -> bytes:
    size = _LENGTH_BYTES + len(plain)
    return len(plain).to_bytes(_LENGTH_BYTES) + plain + bytes(-size % pad_to)


def _unpadded(padded: bytes) -> bytes:
    end = _LENGTH_BYTES + int.from_bytes(padded[:_LENGTH_BYTES])
    return padded[_LENGTH_BYTES:end]


def _create(path: Path) -> None:
    """Write a new key under a temporary name, then link it: it appears whole, and never replaces another."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process created it in the meantime: that one is the key
            os.link(draft, path)
    finally:
        draft.unlink()
    fsync_folder(path.parent)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        text = file.read(1024)
    if mode & 0o077:
        raise KeyProblem(
            f"Le fichier de clé {path} peut être lu ou modifié par d'autres comptes (mode {mode:o}). "
            f"Lancez : chmod 600 {path}"
        )
    try:
        master = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        master = b""
    if len(master) != KEY_BYTES:
        raise KeyProblem(
            f"Le fichier de clé {path} est abîmé : on y attend {KEY_BYTES} octets écrits en base64. "
            "Remettez-le depuis votre copie de sauvegarde, puis relancez. Rien n'a été modifié."
        )
    return master


def fsync_folder(folder: Path) -> None:
    """Make a file's creation or renaming in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
