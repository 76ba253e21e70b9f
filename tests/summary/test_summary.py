"""What the consultant is told, and what they are not: the summary as a value."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialogue.engine import begin, counted, result
from dialogue.events import AnswerRecorded, ShortPathDone
from dialogue.flow import Flow
from dialogue.session import Session
from dialogue.summary.value import Read, Visit, dump, load
from dialogue.words import Words
from referential.visit import Preparation
from scoring.score import unit
from tests.papers.conftest import answered, strongest, weakest
from tests.summary.conftest import MADE_ON, OPTICIAN, OWN_WORDS, UNSURE, VISIT, Make, everything, log, with_answers


def test_it_says_the_firm_its_level_and_its_themes_weakest_first(make: Make, flow: Flow, session: Session) -> None:
    found, score = make(), result(flow, session)
    assert found.told
    assert [(each.node, each.answer) for each in found.profile][:2] == [
        ("branche", "Optique-lunetterie"),
        ("effectif", "2 à 10"),
    ]
    assert score.range
    assert (found.low, found.high) == (unit(score.range.cautious), unit(score.range.high))
    assert found.low < found.high
    assert len(found.bars) == 15
    noted = [bar.low for bar in found.bars if bar.tone != "not_scored"]
    assert noted == sorted(noted)
    assert found.branch
    assert found.branch.id == "optique"
    assert (found.branch.answered, found.branch.unknown) == (3, 1)


def test_alerts_carry_the_answer_and_the_measures_of_the_guides(make: Make) -> None:
    alerts = {each.node: each for each in make().alerts}
    assert alerts["msg-rib"].answer == "On l'enregistre et on paie"
    assert (alerts["msg-rib"].references.hyg, alerts["msg-rib"].references.cpme) == ((2,), (8,))
    assert "mob-distance" in alerts


def test_what_nobody_knew_comes_with_how_to_find_it_heaviest_first(make: Make, flow: Flow) -> None:
    unknown = make().unknown
    assert {each.node for each in unknown} == UNSURE
    assert {each.node for each in unknown[:2]} == {"maj-auto", "opt-portails"}, "of weight 3"
    for each in unknown:
        question = flow.question(each.node)
        assert question
        assert each.how == question.help
    assert next(each for each in unknown if each.node == "maj-obsolete").recipient == "prestataire"


def test_answers_that_do_not_go_together_are_told_with_those_answers(make: Make) -> None:
    clashes = {each.id: each for each in make().clashes}
    assert {"depanneur-nie", "en-ligne-nie"} <= set(clashes)
    assert [(each.node, each.answer) for each in clashes["depanneur-nie"].answers] == [
        ("pil-qui", "Un dépanneur, appelé au besoin"),
        ("pre-contrat", "Je n'ai pas de prestataire"),
    ]
    assert "double-code-troue" not in clashes, "only the e-mail has its code, and nothing says otherwise"


def test_only_the_answer_that_clashes_is_shown(make: Make, session: Session) -> None:
    found = make(with_answers(session, {"mdp-double": "partout"}))
    clash = next(each for each in found.clashes if each.id == "double-code-troue")
    assert {each.node for each in clash.answers} >= {"mdp-double", "mob-distance"}
    assert "cad-admin" not in {each.node for each in clash.answers}


def test_an_unknown_contradicts_nothing(make: Make, session: Session) -> None:
    found = make(with_answers(session, {"pre-contrat": "nsp"}))
    assert "depanneur-nie" not in {each.id for each in found.clashes}


def test_an_answer_off_the_journey_reaches_no_consultant(make: Make, flow: Flow, session: Session) -> None:
    away = with_answers(session, {"ie-acces": "partage", "pho-copies": "une"})
    assert "ie-acces" not in counted(flow, away)
    assert make(away, own_words={**OWN_WORDS, "ie-acces": "un code pour tous"}) == make()


def test_their_own_words_stand_beside_the_question(make: Make) -> None:
    quotes = {each.node: each for each in make(own_words={**OWN_WORDS, "mdp-double": "  "}).words}
    assert set(quotes) == set(OWN_WORDS)
    assert quotes["mdp-stockage"].words == "dans le carnet bleu sous le comptoir"
    assert quotes["mdp-stockage"].text == "Où sont notés les mots de passe de l'entreprise ?"


def test_what_was_fixed_since_the_first_result(make: Make, session: Session) -> None:
    records = log(
        AnswerRecorded("mdp-double", "nulle-part"),
        AnswerRecorded("msg-rib", "contre-appel"),
        AnswerRecorded("cpt-depart", "jamais"),
        AnswerRecorded("maj-auto", "repoussees"),
        AnswerRecorded("sau-frequence", "jamais"),
        AnswerRecorded("sau-frequence", "fournisseur", "jamais"),
        ShortPathDone(),
        AnswerRecorded("mdp-double", "messagerie", "nulle-part"),
        AnswerRecorded("msg-rib", "on-paie", "contre-appel"),
        AnswerRecorded("maj-auto", "nsp", "repoussees"),
    )
    mine = replace(with_answers(session, {"cpt-depart": "jamais"}), tutorials_done=("double-code", "inconnu"))
    found = make(mine, records=records)
    assert [(each.node, each.before, each.after) for each in found.better] == [
        ("mdp-double", "Nulle part", "Pour la messagerie, mais pas partout")
    ], "neither a slip mended before the result, nor what got worse, nor what is now unknown"
    assert [each.id for each in found.tutorials] == ["double-code"]


def test_a_new_start_forgets_what_was_better(make: Make) -> None:
    records = log(
        AnswerRecorded("mdp-double", "nulle-part"),
        ShortPathDone(),
        AnswerRecorded("mdp-double", "nulle-part"),
        AnswerRecorded("mdp-double", "messagerie", "nulle-part"),
        ShortPathDone(),
    )
    assert make(records=records).better == (), "a slip of the second time"


def test_what_changed_since_the_summary_read_before_is_marked(make: Make, earlier: Read) -> None:
    found = make(since=earlier)
    assert found.since == earlier.on
    assert [(each.node, each.before, each.after) for each in found.changes] == [
        ("msg-rib", "On rappelle toujours un numéro déjà connu", "On l'enregistre et on paie"),
        ("sau-test", "", found.changes[1].after),
    ]
    assert [each.node for each in found.alerts if each.changed] == ["msg-rib"]
    assert {bar.id for bar in found.bars if bar.changed} == {"messagerie-fraudes", "sauvegardes"}
    assert [each.node for each in found.words if each.changed] == ["mdp-stockage"]
    assert make(since=make().read).changes == ()


def test_an_answer_taken_back_is_a_change_too(make: Make, earlier: Read) -> None:
    before = replace(earlier, answers={**earlier.answers, "cha-cloison": "non"})
    gone = [each for each in make(since=before).changes if not each.after]
    assert [(each.node, each.before) for each in gone] == [("cha-cloison", "Non, tout est relié")]


def test_what_the_next_summary_needs_is_kept_as_bytes(make: Make) -> None:
    read = make().read
    assert load(dump(read)) == read
    assert read.on == MADE_ON
    assert read.words == OWN_WORDS


def test_a_firm_that_phoned_becomes_a_list_of_questions(make: Make, flow: Flow) -> None:
    found = make(None)
    assert not found.told
    assert (found.alerts, found.clashes, found.unknown, found.branch, found.profile) == ((), (), (), None, ())
    asked = {each.node for each in found.open}
    assert {question.id for theme in flow.questionnaire.themes for question in theme.questions} <= asked
    assert {"branche", "effectif"} <= asked
    assert all(each.how for each in found.open)
    assert sum(slot.minutes for slot in found.agenda) == 120


def test_what_is_known_of_it_shortens_the_list_and_adds_its_trade(make: Make, flow: Flow) -> None:
    found = make(begin(flow, {"branche": "optique", "effectif": "1"}))
    asked = [each.node for each in found.open]
    assert "branche" not in asked
    assert "cpt-individuel" not in asked, "the manager is alone"
    assert {"opt-sante", "opt-portails"} <= set(asked)
    assert not found.told


def test_after_the_short_path_the_rest_is_counted_and_the_trade_is_to_be_asked(make: Make, flow: Flow) -> None:
    found = make(answered(flow, lambda q: OPTICIAN.get(q.id) or strongest(q)))
    assert [each.node for each in found.open] == ["opt-sante", "opt-portails", "opt-ordonnances"]
    assert all(bar.answered == 1 for bar in found.bars if bar.id == "mots-de-passe")
    assert next(bar.unasked for bar in found.bars if bar.id == "mots-de-passe") == 2


def test_documents_follow_the_firm(make: Make, session: Session) -> None:
    texts = [text for paper in make().papers for text in paper.texts]
    assert "Le certificat HDS de l'éditeur ou de l'hébergeur" in texts
    assert not [text for text in texts if "transitaires" in text]
    contract = "Le contrat et la dernière facture du prestataire informatique"
    assert contract not in texts, "it has no provider"
    known = make(with_answers(session, {"pre-contrat": "nsp"}))
    assert contract in [text for paper in known.papers for text in paper.texts]


def test_alerts_open_the_agenda_and_the_first_ones_get_the_time_left(make: Make) -> None:
    found = make()
    first, *themes, last = found.agenda
    assert (first.at, first.minutes) == (0, 10)
    assert last.minutes == 15
    assert [slot.room for slot in themes[:2]] == ["mobilite", "messagerie-fraudes"], "the weaker of the two first"
    assert [bool(slot.alerts) for slot in themes[:3]] == [True, True, False]
    assert themes[0].minutes == 15
    assert all(slot.minutes >= 5 for slot in themes)
    assert found.left_out == ()
    assert [slot.at for slot in found.agenda[1:]] == [slot.at + slot.minutes for slot in found.agenda[:-1]]


def test_a_short_visit_names_what_it_leaves_out(make: Make) -> None:
    found = make(visit=replace(VISIT, minutes=45))
    assert sum(slot.minutes for slot in found.agenda) == 45
    assert found.agenda[1].room == "mobilite"
    rooms = [slot.room for slot in found.agenda if slot.room]
    assert len(rooms) + len(found.left_out) == 16
    assert len(rooms) == 6


def test_a_long_visit_keeps_a_margin(make: Make, preparation: Preparation) -> None:
    found = make(visit=replace(VISIT, minutes=480))
    assert sum(slot.minutes for slot in found.agenda) == 480
    assert found.agenda[-2].title == preparation.agenda.spare


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_visit_is_shared_out_to_the_minute(flow: Flow, make: Make, data: st.DataObject) -> None:
    minutes = data.draw(st.integers(1, 500))
    pick = data.draw(st.sampled_from([weakest, strongest, lambda _: "nsp"]))
    kept = data.draw(st.integers(0, 60))
    mine = answered(flow, lambda q: OPTICIAN.get(q.id, "") if q.id == "branche" else pick(q), everything(flow))
    mine = replace(mine, answers=dict(list(mine.answers.items())[:kept]))
    found = make(mine, visit=Visit(minutes=minutes))
    assert sum(slot.minutes for slot in found.agenda) == minutes
    assert all(slot.minutes > 0 for slot in found.agenda)
    rooms = [slot.title for slot in found.agenda if slot.room] + list(found.left_out)
    assert sorted(rooms) == sorted(bar.title for bar in (*found.bars, *([found.branch] if found.branch else [])))


@pytest.mark.parametrize("pick", [weakest, strongest])
def test_every_theme_has_its_measures(make: Make, flow: Flow, pick: object, words: Words) -> None:
    bars = make(answered(flow, lambda q: OPTICIAN["branche"] if q.id == "branche" else pick(q))).bars  # type: ignore[operator]
    assert all(bar.references.hyg for bar in bars)
