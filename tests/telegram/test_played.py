"""The whole Autodiag in a chat, by polling and by webhook, as a manager would play it."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Awaitable, Callable

import pytest

from bot import entrance, turn
from bot.content import Content
from bot.settings import Settings
from bot.telegram.door import telegram_link
from dialogue.events import Clicked
from federations import campaigns
from federations.campaigns import Campaign
from tests.telegram.fake import NAME
from tests.telegram.talk import Talk, talking

one_database = pytest.mark.databases("sqlite", because="what Telegram is told does not depend on the database")
Story = Callable[[Talk], Awaitable[None]]


def play(settings: Settings, content: Content, story: Story, mode: str = "poll") -> None:
    async def all_of_it() -> None:
        async with asyncio.timeout(40), talking(settings, content, mode) as talk:
            await story(talk)
            await talk.settles()

    asyncio.run(all_of_it())


@pytest.mark.parametrize("mode", ["poll", "webhook"])
def test_the_whole_autodiag(settings: Settings, content: Content, mode: str) -> None:
    async def story(talk: Talk) -> None:
        shown = await talk.says("/start")
        for promise in ("Je suis le robot", "de bout en bout", "http://localhost", "Quel est votre métier"):
            assert promise in shown.text
        hello = shown.number
        shown = await talk.presses("Optique-lunetterie")
        assert shown.number > hello, "the words of welcome stay"
        assert talk.telegram.chats[talk.chat][0].buttons == []
        second = shown.number
        shown = await talk.presses("2 à 10")
        assert shown.number == second, "a press changes the message in place"
        while "sur 15" not in shown.text:
            shown = await talk.presses(shown.labels[0])
        assert "1 sur 15" in shown.text

        shown = await talk.presses("Pourquoi cette question ?")
        assert "Pourquoi je demande cela" in shown.text
        assert "1 sur 15" in shown.text
        shown = await talk.presses("Question précédente")
        assert "sur 15" not in shown.text
        ticked = next(label for label in shown.labels if label.startswith("✓ "))
        shown = await talk.presses(ticked)
        assert "1 sur 15" in shown.text
        shown = await talk.presses("Je ne sais pas")
        assert "Pas d'inquiétude" in shown.text
        shown = await talk.presses("Je ne sais toujours pas, continuer")
        assert "2 sur 15" in shown.text

        typed = await talk.says("bla bla bla")
        assert typed.number > shown.number
        assert next(each for each in talk.telegram.chats[talk.chat] if each.number == shown.number).buttons == []
        assert "2 sur 15" in typed.text

        shown = await talk.answers_all()
        assert "Votre niveau estimé" in shown.text
        assert shown.data.startswith(b"\x89PNG")
        assert (await talk.here()).session.short_done
        picture = shown.number

        shown = await talk.presses("1")
        assert shown.number > picture, "the picture of the result stays"
        assert "Étape 1 sur" in shown.text
        while "C'est fait" not in shown.labels:
            shown = await talk.presses("Étape suivante")
        shown = await talk.presses("Plus tard")
        shown = await talk.says("/resultat", lambda shown: shown.kind == "photo")

        shown = await talk.presses("Mon résultat en PDF")
        document = talk.telegram.chats[talk.chat][-2]
        assert (document.kind, document.data[:5]) == ("document", b"%PDF-")
        assert "confidentiel" in document.text

        shown = await talk.says("/reponses")
        assert shown.text.count("\n1. ") == 1
        assert "13. " not in shown.text
        shown = await talk.presses("Suivantes ›")
        assert "13. " in shown.text
        shown = await talk.presses("‹ Précédentes")
        shown = await talk.presses("1")
        assert "Quel est votre métier" in shown.text
        shown = await talk.presses("Bricolage")
        assert (await talk.here()).session.answers["branche"] == "bricolage"

        shown = await talk.says("/tutoriels")
        assert "Les gestes conseillés pour vous" in shown.text
        shown = await talk.presses("2")
        assert "Étape 1 sur" in shown.text

    play(settings, content, story, mode)


@one_database
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("/aide", "Appuyez sur les boutons"),
        ("/privacy", "Responsable : Fédération"),
        ("/mesdonnees", "Ni votre nom, ni votre numéro"),
        ("/rdv", "Camille Exemple"),
        ("/web", "/code et tapez ce code"),
        ("/resultat", "Votre résultat arrive à la fin"),
        ("/tutoriels", "Votre résultat arrive à la fin"),
        ("/start", "Rebonjour"),
        ("/start campagne-2", "Rebonjour"),
        ("/start code-ABCD2345", "ne marche pas, ou plus"),
        ("/aide@autodiag_essai_bot", "Appuyez sur les boutons"),
        ("/inconnue", "métier"),
        ("c'est quoi un VPN ?", "VPN : "),
    ],
)
def test_a_command_answers_without_losing_the_place(
    settings: Settings, content: Content, command: str, said: str
) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        shown = await talk.says(command)
        assert said in shown.text
        assert "Quel est votre métier" in shown.text

    play(settings, content, story)


@one_database
def test_a_pause_and_what_comes_after(settings: Settings, content: Content) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        await talk.presses("Optique-lunetterie")
        shown = await talk.says("/stop")
        assert "tout est gardé" in shown.text
        shown = await talk.says("/reprendre")
        assert "Combien de personnes" in shown.text

    play(settings, content, story)


@one_database
def test_erasing_says_what_is_left_to_delete_by_hand(settings: Settings, content: Content) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        await talk.presses("Optique-lunetterie")
        asked = await talk.says("/supprimer")
        assert "Supprimer la discussion" in asked.text
        talk.telegram.presses(talk.chat, "Oui, tout effacer")
        shown = await talk.telegram.sees(talk.chat, lambda shown: "tout est effacé" in shown.text)
        assert "Supprimer la discussion" in shown.text
        await talk.telegram.sees(talk.chat, lambda _: asked not in talk.telegram.chats[talk.chat])
        shown = await talk.says("merci")
        assert "pas de conversation en cours" in shown.text
        shown = await talk.presses("Commencer")
        assert "Je suis le robot" in shown.text

    play(settings, content, story)


@one_database
@pytest.mark.parametrize("typed", ["bonjour", "/resultat", "/supprimer"])
def test_before_the_beginning_anything_shows_how_to_begin(settings: Settings, content: Content, typed: str) -> None:
    async def story(talk: Talk) -> None:
        shown = await talk.says(typed)
        assert shown.labels == ["Commencer"]

    play(settings, content, story)


@one_database
def test_a_campaign_is_remembered_and_a_strange_one_ignored(settings: Settings, content: Content) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start optique-2026-11")
        talk.telegram.says(talk.chat + 1, "/start pas/une?campagne")
        await talk.telegram.sees(talk.chat + 1, lambda shown: bool(shown.buttons))
        found = await talk.house.store.db.query(
            lambda tx: tx.exec_driver_sql("select entry, campaign from conversations order by entry").all()
        )
        assert [tuple(row) for row in found] == [("branche", "optique-2026-11"), ("direct", None)]

    play(settings, content, story)


@one_database
def test_a_federations_link_greets_in_its_name_and_the_trade_is_known(settings: Settings, content: Content) -> None:
    async def story(talk: Talk) -> None:
        house = talk.house
        wanted = Campaign("OPTIQUE7", "optique", "salon", "Salon", house.today())
        await house.store.db.submit(lambda tx: campaigns.create(tx, wanted, ["optique"]))
        shown = await talk.says("/start OPTIQUE7")
        said = "\n".join(each.text for each in talk.telegram.chats[talk.chat])
        assert "Avec la Fédération de l'optique d'exemple." in html.unescape(said).replace("\N{NO-BREAK SPACE}", " ")
        assert "Combien de personnes" in shown.text
        found = await house.store.db.query(
            lambda tx: tx.exec_driver_sql("select entry, campaign, branch from conversations").all()
        )
        assert [tuple(row) for row in found] == [("salon", "OPTIQUE7", "optique")]

    play(settings, content, story)


async def from_the_web(talk: Talk, *answers: tuple[str, str]) -> tuple[str, str]:
    """A conversation begun on the web; its id and the link to Telegram."""
    house = talk.house
    here, _ = await turn.begin(house, door="web", incoming="form-of-the-web")
    for node, choice in answers:
        here = await turn.take(
            house,
            door="web",
            incoming=f"web-{node}",
            conversation=here.conversation,
            revision=None,
            event=Clicked(node, choice),
        )
    link = telegram_link(house, await entrance.hand_over(house, here.conversation))
    assert link is not None
    return here.conversation, link


async def named(talk: Talk) -> None:
    """Wait until Telegram has told the bot its name."""
    while telegram_link(talk.house, "x") is None:
        await asyncio.sleep(0.01)


@one_database
def test_from_the_web_to_telegram_and_back(settings: Settings, content: Content) -> None:
    async def story(talk: Talk) -> None:
        await named(talk)
        conversation, link = await from_the_web(talk, ("branche", "optique"))
        assert link.startswith(f"https://t.me/{NAME}?start=")
        payload = link.partition("=")[2]
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", payload)
        shown = await talk.says(f"/start {payload}")
        assert "c'est la même conversation" in shown.text
        assert "Combien de personnes" in shown.text
        await talk.presses("2 à 10")
        assert (await talk.here()).session.answers["effectif"] == "2-10"
        shown = await talk.says("/web")
        code = re.search(r"\n([A-Z0-9]{4} [A-Z0-9]{4})\n", shown.text)
        assert code
        token = await entrance.redeem(talk.house, code[1])
        assert isinstance(token, str)
        assert await entrance.who(talk.house, token) == conversation
        shown = await talk.says(f"/start {payload}")
        assert "ne marche pas, ou plus" in shown.text

    play(settings, content, story)


@one_database
@pytest.mark.parametrize("keep", [True, False])
def test_a_chat_that_has_answers_is_asked_which_conversation_to_keep(
    settings: Settings, content: Content, keep: bool
) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        await talk.presses("Chaussure (plusieurs magasins)")
        _, link = await from_the_web(talk, ("branche", "optique"), ("effectif", "1"))
        shown = await talk.says(f"/start {link.partition('=')[2]}")
        assert shown.labels == ["Prendre celle de l'autre appareil", "Garder celle d'ici"]
        shown = await talk.presses(shown.labels[1 if keep else 0])
        assert ("Combien de personnes" in shown.text) is keep

    play(settings, content, story)


@one_database
def test_an_empty_conversation_gives_way_without_a_question(settings: Settings, content: Content) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        _, link = await from_the_web(talk, ("branche", "optique"))
        shown = await talk.says(f"/start {link.partition('=')[2]}")
        assert "c'est la même conversation" in shown.text

    play(settings, content, story)
