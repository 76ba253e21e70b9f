"""`autodiag check`: what ties the content's files together, each fault with file, line and what to do.

Types are checked when files are read; here, everything that needs two files or the whole journey. Prints nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from types import MappingProxyType
from urllib.parse import urlsplit

from bot import check_flows, check_visit
from bot.content import Content
from dialogue.engine import begin, current, step
from dialogue.events import Clicked, Commanded
from dialogue.flow import Flow, openable, remaining
from dialogue.understanding.plain import normal
from referential import spoken
from referential.model import Branch, Fact, Question, ScoredQuestion, Theme
from referential.rules import NOT_CONCERNED, UNKNOWN
from referential.yamlfile import Fault, Faults, Loc, Source
from tutorials.load import Tutorial

CALLBACK_BYTES = 64
"""A chat button carries at most this many bytes (Telegram's callback data)."""
CALLBACK_OVERHEAD = len("a:ffffffff::")
"""What a door adds to node and choice in a button: a kind, the revision in hexadecimal, separators."""
LABEL, QUESTION, REMARK, SENTENCE = 48, 130, 90, 240
"""Characters that fit a button at 320 px on two lines, a question and a remark on a phone, one spoken sentence."""
ATTEMPTS = 500
"""Ways tried to reach a question that no ordinary walk reaches."""
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
    for rule in (_ids, _themes, _scale, _glossary, _rules, _tutorials, _notes, _lengths, _language, _addresses):
        faults.extend(rule(content, places))
    return faults or [*check_flows.check(content), *check_visit.check(content)] or list(_walks(content, places))


def sayings(content: Content) -> list[Fault]:
    """Every fault of the ways of saying things, against these questions."""
    try:
        spoken.load(content.flow.questionnaire.by_id)
    except Faults as found:
        return list(found.faults)
    return []


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
    yield "scale", Where(sources["scale.yml"], ("bareme",))
    for place, term in enumerate(content.referential.glossary):
        yield f"term {term.term}", Where(sources["glossary.yml"], ("glossaire", place))
    rooms = [source for key, source in sources.items() if "/" in key]
    for room in content.flow.questionnaire.rooms:
        source = next(source for source in rooms if source.values["id"] == room.id)
        rooms.remove(source)
        yield f"room {room.id}", Where(source, ())
        for place, question in enumerate(room.questions):
            yield question.id, Where(source, ("questions", place))
    for name, source in content.tutorial_sources.items():
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
        met: set[str] = set()
        for number, choice in enumerate(question.choices):
            if choice.id in met or choice.id in (UNKNOWN, NOT_CONCERNED):
                sentence = f"choix « {choice.id} » : identifiant en double, ou réservé (nsp, na)."
                yield places[question.id].fault(sentence, "choix", number, "id")
            met.add(choice.id)
            size = len(f"{question.id}{choice.id}".encode()) + CALLBACK_OVERHEAD
            if size > CALLBACK_BYTES:
                sentence = (
                    f"« {question.id} » et « {choice.id} » tiennent sur {size} octets : {CALLBACK_BYTES} au plus."
                )
                yield places[question.id].fault(sentence, "choix", number, "id")
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
        for question in branch.questions:
            if question.essential:
                sentence = "une question de branche n'est pas essentielle : retirez « essentielle »."
                yield places[question.id].fault(sentence, "essentielle")


def _scale(content: Content, places: Places) -> Iterator[Fault]:
    scale, here = content.referential.scale, places["scale"]
    if not 0 < scale.middling_from < scale.satisfying_from <= 100:
        yield here.fault("les seuils montent : 0, moyen, satisfaisant, 100.", "satisfaisant_a_partir_de")
    if not 0 < scale.shown <= scale.at_most:
        yield here.fault("« actions_montrees » va de 1 à « actions_au_plus ».", "actions_montrees")
    limits = [effort.minutes for effort in scale.efforts]
    finite = [limit for limit in limits if limit is not None]
    if limits != [*sorted(set(finite)), None]:
        yield here.fault("les durées montent, et la dernière est « jusqu_a: null ».", "efforts")


def _glossary(content: Content, places: Places) -> Iterator[Fault]:
    known: dict[str, str] = {}
    for entry in content.referential.glossary:
        for word in (entry.term, *entry.synonyms):
            if normal(word) in known:
                sentence = f"« {word} » mène déjà à « {known[normal(word)]} » : un mot, une définition."
                yield places[f"term {entry.term}"].fault(sentence)
            known[normal(word)] = entry.term


def _rules(content: Content, places: Places) -> Iterator[Fault]:
    """A rule looks back, and only at what is sure to have been asked: a fact, an essential question, its own branch."""
    before: dict[str, Question] = {}
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
            elif isinstance(seen, ScoredQuestion) and not _sure(content, seen, question):
                sentence = (
                    f"« {mention.of} » n'est pas essentielle, donc pas toujours posée : choisissez-en une qui l'est."
                )
            elif isinstance(seen, Fact) and seen.asked == "never" and not question.na_allowed:
                sentence = f"« {mention.of} » n'est jamais demandé : il faut « na_permis: true » à cette question."
            else:
                continue
            yield places[question.id].fault(sentence, "regle")
        before[question.id] = question


def _sure(content: Content, seen: ScoredQuestion, question: Question) -> bool:
    """Whether this question is answered before that one is met: an essential one, or one of the same branch module."""
    home = content.flow.questionnaire.home
    branches = {branch.id for branch in content.flow.questionnaire.branches}
    return seen.essential or (home[seen.id] in branches and home[seen.id] == home.get(question.id))


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
        elif scored[0] != 0 or scored[-1] != 1:
            yield places[question.id].fault("le premier choix doit valoir 0, et le dernier 1.", "choix")
    for fact in content.referential.profile:
        if any(choice.note is not None for choice in fact.choices):
            yield places[fact.id].fault("un fait du profil n'est pas noté : retirez « note ».", "choix")


def _lengths(content: Content, places: Places) -> Iterator[Fault]:
    for question in content.flow.questionnaire.questions():
        place = places[question.id]
        yield from _fits(place, question.text, QUESTION, "texte")
        yield from _fits(place, question.na_label or "", LABEL, "na_libelle")
        for number, choice in enumerate(question.choices):
            yield from _fits(place, choice.label, LABEL, "choix", number, "libelle")
        yield from _sentences(place, {("pourquoi",): question.why, ("aide",): question.help})
    for theme in content.flow.questionnaire.themes:
        for key, text in _remarks(theme).items():
            yield from _fits(places[f"room {theme.id}"], text, REMARK, *key)
    for tutorial in content.tutorials:
        place = places[f"tutorial {tutorial.id}"]
        yield from _sentences(place, _lines_of(tutorial))


Texts = Mapping[Loc, str]
"""Texts by the path where their file holds them."""


def _fits(place: Where, text: str, most: int, *key: int | str) -> Iterator[Fault]:
    if len(text) > most:
        sentence = f"« {text[:30]}… » fait {len(text)} caractères : {most} au plus pour tenir sur un téléphone."
        yield place.fault(sentence, *key)


def _sentences(place: Where, texts: Texts) -> Iterator[Fault]:
    for key, text in texts.items():
        longest = max(len(sentence) for sentence in re.split(r"(?<=[.?!;])\s", text))
        if longest > SENTENCE:
            yield place.fault(f"une phrase fait {longest} caractères : coupez-la ({SENTENCE} au plus).", *key)


def _remarks(theme: Theme) -> Texts:
    said = theme.remarks
    remarks = {"bien": said.good, "moyen": said.middling, "fragile": said.weak, "a_verifier": said.unknown}
    return {("remarques", key): text for key, text in remarks.items()}


def _lines_of(tutorial: Tutorial) -> Texts:
    steps: dict[Loc, str] = {("etapes", place): words for place, words in enumerate(tutorial.steps)}
    return {("titre",): tutorial.title, ("prerequis",): tutorial.needs, ("verif",): tutorial.proof, **steps}


def _language(content: Content, places: Places) -> Iterator[Fault]:
    entries = (word for term in content.referential.glossary for word in (term.term, *term.synonyms))
    glossary = {word for entry in entries for word in re.split(r"[^\w]+", normal(entry))}
    for question in content.flow.questionnaire.questions():
        texts: dict[Loc, str] = {("texte",): question.text, ("pourquoi",): question.why, ("aide",): question.help}
        texts |= {("choix", place, "libelle"): choice.label for place, choice in enumerate(question.choices)}
        yield from _spoken(places[question.id], {**texts, ("na_libelle",): question.na_label or ""}, glossary)
    for theme in content.flow.questionnaire.themes:
        said = {("titre",): theme.title, ("enjeu",): theme.stake, **_remarks(theme)}
        yield from _spoken(places[f"room {theme.id}"], said, glossary)
    for tutorial in content.tutorials:
        yield from _spoken(places[f"tutorial {tutorial.id}"], _lines_of(tutorial), glossary)


def _spoken(place: Where, texts: Texts, glossary: set[str]) -> Iterator[Fault]:
    for key, said in texts.items():
        for word in JARGON:
            if re.search(rf"(?<!\w){re.escape(word)}s?(?!\w)", said, re.IGNORECASE):
                sentence = f"« {word} » ne se dit pas à un commerçant : dites-le avec des mots de tous les jours."
                yield place.fault(sentence, *key)
        if found := TUTOIEMENT.search(said):
            yield place.fault(f"« {found[0]} » tutoie : vouvoyez.", *key)
        for short in sorted(set(re.findall(r"\b[A-Z]{3,}\b", said)) - SAID_BY_ALL):
            if normal(short) not in glossary:
                sentence = f"« {short} » n'est pas au lexique : expliquez-le dans referential/glossary.yml."
                yield place.fault(sentence, *key)


SAID_BY_ALL = {"RIB", "SMS", "USB", "PDF", "PIN", "IBAN", "SIRET"}
"""Initials that any shopkeeper says; others need their glossary entry."""


def _addresses(content: Content, places: Places) -> Iterator[Fault]:
    for tutorial in content.tutorials:
        for number, resource in enumerate(tutorial.resources):
            if not _well_formed(resource.address):
                sentence = f"« {resource.address} » n'est pas une adresse https complète."
                yield places[f"tutorial {tutorial.id}"].fault(sentence, "ressources", number, "adresse")


def _well_formed(address: str) -> bool:
    try:
        parts = urlsplit(address)
        named = parts.hostname is not None and re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.hostname)
        return parts.scheme == "https" and bool(named) and parts.port != 0 and not re.search(r"\s", address)
    except ValueError:
        return False


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
        asked = not (isinstance(question, Fact) and question.asked == "never")
        if asked and question.id not in reached and not _reached_on_purpose(flow, question):
            yield places[question.id].fault("aucun parcours ne mène à cette question : revoyez sa règle.", "regle")


def _reached_on_purpose(flow: Flow, question: Question) -> bool:
    """Whether some answers to what its rule names lead to this question."""
    named = [found for mention in question.rule.mentions() if (found := flow.question(mention.of))]
    home = flow.questionnaire.home.get(question.id, "")
    trade = home if home in flow.questionnaire.profile[0].by_choice else flow.questionnaire.profile[0].choices[-1].id
    for chosen in islice(product(*(each.choices for each in named)), ATTEMPTS):
        steer = {each.id: choice.id for each, choice in zip(named, chosen, strict=True)}
        if question.id in _walk(flow, trade, "last", steer)[1]:
            return True
    return False


def _walk(flow: Flow, trade: str, pick: str, steer: Mapping[str, str] = MappingProxyType({})) -> tuple[bool, set[str]]:
    """Answer everything: `pick` says how, `steer` what to answer to some. Whether it ends, and the questions met."""
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
        usual = choices[0 if pick == "first" else -1].id
        if pick == "na" and asked.question.na_allowed:
            usual = NOT_CONCERNED
        choice = steer.get(asked.question.id, usual)
        session = step(flow, session, Clicked(asked.question.id, choice)).session
    return False, met
