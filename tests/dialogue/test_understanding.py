"""What is understood of typed French: shown back when unsure, never guessed, never kept where it must not be."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator

import pytest

from dialogue.engine import step
from dialogue.events import Clicked, Commanded, NotUnderstood, ReadAnswer, Reading
from dialogue.session import Session
from dialogue.understanding.model import untrained
from dialogue.understanding.plain import heard, normal
from dialogue.understanding.private import holds_a_secret
from dialogue.understanding.reading import understand
from referential import spoken
from tests.dialogue.conftest import EAR, FLOW, MODEL, after, asked, do, kinds, read, say, turn
from tests.dialogue.test_reading import ASKED

QUESTIONS = FLOW.questionnaire.by_id
FUZZED = int(os.environ.get("FUZZ_TEXTS", "10000"))


def heard_at(node: str, text: str) -> Reading:
    return understand(MODEL, QUESTIONS[node], text)


@pytest.mark.parametrize(
    ("node", "text", "kind", "choice"),
    [
        ("pil-qui", "c moi quand ca plante, sinon mon beauf", "answer", "debrouille"),
        ("mdp-unique", "le même partout avec l'année à la fin", "answer", "variantes"),
        ("mdp-double", "jamais sauf la banque", "answer", "banque"),
        ("sau-frequence", "TOUS LES SOIRS AUTOMATIQUEMENT", "answer", "quotidien"),
        ("pil-qui", "la 3e", "answer", "depanneur"),
        ("pil-qui", "la troisième", "answer", "depanneur"),
        ("pil-qui", "b", "answer", "debrouille"),
        ("effectif", "on est 5", "answer", "2-10"),
        ("effectif", "une quinzaine de personnes", "answer", "11-49"),
        ("mdp-stockage", "post it", "answer", "visible"),
        ("pos-antivirus", "🤷", "answer", "nsp"),
        ("pil-qui", "tout est bloqué avec un message en anglais", "emergency", ""),
        ("msg-rib", "je viens de faire un virement et c'était un faux fournisseur", "emergency", ""),
        ("cha-faux-siege", "on vient de donner le code du coffre, c'était pas le siège", "emergency", ""),
        ("pil-qui", "ca depend", "clarify", ""),
        ("pil-qui", "I don't understand, can we do this in English?", "clarify", ""),
        ("mdp-unique", "oui et non", "clarify", ""),
    ],
)
def test_what_managers_type_is_understood(node: str, text: str, kind: str, choice: str) -> None:
    found = heard_at(node, text)
    assert (found.kind, found.choice) == (kind, choice)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("je reviens demain j'ai une livraison", "pause"),
        ("c koi un vpn", "define"),
        ("pourkoi", "why"),
        ("je veux recommencer depuis le début", "restart"),
        ("supprimez toutes mes données", "erase"),
        ("je veux parler à un humain", "human"),
    ],
)
def test_commands_are_heard_in_ordinary_words(text: str, command: str) -> None:
    found = heard_at("sau-frequence", text)
    assert (found.kind, found.command, found.recorded) == ("command", command, False)


def test_a_likely_answer_is_shown_back_and_one_tap_records_it() -> None:
    shown = say(ASKED["pil-qui"], "bah moi je crois, ou bien mon cousin si ca plante")
    assert "understood" in kinds(shown)
    question = turn(shown).question
    assert question is not None
    assert (question.proposed, question.choices[0].id) == ("debrouille", "debrouille")
    assert {option.id for option in question.choices} == {"nsp", *QUESTIONS["pil-qui"].by_choice}
    assert "pil-qui" not in shown.answers
    assert after(shown, Clicked("pil-qui", question.proposed)).answers["pil-qui"] == "debrouille"
    assert say(shown, "oui c'est ça").answers["pil-qui"] == "debrouille"


def test_no_to_what_was_understood_offers_the_others_first() -> None:
    shown = say(ASKED["pil-qui"], "bah moi je crois, ou bien mon cousin si ca plante")
    refused = say(shown, "non pas du tout")
    question = turn(refused).question
    assert question is not None
    assert "pil-qui" not in refused.answers
    assert [option.id for option in question.choices][-1] != question.choices[0].id != "debrouille"


def test_a_place_is_read_in_the_order_that_is_shown() -> None:
    shown = say(ASKED["pil-qui"], "bah moi je crois, ou bien mon cousin si ca plante")
    question = turn(shown).question
    assert question is not None
    assert say(shown, "2").answers["pil-qui"] == question.choices[1].id


def test_between_two_choices_the_weaker_is_proposed_and_it_is_said() -> None:
    shown = say(ASKED["mdp-unique"], "2 ou 3")
    assert shown.aside is not None
    assert shown.aside.reading is not None
    assert (shown.aside.reading.choice, shown.aside.reading.stronger) == ("variantes", "sensibles")
    assert "plus prudente" in turn(shown).messages[-1].text


def test_nothing_is_said_twice_when_it_is_not_understood() -> None:
    session, said = ASKED["mdp-unique"], []
    for _ in range(12):
        session = say(session, "zorglub du mardi")
        said.append(turn(session).messages[-1].text)
    assert len(set(said)) == len(said)


def test_somebody_else_who_knows_gets_a_message_to_forward() -> None:
    session = say(ASKED["pos-antivirus"], "faut demander à mon associé c'est pas moi qui gère")
    said = turn(session).messages[-1].text
    assert QUESTIONS["pos-antivirus"].text in said
    question = turn(session).question
    assert question is not None
    assert question.choices[0].id == "nsp"


def test_an_emergency_shows_the_gestures_and_asks_whether_it_goes_on() -> None:
    session = say(ASKED["pil-qui"], "on est en train de se faire pirater")
    shown = turn(session)
    assert "Débranchez Internet" in shown.messages[-1].text
    buttons = {(button.name, button.word): button for button in shown.buttons}
    assert ("emergency", "now") in buttons
    assert asked(after(session, do("resume"))) == "pil-qui"
    assert "Laissons les questions" in turn(after(session, do("emergency", word="now"))).messages[-1].text


def test_a_correction_goes_to_the_question_that_it_means_and_proposes() -> None:
    session = ASKED["sau-frequence"]
    event = read(FLOW, session, "en fait pour l'antivirus je corrige ma réponse, on n'en a aucun")
    assert isinstance(event, Commanded)
    assert (event.name, event.node) == ("edit", "pos-antivirus")
    there = after(session, event)
    assert asked(there) == "pos-antivirus"
    question = turn(there).question
    assert question is not None
    assert question.proposed == "aucun"
    assert there.answers["pos-antivirus"] == session.answers["pos-antivirus"]


def test_the_question_before_is_the_one_just_answered() -> None:
    event = read(FLOW, ASKED["sau-frequence"], "mettez plutôt oui à la question d'avant")
    assert isinstance(event, Commanded)
    assert (event.name, event.node) == ("edit", list(ASKED["sau-frequence"].answers)[-1])


def test_own_words_are_kept_only_once_it_was_said_and_never_before() -> None:
    first = say(ASKED["pil-qui"], "je crois que c'est surtout moi canari-un, ou bien mon cousin si ca plante")
    assert "own_words" in kinds(first)
    assert "canari-un" not in repr(first)
    second = say(first, "enfin je pense que c'est mon cousin canari-deux quand ca plante vraiment trop")
    assert "own_words" not in kinds(second)
    answered = after(second, Clicked("pil-qui", "debrouille"))
    assert "canari-deux" in answered.words["pil-qui"]
    forgotten = say(answered, "ne gardez pas mes mots")
    assert (dict(forgotten.words), forgotten.wordless) == ({}, True)
    last = say(forgotten, "je pense que oui enfin peut être sur un papier canari-trois dans le bureau")
    assert "canari-trois" not in repr(last)


def test_words_go_when_the_answer_changes_without_them() -> None:
    told = Session(FLOW.id, FLOW.fingerprint, answers={"branche": "autre"}, words={"branche": "je vends des fleurs"})
    again = after(told, do("edit", "branche"), Clicked("branche", "bricolage"))
    assert dict(again.words) == {}
    same = after(told, do("edit", "branche"), Clicked("branche", "autre"))
    assert dict(same.words) == {"branche": "je vends des fleurs"}


SECRETS = [
    "mon mot de passe c'est Toto1234!",
    "le mdp est : azerty75",
    "le code de l'alarme c'est 4512",
    "code pin 9876",
    "mon iban FR76 3000 6000 0112 3456 7890 189",
    "4970 1000 0000 0055 exp 12/27",
    "carte 4970100000000055",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_never_kept_and_the_bot_says_so(text: str) -> None:
    assert holds_a_secret(text)
    told = after(ASKED["mdp-stockage"], NotUnderstood(Reading("clarify", adds=True)))
    event = read(FLOW, told, f"on les note sur un papier, je vous dis tout, {text}")
    assert not isinstance(event, ReadAnswer) or event.words == ""
    assert not getattr(event, "words", "")
    shown = after(told, event)
    assert "secret" in kinds(shown)
    assert not any(piece in repr(shown) for piece in text.split() if any(sign.isdigit() for sign in piece))


@pytest.mark.parametrize(
    "text",
    ["on a 12 caractères minimum", "le même mot de passe partout", "code à 4 chiffres",
     "le code est changé chaque année",
     "depuis 2019", "06 12 34 56 78", "siret 73282932000074", "un mot de passe par personne", "Windows 10",
     "le code du wifi est affiché", "1234567890123456"],
)  # fmt: skip
def test_what_only_talks_of_secrets_holds_none(text: str) -> None:
    assert not holds_a_secret(text)


def test_without_a_model_rules_alone_read_and_record_only_what_is_exact() -> None:
    bare = untrained(*spoken.lists())
    assert understand(bare, QUESTIONS["pil-qui"], "Personne en particulier").recorded
    assert understand(bare, QUESTIONS["pil-qui"], "c'est quoi un vpn").command == "define"
    assert understand(bare, QUESTIONS["pil-qui"], "on est en train de se faire pirater").kind in (
        "emergency",
        "clarify",
    )
    for each in spoken.load(QUESTIONS).utterances[::40]:
        if each.node:
            found = understand(bare, QUESTIONS[each.node], each.text)
            assert not found.recorded or found.choice == each.meant, each


def test_nothing_destructive_is_ever_recorded() -> None:
    for each in spoken.load(QUESTIONS).utterances:
        if each.meant in ("erase", "restart") and not each.node:
            found = heard_at("pil-qui", each.text)
            assert not found.recorded
            event = read(FLOW, ASKED["pil-qui"], each.text)
            assert not step(FLOW, ASKED["pil-qui"], event).effects


def noise() -> Iterator[str]:
    """Random and adversarial strings: letters, signs, pieces of our own words, very long, very odd."""
    chance = random.Random(7)
    words = [word for each in spoken.load(QUESTIONS).utterances[::9] for word in each.text.split()]
    signs = [
        chr(code)
        for code in (
            *range(32, 127),
            *range(0xC0, 0x180),
            0x200B,
            0x202E,
            0x1F600,
            0x1F937,
            0x627,
            0x4E2D,
            0,
            7,
            0xD800,
        )
    ]
    made = (
        lambda: "".join(chance.choices(signs, k=chance.randint(0, 60))),
        lambda: "".join(chance.choices("aeiouzrtpqsdflmnbvc ", k=chance.randint(1, 40))),
        lambda: "".join(chance.choices("0123456789 .,;-/", k=chance.randint(1, 30))),
        lambda: chance.choice(("oui ", "non ", "a", "é", "!", "\n", "c'est quoi ", "((((")) * chance.randint(1, 3000),
        lambda: " ".join(chance.choices(("zorglub", "bidule", "machin", "blop", "grmbl"), k=chance.randint(1, 12))),
        lambda: " ".join(chance.choices(words, k=chance.randint(1, 9)))[::-1],
    )  # fmt: skip
    for at in range(FUZZED):
        yield made[at % len(made)]()


def test_no_noise_raises_and_none_is_recorded() -> None:
    nodes, at = sorted(ASKED), 0
    for at, text in enumerate(noise()):
        node = nodes[at % len(nodes)]
        found = heard_at(node, text)
        assert found.candidates
        assert set(found.candidates) <= {*QUESTIONS[node].by_choice, "nsp", "na"}
        if found.recorded:
            said = normal(text)
            meant = {word for word in heard(text, MODEL.spelling).words if len(word) > 1}
            assert len(said) <= 4 or meant <= {"oui", "non", "euh"}, (node, text[:80], found)
    sys.stdout.write(f"\nsoak: {at + 1:,} odd texts read\n")


def test_a_long_text_costs_no_more_than_a_short_one() -> None:
    words = "alors chez nous les sauvegardes partent toutes seules la nuit sur un disque que je ramène à la maison "
    short, long = (words * 6)[:500], (words * 120)[:10_000]

    def spent(text: str) -> float:
        best = 1.0
        for _ in range(12):
            began = time.perf_counter()
            heard_at("sau-frequence", text)
            best = min(best, time.perf_counter() - began)
        return best

    assert spent(long) < 1.3 * spent(short) + 0.001


def test_the_model_here_is_the_trained_one() -> None:
    assert EAR.trained
    assert set(MODEL.questions) >= {node for node, question in QUESTIONS.items() if hasattr(question, "weight")}
