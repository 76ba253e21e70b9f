"""What must never be kept: a password, PIN or alarm code said, an IBAN, a card number. Only whether, never what."""

# ruff: noqa: E501 — a pattern reads better in one piece

from __future__ import annotations

import re

_IBAN = re.compile(r"[A-Za-z]{2}\d{2}(?:[ .\-]?[A-Za-z0-9]){11,30}")
_PAIR = re.compile(r"\d\d")
_DIGITS = re.compile(r"(?<![\d])\d(?:[ .\-]?\d){12,18}(?![\d])")
_NAMED = re.compile(
    r"(?:mots? de passe?|mdp|password|passwd|pass ?word|passe|code(?: (?:pin|secret|d'?acces|de (?:l'?)?(?:alarme|carte|cb|la carte|telephone|coffre|la box|caisse|wifi|porte|securite|deverrouillage)|alarme|wifi|wi-fi|bancaire|caisse|porte|box|confidentiel))?|pin|cle wifi|cle wpa|digicode|identifiants?|login|cryptogramme|cvv|cvc|sesame|secret|combinaison)(?P<rest>[^\n]{0,60})",
    re.IGNORECASE,
)
_IS = re.compile(
    r"(?:^|\s)(?:c'?\s?est|cest|est|sont|egal|c)?\s*(?:[:=]|->)?\s*[«\"']?\s*(?P<value>[^\s«»\"']\S{2,39})"
)
_NAMES = (
    *("passe", "mdp", "password", "passwd", "pass", "code", "pin", "cle w", "digicode", "identifiant", "login"),
    *("crypto", "cvv", "cvc", "sesame", "secret", "combinaison"),
)
_LONGEST = 12_000
_MOST = 40
"""Times that a secret is named in one text before it is taken to hold one."""
_NO_VALUE = re.compile(r"\d+(?:e|er|ere|eme|h|€|ans?|mois|chiffres?|fois|min|caracteres?)")


def holds_a_secret(text: str) -> bool:
    """Whether a text holds something that would open a door or a bank account."""
    text = text[:_LONGEST]
    return _card(text) or _iban(text) or _told(text)


def _card(text: str) -> bool:
    return any(_luhn(re.sub(r"\D", "", found[0])) for found in _DIGITS.finditer(text))


def _luhn(digits: str) -> bool:
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    if len(digits) == 14 and not digits.startswith(("30", "36", "38", "39")):  # a SIRET has the same checksum
        return False
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if at % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _iban(text: str) -> bool:
    for pair in _PAIR.finditer(text):  # digits first: nearly every text has none, and is done with at once
        begins = pair.start() - 2
        found = _IBAN.match(text, begins) if begins >= 0 else None
        if found is None or text[max(0, begins - 1) : begins].isalnum():
            continue
        packed = re.sub(r"[ .\-]", "", found[0]).upper()
        for size in range(min(len(packed), 34), 14, -1):
            moved = packed[4:size] + packed[:4]
            if moved.isascii() and int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1:
                return True
    return False


def _told(text: str) -> bool:
    """A secret named, then its value: something that looks like one, not a plain word of the sentence."""
    lower = text.casefold()
    if not any(name in lower for name in _NAMES):
        return False
    for at, found in enumerate(_NAMED.finditer(text)):
        if at >= _MOST:
            return True
        short = not found[0].lower().startswith(("identifiant", "login"))
        for said in _IS.finditer(found["rest"]):
            if _like_a_secret(said["value"].strip(" .,;!?)(«»\"'"), short=short):
                return True
    return False


def _like_a_secret(value: str, *, short: bool) -> bool:
    if not 4 <= len(value) <= 40 or value.lower().startswith(("http", "www")):
        return False
    digits = sum(sign.isdigit() for sign in value)
    letters = sum(sign.isalpha() for sign in value)
    if digits == len(value):
        return short and 4 <= digits <= 8 and not re.fullmatch(r"(?:19|20)\d\d", value)
    if re.fullmatch(r"[\w.+-]+@[\w-]+\.\w+", value):
        return False
    mixed = letters > 0 and digits > 0 and len(value) >= 5 and not _NO_VALUE.fullmatch(value.lower())
    return mixed or any(sign in "!@#$%&*_+=" for sign in value[1:])
