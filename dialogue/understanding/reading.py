"""From a typed text to a reading, and from a reading to an event: what is sure is recorded, the rest is shown back.

Exact rules first, then signs of an emergency, then the model through its gate. A guess is never recorded, and the event
carries the reading alone: the text stays outside, but for the words of their own that a manager was told we keep.
"""

# ruff: noqa: E501 — a pattern reads better in one piece
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from dialogue.engine import asking, path
from dialogue.events import Commanded, Event, NotUnderstood, ReadAnswer, Reading, Reason, Wrote
from dialogue.flow import Flow
from dialogue.session import Session
from dialogue.understanding import commands, emergency, exact, gate, private
from dialogue.understanding.features import Ids, Weights
from dialogue.understanding.gate import Heard
from dialogue.understanding.kinds import kind_features
from dialogue.understanding.model import Model
from dialogue.understanding.plain import Said, heard, normal
from referential.forms import FormQuestion
from referential.model import Question
from referential.rules import NOT_CONCERNED, UNKNOWN

RECORD = 0.93
"""Chance above which an answer is recorded at once; measured on voices left out (docs/understanding.md)."""
PROPOSE = 0.22
"""Chance above which an answer is shown back rather than asked again."""
NEAR, FEW, NEAR_FEW = 0.36, 3, 0.62
"""How near an example must be to record; nearer where the text has few words, and so little to be known by."""
KNOWN = 0.7
"""Share of the words that must be known: noise around a word that means something is noise."""
TIED = 0.06
"""Two neighbours whose chances are nearer than this: between the two, the weaker is proposed."""
ALARM, ALARM_BESIDE, DOUBT = 0.16, 0.34, 0.08
"""Score of an emergency that shows the first gestures; the second where the text is also much like an answer; what each
reason to doubt adds: nothing seen, nothing that says now, something that says once, elsewhere or if.
"""
COMMAND, UNHINTED, ANSWERS = 0.20, 0.36, 0.5
OWN_WORDS = 5
"""Words beyond which a typed answer may say more than its choice."""
LONGEST_KEPT = 300

_HEDGED = re.compile(
    r" (?:je (?:crois|pense|suppose|presume|dirais)|peut etre|sans doute|il me semble|normalement|a priori|je suis pas sure?|pas certaine?|ca depend|plus ou moins|a peu pres|en principe|probablement|j imagine|il parait|theoriquement|moitie moitie|oui et non|ni oui ni non|entre les deux|ou alors) "
)
_BETWEEN = re.compile(
    r" (?:entre (?:les deux|la \w+ et la|le \w+ et le)|moitie moitie|un peu des deux|j hesite|soit .* soit) "
)
_TURNS = re.compile(r" (?:mais|sauf|par contre|enfin non|en fait|finalement|alors que|sinon|excepte|hormis|a part) ")
_FORGET = re.compile(
    r" (?:garde\w*|conserve\w*|enregistre\w*|note\w*) (?:pas|rien) (?:de )?(?:mes (?:mots|phrases|textes?)|ce que j ecris|ce que je dis|mon texte)"
)
_UPSET = re.compile(
    r" (?:merde|putain|con|connard|connasse|conne|debile|abruti|idiot|imbecile|nul a chier|ta gueule|fais chier|faites chier|va te faire|fuck|encule|pute|batard|salaud|tu me saoules|ca me saoule|vous me saoulez|tu sers a rien|bot de merde|ras le bol|vous m emmerdez|j en ai marre|fdp|ntm) "
)
_FOREIGN = re.compile(
    r" (?:the|is|are|you|what|english|please|speak|dont|don|understand|sorry|hello|i am|my|can you|español|espanol|habla|hablo|entiendo|puede|por favor|pregunta|no se|falo|portugues|nao|voce|verstehe|nicht|sprechen|deutsch|ich|bitte|capisco|parlo|italiano|possiamo|begrijp|niet|spreekt|nederlands|nie|rozumiem|przepraszam|mowie|anglais|german|french|question is|yes but|this|with|manager|tomorrow|monday) "
)
_YES = re.compile(
    r"^ (?:(?:euh|ben|bah|ah|bien|bon|alors|eh|ma foi|mais) )*(?:oui|bien sur|evidemment|tout a fait|exactement|absolument|affirmatif|effectivement|certainement|c est (?:le cas|fait|ca)|en effet)(?: (?:oui|tout a fait|bien sur|absolument|je crois|je pense|toujours|en effet|quand meme|monsieur|madame|merci|evidemment|on fait ca|c est (?:fait|le cas|ca)|chez nous|deja))* $"
)
_NO = re.compile(
    r"^ (?:(?:euh|ben|bah|ah|bon|alors|eh|oh|mais|malheureusement|helas) )*(?:non|pas du tout|pas encore|absolument pas|negatif|certainement pas|jamais de la vie|que nenni|surtout pas)(?: (?:non|pas du tout|pas encore|jamais|merci|helas|malheureusement|pas chez nous|absolument pas|je crois pas|je pense pas|desole|desolee|du tout|monsieur|madame|pas vraiment))* $"
)
_BARE_DOUBT_TEXT = """
peut etre, peut-etre, ptet, ca depend, bof, bof bof, plus ou moins, un peu, oui et non, ni oui ni non, moyen, mouais,
couci couca, couci-couca, a peu pres, faut voir, ca va, normal, n'importe quoi, ca depend des jours
"""
_BARE_DOUBT = frozenset(each.strip() for each in _BARE_DOUBT_TEXT.split(","))
_COMMON_TEXT = """
fait pour dans avec mais tout tous toute toutes plus chez quand comment faites corrige corrigez reponse question mettez
plutot finalement est sont une des les aux par que qui quoi vous nous votre notre son ses leur leurs sur pas non oui aucun
aucune jamais rien chaque autre autres avez avons ont etre suis cette ces ans jour jours fois bien encore meme dit ete
"""
_COMMON = frozenset(_COMMON_TEXT.split())
"""Words that tell no question from another."""
_TALK = frozenset(gate.CLARIFYING)


@dataclass(frozen=True)
class Around:
    """What stands around a text: `pending`, a proposal awaiting a yes; `order`, choices as shown; `earlier`, questions
    answered, the last one last; `confirming`, whether a yes is awaited before starting over or erasing.
    """

    pending: Reading | None = None
    order: Sequence[str] = ()
    earlier: Sequence[Question] = ()
    confirming: bool = False


NOTHING = Around()


def read(model: Model, flow: Flow, session: Session, text: str) -> Event:
    """The event that a typed text means, where this session stands."""
    step = None if session.paused else asking(flow, session)
    question = step.question if step else None
    if isinstance(question, FormQuestion) and question.typed:
        said = normal(text)
        skipped = question.na_allowed and exact.bare(said) == exact.bare(question.na_label or "")
        if not skipped and commands.alone(said) is None:
            return Wrote(question.id, text)
    if isinstance(question, FormQuestion) and question.kind == "live":
        if choice := _offer(session, normal(text)):
            return ReadAnswer(question.id, choice)
        question = None
    aside = session.aside
    pending = aside.reading if aside and aside.kind == "understood" else None
    shown = aside.reading.candidates if aside and aside.reading else ()
    earlier = (
        [each.question for each in path(flow, session) if each.question.id in session.answers] if not flow.form else []
    )
    earlier = [each for each in earlier if question is None or each.id != question.id]
    around = Around(pending, shown, earlier, session.place.kind == "confirm")
    return event(model, understand(model, question, text, around), text, session)


def _offer(session: Session, said: str) -> str | None:
    """The choice of a live question meant by its words, or by its place in the list."""
    by_label = {exact.bare(offer.label): offer.id for offer in session.offers}
    number = re.fullmatch(r"(?:(?:le|la|choix|numero) )?([1-9][0-9]?)", said)
    place = int(number[1]) - 1 if number else -1
    return by_label.get(exact.bare(said)) or (session.offers[place].id if 0 <= place < len(session.offers) else None)


def event(model: Model, reading: Reading, text: str, session: Session) -> Event:
    """The reading as an event; the words go with it only once the manager was told that they are kept."""
    words = own_words(text) if reading.adds and session.warned and not session.wordless else ""
    match reading.kind:
        case "command" if reading.command:
            word = word_of(model, text) if reading.command == "define" else ""
            return Commanded(reading.command, reading.about, word, reading)
        case "emergency":
            return Commanded("emergency", reading=reading)
        case "answer" if reading.recorded or (reading.choice == UNKNOWN and reading.confidence >= ANSWERS):
            return ReadAnswer(reading.node, reading.choice, reading, words)
        case _:
            return NotUnderstood(reading, words)


def own_words(text: str) -> str:
    """The words as they are kept: spaces squeezed, cut at a bound."""
    return " ".join(text.split())[:LONGEST_KEPT]


def word_of(model: Model, text: str) -> str:
    """The word whose meaning a text asks, as it was typed; for the glossary, and kept nowhere else."""
    return commands.defined(heard(text, model.spelling))


def understand(model: Model, question: Question | None, text: str, around: Around = NOTHING) -> Reading:
    """What a text means against this question (None: nothing is asked). Pure, and the same for the same model."""
    secret = private.holds_a_secret(text)
    reading = _understood(model, question, text, around)
    if question is not None:
        every = _offered(question)
        rest = tuple(choice for choice in every if choice not in reading.candidates)
        named = () if reading.candidates or reading.kind != "answer" else (reading.choice,)
        kept = tuple(choice for choice in reading.candidates if choice in every)
        candidates = tuple(dict.fromkeys((*named, *kept, *rest)))
        reading = replace(reading, candidates=candidates, node=reading.node or question.id)
    if secret:
        return replace(reading, recorded=False, secret=True, adds=False)
    return reading


def _understood(model: Model, question: Question | None, text: str, around: Around) -> Reading:
    short = normal(text)
    said = heard(text, model.spelling)
    if not said.words:
        if short == "?" and question is not None and _unknown_allowed(question):
            return Reading("answer", UNKNOWN, confidence=1.0)
        return Reading("clarify", reason="empty")
    if around.confirming and (decided := _decided(said, short)):
        return decided
    if around.pending and question and (decided := _answer_to(around.pending, said, short)):
        return decided
    if short in _BARE_DOUBT:
        return Reading("clarify", reason="vague", confidence=1.0)
    if _FORGET.search(said.line):
        return Reading("clarify", reason="forget_words")
    if question and (found := _exactly(question, said, short, around)):
        return found
    seen = emergency.marks(said)
    alone = commands.alone(short) or commands.COMMAND_WORDS.get(said.line.strip())
    if alone:
        return (
            Reading("emergency", confidence=1.0)
            if alone == "emergency"
            else Reading("command", command=alone, confidence=1.0)
        )
    if emergency.plainly(said, seen) and not commands.defined(said):
        return Reading("emergency", confidence=1.0)
    if question is None:
        return _elsewhere(model, said, around)
    return _weighed(model, question, said, around)


def _decided(said: Said, short: str) -> Reading | None:
    """A yes or a no to "do you really want to erase?": nothing else confirms."""
    if short in ("oui", "oui, tout effacer", "oui, recommencer", "oui tout effacer", "oui recommencer"):
        return Reading("command", command="confirm", confidence=1.0)
    return (
        Reading("command", command="back", confidence=1.0) if short in exact.NO_WORDS or _NO.search(said.line) else None
    )


def _answer_to(pending: Reading, said: Said, short: str) -> Reading | None:
    """A yes or a no to "c'est bien ça ?"."""
    if short in exact.YES_WORDS or _YES.search(said.line):
        return Reading("answer", pending.choice, confidence=1.0, recorded=True, reason="confirmed")
    if short in exact.NO_WORDS or _NO.search(said.line):
        others = tuple(choice for choice in pending.candidates if choice != pending.choice)
        return Reading("clarify", candidates=(*others, pending.choice), confidence=1.0, reason="not_that")
    return None


def _exactly(question: Question, said: Said, short: str, around: Around) -> Reading | None:
    """What the rules know without a model."""
    if choice := exact.chosen(question, short, around.order):
        if choice == UNKNOWN and not _unknown_allowed(question):
            return None
        return Reading("answer", choice, confidence=1.0, recorded=choice != UNKNOWN)
    if pair := exact.two_places(question, short, around.order):
        return Reading("answer", pair[0], candidates=pair, confidence=0.5, reason="between", stronger=pair[1])
    if exact.out_of_range(question, short):
        return Reading("clarify", reason="no_such_place", confidence=1.0)
    if re.fullmatch(r"[\d\s.,;:/+-]+", short):
        return _number(question, short)
    if exact.quantities(question) and (choice := exact.amount(question, short)):
        alone = len(said.words) <= 6 and not _HEDGED.search(said.line)
        return Reading("answer", choice, confidence=0.97 if alone else 0.8, recorded=alone and _plain_amount(short))
    return None


def _number(question: Question, short: str) -> Reading:
    """A number that no rule settles: the choices that hold it, weaker first; or a place that the list does not have."""
    held = exact.holding(question, int(short)) if short.isdecimal() and len(short) < 7 else ()
    if not held:
        return Reading("clarify", reason="no_such_place", confidence=1.0)
    between = len(held) > 1
    reason: Reason = "between" if between else ""
    return Reading(
        "answer", held[0], candidates=held, confidence=0.6, reason=reason, stronger=held[1] if between else ""
    )


def _plain_amount(short: str) -> bool:
    """Whether a quantity is said with nothing that changes it ("on est 5", "12 personnes")."""
    number = r"\d{2,5}" if re.fullmatch(r"\D*\d+\D*", short) is None else r"\d{1,5}"
    return bool(
        re.fullmatch(
            rf"(?:on (?:est|sera)|nous sommes|je dirais|a|une equipe de|environ|avec moi)? ?{number} ?(?:personnes?|salaries?|employes?|en tout|au total|avec moi|en me comptant|gens)(?: ?(?:en tout|au total|avec moi))?|(?:on est|nous sommes) {number}",
            short,
        )
    )


def hear(model: Model, question: Question, said: Said, line: tuple[Ids, Weights] | None = None) -> Heard:
    """What the model makes of these words against this question."""
    ids, weights = line or model.seen(said)
    offered = _offered(question)
    zero = np.zeros(len(offered), np.float32)
    score, near = zero, zero
    if asked := model.questions.get(question.id):
        score, near = asked.scores(ids, weights)
        if asked.choices != offered:
            at = {choice: place for place, choice in enumerate(asked.choices)}
            score = np.array([score[at[choice]] if choice in at else 0.0 for choice in offered], np.float32)
            near = np.array([near[at[choice]] if choice in at else 0.0 for choice in offered], np.float32)
    return Heard(
        offered,
        score,
        near,
        zero,
        zero,
        zero,
        model.intents.scores(*kind_features(said, ids, weights)) if model.intents else {},
        commands.command_of(said) is not None or bool(commands.defined(said)),
        bool(commands.hinted(said)),
        "?" in said.flat,
        len(said.words),
        model.spelling.share_known(said.words),
    )


def _weighed(model: Model, question: Question, said: Said, around: Around) -> Reading:
    """The model's opinion, through the gate."""
    got = hear(model, question, said)
    if question.id not in model.questions or not got.intents:
        return _by_rules(model, question, said, got, around)
    chance, answers = gate.chances(got, model.ranking), gate.answers_it(got, model.judging)
    order = [got.choices[at] for at in np.argsort(-chance, kind="stable")]
    by_choice = dict(zip(got.choices, map(float, chance), strict=True))
    if yes_no := _only_yes_or_no(question, said, order):
        return yes_no
    alarm = got.intents.get("emergency", 0.0)
    if commands.defined(said) and len(said.words) <= 12 and not emergency.marks(said)["now"]:
        return _command(model, "define", max(0.6, got.intents.get("define", 0.0)), said, tuple(order), around)
    level = (ALARM if answers < ANSWERS else ALARM_BESIDE) + emergency.doubt(emergency.marks(said), DOUBT)
    loud = alarm >= level and alarm >= max(got.intents.values()) - 0.25
    if loud and not (answers > 0.8 and float(got.near.max()) > 0.5):
        return Reading("emergency", candidates=tuple(order), confidence=_rounded(alarm))
    if answers < ANSWERS:
        other = _not_an_answer(model, said, got, tuple(order), around)
        if other:
            return other
    return _answer(question, said, got, order, by_choice, answers)


def _answer(
    question: Question, said: Said, got: Heard, order: Sequence[str], chance: dict[str, float], answers: float
) -> Reading:
    best, sure = order[0], chance[order[0]] * min(1.0, 0.15 + answers)
    adds = len(said.words) > OWN_WORDS and best not in (UNKNOWN, NOT_CONCERNED)
    if best == UNKNOWN:
        sure = max(sure, got.intents.get("nsp", 0.0))
        kind: Literal["answer", "clarify"] = "answer" if sure >= PROPOSE else "clarify"
        unknown = UNKNOWN if kind == "answer" else ""
        return Reading(
            kind, unknown, candidates=tuple(order), confidence=_rounded(sure), reason="" if unknown else "vague"
        )
    pair = _between(question, said, order, chance)
    if pair:
        candidates = (*pair, *(choice for choice in order if choice not in pair))
        return Reading("answer", pair[0], "", candidates, _rounded(sure), reason="between", stronger=pair[1], adds=adds)
    if sure < PROPOSE:
        return Reading("clarify", candidates=tuple(order), confidence=_rounded(sure), reason="vague")
    safe = (
        sure >= RECORD
        and float(got.near.max()) >= (NEAR if len(said.words) > FEW else NEAR_FEW)
        and got.known >= KNOWN
        and best != NOT_CONCERNED
        and not got.question
        and not got.likely
        and not _HEDGED.search(said.line)
        and not _TURNS.search(said.line)
    )
    return Reading("answer", best, "", tuple(order), _rounded(sure), recorded=bool(safe), adds=adds)


def _between(question: Question, said: Said, order: Sequence[str], chance: dict[str, float]) -> tuple[str, str] | None:
    """Two neighbouring choices that the text says as much as each other, weaker first."""
    rank = list(question.by_choice)
    first, second = order[0], order[1] if len(order) > 1 else ""
    if first not in rank or second not in rank:
        return None
    near = chance[first] - chance[second] < TIED and abs(rank.index(first) - rank.index(second)) == 1
    if near or (_BETWEEN.search(said.line) and chance[second] > 0.2):
        weaker, stronger = sorted((first, second), key=rank.index)
        return (weaker, stronger) if _BETWEEN.search(said.line) else None
    return None


def _only_yes_or_no(question: Question, said: Said, order: Sequence[str]) -> Reading | None:
    """A bare yes or no to a question of degrees: which yes? Proposed where one choice alone says it."""
    yes, no = bool(_YES.search(said.line)), bool(_NO.search(said.line))
    if yes == no:
        return None
    word = "oui" if yes else "non"
    starts = [choice.id for choice in question.choices if re.match(rf"{word}\b", normal(choice.label))]
    if not starts and no:
        starts = [
            c.id for c in question.choices if re.match(r"(?:jamais|nulle part|aucun|personne|pas)\b", normal(c.label))
        ]
    contrary = "non" if yes else "oui"
    against = [choice.id for choice in question.choices if re.match(rf"{contrary}\b", normal(choice.label))]
    against += [
        c.id
        for c in question.choices
        if yes and re.match(r"(?:jamais|nulle part|aucun|personne|pas)\b", normal(c.label))
    ]
    rest = [choice for choice in order if choice not in starts and choice not in against]
    if yes and not starts:
        starts, rest = [c for c in question.by_choice if c in rest], [c for c in rest if c not in question.by_choice]
    candidates = tuple(dict.fromkeys((*starts, *rest, *against)))
    if len(starts) == 1:
        hedged = bool(_HEDGED.search(said.line))
        alone = len(starts) + len(against) == len(question.choices) and not hedged
        return Reading("answer", starts[0], "", candidates, 0.98 if alone else 0.6, recorded=alone)
    return Reading("clarify", candidates=candidates, confidence=0.5, reason="yes_no")


def _not_an_answer(model: Model, said: Said, got: Heard, order: tuple[str, ...], around: Around) -> Reading | None:
    """A command, or talk; None where it may still be an answer."""
    ranked = sorted(
        ((value, kind) for kind, value in got.intents.items() if kind not in ("answer", "emergency")), reverse=True
    )
    value, kind = ranked[0]
    if commands.defined(said) and got.intents.get("define", 0.0) > 0.2:
        value, kind = max(value, 0.9), "define"
    named = commands.command_of(said)
    if named and got.intents.get(named, 0.0) >= value - 0.35:
        value, kind = max(value, 0.6), named
    if kind in gate.SHORT:
        return None
    if kind in _TALK:
        return Reading(
            "clarify", candidates=_talk_order(kind, order), confidence=_rounded(value), reason=_reason(kind, said)
        )
    if value < (COMMAND if named or kind == "define" or kind in commands.hinted(said) else UNHINTED):
        if _FOREIGN.findall(said.line) and got.intents.get("other_language", 0) > 0.1:
            return Reading("clarify", candidates=order, reason="other_language")
        return Reading("clarify", candidates=order, confidence=_rounded(value), reason=_reason("vague", said))
    return _command(model, kind, value, said, order, around)


def _command(model: Model, kind: str, value: float, said: Said, order: tuple[str, ...], around: Around) -> Reading:
    name = commands.named(kind)
    reading = Reading("command", command=name, candidates=order, confidence=_rounded(value))
    meant = earlier_meant(said, around.earlier) if name == "edit" else None
    return _correction(model, reading, meant, said) if meant else reading


def _correction(model: Model, reading: Reading, meant: Question, said: Said) -> Reading:
    """A correction with the answer to propose at the question that it means, where the same words say one."""
    reading = replace(reading, about=meant.id)
    bare = [word for word in ("oui", "non") if word in said.words]
    if len(bare) == 1 and (proposed := _only_yes_or_no(meant, heard(bare[0], model.spelling), _offered(meant))):
        return replace(reading, choice=proposed.choice, candidates=proposed.candidates)
    got = hear(model, meant, said)
    chance = gate.chances(got, model.ranking)
    order = tuple(got.choices[at] for at in np.argsort(-chance, kind="stable"))
    sure = float(chance.max()) > ANSWERS and meant.id in model.questions
    return replace(reading, choice=order[0] if sure else "", candidates=order)


def earlier_meant(said: Said, earlier: Sequence[Question]) -> Question | None:
    """The question that a correction is about: the one just before, or the one that shares its words; else none."""
    if not earlier:
        return None
    if re.search(r" (?:d avant|precedente?|juste avant|derniere (?:question|reponse)) ", said.line):
        return earlier[-1]
    mine = _roots(" ".join(said.words))
    its = [_roots(" ".join((each.text, *(choice.label for choice in each.choices)))) for each in earlier]
    titles = [_roots(each.text) for each in earlier]
    many = Counter(root for words in its for root in words)
    worth = [
        sum(1 / many[root] ** 2 for root in mine & words) + sum(1 / many[root] for root in mine & title)
        for words, title in zip(its, titles, strict=True)
    ]
    best = max(worth)
    return earlier[worth.index(best)] if best > 0.2 else None


def _roots(text: str) -> set[str]:
    """The beginnings of the words of a text, by which two writings of one meet."""
    words = re.sub(r"[^a-z0-9]", " ", normal(text)).split()
    return {word[:6] for word in words if len(word) > 2 and word not in _COMMON}


def _by_rules(model: Model, question: Question, said: Said, got: Heard, around: Around) -> Reading:
    """Without a model: commands and definitions that are sure, words of labels shared; nothing recorded."""
    order = tuple(got.choices)
    if commands.defined(said):
        return Reading("command", command="define", confidence=0.9)
    if name := commands.command_of(said):
        return _command(model, name, 0.8, said, order, around)
    if yes_no := _only_yes_or_no(question, said, order):
        return replace(yes_no, recorded=False)
    mine = {word[:6] for word in said.words if len(word) > 3}
    labels = {
        choice.id: {word[:6] for word in normal(choice.label).replace("'", " ").split() if len(word) > 3}
        for choice in question.choices
    }
    shared = {choice: len(mine & words) / (len(words) or 1) for choice, words in labels.items()}
    ranked = tuple(sorted(order, key=lambda choice: -shared.get(choice, 0.0)))
    if shared and shared.get(ranked[0], 0.0) >= 0.5:
        return Reading("answer", ranked[0], candidates=ranked, confidence=0.4)
    return Reading("clarify", candidates=ranked, reason=_reason("vague", said))


def _elsewhere(model: Model, said: Said, around: Around) -> Reading:
    """Where nothing is asked (the result, a tutorial, a pause): commands and emergencies alone mean something."""
    if commands.defined(said):
        return Reading("command", command="define", confidence=0.9)
    if name := commands.command_of(said):
        return _command(model, name, 0.8, said, (), around)
    scores = model.intents.scores(*kind_features(said, *model.seen(said))) if model.intents else {}
    if scores.get("emergency", 0.0) >= ALARM:
        return Reading("emergency", confidence=_rounded(scores["emergency"]))
    known = {kind: value for kind, value in scores.items() if kind in commands.NAMES}
    best = max(known, key=known.__getitem__, default="")
    if best and known[best] >= COMMAND and known[best] >= scores.get("answer", 0.0):
        return _command(model, best, known[best], said, (), around)
    return Reading("clarify", reason=_reason("vague", said))


def _talk_order(kind: str, order: tuple[str, ...]) -> tuple[str, ...]:
    """Where somebody else knows, or nobody will say, « je ne sais pas » comes first."""
    if kind in ("someone_else", "refusal") and UNKNOWN in order:
        return (UNKNOWN, *(choice for choice in order if choice != UNKNOWN))
    return order


def _reason(kind: str, said: Said) -> Reason:
    if _UPSET.search(said.line):
        return "upset"
    match kind:
        case "off_topic" | "refusal" | "other_language" | "someone_else":
            return kind
        case _:
            return (
                "contradictory" if re.search(r" oui (?:\w+ ){0,4}non | non (?:\w+ ){0,4}oui ", said.line) else "vague"
            )


def _offered(question: Question) -> tuple[str, ...]:
    unknown = (UNKNOWN,) if _unknown_allowed(question) else ()
    return (*question.by_choice, *unknown, *((NOT_CONCERNED,) if question.na_allowed else ()))


def _unknown_allowed(question: Question) -> bool:
    return question.unknown_allowed


def _rounded(value: float) -> float:
    return round(max(0.0, min(1.0, value)), 3)
