"""Typed French to an event, where it is beyond doubt: a label, number, letter, oui/non, or the words of a command.

Whatever is not exact is `NotUnderstood`: the bot says so and shows the choices; it never guesses. The text is not kept.
"""

from __future__ import annotations

import re
import unicodedata

from dialogue.engine import asking
from dialogue.events import Command, Commanded, Event, NotUnderstood, ReadAnswer
from dialogue.flow import Flow, Step
from dialogue.session import Session
from referential.rules import NOT_CONCERNED, UNKNOWN

LONGEST = 2_000
"""Characters read of a text; what follows can't change an exact reading."""

COMMAND_WORDS: dict[str, Command] = {
    "retour": "back",
    "precedent": "back",
    "question precedente": "back",
    "pause": "pause",
    "stop": "pause",
    "plus tard": "pause",
    "reprendre": "resume",
    "continuer": "resume",
    "on continue": "resume",
    "pourquoi": "why",
    "pourquoi cette question": "why",
    "repeter": "repeat",
    "repetez": "repeat",
    "aide": "help",
    "approfondir": "deepen",
    "recommencer": "restart",
    "supprimer": "erase",
    "effacer": "erase",
    "rendez-vous": "book",
    "rendez vous": "book",
    "rdv": "book",
    "resultat": "result",
    "mon resultat": "result",
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
NOT_CONCERNED_WORDS = {"non concerne", "non concernee", "pas concerne", "pas concernee", "na"}
_DEFINE = re.compile(
    r"^(?:c'est quoi|qu'est-ce que|qu'est ce que|definition|definir|que veut dire) "
    r"(?:un |une |le |la |l'|les |des )?(.+)$"
)


def normal(text: str) -> str:
    """Lower case, no accents, plain apostrophes and spaces, no closing punctuation: what two writings share."""
    flat = unicodedata.normalize("NFKD", text[:LONGEST].replace("’", "'").replace("œ", "oe").casefold())
    bare = "".join(char for char in flat if not unicodedata.combining(char) and unicodedata.category(char) != "Cf")
    return re.sub(r"\s+", " ", bare).strip(' .!;,:"«»()') if bare.strip() != "?" else "?"


def read(flow: Flow, session: Session, text: str) -> Event:
    """The event that a typed text means."""
    said = normal(text)
    asked = asking(flow, session)
    if asked and (choice := _choice(asked, said)):
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
    return NotUnderstood()


def _choice(asked: Step, said: str) -> str | None:
    question = asked.question
    labels = {normal(choice.label): choice.id for choice in question.choices}
    if said in labels:
        return labels[said]
    if said in UNKNOWN_WORDS:
        return UNKNOWN
    if question.na_allowed and (said in NOT_CONCERNED_WORDS or said == normal(question.na_label or "")):
        return NOT_CONCERNED
    place = _place(said)
    if place is not None and place < len(question.choices):
        return question.choices[place].id
    if said in ("oui", "non"):
        meant = [choice for label, choice in labels.items() if re.match(rf"{said}\b", label)]
        return meant[0] if len(meant) == 1 else None
    return None


def _place(said: str) -> int | None:
    """The position meant by "2", "b" or "b)", from 0; None for anything else."""
    if re.fullmatch(r"[1-9]", said):
        return int(said) - 1
    return ord(said) - ord("a") if re.fullmatch(r"[a-h]", said) else None
