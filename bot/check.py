"""`autodiag check`: what ties the content's files together, each fault with file, line and what to do.

Types are checked when files are read; here, everything that needs two files or the whole journey. Prints nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.content import Content
from dialogue.engine import begin, current, step
from dialogue.events import Clicked, Commanded
from dialogue.flow import Flow, openable, remaining
from dialogue.reading import normal
from referential.model import Branch, Fact, Question, ScoredQuestion, Theme
from referential.yamlfile import Fault, Loc, Source
from tutorials import load as tutorials_load

CALLBACK_BYTES = 64
"""A chat button carries at most this many bytes (Telegram's callback data)."""
CALLBACK_OVERHEAD = len("a:ffffffff::")
"""What a door adds to node and choice in a button: a kind, the revision in hexadecimal, separators."""
LABEL, QUESTION, SENTENCE = 48, 130, 240
"""Characters that fit a button at 320 px on two lines, a question on a phone, and one spoken sentence."""
JARGON = (
    "SSI", "endpoint", "phishing", "malware", "ransomware", "firewall", "backup", "patch", "infogérance", "vecteur",
    "durcissement", "cyber-résilience", "authentification multifacteur", "remédiation", "périmètre", "log", "payload",
)  # fmt: skip
TUTOIEMENT = re.compile(r"\b(tu|toi|ton|ta|tes|t'as|t'es)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Where:
    """A place in a file, to make faults from."""

    source: Source
    path: Loc

    def fault(self, sentence: str, *key: int | str) -> Fault:
        """A fault here, or at a key under here."""
        return self.source.fault((*self.path, *key), sentence)


def check(content: Content) -> list[Fault]:
    """Every fault of the content; empty when it may be published."""
    places = dict(_places(content))
    faults: list[Fault] = []
    for rule in (_ids, _themes, _rules, _tutorials, _notes, _lengths, _language, _addresses):
        faults.extend(rule(content, places))
    return faults or list(_walks(content, places))


def counts(content: Content) -> dict[str, int]:
    """How much of everything there is, as `autodiag check --json` prints it."""
    book = content.flow.questionnaire
    questions = [question for room in book.rooms for question in room.questions]
    return {
        "profile": len(book.profile),
        "themes": len(book.themes),
        "questions": sum(len(theme.questions) for theme in book.themes),
        "essential": sum(question.essential for question in questions),
        "branches": len(book.branches),
        "branch_questions": sum(len(branch.questions) for branch in book.branches),
        "choices": sum(len(question.choices) for question in questions),
        "tutorials": len(content.tutorials),
        "steps": sum(len(tutorial.steps) for tutorial in content.tutorials),
        "posters": sum(tutorial.poster for tutorial in content.tutorials),
        "glossary": len(content.referential.glossary),
        "addresses": len(addresses(content)),
    }


def addresses(content: Content) -> tuple[str, ...]:
    """Every address that tutorials send people to, once each, in order."""
    return tuple(dict.fromkeys(res.address for tutorial in content.tutorials for res in tutorial.resources))


def _places(content: Content) -> Iterator[tuple[str, Where]]:
    sources = content.referential.sources
    for place, fact in enumerate(content.referential.profile):
        yield fact.id, Where(sources["profile.yml"], ("profil", place))
    for room in content.flow.questionnaire.rooms:
        source = next(
            source
            for source in sources.values()
            if isinstance(source.values, dict) and source.values.get("id") == room.id
        )
        yield f"room {room.id}", Where(source, ())
        for place, question in enumerate(room.questions):
            yield question.id, Where(source, ("questions", place))
    for name, source in tutorials_load.sources().items():
        yield f"tutorial {name}", Where(source, ())


Places = dict[str, Where]
Rule = Callable[[Content, Places], Iterator[Fault]]


def _scored(content: Content) -> Iterator[tuple[Theme | Branch, ScoredQuestion]]:
    for room in content.flow.questionnaire.rooms:
        for question in room.questions:
            yield room, question


def _ids(content: Content, places: Places) -> Iterator[Fault]:
    questions = list(content.flow.questionnaire.questions())
    for name, many in Counter(question.id for question in questions).items():
        if many > 1:
            yield places[name].fault(f"l'identifiant « {name} » sert {many} fois : un identifiant est unique.", "id")
    rooms = Counter(room.id for room in content.flow.questionnaire.rooms)
    for name, many in rooms.items():
        if many > 1:
            yield places[f"room {name}"].fault(f"« {name} » nomme deux fichiers : un identifiant est unique.", "id")
    for question in questions:
        for name, many in Counter(choice.id for choice in question.choices).items():
            if many > 1 or name in ("nsp", "na"):
                yield places[question.id].fault(
                    f"choix « {name} » : identifiant en double, ou réservé (nsp, na).", "choix"
                )
        for choice in question.choices:
            size = len(f"{question.id}{choice.id}".encode()) + CALLBACK_OVERHEAD
            if size > CALLBACK_BYTES:
                sentence = (
                    f"« {question.id} » et « {choice.id} » tiennent sur {size} octets : {CALLBACK_BYTES} au plus."
                )
                yield places[question.id].fault(sentence, "choix")
        if question.na_allowed and not question.na_label:
            sentence = "« na_permis: true » demande un « na_libelle » : les mots du bouton."
            yield places[question.id].fault(sentence, "na_permis")


def _themes(content: Content, places: Places) -> Iterator[Fault]:
    for theme in content.flow.questionnaire.themes:
        many = sum(question.essential for question in theme.questions)
        if many != 1:
            sentence = f"il faut une question « essentielle: true » et une seule dans ce thème ; il y en a {many}."
            yield places[f"room {theme.id}"].fault(sentence, "questions")
    trades = {choice.id for choice in content.referential.profile[0].choices}
    for branch in content.flow.questionnaire.branches:
        if branch.id not in trades:
            sentence = f"« {branch.id} » n'est pas un métier de profile.yml : ajoutez-le à ses choix."
            yield places[f"room {branch.id}"].fault(sentence, "id")


def _rules(content: Content, places: Places) -> Iterator[Fault]:
    """A rule looks back, and only at what is sure to have been asked: a fact, an essential question, its own branch."""
    before: dict[str, Question] = {}
    home = content.flow.questionnaire.home
    for question in content.flow.questionnaire.questions():
        for mention in question.rule.mentions():
            seen = before.get(mention.of)
            if seen is None:
                sentence = (
                    f"la règle nomme « {mention.of} », qui n'existe pas ou vient après : nommez une question d'avant."
                )
            elif mention.profile != isinstance(seen, Fact):
                sentence = (
                    f"« {mention.of} » : écrivez {'fait' if isinstance(seen, Fact) else 'reponse'} dans la règle."
                )
            elif mention.op in ("equals", "not_equals") and mention.choice not in seen.by_choice:
                sentence = f"« {mention.of} » n'a pas de choix « {mention.choice} » : corrigez la règle."
            elif mention.op == "greater" and any(choice.value is None for choice in seen.choices):
                sentence = f"« plus_de » demande une « valeur » à chaque choix de « {mention.of} »."
            elif isinstance(seen, ScoredQuestion) and not seen.essential and home[seen.id] not in _branches(content):
                sentence = (
                    f"« {mention.of} » n'est pas essentielle, donc pas toujours posée : choisissez-en une qui l'est."
                )
            elif isinstance(seen, Fact) and seen.asked == "never" and not question.na_allowed:
                sentence = f"« {mention.of} » n'est jamais demandé : il faut « na_permis: true » à cette question."
            else:
                continue
            yield places[question.id].fault(sentence, "regle")
        before[question.id] = question


def _branches(content: Content) -> set[str]:
    return {branch.id for branch in content.flow.questionnaire.branches}


def _tutorials(content: Content, places: Places) -> Iterator[Fault]:
    known = {tutorial.id for tutorial in content.tutorials}
    used: set[str] = set()
    for _, question in _scored(content):
        used.update(question.tutorials)
        for name in question.tutorials:
            if name not in known:
                yield places[question.id].fault(
                    f"le tutoriel « {name} » n'existe pas : créez tutorials/{name}.md.", "tutos"
                )
        if len(set(question.tutorials)) < len(question.tutorials):
            yield places[question.id].fault("un tutoriel est cité deux fois : gardez-en un.", "tutos")
    for tutorial in content.tutorials:
        place = places[f"tutorial {tutorial.id}"]
        if tutorial.id not in used:
            yield place.fault("aucune question ne mène à ce tutoriel : citez-le dans « tutos », ou retirez-le.", "id")
    for rank, many in Counter(tutorial.rank for tutorial in content.tutorials).items():
        if many > 1:
            twins = ", ".join(tutorial.id for tutorial in content.tutorials if tutorial.rank == rank)
            yield places[f"tutorial {twins.split(', ')[0]}"].fault(f"l'ordre {rank} sert deux fois ({twins}).", "ordre")


def _notes(content: Content, places: Places) -> Iterator[Fault]:
    for _, question in _scored(content):
        notes = [choice.note for choice in question.choices]
        scored = [note for note in notes if note is not None]
        if len(scored) < len(notes):
            yield places[question.id].fault("chaque choix doit avoir une « note », de 0 à 1.", "choix")
        elif scored != sorted(scored):
            yield places[question.id].fault("les notes doivent monter du premier choix au dernier.", "choix")
        elif scored[-1] != 1:
            yield places[question.id].fault("le dernier choix doit valoir 1.", "choix")
    for fact in content.referential.profile:
        if any(choice.note is not None for choice in fact.choices):
            yield places[fact.id].fault("un fait du profil n'est pas noté : retirez « note ».", "choix")


def _lengths(content: Content, places: Places) -> Iterator[Fault]:
    for question in content.flow.questionnaire.questions():
        texts = [(question.text, QUESTION, "texte"), (question.na_label or "", LABEL, "na_libelle")]
        texts += [(choice.label, LABEL, "choix") for choice in question.choices]
        for text, most, key in texts:
            if len(text) > most:
                sentence = f"« {text[:30]}… » fait {len(text)} caractères : {most} au plus pour tenir sur un téléphone."
                yield places[question.id].fault(sentence, key)
        yield from _sentences(places[question.id], {"pourquoi": question.why, "aide": question.help})
    for tutorial in content.tutorials:
        place = places[f"tutorial {tutorial.id}"]
        yield from _sentences(place, {"verif": tutorial.proof, "prerequis": tutorial.needs})
        yield from _sentences(place, {f"étape {n}": text for n, text in enumerate(tutorial.steps, 1)})


def _sentences(place: Where, texts: dict[str, str]) -> Iterator[Fault]:
    for key, text in texts.items():
        longest = max(re.split(r"(?<=[.?!;])\s", text), key=len)
        if len(longest) > SENTENCE:
            yield place.fault(
                f"« {key} » a une phrase de {len(longest)} caractères : coupez-la ({SENTENCE} au plus).", key
            )


def _language(content: Content, places: Places) -> Iterator[Fault]:
    entries = (word for term in content.referential.glossary for word in (term.term, *term.synonyms))
    glossary = {word for entry in entries for word in re.split(r"[^\w]+", normal(entry))}
    for question in content.flow.questionnaire.questions():
        texts = (question.text, question.why, question.help, *(choice.label for choice in question.choices))
        yield from _spoken(places[question.id], texts, glossary)
    for tutorial in content.tutorials:
        yield from _spoken(
            places[f"tutorial {tutorial.id}"], (tutorial.title, tutorial.needs, *tutorial.steps), glossary
        )


def _spoken(place: Where, texts: tuple[str, ...], glossary: set[str]) -> Iterator[Fault]:
    said = " ".join(texts)
    for word in JARGON:
        if re.search(rf"(?<!\w){re.escape(word)}s?(?!\w)", said, re.IGNORECASE):
            yield place.fault(f"« {word} » ne se dit pas à un commerçant : dites-le avec des mots de tous les jours.")
    if found := TUTOIEMENT.search(said):
        yield place.fault(f"« {found[0]} » tutoie : vouvoyez.")
    for short in set(re.findall(r"\b[A-Z]{3,}\b", said)) - SAID_BY_ALL:
        if normal(short) not in glossary:
            yield place.fault(f"« {short} » n'est pas au lexique : expliquez-le dans referential/glossary.yml.")


SAID_BY_ALL = {"RIB", "SMS", "USB", "PDF", "PIN", "IBAN", "SIRET"}
"""Initials that any shopkeeper says; others need their glossary entry."""


def _addresses(content: Content, places: Places) -> Iterator[Fault]:
    for tutorial in content.tutorials:
        for number, resource in enumerate(tutorial.resources):
            parts = urlsplit(resource.address)
            if parts.scheme != "https" or not parts.hostname or "." not in parts.hostname or " " in resource.address:
                sentence = f"« {resource.address} » n'est pas une adresse https complète."
                yield places[f"tutorial {tutorial.id}"].fault(sentence, "ressources", number, "adresse")


def _walks(content: Content, places: Places) -> Iterator[Fault]:
    """Walks every kind of firm to the end of everything: each question is reached by one, and every walk ends."""
    flow = content.flow
    reached: set[str] = set()
    for trade in content.referential.profile[0].choices:
        for pick in ("first", "last", "na"):
            ended, met = _walk(flow, trade.id, pick)
            reached |= met
            if not ended:
                place = places[content.referential.profile[0].id]
                yield place.fault(f"le parcours « {trade.id} » ne se termine pas : une règle tourne en rond.", "choix")
    for question in flow.questionnaire.questions():
        if question.id not in reached and not (isinstance(question, Fact) and question.asked == "never"):
            yield places[question.id].fault("aucun parcours ne mène à cette question : revoyez sa règle.", "regle")


def _walk(flow: Flow, trade: str, pick: str) -> tuple[bool, set[str]]:
    session = begin(flow, {flow.questionnaire.profile[0].id: trade})
    met = {flow.questionnaire.profile[0].id}
    for _ in range(4 * len(flow.questionnaire.by_id)):
        asked = current(flow, session)
        if asked is None:
            waiting = [part for part in openable(flow, session.answers) if remaining(flow, session.answers, part)]
            if not waiting:
                return True, met
            session = step(flow, session, Commanded("deepen", waiting[0].id)).session
            continue
        met.add(asked.question.id)
        choices = asked.question.choices
        choice = "na" if pick == "na" and asked.question.na_allowed else choices[0 if pick == "first" else -1].id
        session = step(flow, session, Clicked(asked.question.id, choice)).session
    return False, met
