"""Typed French to an event, where it is beyond doubt: a label, number, letter, oui/non, or the words of a command.

Whatever is not exact is `NotUnderstood`: the bot says so and shows the choices; it never guesses. The text is not kept.
"""

from __future__ import annotations

import re
import unicodedata

from dialogue.engine import asking
from dialogue.events import Command, Commanded, Event, NotUnderstood, ReadAnswer, Wrote
from dialogue.flow import Flow
from dialogue.session import Session
from referential.forms import FormQuestion
from referential.model import Question
from referential.rules import NOT_CONCERNED, UNKNOWN

LONGEST = 2_000
"""Characters read of a text; what follows can't change an exact reading."""

_EMERGENCY = re.compile(r"\b(?:pirat|hack|attaqu|cyberattaqu|rancon|ransom|(?<!anti[ -])virus\b|sos\b)")
"""Words that show the first gestures at once: seen for nothing, they cost nothing."""
COMMAND_WORDS: dict[str, Command] = {
    "retour": "back",
    "precedent": "back",
    "precedente": "back",
    "question precedente": "back",
    "pause": "pause",
    "faire une pause": "pause",
    "stop": "pause",
    "plus tard": "pause",
    "reprendre": "resume",
    "reprendre mes questions": "resume",
    "continuer": "resume",
    "on continue": "resume",
    "pourquoi": "why",
    "pourquoi cette question": "why",
    "repeter": "repeat",
    "repetez": "repeat",
    "aide": "help",
    "comment le savoir": "help",
    "approfondir": "deepen",
    "approfondir un theme": "deepen",
    "choisir un autre theme": "deepen",
    "recommencer": "restart",
    "recommencer a zero": "restart",
    "supprimer": "erase",
    "effacer": "erase",
    "tout effacer": "erase",
    "voir un expert": "book",
    "rendez-vous": "book",
    "rendez vous": "book",
    "rdv": "book",
    "resultat": "result",
    "mon resultat": "result",
    "voir mon resultat": "result",
    "voir d'autres actions": "actions",
    "le message a transmettre": "verify",
    "mes reponses": "answers",
    "reponses": "answers",
    "humain": "human",
    "parler a quelqu'un": "human",
    "je suis attaque": "emergency",
    "je suis attaquee": "emergency",
    "on est attaque": "emergency",
    "au secours": "emergency",
}
UNKNOWN_WORDS = {"je ne sais pas", "je sais pas", "j'en sais rien", "sais pas", "nsp", "aucune idee", "?"}
UNKNOWN_WORDS |= {
    "je ne sais toujours pas",
    "je sais toujours pas",
    "toujours pas",
    "jsp",
    "chais pas",
    "je sais plus",
    "je ne sais toujours pas, continuer",
}
NOT_CONCERNED_WORDS = {"non concerne", "non concernee", "pas concerne", "pas concernee", "na"}
_DEFINE = re.compile(
    r"^(?:c'est quoi |qu'est[- ]ce que c'est(?: que)? |qu'est[- ]ce qu(?:e |')|definition |definir |que veut dire )"
    r"(?:un |une |le |la |l'|les |des )?(.{1,60})$"
)


def normal(text: str) -> str:
    """Lower case, no accents, plain apostrophes and spaces, no closing punctuation: what two writings share."""
    flat = unicodedata.normalize("NFKD", text[:LONGEST].replace("’", "'").replace("œ", "oe").casefold())
    bare = "".join(char for char in flat if not unicodedata.combining(char) and unicodedata.category(char) != "Cf")
    return re.sub(r"\s+", " ", bare).strip(' .!;,:"«»()') if bare.strip() != "?" else "?"


def read(flow: Flow, session: Session, text: str) -> Event:
    """The event that a typed text means."""
    said = normal(text)
    asked = None if session.paused else asking(flow, session)
    if asked and isinstance(asked.question, FormQuestion) and asked.question.typed:
        skipped = asked.question.na_allowed and _bare(said) == _bare(asked.question.na_label or "")
        if not skipped and said not in COMMAND_WORDS:
            return Wrote(asked.question.id, text)
    if asked and (choice := _offered(session, said) if _live(asked.question) else _choice(asked.question, said)):
        return ReadAnswer(asked.question.id, choice)
    command = COMMAND_WORDS.get(said.rstrip(" ?"))
    if command:
        return Commanded(command)
    if session.place.kind == "confirm" and said == "oui":
        return Commanded("confirm")
    if session.place.kind == "confirm" and said == "non":
        return Commanded("back")
    if wanted := _DEFINE.match(said.rstrip(" ?")):
        return Commanded("define", word=wanted[1])
    return Commanded("emergency") if _EMERGENCY.search(said) else NotUnderstood()


def _choice(question: Question, said: str) -> str | None:
    labels = {_bare(choice.label): choice.id for choice in question.choices}
    if _bare(said) in labels:
        return labels[_bare(said)]
    if said in UNKNOWN_WORDS and question.unknown_allowed:
        return UNKNOWN
    if question.na_allowed and (said in NOT_CONCERNED_WORDS or _bare(said) == _bare(question.na_label or "")):
        return NOT_CONCERNED
    if said in ("oui", "non"):
        return _yes_or_no(labels, said)
    return _counted(question, said) or _placed(question, said)


def _live(question: Question) -> bool:
    return isinstance(question, FormQuestion) and question.kind == "live"


def _offered(session: Session, said: str) -> str | None:
    """The choice of a live question meant by its words, or by its place in the list."""
    by_label = {_bare(offer.label): offer.id for offer in session.offers}
    number = re.fullmatch(r"(?:(?:le|la|choix|numero) )?([1-9][0-9]?)", said)
    place = int(number[1]) - 1 if number else -1
    return by_label.get(_bare(said)) or (session.offers[place].id if 0 <= place < len(session.offers) else None)


def _bare(text: str) -> str:
    """A label without the punctuation inside it, which few people type; a doubt (a question mark) stays."""
    return " ".join(re.sub(r"[^\w\s?'-]", " ", normal(text)).split())


def _yes_or_no(labels: dict[str, str], said: str) -> str | None:
    """The one choice that says yes (or no), when all the others say the contrary: a middle way makes it unsure."""
    same = [choice for label, choice in labels.items() if re.match(rf"{said}\b", label)]
    contrary = [label for label in labels if re.match(r"non\b" if said == "oui" else r"oui\b", label)]
    return same[0] if len(same) == 1 and len(contrary) == len(labels) - 1 else None


def _placed(question: Question, said: str) -> str | None:
    """The choice meant by "2", "la 2", "b" or "b)"; a number means nothing sure where choices are quantities."""
    number = re.fullmatch(r"(?:(?:le|la|reponse|choix|numero) )?([1-9])(?:e|eme)?", said)
    if number and not any(choice.value for choice in question.choices):
        place = int(number[1]) - 1
    elif re.fullmatch(r"[a-h]", said):
        place = ord(said) - ord("a")
    else:
        return None
    return question.choices[place].id if place < len(question.choices) else None


def _counted(question: Question, said: str) -> str | None:
    """The choice that holds this quantity ("12" for 11 à 49), unless its place in the list would say another."""
    if not re.fullmatch(r"[1-9][0-9]{0,4}", said) or not all(choice.value for choice in question.choices):
        return None
    number = int(said)
    held = [choice.id for choice in question.choices if choice.value is not None and choice.value <= number]
    placed = question.choices[number - 1].id if number <= len(question.choices) else None
    return held[-1] if held and placed in (None, held[-1]) else None
