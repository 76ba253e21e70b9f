"""What needs no model: a label typed, a place in the list, a quantity, oui or non where only one choice says so.

Beyond doubt or nothing: what is only likely is left to the gate. Pure.
"""

# ruff: noqa: E501 — a pattern reads better in one piece
from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from dialogue.understanding.plain import normal
from referential.model import Question
from referential.rules import NOT_CONCERNED, UNKNOWN

UNKNOWN_WORDS = frozenset(
    {
        "je ne sais pas", "je sais pas", "j'en sais rien", "j en sais rien", "sais pas", "nsp", "aucune idee", "?",
        "je ne sais toujours pas", "je sais toujours pas", "toujours pas", "jsp", "chais pas", "je sais plus", "ne sait pas",
        "je ne sais toujours pas, continuer", "aucune idee du tout", "pas la moindre idee", "je n'en sais rien", "idk",
        "je l'ignore", "je ne sais pas du tout", "jsais pas", "chepa", "aucune idee franchement", "j'en ai aucune idee",
        "je n'en ai aucune idee", "je ne sais plus",
    }
)  # fmt: skip
NOT_CONCERNED_WORDS = frozenset(
    {"non concerne", "non concernee", "pas concerne", "pas concernee", "na", "n/a", "sans objet", "je ne suis pas concerne",
     "je ne suis pas concernee", "ca ne me concerne pas", "cela ne me concerne pas", "pas concernes", "ne s'applique pas"}
)  # fmt: skip
_YES_WORDS_TEXT = """
oui, ouais, ui, yes, yep, ok, okay, d'accord, dac, exact, exactement, tout a fait, absolument, affirmatif,
bien sur, carrement, c'est ca, cest ca, c'est bien ca, oui c'est ca, oui c est ca, c est ca, c'est exact,
oui oui, oui tout a fait, voila, parfait, correct, juste, c'est juste, je confirme, confirme,
vous avez bien compris, c'est bon, oui bien sur, bien entendu, effectivement, evidemment, en effet,
mouais oui, grave, clair, oe, ouep, yep yep, ouais ouais, tkt oui, ouais c'est ca, c'est cela, oui merci,
oui exactement, oui voila, 1000 fois oui, o, y
"""
YES_WORDS = frozenset({each.strip() for each in _YES_WORDS_TEXT.split(",")})
_NO_WORDS_TEXT = """
non, nan, nn, nope, pas du tout, non non, non pas du tout, absolument pas, non c'est pas ca, c'est pas ca,
ce n'est pas ca, pas ca, faux, non c'est faux, c'est faux, non merci, negatif, du tout, surtout pas,
certainement pas, vous avez mal compris, non vous avez mal compris, pas exactement, ah non, ben non,
bah non, euh non, non pas ca, non pas vraiment, pas vraiment, no, n, que nenni, en aucun cas
"""
NO_WORDS = frozenset({each.strip() for each in _NO_WORDS_TEXT.split(",")})
_ORDINALS = {
    "premier": 1, "premiere": 1, "1er": 1, "1ere": 1, "1re": 1, "deuxieme": 2, "second": 2, "seconde": 2, "2nd": 2, "2nde": 2,
    "troisieme": 3, "quatrieme": 4, "cinquieme": 5, "sixieme": 6, "septieme": 7, "huitieme": 8, "neuvieme": 9,
}  # fmt: skip
_NUMBERS = {
    "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "neuf": 9, "dix": 10,
    "onze": 11, "douze": 12, "treize": 13, "quatorze": 14, "quinze": 15, "seize": 16, "vingt": 20, "trente": 30,
    "quarante": 40, "cinquante": 50, "soixante": 60, "cent": 100, "deux cents": 200, "trois cents": 300, "mille": 1000,
    "dix sept": 17, "dix huit": 18, "dix neuf": 19, "vingt cinq": 25, "trente cinq": 35, "soixante dix": 70,
    "quatre vingt": 80, "quatre vingts": 80, "quatre vingt dix": 90, "vingt et un": 21, "vingt deux": 22, "vingtaine": 20,
    "une dizaine": 10, "une quinzaine": 15, "une vingtaine": 20, "une trentaine": 30, "une centaine": 100,
    "une cinquantaine": 50, "une quarantaine": 40, "une douzaine": 12, "une petite dizaine": 9,
}  # fmt: skip
_BEFORE = (
    r"(?:(?:je (?:dirais|dis|choisis|prends|mets|pense|vote)|j'opte|plutot|mettez|mets|va pour|pour moi|moi c'est|c'est|cest|euh|ben|allez|disons|option|"
    r"reponse|choix|numero|n°|no|la|le|l'option|la reponse|le choix|le numero|le n°|pour|lettre|c'est plutot|alors)[ :]*)*"
)
_AFTER = r"(?:[ ,]*(?:s'il vous plait|svp|stp|merci|reponse|choix|option|proposition|je pense|je dirais|de la liste|possibilite))*"
_PLACE = re.compile(
    rf"{_BEFORE}(?P<place>[1-9]|[a-h]|[1-9] ?(?:e|eme|ieme|ere|er|nd|nde|de)|{'|'.join(_ORDINALS)}|dernier|derniere|avant[ -]dernier|avant[ -]derniere)[).]?{_AFTER}"
)
_WORDED = re.compile(
    rf"{_BEFORE}(?:la|le|numero|option|reponse|choix) (?P<number>un|deux|trois|quatre|cinq|six){_AFTER}"
)
_TWO = re.compile(
    r"(?:entre (?:la |le )?)?(?P<one>[1-9a-h])(?:e|eme)? ?(?:ou|et|/|-|a) ?(?:la |le )?(?P<two>[1-9a-h])(?:e|eme)?(?: (?:je sais pas|j'hesite|au choix))?"
)
_AMOUNT = re.compile(r"(?<![\d.,/])(\d{1,6})(?![\d.,/%])")


def chosen(question: Question, said: str, order: Sequence[str] = ()) -> str | None:
    """The choice that is said beyond doubt. `order`: the ids as they are shown, when not in the question's order."""
    labels = _labels(question)
    plain = bare(said)
    if plain in labels:
        return labels[plain]
    if said in UNKNOWN_WORDS:
        return UNKNOWN
    if question.na_allowed and said in NOT_CONCERNED_WORDS:
        return NOT_CONCERNED
    if said in ("oui", "non"):
        return yes_or_no(question, said)
    return counted(question, said) or placed(question, said, order)


@lru_cache(512)
def _labels_of(labels: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {bare(label): choice for label, choice in labels}


def _labels(question: Question) -> dict[str, str]:
    named = [(choice.label, choice.id) for choice in question.choices]
    if question.na_allowed and question.na_label:
        named.append((question.na_label, NOT_CONCERNED))
    return _labels_of(tuple(named))


def bare(text: str) -> str:
    """A label without the punctuation inside it, which few people type; a doubt (a question mark) stays."""
    return " ".join(re.sub(r"[^\w\s?'-]", " ", normal(text)).split())


def yes_or_no(question: Question, said: str) -> str | None:
    """The one choice that says yes (or no), when all the others say the contrary: a middle way makes it unsure."""
    labels = {label: choice for label, choice in _labels(question).items() if choice != NOT_CONCERNED}
    same = [choice for label, choice in labels.items() if re.match(rf"{said}\b", label)]
    contrary = [label for label in labels if re.match(r"non\b" if said == "oui" else r"oui\b", label)]
    return same[0] if len(same) == 1 and len(contrary) == len(labels) - 1 else None


def quantities(question: Question) -> bool:
    """Whether the choices are numbers of something, so that a number typed may not be a place."""
    return any(choice.value for choice in question.choices)


def placed(question: Question, said: str, order: Sequence[str] = ()) -> str | None:
    """The choice meant by "2", "la 2e", "b)", "la troisième"; a bare number means nothing sure where choices are quantities."""
    found = _PLACE.fullmatch(said) or None
    if found is None:
        worded = _WORDED.fullmatch(said)
        return None if worded is None or quantities(question) else _at(question, _NUMBERS[worded["number"]] - 1, order)
    place = found["place"]
    if place.startswith("avant"):
        return _at(question, len(question.choices) - 2, ())
    if place.startswith("dernier"):
        return _at(question, len(question.choices) - 1, ())
    if place in _ORDINALS:
        return _at(question, _ORDINALS[place] - 1, order)
    if place.isalpha():
        return _at(question, ord(place) - ord("a"), order)
    if quantities(question) and place.isdigit():
        return None
    return _at(question, int(place[0]) - 1, order)


def two_places(question: Question, said: str, order: Sequence[str] = ()) -> tuple[str, str] | None:
    """The two choices of "2 ou 3", weaker first."""
    found = _TWO.fullmatch(said)
    if found is None or quantities(question) or found["one"].isalpha() != found["two"].isalpha():
        return None
    at = [ord(each) - ord("a") if each.isalpha() else int(each) - 1 for each in (found["one"], found["two"])]
    both = [_at(question, place, order) for place in at]
    if None in both or both[0] == both[1]:
        return None
    rank = list(question.by_choice)
    one, two = sorted((each for each in both if each in rank), key=rank.index) if set(both) <= set(rank) else both
    return (one, two) if one and two else None


def out_of_range(question: Question, said: str) -> bool:
    """Whether a place is said that the list does not have."""
    return bool(_PLACE.fullmatch(said)) and placed(question, said) is None and not quantities(question)


def _at(question: Question, place: int, order: Sequence[str]) -> str | None:
    shown = list(order) or [choice.id for choice in question.choices]
    return shown[place] if 0 <= place < len(shown) else None


def counted(question: Question, said: str) -> str | None:
    """The choice that holds this quantity ("12" for 11 à 49), unless its place in the list would say another."""
    if not re.fullmatch(r"[1-9][0-9]{0,4}", said) or not all(choice.value for choice in question.choices):
        return None
    number = int(said)
    held = _holding(question, number)
    placed_there = question.choices[number - 1].id if number <= len(question.choices) else None
    return held if held and placed_there in (None, held) else None


def amount(question: Question, said: str) -> str | None:
    """The choice that holds the one quantity named in a sentence ("on est 5"), where choices are numbers of people."""
    if not all(choice.value for choice in question.choices) or len({c.value for c in question.choices}) < len(
        question.choices
    ):
        return None
    numbers = [int(each) for each in _AMOUNT.findall(said)]
    if not numbers:
        words = re.sub(r"[^a-z ]", " ", said.replace("-", " "))
        found = [
            value
            for name, value in _NUMBERS.items()
            if re.search(rf"(?<!\w){name}(?!\w)", words) and name not in ("un", "une")
        ]
        numbers = [max(found)] if found else []
    if not numbers:
        return None
    held = {_holding(question, each) for each in numbers}
    if len(held) == 1:
        return held.pop()
    if re.search(r"\bmoi\b|\bplus\b|\bet\b|\+", said) and len(numbers) <= 4:
        return _holding(question, sum(numbers))
    return None


def holding(question: Question, number: int) -> tuple[str, ...]:
    """Every choice that a quantity may mean, weaker first."""
    held = _holding(question, number)
    value = question.by_choice[held].value if held else None
    return tuple(choice.id for choice in question.choices if value is not None and choice.value == value)


def _holding(question: Question, number: int) -> str | None:
    held = [choice.id for choice in question.choices if choice.value is not None and choice.value <= number]
    return held[-1] if held else None
