"""E-mail addresses as people type them: read, or refused with what to change."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.addresses import BadAddress, box, read_address, same


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("marie@boutique.fr", "marie@boutique.fr"),
        ("  Marie.Dupont+shop@Boutique.FR \n", "Marie.Dupont+shop@boutique.fr"),
        ("<marie@boutique.fr>", "marie@boutique.fr"),
        ("mailto:marie@boutique.fr", "marie@boutique.fr"),
        ("o'neil@chez-lui.co.uk", "o'neil@chez-lui.co.uk"),
        ("marie@boulangerie-é.fr", "marie@xn--boulangerie--meb.fr"),
    ],
)
def test_what_is_meant_is_read(typed: str, meant: str) -> None:
    assert read_address(typed) == meant


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "comme nom@exemple.fr"),
        ("   ", "comme nom@exemple.fr"),
        ("marie", "Il manque une partie"),
        ("@boutique.fr", "Il manque une partie"),
        ("marie@", "Il manque une partie"),
        ("marie@@boutique.fr", "deux « @ »"),
        ("a@b.fr, c@d.fr", "n'a pas d'espace"),
        ("marie dupont@boutique.fr", "n'a pas d'espace"),
        ("aurélie@boutique.fr", "ni accent"),
        ("marie@boutique", "la fin de l'adresse"),
        ("marie@boutique.", "ne ressemble pas à un nom de site"),
        ("marie@.fr", "ne ressemble pas à un nom de site"),
        ("marie@bou_tique.fr", "ne ressemble pas à un nom de site"),
        ("marie@192.168.1.1", "ne ressemble pas à un nom de site"),
        ("marie..d@boutique.fr", "ne ressemble pas à une adresse"),
        (".marie@boutique.fr", "ne ressemble pas à une adresse"),
        ("marie\x00@boutique.fr", "ne ressemble pas à une adresse"),
        ("a" * 65 + "@boutique.fr", "ne ressemble pas à une adresse"),
        ("marie@" + ".".join(["b" * 60] * 5) + ".fr", "trop longue"),
        ("marie@" + "é" * 300 + ".fr", "ne ressemble pas à un nom de site"),
    ],
)
def test_what_is_no_address_is_told_why(typed: str, said: str) -> None:
    with pytest.raises(BadAddress) as caught:
        read_address(typed)
    assert said in str(caught.value)


@settings(max_examples=60)
@given(st.one_of(st.text(max_size=80), st.from_regex(r"[^@]{1,20}@[^@]{1,20}\.[a-z]{2,5}", fullmatch=True)))
def test_whatever_is_typed_what_is_read_is_one_plain_ascii_address_and_reads_as_itself(typed: str) -> None:
    try:
        found = read_address(typed)
    except BadAddress:
        return
    assert re.fullmatch(r"[!-?A-~]+@[a-z0-9.-]+", found)
    assert read_address(found) == found
    assert same(found) == same(read_address(found.upper()))
    assert box(found) == box(box(found))


def test_one_letter_box_is_counted_once() -> None:
    assert box("Marie.D+x@GMAIL.com") == box("maried@gmail.com") == "maried@gmail.com"
    assert box("marie.d+x@boutique.fr") == "marie.d@boutique.fr"
    assert box("+x@boutique.fr") == "+x@boutique.fr"
