"""Whatever a manager answers, what is shown holds in Telegram's limits, and every button leads somewhere."""

from __future__ import annotations

import random

import pytest

from bot.content import Content
from bot.settings import Settings
from bot.telegram import keys
from bot.telegram.face import CAPTION, LONG, TEXT, Face, Part, View, face, plain
from bot.telegram.setup import MENU
from bot.turn import Present
from dialogue import engine
from dialogue.engine import Refused
from dialogue.events import Clicked, Commanded
from dialogue.session import Session
from dialogue.sessions import Flows, Sessions
from dialogue.words import Words
from tests.telegram.rules import BUTTONS, length, read_html

pytestmark = pytest.mark.databases("sqlite", because="nothing here touches a database")


@pytest.fixture
def words(settings: Settings, content: Content) -> Words:
    return Words(settings, content.tutorials, content.referential.glossary)


def here_of(content: Content, session: Session, revision: int = 1) -> Present:
    held = Sessions(session)
    return Present("c", revision, Flows(content.flow, content.forms, {}, content.referential.plan), held)


def fits(shown: Face) -> None:
    for text in shown.texts:
        assert 1 <= length(read_html(text)) <= TEXT
    if shown.caption is not None:
        assert length(read_html(shown.caption)) <= CAPTION
    assert shown.keyboard
    rows = shown.keyboard.inline_keyboard
    labels = [button.text for row in rows for button in row]
    assert sum(map(len, rows)) <= BUTTONS
    assert all(1 <= len(row) <= 8 for row in rows)
    assert all(label.strip() for label in labels)
    assert len(set(labels)) == len(labels), f"two buttons look the same: {labels}"
    for button in (button for row in rows for button in row):
        assert 1 <= len(str(button.callback_data).encode()) <= 64
        assert keys.read(str(button.callback_data)) is not None


@pytest.mark.parametrize("seed", range(12))
def test_random_journeys_hold_in_the_limits(content: Content, words: Words, seed: int) -> None:
    luck, flow = random.Random(seed), content.flow
    session = engine.begin(flow)
    for revision in range(1, 90):
        here = here_of(content, session, revision)
        view: View = "tutorials" if session.short_done and luck.random() < 0.1 else ""
        fits(face(here, words, view=view, page=luck.randrange(9), said=["Une phrase de plus."] * luck.randrange(2)))
        shown = face(here, words)
        assert shown.keyboard
        options = [button for row in shown.keyboard.inline_keyboard for button in row]
        key = keys.read(str(luck.choice(options).callback_data))
        if luck.random() < 0.7 and (step := engine.asking(flow, session)):
            key = keys.Pick(revision, step.question.id, luck.choice([*(c.id for c in step.question.choices), "nsp"]))
        match key:
            case keys.Pick(_, node, choice):
                event: Clicked | Commanded = Clicked(node, choice, certain=True)
            case keys.Order(_, name, node, word) if name not in ("erase", "restart"):
                event = Commanded(name, node, word)
            case _:
                continue
        try:
            session = engine.step(flow, session, event).session
        except Refused as refused:
            raise AssertionError(f"a button that is shown is refused: {event}") from refused


def test_every_id_of_the_content_holds_in_a_button(content: Content) -> None:
    for node, question in content.flow.questionnaire.by_id.items():
        for choice in (*(choice.id for choice in question.choices), "nsp", "na"):
            pick = keys.Pick(99_999, node, choice)
            assert keys.read(keys.write(pick)) == pick
        edit = keys.Order(99_999, "edit", node)
        assert keys.read(keys.write(edit)) == edit
    for tutorial in content.tutorials:
        assert keys.write(keys.Order(99_999, "tutorial", "", tutorial.id))


def test_an_id_too_long_for_a_button_is_an_error_here_not_at_telegram() -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        keys.write(keys.Pick(1, "n" * 40, "é" * 20))


def test_long_labels_are_numbered_in_the_text(content: Content, words: Words) -> None:
    flow = content.flow
    session = engine.begin(flow)
    numbered = 0
    while (step := engine.asking(flow, session)) is not None:
        shown = face(here_of(content, session), words)
        assert shown.keyboard
        labels = [button.text for row in shown.keyboard.inline_keyboard for button in row]
        long = [choice for choice in step.question.choices if len(choice.label) > LONG]
        for place, choice in enumerate(step.question.choices, 1):
            if long:
                assert f"{place}. {choice.label}" in "\n".join(part.text for part in shown.parts)
                assert str(place) in labels
            else:
                assert choice.label in labels
        assert "Je ne sais pas" in labels
        assert "Question précédente" in labels
        numbered += bool(long)
        session = engine.step(flow, session, Clicked(step.question.id, step.question.choices[0].id)).session
    assert numbered


@pytest.mark.parametrize("text", ["a" * 9000, "é\n" * 5000, "😀" * 3000, "<b>&" * 2000])
def test_a_text_too_long_is_cut_into_messages_and_loses_nothing(text: str) -> None:
    shown = Face((Part("Titre", "b"), Part(text)), None)
    read = [read_html(each) for each in shown.texts]
    assert all(length(each) <= TEXT for each in read)
    assert "".join(read).replace("\n", "") == "Titre" + text.replace("\n", "")


def test_markup_in_words_is_shown_as_it_is() -> None:
    assert plain("<script> & <b>").texts == ("&lt;script&gt; &amp; &lt;b&gt;",)


def test_the_sentences_of_this_door_hold_in_their_limits(settings: Settings, words: Words) -> None:
    assert length(words.say("telegram_description")) <= 512
    assert length(words.say("telegram_short_description")) <= 120
    assert all(words.label(f"command_{name}") for name in MENU)
