"""What must never be kept: a password, PIN or alarm code said, an IBAN, a card number. Only whether, never what."""

# ruff: noqa: E501 — a pattern reads better in one piece
from __future__ import annotations

import re

_IBAN = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2}\d{2}(?:[ .\-]?[A-Za-z0-9]){11,30})")
_DIGITS = re.compile(r"(?<![\d])\d(?:[ .\-]?\d){12,18}(?![\d])")
_SECRET_IS = re.compile(
    r"(?:mots? de passe?|mdp|password|passwd|pass ?word|passe|code(?: (?:pin|secret|d'?acces|de (?:l'?)?(?:alarme|carte|cb|la carte|telephone|coffre|la box|caisse|wifi|porte|securite|deverrouillage)|alarme|wifi|wi-fi|bancaire|caisse|porte|box|confidentiel))?"
    r"|pin|cle wifi|cle wpa|digicode|identifiants?|login|cryptogramme|cvv|cvc|sesame|secret|combinaison)"
    r"(?P<rest>[^\n]{0,60})",
    re.IGNORECASE,
)
_IS = re.compile(
    r"(?:^|\s)(?:c'?\s?est|cest|est|:|=|sont|->|egal|cé|c)\s*[«\"']?\s*(?P<value>\S+)|^\s*[:=]?\s*[«\"'](?P<quoted>[^»\"']{3,40})[»\"']|^\s+(?P<next>\S+)"
)
_LONGEST = 12_000


def holds_a_secret(text: str) -> bool:
    """Whether a text holds something that would open a door or a bank account."""
    text = text[:_LONGEST]
    return _card(text) or _iban(text) or _told(text)


def _card(text: str) -> bool:
    return any(_luhn(re.sub(r"\D", "", found[0])) for found in _DIGITS.finditer(text))


def _luhn(digits: str) -> bool:
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if at % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _iban(text: str) -> bool:
    for found in _IBAN.finditer(text):
        packed = re.sub(r"[ .\-]", "", found[1]).upper()
        for size in range(min(len(packed), 34), 14, -1):
            head = packed[:size]
            moved = head[4:] + head[:4]
            if int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1:
                return True
    return False


def _told(text: str) -> bool:
    """A secret named, then its value: something that looks like one, not a plain word of the sentence."""
    for found in _SECRET_IS.finditer(text):
        for said in _IS.finditer(found["rest"]):
            value = (said["value"] or said["quoted"] or said["next"] or "").strip(" .,;!?)(«»\"'")
            if _like_a_secret(value, short=not found[0].lower().startswith(("identifiant", "login"))):
                return True
    return False


def _like_a_secret(value: str, *, short: bool) -> bool:
    if not 4 <= len(value) <= 40 or value.lower().startswith(("http", "www")):
        return False
    digits = sum(sign.isdigit() for sign in value)
    letters = sum(sign.isalpha() for sign in value)
    signs = len(value) - digits - letters
    if digits == len(value):
        return short and 4 <= digits <= 8 and not re.fullmatch(r"(?:19|20)\d\d", value)
    if "@" in value and re.fullmatch(r"[\w.+-]+@[\w-]+\.\w+", value):
        return False
    mixed = letters > 0 and digits > 0
    odd = (
        signs > 0
        and (digits > 0 or any(sign in "!@#$%&*_+=?" for sign in value))
        and not re.fullmatch(r"[\w'’-]+", value)
    )
    return (
        mixed
        and len(value) >= 5
        and not re.fullmatch(r"\d+(?:e|er|ere|eme|h|€|ans?|mois|chiffres?|fois|min|caracteres?)", value.lower())
    ) or odd
