"""A link come by e-mail opens the question that waits, and nothing else, by any route, command or door."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from httpx import Response
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from starlette.routing import Route
from starlette.testclient import TestClient

from bot import scope
from bot.api.app import create_api
from bot.content import Content
from bot.house import House
from bot.turn import happen
from bot.web import news
from bot.web.app import ROUTES
from dialogue import engine
from dialogue.events import COMMANDS, Clicked, TimerFired
from dialogue.present import Asked, Message, Progress, Turn, present
from dialogue.session import Session
from dialogue.words import Words
from store import phrases, tables, ways
from tests.web.visitor import Visitor, forms

pytestmark = pytest.mark.databases("sqlite", because="tests/store and tests/bot open and close ways on both")
Devices = Callable[[], TestClient]
NONCE = "n" * 24
PHRASE = ("école", "médaille", "abeille", "zoologie")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(phrases._COST, "n", 2)


def conversations_of(house: House) -> list[str]:
    return list(house.store.db.read(lambda tx: tx.scalars(select(tables.conversations.c.id)).all()))


def mailed(house: House, conversation: str) -> str:
    """The token of a link sent by e-mail."""

    def work(tx: Connection) -> str:
        return ways.issue(tx, house.store.keyring, conversation, "mail", house.today())

    return house.store.db.write(work)


def with_phrase(house: House, conversation: str) -> None:
    kept = phrases.harden(house.store.keyring, conversation, PHRASE)
    house.store.db.write(lambda tx: phrases.keep(tx, conversation, kept))


def follow(device: TestClient, token: str) -> Visitor:
    """Somebody who pressed the button of a mailed link on a device that knew nothing."""
    somebody = Visitor(device, f"/m/{token}")
    somebody.send(next(form for form in forms(somebody.page) if form.action == f"/m/{token}"))
    return somebody


@pytest.fixture
def begun(house: House, visitor: Visitor) -> str:
    """A conversation with three answers."""
    for place in (7, 1, 0):
        visitor.answer(place)
    (made,) = conversations_of(house)
    return made


@pytest.fixture
def stranger(house: House, device: Devices, begun: str) -> Visitor:
    """Whoever holds the mailed link, on another device."""
    return follow(device(), mailed(house, begun))


def asked(page: Response) -> str:
    found = re.search(r'id="question"[^>]*>([^<]*)', page.text)
    return found[1] if found else ""


KEPT = (tables.conversations, tables.facts, tables.codes, tables.contacts, tables.phrases, tables.outbox)


def snapshot(house: House) -> list[Any]:
    return house.store.db.read(lambda tx: [tx.execute(select(table)).all() for table in KEPT])


def test_the_link_does_nothing_before_its_button_and_then_opens_the_very_question(
    house: House, device: Devices, visitor: Visitor, begun: str
) -> None:
    token, other = mailed(house, begun), device()
    assert "Reprendre où j'en étais" in other.get(f"/m/{token}").text
    assert "Je ne retrouve pas" in other.get("/autodiag").text
    somebody = follow(other, token)
    assert asked(somebody.page) == asked(visitor.page)
    here = asked(somebody.page)
    assert asked(somebody.answer()) not in ("", here)
    assert asked(visitor.open("/autodiag")) == asked(somebody.page)


def test_it_works_again_and_again_for_ninety_days_from_its_last_use(
    house: House, clock: Any, device: Devices, begun: str
) -> None:
    token = mailed(house, begun)
    clock.forward(days=80)
    assert asked(follow(device(), token).page)
    clock.forward(days=80)
    assert asked(follow(device(), token).page)
    clock.forward(days=91)
    assert "Ce lien n'ouvre plus rien" in follow(device(), token).page.text


def test_the_question_comes_without_the_answers_before_it(visitor: Visitor, stranger: Visitor) -> None:
    assert "Optique-lunetterie" in visitor.page.text
    for shown in ("Optique-lunetterie", "2 à 10", 'class="past"', "Mes réponses", "Question précédente"):
        assert shown in visitor.page.text
        assert shown not in stranger.page.text
    for text in (
        "Pourquoi cette question",
        "Comment le savoir",
        "Faire une pause",
        "Je suis attaqué",
        'action="/autodiag"',
    ):
        assert text in stranger.page.text


def test_an_answer_given_before_is_not_shown_when_its_question_is_asked_again(
    visitor: Visitor, stranger: Visitor
) -> None:
    visitor.command("back")
    assert "<span>votre réponse" in visitor.page.text
    page = stranger.open("/autodiag").text
    assert asked(visitor.page) in page
    assert "<span>votre réponse" not in page
    assert "given" not in page.partition("<main")[2]


@pytest.mark.parametrize("finished", [False, True])
def test_every_command_but_those_of_the_question_is_refused_and_changes_nothing(
    house: House, visitor: Visitor, stranger: Visitor, finished: bool
) -> None:
    if finished:
        visitor.to_result()
    for command in COMMANDS:
        before = snapshot(house)
        sent = {"id": f"{NONCE}{command}", "command": command, "word": "vpn", "node": "effectif"}
        page = stranger.client.post("/autodiag", data=sent)
        for word in ("Optique", "Niveau estimé", "2 à 10"):
            assert word not in page.text, command
        if command in scope.COMMANDS:
            assert page.status_code == 200, command
        else:
            assert page.status_code == 403, command
            assert "Rien n'a changé" in page.text
            assert snapshot(house) == before, command


def test_typing_a_command_opens_no_more_than_pressing_it(house: House, stranger: Visitor) -> None:
    before = snapshot(house)
    asking = stranger.choices()
    asking.fields.pop("node")
    for typed in ("supprimer", "mes réponses", "retour", "recommencer", "résultat"):
        page = stranger.send(asking, text=typed)
        assert "Optique" not in page.text
        assert page.status_code == 403, typed
        assert snapshot(house) == before


def test_a_late_or_guessed_answer_does_not_tell_the_one_that_stands(visitor: Visitor, stranger: Visitor) -> None:
    """On a device that knows everything, the same answer again goes on and another is told what stands."""
    old = {"id": NONCE, "revision": "1", "node": "branche"}
    told = [
        stranger.client.post("/autodiag", data={**old, "id": f"{NONCE}{choice}", "choice": choice})
        for choice in ("optique", "chaussure")
    ]
    assert told[0].status_code == told[1].status_code == 409
    assert plain(told[0].text) == plain(told[1].text)


def plain(page: str) -> str:
    """A page without what is drawn anew each time."""
    return re.sub(r'(name="id" value=")[^"]+', r"\1", page)


def requests() -> list[tuple[str, str, dict[str, str]]]:
    """Every route there is, each way it can be asked."""
    found: list[tuple[str, str, dict[str, str]]] = []
    for route in ROUTES:
        assert isinstance(route, Route)
        path = re.sub(r"\{\w+\}", "abc", route.path)
        if "POST" not in (route.methods or ()):
            found.append(("GET", path, {}))
            continue
        forms_of = FORMS if path in OURS else FORMS[:1]
        found += [("POST", path, {"id": NONCE, **more}) for more in ({}, *forms_of)]
    return found


OURS = {"/mon-lien", "/me-prevenir", "/phrase", "/code", "/resultat.pdf"}
FORMS = (
    *({"faire": what} for what in ("lien", "code", "telegram", "fermer", "oublier", "retirer", "phrase")),
    {"faire": "laisser", "adresse": "a@b.fr"},
    {"phrase": "une phrase de passe"},
    {"code": "ABCD2345"},
)


def test_no_route_shows_one_firm_s_answers_or_does_more_for_a_mailed_link(
    house: House, device: Devices, begun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two firms that answered differently and are asked the same question look the same, everywhere."""
    other = Visitor(device())
    for place in (5, 2, 0):
        other.answer(place)
    (second,) = set(conversations_of(house)) - {begun}
    both = [follow(device(), mailed(house, each)) for each in (begun, second)]
    assert asked(both[0].page) == asked(both[1].page) != ""
    monkeypatch.setattr(news, "_stream", lambda *_: iter(["data: 1\n\n"]))  # one that opened would never end
    assert [each.open("/autodiag/nouvelles").status_code for each in both] == [204, 204]
    before = snapshot(house)
    for method, path, fields in requests():
        if (method, path) in {("POST", "/e/abc"), ("POST", "/autodiag"), ("POST", "/integre")}:
            continue  # no token of ours; the chat has its own tests
        pages = []
        for each in both:
            cookies = dict(each.client.cookies)
            each.client.cookies.clear()
            each.client.cookies.update(cookies)
            pages.append(each.client.request(method, path, data=fields or None))
            each.client.cookies.clear()
            each.client.cookies.update(cookies)
        assert plain(pages[0].text) == plain(pages[1].text), (method, path, fields)
        assert pages[0].status_code == pages[1].status_code
        assert snapshot(house) == before, (method, path, fields)


def test_a_page_that_is_closed_says_what_opens_it(stranger: Visitor) -> None:
    for path in ("/mon-lien", "/vos-donnees.json", "/me-prevenir"):
        page = stranger.open(path)
        assert page.status_code == 403
        assert "quatre mots" in page.text
        assert 'action="/phrase"' in page.text
    assert "Emporter" not in stranger.open("/vos-donnees").text


def test_the_token_of_a_mail_opens_no_other_door(house: House, device: Devices, begun: str) -> None:
    token, other = mailed(house, begun), device()
    page = other.post(f"/r/{token}", data={"id": NONCE})
    assert "Ce lien n'ouvre plus rien" in page.text
    assert "Je ne retrouve pas" in other.get("/autodiag").text
    assert asked(other.post("/integre/questions", data={"id": NONCE, "acces": token, "hote": ""})) == ""
    api = TestClient(create_api(house))
    bearer = {"Authorization": f"Bearer {token}"}
    assert api.get(f"/conversations/{begun}", headers=bearer).status_code in (401, 403, 404)
    assert api.delete(f"/conversations/{begun}", headers=bearer).status_code in (401, 403, 404)
    assert conversations_of(house) == [begun]


def test_a_return_link_is_no_mailed_link(house: House, device: Devices, begun: str) -> None:
    token = house.store.db.write(lambda tx: ways.issue(tx, house.store.keyring, begun, "link", house.today()))
    assert "Ce lien n'ouvre plus rien" in follow(device(), token).page.text


def test_the_device_that_knew_everything_still_does(house: House, visitor: Visitor, begun: str) -> None:
    visitor.open(f"/m/{mailed(house, begun)}")
    visitor.send(next(form for form in forms(visitor.page) if form.action.startswith("/m/")))
    assert 'class="past"' in visitor.page.text


def test_a_device_of_another_firm_is_told_what_it_would_lose(house: House, device: Devices, begun: str) -> None:
    other = Visitor(device())
    other.answer(2)
    assert "connaît déjà un autre autodiagnostic" in other.open(f"/m/{mailed(house, begun)}").text


def test_finished_by_a_mailed_link_the_result_is_said_to_wait_and_not_shown(
    house: House, visitor: Visitor, stranger: Visitor
) -> None:
    page = stranger.to_result()
    assert "Votre résultat vous attend" in page.text
    assert "sur l'appareil où vous avez commencé" in page.text
    for word in ("Niveau estimé", "satisfaisant", "faible", "sur 100", "À faire cette semaine", "Optique"):
        assert word not in page.text.partition("<main")[2]
    assert "Niveau estimé" in visitor.open("/autodiag").text


def test_pausing_by_a_mailed_link_and_going_on(stranger: Visitor) -> None:
    here = asked(stranger.page)
    assert "À tout à l'heure" in stranger.command("pause").text
    assert asked(stranger.command("resume")) == here


def test_the_four_words_open_everything_for_good(house: House, stranger: Visitor, begun: str) -> None:
    with_phrase(house, begun)
    stranger.open("/phrase")
    form = next(form for form in forms(stranger.page) if form.action == "/phrase")
    page = stranger.send(form, mots="Ecole, medaille, ABEILLE zoologie")
    assert 'class="past"' in page.text
    assert stranger.open("/mon-lien").status_code == 200


def test_wrong_words_are_told_how_many_tries_are_left_then_what_to_do(
    house: House, stranger: Visitor, begun: str
) -> None:
    assert (
        "Il n'y a pas de phrase" in stranger.client.post("/phrase", data={"id": NONCE, "mots": " ".join(PHRASE)}).text
    )
    with_phrase(house, begun)

    def typed(words: str) -> Response:
        page: Response = stranger.client.post("/phrase", data={"id": NONCE, "mots": words})
        return page

    unread = typed("école médaille abeille")
    assert unread.status_code == 422
    assert "Il faut les 4 mots" in unread.text
    wrong = " ".join(reversed(PHRASE))
    assert "il vous reste 4 essais" in typed(wrong).text
    assert ["il vous reste un essai" in typed(wrong).text for _ in range(3)] == [False, False, True]
    assert "ou votre lien" in typed(wrong).text
    closed = typed(" ".join(PHRASE))
    assert closed.status_code == 403
    assert "essayée trop de fois" in closed.text
    assert "Je ne retrouve pas" not in stranger.open("/autodiag").text


def test_whoever_has_no_link_has_no_phrase_to_try(device: Devices) -> None:
    page = device().post("/phrase", data={"id": NONCE, "mots": " ".join(PHRASE)})
    assert page.status_code == 403


def say(house: House, conversation: str, moment: str, about: str = "") -> None:
    """The bot speaks first, as its timer would make it."""
    fired = TimerFired(moment, about)
    house.store.db.write(lambda tx: happen(house, tx, conversation, fired, "timer"))


def test_the_question_of_a_small_flow_its_later_and_its_never_again(
    house: House, visitor: Visitor, stranger: Visitor, begun: str
) -> None:
    visitor.to_result()
    visitor.command("book")
    say(house, begun, "visite-voulue-1")
    page = stranger.open("/autodiag").text
    assert "On fixe un moment" in page
    assert "Niveau estimé" not in page
    assert ("command", "quiet") in [button for form in forms(stranger.page) for button in form.buttons]
    assert "Votre résultat vous attend" in stranger.command("leave").text
    say(house, begun, "visite-voulue-2")
    stranger.open("/autodiag")
    said = stranger.command("quiet").text
    assert "je ne vous écrirai plus" in said
    assert "Niveau estimé" not in said


def test_of_a_visit_a_mailed_link_shows_nothing() -> None:
    """Where and when somebody comes, and the code at the door, are not for whoever reads a mailbox."""
    told = Message("thanks", "C'est réservé : jeudi à 10 h, 1 rue du Canari. Le code à la porte est CANARI.")
    booked = Turn("done", "end", (told,), None, (), flow=scope.BOOKING)
    address = Asked("rdv-adresse", "rdv", "", "À quelle adresse ?", "", (), Progress(0, 1), "1 rue du Canari")
    booking = replace(booked, place="question", question=address, messages=(Message("shows", told.text),))
    freed = replace(booking, question=replace(address, node="rdv-place", previous=""))
    for turn in (booked, booking):
        assert "canari" not in repr(scope.glimpse(turn)).lower()
        assert scope.glimpse(turn).place == "rest"
    assert scope.glimpse(freed).question == freed.question, "whether a place that is free is wanted is asked"


def test_wanting_the_visit_by_a_mailed_link_leads_to_the_four_words(
    house: House, visitor: Visitor, stranger: Visitor, begun: str
) -> None:
    visitor.to_result()
    say(house, begun, "visite-voulue-1")
    stranger.open("/autodiag")
    page = stranger.answer(0)
    assert page.status_code == 200
    assert "rdv-" not in page.text
    assert 'action="/phrase"' in page.text
    assert "Niveau estimé" not in page.text


def test_only_the_question_in_front_takes_an_answer(
    house: House, visitor: Visitor, stranger: Visitor, begun: str
) -> None:
    behind = visitor.choices()
    say(house, begun, "visite-voulue-1")
    stranger.open("/autodiag")
    before = snapshot(house)
    sent = {**stranger.choices().fields, "node": behind.fields["node"], "choice": behind.buttons[0][1]}
    assert stranger.client.post("/autodiag", data=sent).status_code == 403
    assert snapshot(house) == before


def test_what_a_small_flow_leads_to_is_not_shown_either(
    house: House, visitor: Visitor, stranger: Visitor, begun: str
) -> None:
    visitor.to_result()
    tutorial = next(form for form in forms(visitor.page) if ("command", "tutorial") in form.buttons)
    visitor.send(tutorial, command="tutorial")
    title = house.words.tutorials[tutorial.fields["word"]].title
    assert title in visitor.page.text
    say(house, begun, "tutoriel", tutorial.fields["word"])
    assert title in visitor.open("/autodiag").text
    assert "c'est fait" in stranger.open("/autodiag").text.replace("&#39;", "'")
    assert title not in stranger.page.text, "which tutorial was opened tells what is weak"
    page = stranger.answer(0).text
    assert asked(stranger.page)
    for hidden in (title, "Bravo", "<span>votre réponse", "Niveau estimé"):
        assert hidden not in page
    assert "sur 100" not in stranger.to_result().text


@pytest.fixture(scope="module")
def words(content: Content) -> Words:
    from bot.settings import load_settings

    return Words(load_settings(), content.tutorials, content.referential.glossary)


@settings(max_examples=25)
@given(data=st.data())
def test_what_a_mailed_link_shows_does_not_depend_on_what_was_answered(
    content: Content, words: Words, data: st.DataObject
) -> None:
    """Of two firms asked the same question as far along, whatever they answered before, nothing differs."""
    flow = content.flow
    session: Session = engine.begin(flow)
    for _ in range(data.draw(st.integers(2, 20))):
        step = engine.asking(flow, session)
        if step is None:
            break
        choice = data.draw(st.sampled_from([each.id for each in step.question.choices]))
        session = engine.step(flow, session, Clicked(step.question.id, choice, certain=True)).session
    node = data.draw(st.sampled_from(sorted(session.answers)))
    question = flow.question(node)
    assert question
    for each_choice in question.choices:
        other = replace(session, answers={**session.answers, node: each_choice.id})
        one, two = (scope.glimpse(present(flow, each, words)) for each in (session, other))
        if one.question and two.question and one.question.progress == two.question.progress:
            if one.question.node == two.question.node:
                assert one == two
        elif one.question is two.question is None:
            assert one == two
