"""What an e-mail address is, as people type it: one form to write to, one to compare by.

A light check only: that an address exists, and whose it is, a confirmation tells. Pure; called by whoever asks for one.
"""

from __future__ import annotations

import re

_LONGEST = 254
_BEFORE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ENDING = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")
_NO_DOTS = frozenset({"gmail.com", "googlemail.com"})


class BadAddress(ValueError):
    """What was typed is no address we can write to; the message is a French sentence that says what to change."""


def read_address(typed: str) -> str:
    """The address to write to: its domain in ASCII and lower case, the rest as typed. Raises BadAddress."""
    given = typed.strip().removeprefix("mailto:").strip("<> \t")
    if not given:
        raise BadAddress("Écrivez votre adresse e-mail, comme nom@exemple.fr.")
    if any(sign.isspace() for sign in given):
        raise BadAddress("Une adresse e-mail n'a pas d'espace : retirez-les, et n'en écrivez qu'une.")
    before, at, domain = given.rpartition("@")
    if not at or not before or not domain:
        raise BadAddress("Il manque une partie de l'adresse : elle s'écrit comme nom@exemple.fr.")
    if "@" in before:
        raise BadAddress("Il y a deux « @ » : écrivez une seule adresse, comme nom@exemple.fr.")
    if not before.isascii():
        raise BadAddress("Avant le « @ », une adresse n'a ni accent ni caractère spécial : vérifiez-la.")
    if not _BEFORE.fullmatch(before) or len(before) > 64:
        raise BadAddress("Ce qui précède le « @ » ne ressemble pas à une adresse : vérifiez les points et les signes.")
    labels = _ascii(domain).split(".")
    if "." not in domain:
        raise BadAddress("Il manque la fin de l'adresse, comme « .fr » ou « .com ».")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels) or not _ENDING.fullmatch(labels[-1]):
        raise BadAddress("Ce qui suit le « @ » ne ressemble pas à un nom de site, comme exemple.fr : vérifiez-le.")
    address = f"{before}@{'.'.join(labels)}"
    if len(address) > _LONGEST:
        raise BadAddress("Cette adresse est trop longue pour être vraie : vérifiez-la.")
    return address


def same(address: str) -> str:
    """The form by which two writings of one address are told to be the same: lower case."""
    return address.lower()


def box(address: str) -> str:
    """The letter box behind an address, for counting: what some hosts let one add, `+shop` or dots, is left out."""
    before, _, domain = same(address).rpartition("@")
    before = before.partition("+")[0] or before
    return f"{before.replace('.', '') if domain in _NO_DOTS else before}@{domain}"


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode().lower()
    except UnicodeError:
        return ""
