"""`autodiag check` for the small flows and for what the bot says first: flows/ and outreach.yml of referential/."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bot.content import Content
from referential.forms import Form, FormQuestion
from referential.outreach import Moment
from referential.rules import NOT_CONCERNED, UNKNOWN
from referential.yamlfile import Fault, Source

LABEL, QUESTION, THANKS = 48, 130, 240
"""Characters that fit a button at 320 px, a question on a phone, a sentence said at the end."""
A_SENDING = 3
"""Questions that the bot may ask at once when it speaks first (content/bareme.md)."""
KINDS = ("survey", "place", "visit", "tutorial", "unfinished")
"""In the order in which they go when several are due."""


def check(content: Content) -> Iterator[Fault]:
    """Every fault of these files."""
    known = Counter(question.id for question in content.flow.questionnaire.questions())
    known.update(question.id for form in content.referential.forms for question in form.questions())
    for key, source in content.referential.sources.items():
        if key.startswith("flows/"):
            form = next(form for form in content.referential.forms if form.id == source.values["id"])
            yield from _form(form, source, known)
    yield from _plan(content, content.referential.sources["outreach.yml"])


def _form(form: Form, source: Source, known: Counter[str]) -> Iterator[Fault]:
    if len(form.thanks) > THANKS:
        yield source.fault(("merci",), f"merci trop long : {THANKS} signes au plus.")
    for place, question in enumerate(form.asked):
        yield from _question(question, source, ("questions", place), known)
    yield from _rules(form, source)
    asked = {question.id for question in form.asked}
    for place, section in enumerate(form.sections):
        for name in section.questions:
            if name not in asked:
                sentence = f"« {name} » n'est pas une question de ce fichier : corrigez l'identifiant."
                yield source.fault(("sections", place, "questions"), sentence)
        if form.reaches_out and len(section.questions) > A_SENDING:
            yield source.fault(("sections", place, "questions"), f"{A_SENDING} questions au plus par envoi.")
    used = {name for section in form.sections for name in section.questions}
    for place, question in enumerate(form.asked):
        if question.id not in used:
            yield source.fault(("questions", place, "id"), f"« {question.id} » n'est dans aucune section.")


def _question(question: FormQuestion, source: Source, at: tuple[str, int], known: Counter[str]) -> Iterator[Fault]:
    if known[question.id] > 1:
        sentence = f"l'identifiant « {question.id} » sert déjà : un identifiant est unique, tous fichiers compris."
        yield source.fault((*at, "id"), sentence)
    if len(question.text) > QUESTION:
        yield source.fault((*at, "texte"), f"question trop longue : {QUESTION} signes au plus.")
    if question.kind == "choice" and len(question.choices) < 2:
        yield source.fault((*at, "choix"), "il faut au moins deux choix, ou une autre « sorte ».")
    if question.kind != "choice" and question.choices:
        yield source.fault((*at, "choix"), "une question qui se tape n'a pas de choix : retirez-les, ou « sorte ».")
    if question.na_allowed and not question.na_label:
        yield source.fault((*at, "facultatif"), "dites le mot du bouton qui passe la question : « na_libelle ».")
    for place, choice in enumerate(question.choices):
        if choice.id in (UNKNOWN, NOT_CONCERNED) or len(choice.label) > LABEL:
            sentence = f"choix « {choice.id} » : {LABEL} signes au plus, et un identifiant qui n'est ni nsp ni na."
            yield source.fault((*at, "choix", place), sentence)


def _rules(form: Form, source: Source) -> Iterator[Fault]:
    """A rule looks at a fact of this file, or at a question before."""
    before = {fact.id: fact.by_choice for fact in form.profile}
    for place, question in enumerate(form.asked):
        for mention in question.rule.mentions():
            if mention.choice not in before.get(mention.of, {}):
                sentence = f"la règle nomme « {mention.of} » ou un choix qui n'existe pas ici, ou qui vient après."
                yield source.fault(("questions", place, "regle"), sentence)
        before[question.id] = question.by_choice


def _plan(content: Content, source: Source) -> Iterator[Fault]:
    plan = content.referential.plan
    if plan.opens >= plan.closes:
        yield source.fault(("a_heure",), "« a_heure » vient après « de_heure ».")
    if plan.beside_result and not _section(content, plan.beside_result.flow, plan.beside_result.section):
        yield source.fault(("sous_le_resultat",), "cette section n'existe pas dans flows/.")
    order = [KINDS.index(moment.kind) for moment in plan.moments]
    if order != sorted(order):
        sentence = "l'ordre est : enquête, place libérée, visite voulue, tutoriel, Autodiag inachevé."
        yield source.fault(("moments",), sentence)
    for place, moment in enumerate(plan.moments):
        for sentence in _moment(content, moment, place):
            yield source.fault(("moments", place), f"« {moment.id} » : {sentence}")


def _moment(content: Content, moment: Moment, place: int) -> Iterator[str]:
    before = [each.id for each in content.referential.plan.moments]
    if before.count(moment.id) > 1:
        yield "ce nom sert deux fois."
    if (moment.since is None) == (moment.reminder_of is None):
        yield "dites « depuis » ou « relance_de », l'un des deux."
    if moment.reminder_of and moment.reminder_of not in before:
        yield f"« {moment.reminder_of} » n'est pas un moment de ce fichier."
    if (moment.flow is None) != (moment.section is None):
        yield "« flow » et « section » vont ensemble."
    if moment.flow and not _section(content, moment.flow, moment.section or ""):
        yield f"flows/ n'a pas de section « {moment.section} » dans « {moment.flow} »."
    if moment.kind != "unfinished" and moment.flow is None:
        yield "il lui faut une question : « flow » et « section »."
    if moment.kind == "tutorial" and moment.since != "tutorial":
        yield "il se compte depuis « tutoriel »."


def _section(content: Content, flow: str, section: str) -> bool:
    return flow in content.forms and section in content.forms[flow].section
