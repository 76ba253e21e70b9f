"""A campaign's link, and its kit: who comes by it is let in at once; who guesses an address finds nothing."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import select
from starlette.testclient import TestClient

from bot.house import House
from bot.web.kit import flyer_of, kit_path
from federations import campaigns, kit, waves
from federations.campaigns import Campaign
from federations.tables import campaign_steps, reached, weekly
from store import tables
from tests.conftest import Clock
from tests.web.visitor import Visitor, forms

Device = Callable[[], TestClient]
one_database = pytest.mark.databases("sqlite", because="what a database keeps of a campaign is tested elsewhere")


@pytest.fixture
def campaign(house: House) -> Campaign:
    wanted = Campaign("", "optique", "salon", "Salon de novembre", house.today(), house.today() + timedelta(days=6))
    return house.store.db.write(lambda tx: campaigns.create(tx, wanted, ["optique"]))


def kept(house: House) -> list[tuple[str, str | None, str | None, bool]]:
    columns = tables.conversations.c
    wanted = select(columns.entry, columns.campaign, columns.branch, columns.trial)
    return [tuple(row) for row in house.store.db.read(lambda tx: tx.execute(wanted).all())]


def test_the_link_opens_the_first_page_at_once_with_the_trade_already_told(
    house: House, device: Device, campaign: Campaign
) -> None:
    page = device().get(f"/c/{campaign.code}", follow_redirects=False)
    assert page.status_code == 200, "not one round trip more"
    assert "Avec la Fédération de l'optique d'exemple" in page.text.replace("&#39;", "'")
    assert "Combien de personnes travaillent" in page.text
    assert "Quel est votre métier" not in page.text
    assert kept(house) == [], "a look is not a beginning: mail programs look too"


def test_who_comes_by_it_is_of_the_campaign_its_branch_and_its_channel(
    house: House, device: Device, campaign: Campaign, clock: Clock
) -> None:
    Visitor(device(), f"/c/{campaign.code.lower()}?par=branche&metier=chaussure").answer()
    assert kept(house) == [("salon", campaign.code, "optique", False)]
    clock.forward(days=7)
    told = house.store.db.read(lambda tx: tx.execute(select(campaign_steps)).all())
    assert [tuple(row) for row in told] == [(campaign.code, "begun", 1)]


def test_a_campaign_that_is_over_or_not_open_yet_lets_in_all_the_same(
    house: House, device: Device, campaign: Campaign, clock: Clock
) -> None:
    for days in (-1, 8):
        clock.forward(days=days)
        Visitor(device(), f"/c/{campaign.code}").answer()
    assert kept(house) == [("salon", campaign.code, "optique", False)] * 2
    assert house.store.db.read(lambda tx: tx.execute(select(campaign_steps)).all()) == []


@one_database
def test_a_guessed_code_opens_the_first_page_and_tells_nothing(device: Device, campaign: Campaign) -> None:
    for code in ("ZZZZZZZ", "a b", "..%2f..", "x" * 200, "%00"):
        page = device().get(f"/c/{code}")
        assert page.status_code in (200, 404)
        if page.status_code == 200:
            assert "Quel est votre métier" in page.text
        assert "Avec " not in page.text


def test_a_trial_counts_nowhere(house: House, device: Device, campaign: Campaign) -> None:
    Visitor(device(), f"/c/{campaign.code}?essai=1").to_result()
    assert [row[3] for row in kept(house)] == [True]
    for table in (weekly, campaign_steps, reached):
        assert house.store.db.read(lambda tx, table=table: tx.execute(select(table)).all()) == []  # type: ignore[misc]


def test_a_whole_conversation_is_counted_at_each_step_and_waits_for_its_wave(house: House, device: Device) -> None:
    shop = Visitor(device(), "/")
    shop.to_result()

    def waiting() -> int:
        return sum(each.waiting for each in house.store.db.read(waves.read))

    assert waiting() == 1
    shop.command("answers")
    shop.command("restart")
    shop.command("confirm")
    assert waiting() == 0, "what was forgotten waits no more"
    shop.to_result()
    steps = {(row.step, row.n) for row in house.store.db.read(lambda tx: tx.execute(select(weekly)).all())}
    assert steps == {("begun", 1), ("short_done", 1)}, "begun again is not another conversation"
    assert waiting() == 1


@one_database
def test_the_kit_holds_everything_to_paste(house: House, device: Device, campaign: Campaign) -> None:
    client, base = device(), kit_path(house, campaign.code)
    page = client.get(base)
    assert page.status_code == 200
    assert page.headers["x-robots-tag"] == "noindex"
    for piece in (campaign.issue, f"/c/{campaign.code}?essai=1", "data-campagne", "L'objet"):
        assert piece in page.text.replace("&#39;", "'")
    for link in set(re.findall(rf'(?:href|src)="({re.escape(base)}/[^"]+)"', page.text)):
        piece = client.get(link)
        assert piece.status_code == 200, link
        assert piece.content
    poster = client.get(f"{base}/affiche.pdf")
    assert poster.content.startswith(b"%PDF")
    assert "attachment" in poster.headers["content-disposition"]
    assert Image.open(io.BytesIO(client.get(f"{base}/carre.png").content)).size == (1080, 1080)
    assert client.get(f"{base}/qr.svg").text.lstrip().startswith("<?xml")
    assert forms(page) == [], "nothing here writes anything"


@one_database
def test_a_kit_is_found_by_its_own_address_only(house: House, device: Device, campaign: Campaign) -> None:
    client = device()
    mine = kit_path(house, campaign.code)
    token = mine.rsplit("/", 1)[1]
    absent = kit_path(house, "ABSENT1")
    wrong = [f"/kit/{campaign.code}/{token[:-1]}", f"/kit/{campaign.code}/x", "/kit/ABSENT1/" + token, absent]
    wrong += [f"{mine}/../../x", f"{mine}/lettre.exe", f"{absent}/lettre", f"/kit/{campaign.code}/{'é' * 22}"]
    wrong += [f"/kit/{campaign.code}/null", f"/kit//{token}"]
    for address in wrong:
        page = client.get(address)
        assert page.status_code == 404, address
        assert campaign.issue not in page.text


@one_database
def test_the_letter_follows_nobody_and_says_the_same_in_text(house: House, device: Device, campaign: Campaign) -> None:
    client, base = device(), kit_path(house, campaign.code)
    letter, plain = client.get(f"{base}/lettre.html").text, client.get(f"{base}/lettre.txt").text
    address = flyer_of(house, campaign).address
    assert re.findall(r'(?:href|src|background)="([^"]*)"', letter) == [address], "one link, and nothing to fetch"
    assert not re.search(r"<(img|script|link|style|iframe|form)\b|url\(|@import", letter)
    assert address in plain
    bare = re.sub(r"<!--.*?-->|<[^>]+>|&nbsp;", " ", letter, flags=re.DOTALL)
    missing = [word for word in re.findall(r"\w{6,}", bare) if word.lower() not in plain.lower()]
    assert missing == []


@one_database
def test_the_names_of_a_deployer_are_escaped_in_the_letter(house: House, campaign: Campaign) -> None:
    hostile = replace(flyer_of(house, campaign), federation="<script>alert(1)</script>", price='"><img src=x>')
    letter = kit.text("lettre.html", hostile)
    assert "<script" not in letter
    assert "<img" not in letter
    assert "<script>" in kit.text("lettre.txt", hostile), "as it was written, in plain text"
