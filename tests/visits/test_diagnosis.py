"""After and beside a visit: the expert's opinion, a firm that phoned, answers that changed the day before."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pikepdf
import pytest
from sqlalchemy import Connection

from bot.house import House
from bot.turn import erase, look
from bot.visit import diagnosis as rooms
from bot.web.app import create_app
from dialogue.events import Commanded
from dialogue.expert import diagnosis
from papers.result import result_pdf
from store import ways
from tests.access.conftest import Guest, browser_of, guest
from tests.bot.test_turn import run, to_result
from tests.conftest import Clock
from tests.visits.conftest import LEA
from tests.visits.test_chat import booked, go, opened, visit_of
from tests.visits.test_letters import post, text_of, to
from tests.visits.test_space import AGENDA, another_answer, at, files, lea, log, page, plain, send, settings
from tests.web.conftest import client_of
from visits import bookings

__all__ = ["browser_of", "guest", "lea", "settings"]
NEW = f"{AGENDA}/nouvelle"
SQLITE = pytest.mark.databases("sqlite", because="the same statements are tried on both beside")


def test_the_expert_s_opinion_stands_beside_the_estimate_and_goes_with_the_conversation(
    house: House, lea: Guest, clock: Clock
) -> None:
    here = booked(house, opened(house))
    visit = visit_of(house, here)
    notes = {f"note-{theme.id}": str(5 * n) for n, theme in enumerate(house.flow.questionnaire.themes)}
    clock.at = visit.ends_at
    lea.enter()
    assert "notez d'abord qu'elle est faite" in send(lea.client, f"{at(visit)}/diagnostic", 409, **notes)
    send(lea.client, at(visit), faire="etape", jalon="visite", jour=clock().date().isoformat())
    send(lea.client, f"{at(visit)}/diagnostic", **notes)
    assert "Niveau faible</strong>, 35 sur 100" in page(lea.client, f"{at(visit)}/diagnostic")
    now = run(look(house, here.conversation))
    found = diagnosis(now.flow, now.session.values)
    assert found
    assert (found.note, found.level, len(found.themes)) == (35, "faible", 15)
    assert found.themes[-1].level == "satisfaisant"
    for bad in ("101", "-1", "4,5", "beaucoup"):
        first = next(iter(notes))
        assert "écrivez un nombre entier" in send(lea.client, f"{at(visit)}/diagnostic", 422, **{first: bad})
    stays = house.store.db.read(lambda tx: rooms.kept(house, tx, visit))
    assert len(stays) == 15
    send(lea.client, f"{at(visit)}/diagnostic", **dict.fromkeys(notes, ""))
    now = run(look(house, here.conversation))
    assert diagnosis(now.flow, now.session.values) is None
    send(lea.client, f"{at(visit)}/diagnostic", **notes)
    assert files(house) == 1
    run(erase(house, here.conversation))
    assert files(house) == 0


@SQLITE
def test_its_manager_reads_it_on_the_result_and_on_paper(house: House, lea: Guest) -> None:
    here = booked(house, opened(house))
    visit = visit_of(house, here)
    to_result(house, go(house, here, Commanded("leave")))

    def work(tx: Connection) -> str:
        bookings.mark(tx, visit, "visit", visit.starts_at.date())
        rooms.keep(house, tx, visit.id, visit.consultant, {"sauvegardes": 40, "pilotage": 90})
        return ways.issue(tx, house.store.keyring, here.conversation, "device", house.today())

    token = house.store.db.write(work)
    client = client_of(create_app(house))
    client.cookies.set("autodiag", token)
    told = page(client, "/autodiag")
    assert "L'avis de l'expert</h2>" in told
    assert "Niveau moyen</strong>, 65 sur 100" in told
    assert "90, satisfaisant" in told
    now = run(look(house, here.conversation))
    drawn = result_pdf(now.flow, now.session, house.words, date=house.today())
    with pikepdf.open(io.BytesIO(drawn)) as paper:
        assert paper.pages


def test_a_firm_that_phoned_is_booked_among_free_times_only(house: House, lea: Guest) -> None:
    told = page(lea.client, NEW)
    moment = re.findall(r'option value="(\d{8}-\d{4})"', told)[3]
    typed = {
        "moment": moment,
        "rdv-entreprise": "Chaussures Rémi",
        "rdv-contact": "M. Rémi",
        "rdv-telephone": "0199000000",
        "rdv-postal": "75003",
        "rdv-adresse": "3 rue du Pas",
        "rdv-siret": "732 829 320 00074",
        "metier": "chaussure",
    }
    for name, value, said in (
        ("rdv-siret", "123", "SIRET"),
        ("rdv-telephone", "12", "téléphone"),
        ("rdv-entreprise", " ", "entreprise"),
        ("moment", "20261101-0900", "vient d"),
        ("moment", "<script>", "Choisissez un moment"),
    ):
        assert said in send(lea.client, NEW, 422, **(typed | {name: value}))
    assert page(lea.client, AGENDA).count("Chaussures") == 0
    answer = lea.client.post(NEW, data={"id": "n" * 24, **typed}, follow_redirects=True)
    assert answer.status_code == 200
    shown = plain(answer.text)
    assert "01 99 00 00 00" in shown
    assert re.search(r'class="code">\d{4}<', shown)
    assert "C'est réservé" in shown
    assert "vient d" in send(lea.client, NEW, 422, **typed), "sent twice, it is booked once"
    assert "confirmer la visite" in page(lea.client, AGENDA)
    assert "Réserver cette visite" in page(lea.client, f"{NEW}?ou=distance")


def test_the_day_before_a_letter_says_that_answers_changed_and_nothing_more(
    house: House, lea: Guest, clock: Clock
) -> None:
    clock.at += timedelta(hours=6)
    here = booked(house, opened(house))
    quiet = booked(house, opened(house))
    visit = visit_of(house, here)
    post(house)
    another_answer(house, here)
    clock.at = visit.starts_at - timedelta(hours=23)
    letters = [each for each in to(post(house), LEA.email) if "Du nouveau" in str(each["Subject"])]
    assert len(letters) == 1, "not about the visit whose answers stayed"
    assert visit.id in text_of(letters[0])
    assert "Optique Bastille" not in letters[0].as_string()
    lea.enter()
    assert "Depuis la synthèse" in page(lea.client, f"{at(visit)}/synthese")
    assert log(house, quiet) == []
