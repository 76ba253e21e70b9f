"""What `autodiag check` says of what prepares the visit: contradictions between answers, documents, the agenda.

Same promise as `bot/check.py`: each fault with its file, its line and what to do. Prints nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product

from bot.content import Content
from dialogue.engine import begin, counted
from dialogue.flow import Flow
from referential.model import Fact, Question
from referential.rules import NOT_CONCERNED, UNKNOWN, Answers, Rule
from referential.visit import Contradiction
from referential.yamlfile import Fault, Loc, Source

FINDING = 150
"""Characters that keep a finding, or what to ask, on two lines and a bit of half a page."""
ATTEMPTS = 1_000
"""Ways tried to make the answers of a rule count together."""


def check(content: Content) -> Iterator[Fault]:
    """Every fault of contradictions.yml and visit.yml."""
    sources = content.referential.sources
    yield from _contradictions(content, sources["contradictions.yml"])
    yield from _documents(content, sources["visit.yml"])
    rule, here = content.referential.preparation.agenda, sources["visit.yml"]
    if rule.least > min(vars(rule.wanted).values()):
        sentence = "chaque thème a déjà « au_moins » minutes : « par_theme » ne peut pas lui en donner moins."
        yield here.fault(("agenda", "au_moins"), sentence)
    if 3 * (rule.opening.minutes + rule.closing.minutes) > rule.minutes:
        yield here.fault(("agenda", "duree"), "ouverture et clôture prennent plus d'un tiers de la visite.")


def _contradictions(content: Content, source: Source) -> Iterator[Fault]:
    every = content.referential.preparation.contradictions
    for name, many in Counter(each.id for each in every).items():
        if many > 1:
            place = next(at for at, each in enumerate(every) if each.id == name)
            sentence = f"l'identifiant « {name} » sert {many} fois : un identifiant est unique."
            yield source.fault(("contradictions", place, "id"), sentence)
    for place, each in enumerate(every):
        at: Loc = ("contradictions", place)
        for key, text in (("constat", each.finding), ("demander", each.ask)):
            if len(text) > FINDING:
                sentence = f"« {text[:30]}… » fait {len(text)} caractères : {FINDING} au plus."
                yield source.fault((*at, key), sentence)
        faults = list(_named(content, each.rule, source, (*at, "regle")))
        yield from faults
        if not faults and not _met(content.flow, each):
            sentence = "aucune entreprise ne peut donner ces réponses ensemble : revoyez la règle."
            yield source.fault((*at, "regle"), sentence)


def _documents(content: Content, source: Source) -> Iterator[Fault]:
    rooms = {room.id for room in content.flow.questionnaire.rooms}
    for place, each in enumerate(content.referential.preparation.documents):
        if each.room not in rooms:
            sentence = f"« {each.room} » n'est ni un thème ni un métier : corrigez « pour »."
            yield source.fault(("documents", place, "pour"), sentence)
        yield from _named(content, each.rule, source, ("documents", place, "regle"))


def _named(content: Content, rule: Rule, source: Source, at: Loc) -> Iterator[Fault]:
    """Everything that a rule names exists, and may be answered so; here `na` may be named too, never `nsp`."""
    for mention in rule.mentions():
        found = content.flow.question(mention.of)
        if found is None:
            sentence = f"la règle nomme « {mention.of} », qui n'existe pas : nommez une question ou un fait."
            yield source.fault(at, sentence)
        elif mention.profile != isinstance(found, Fact):
            word = "fait" if isinstance(found, Fact) else "reponse"
            yield source.fault(at, f"« {mention.of} » : écrivez {word} dans la règle.")
        elif mention.op == "greater" and any(choice.value is None for choice in found.choices):
            yield source.fault(at, f"« plus_de » demande une « valeur » à chaque choix de « {mention.of} ».")
        elif mention.op != "greater" and (mention.choice == UNKNOWN or not found.accepts(mention.choice)):
            yield source.fault(at, f"« {mention.of} » n'a pas de réponse « {mention.choice} » : corrigez la règle.")


def _met(flow: Flow, each: Contradiction) -> bool:
    """Whether some firm, of some trade, gives answers that count together and make the rule hold."""
    return any(_counts(flow, each.rule, answers) for answers in islice(_ways(flow, each.rule, True), ATTEMPTS))


def _ways(flow: Flow, rule: Rule, wanted: bool) -> Iterator[dict[str, str]]:
    """Answers, no more than needed, that settle a rule as wanted; the same way may come twice."""
    if rule.op == "always":
        yield from [{}] if wanted else []
    elif rule.op == "not":
        yield from _ways(flow, rule.rules[0], not wanted)
    elif rule.op in ("all", "any") and (rule.op == "all") == wanted:
        for ways in product(*(list(_ways(flow, inner, wanted)) for inner in rule.rules)):
            pairs = {pair for way in ways for pair in way.items()}
            if len({node for node, _ in pairs}) == len(pairs):
                yield dict(sorted(pairs))
    elif rule.op in ("all", "any"):
        for inner in rule.rules:
            yield from _ways(flow, inner, wanted)
    else:
        for choice in _answers(flow.questionnaire.by_id[rule.of]):
            if rule.holds({rule.of: choice}, flow.questionnaire.value_of) is wanted:
                yield {rule.of: choice}


def _answers(question: Question) -> list[str]:
    return [*question.by_choice, *([NOT_CONCERNED] if question.na_allowed else [])]


def _counts(flow: Flow, rule: Rule, answers: Answers) -> bool:
    """Whether these answers all count in a firm of some trade, whatever the facts that their questions need."""
    trade = flow.questionnaire.profile[0]
    needed = {fact.id: fact for node in answers for fact in flow.needed.get(node, ())}
    free = [fact for fact in {trade.id: trade, **needed}.values() if fact.id not in answers]
    opened = tuple(section.id for section in flow.sections if section.asks != "all")
    for chosen in product(*(_answers(fact) for fact in free)):
        facts = {fact.id: choice for fact, choice in zip(free, chosen, strict=True)}
        stand = counted(flow, replace(begin(flow), answers={**facts, **answers}, opened=opened))
        if rule.holds(stand, flow.questionnaire.value_of) is True:
            return True
    return False
