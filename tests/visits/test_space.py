"""The consultant's agenda, a visit and its summary: what they read, what is noted of it, what they may change."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pikepdf
import pytest
from sqlalchemy import Connection, func, select
from starlette.testclient import TestClient

from access.openings import openings
from bot.house import House
from bot.settings import Mail, Settings
from bot.turn import Present
from bot.visit import changes, handover, notices
from bot.visit.rules import rules
from dialogue.events import Clicked, Commanded, ReadAnswer, Wrote
from tests.access.conftest import Guest, browser_of, guest
from tests.conftest import Clock
from tests.visits.conftest import LEA, OFFICE
from tests.visits.test_chat import asked, booked, chosen, go, opened, options, to_confirm, visit_of
from visits import bookings, calls, consultants
from visits.bookings import Booking, Wanted
from visits.tables import visit_files

__all__ = ["browser_of", "guest"]

AGENDA, ID = "/espace/consultant", "n" * 24
HOSTILE = """<script>alert(1)</script>"><img src=x onerror=alert(1)> =2+3 #import "a" $x$ {{ 7*7 }}"""
NONCE = re.compile(r'name="id" value="[^"]+"')
PHONE = {"rdv_joindre": Clicked("rdv-joindre", "telephone")}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Letters are written in a folder."""
    mail = {"developpement_dossier": str(tmp_path / "letters"), "adresse": "autodiag@programme.example"}
    return settings.model_copy(update={"mail": Mail.model_validate(mail)})


@pytest.fixture
def lea(house: House, guest: Callable[..., Guest]) -> Guest:
    """The only consultant, signed in."""
    someone = guest("consultant", "Léa Martin", firm="Cabinet Exemple")
    assert someone.account
    employ(house, someone)
    return someone


def employ(house: House, someone: Guest) -> None:
    account = someone.account
    assert account

    def work(tx: Connection) -> None:
        consultants.change(tx, changes.consultant_joins(house, tx, account), LEA)
        consultants.set_hours(tx, account.id, OFFICE)

    house.store.db.write(work)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u2060", "")


def page(client: TestClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return plain(answer.text)


def send(client: TestClient, path: str, status: int = 303, /, **fields: str) -> str:
    answer = client.post(path, data={"id": ID, **fields}, follow_redirects=False)
    assert answer.status_code == status, answer.text
    return plain(answer.text)


def at(visit: Booking) -> str:
    return f"{AGENDA}/visites/{visit.id}"


def log(house: House, here: Present) -> list[str]:
    """What was opened of a conversation, oldest first."""
    found = house.store.db.read(lambda tx: openings(tx, house.store.keyring, here.conversation))
    return [each.what for each in reversed(found)]


def phoned(house: House, lea: Guest, told: dict[str, str], days: int = 3) -> Booking:
    assert lea.account
    only = lea.account.id

    def work(tx: Connection) -> Booking:
        keyring, now, want = house.store.keyring, house.now(), Wanted(True, "75", None, only=only)
        start = next(
            each for each in bookings.times(tx, keyring, rules(house), now, want) if each > now + timedelta(days)
        )
        held = bookings.hold(tx, keyring, rules(house), now, want, start, conversation=None)
        assert held is not None
        found = bookings.confirm(tx, keyring, held, told | {"code": "0427"}, now, None)
        notices.booked(house, tx, found, told)
        return found

    return house.store.db.write(work)


def another_answer(house: House, here: Present) -> None:
    """The manager goes on with the Autodiag."""
    here = go(house, here, Commanded("leave"))
    go(house, here, Clicked(asked(house, here), next(iter(options(house, here)))))


def files(house: House) -> int:
    return house.store.db.read(lambda tx: tx.scalar(select(func.count()).select_from(visit_files))) or 0


def test_the_agenda_tells_the_next_visit_and_the_visit_tells_the_rest(house: House, lea: Guest) -> None:
    here = booked(house, opened(house))
    visit = visit_of(house, here)
    told = page(lea.client, AGENDA)
    assert "Prochaine visite" in told
    assert "Optique Bastille" in told
    assert "12 rue de la Roquette" not in told
    assert log(house, here) == [], "an agenda says when and whom"
    told = page(lea.client, at(visit))
    code = (house.store.db.read(lambda tx: bookings.details(tx, house.store.keyring, visit)) or {})["code"]
    for part in ("12 rue de la Roquette", "Nadia", "nadia@optique.example", "732829320", code, "75011"):
        assert part in told, part
    assert log(house, here) == ["visit"]


def test_the_summary_is_read_as_a_page_and_as_a_paper_and_each_opening_is_noted(house: House, lea: Guest) -> None:
    here = booked(house, opened(house))
    visit = visit_of(house, here)
    assert "Optique-lunetterie" in page(lea.client, f"{at(visit)}/synthese")
    answer = lea.client.get(f"{at(visit)}/synthese.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    with pikepdf.open(io.BytesIO(answer.content)) as drawn:
        assert 1 <= len(drawn.pages) <= 3
    assert log(house, here) == ["summary", "summary_paper"]


def test_a_later_answer_is_marked_once_read_and_stays_marked(house: House, lea: Guest) -> None:
    here = booked(house, opened(house))
    visit = visit_of(house, here)

    def changed() -> bool:
        return house.store.db.read(lambda tx: handover.changed(house, tx, visit))

    assert "Depuis la synthèse" not in page(lea.client, f"{at(visit)}/synthese")
    assert not changed()
    another_answer(house, here)
    assert changed()
    for _ in range(2):
        told = page(lea.client, f"{at(visit)}/synthese")
        assert "Depuis la synthèse du 23 novembre 2026" in told
        assert 'class="changed"' in told
    assert not changed()


@pytest.mark.parametrize("agreed", ["suite", "aujourdhui", "coordonnees"])
def test_the_managers_own_words_go_with_the_answers_and_only_with_them(house: House, lea: Guest, agreed: str) -> None:
    here = opened(house)
    node, words = asked(house, here), "le mien seulement, depuis la panne de mai"
    choice = next(iter(options(house, here)))
    here = go(house, here, ReadAnswer(node, choice, words=words), Commanded("book"), Clicked("rdv-accord", agreed))
    here = go(house, here, Clicked("rdv-mode", "sur-place"), Wrote("rdv-postal", "75011"))
    here = go(house, to_confirm(house, chosen(house, here)), Clicked("rdv-confirmer", "oui"))
    told = page(lea.client, f"{at(visit_of(house, here))}/synthese")
    assert (words in told) == (agreed != "coordonnees")


@pytest.mark.parametrize(
    ("agreed", "said"), [("aujourdhui", "Optique-lunetterie"), ("coordonnees", "n'a pas fait l'Autodiag")]
)
def test_only_what_was_agreed_is_handed_over(house: House, lea: Guest, agreed: str, said: str) -> None:
    here = opened(house)

    first = (
        Commanded("book"),
        Clicked("rdv-accord", agreed),
        Clicked("rdv-mode", "sur-place"),
        Wrote("rdv-postal", "75011"),
    )
    here = go(house, here, *first)
    here = go(house, to_confirm(house, chosen(house, here)), Clicked("rdv-confirmer", "oui"))
    visit = visit_of(house, here)
    before = page(lea.client, f"{at(visit)}/synthese")
    assert said in before
    another_answer(house, here)
    after = page(lea.client, f"{at(visit)}/synthese")
    assert NONCE.sub("", after) == NONCE.sub("", before)
    assert not house.store.db.read(lambda tx: handover.changed(house, tx, visit))


def test_a_firm_that_phoned_is_read_as_questions_to_ask_and_noted_nowhere(house: House, lea: Guest) -> None:
    visit = phoned(house, lea, {"rdv-entreprise": "Chaussures Rémi", "rdv-telephone": "01 99 00 00 00"})
    assert "Cette entreprise a téléphoné" in page(lea.client, at(visit))
    assert "Les questions à poser" in page(lea.client, f"{at(visit)}/synthese")


def test_names_are_only_text_on_pages_and_on_paper(house: House, lea: Guest) -> None:
    fields = ("rdv-entreprise", "rdv-contact", "rdv-adresse", "rdv-prestataire", "rdv-telephone")
    visit = phoned(house, lea, dict.fromkeys(fields, HOSTILE))
    for path in (AGENDA, at(visit), f"{at(visit)}/synthese"):
        told = page(lea.client, path)
        assert "<script>alert" not in told
        assert "<img" not in told
        assert "&lt;script&gt;" in told
    assert lea.client.get(f"{at(visit)}/synthese.pdf").content.startswith(b"%PDF")


def test_another_consultant_reads_nothing_and_leaves_no_trace(
    house: House, lea: Guest, guest: Callable[..., Guest]
) -> None:
    here = booked(house, opened(house))
    visit = visit_of(house, here)
    other = guest("consultant", "Autre")
    assert "Optique Bastille" not in page(other.client, AGENDA)
    for path in (at(visit), f"{at(visit)}/synthese", f"{at(visit)}/synthese.pdf"):
        assert "n'est pas à vous" in page(other.client, path, 404)
    send(other.client, at(visit), 404, faire="annuler")
    assert log(house, here) == []
    assert visit_of(house, here).status == "booked"


def test_it_is_read_until_thirty_days_after_the_last_milestone(house: House, lea: Guest, clock: Clock) -> None:
    here = booked(house, opened(house))
    visit = visit_of(house, here)
    clock.forward(days=30)
    lea.enter()
    page(lea.client, at(visit))
    send(lea.client, at(visit), faire="etape", jalon="visite", jour=clock().date().isoformat())
    clock.forward(days=30)
    lea.enter()
    page(lea.client, at(visit))
    clock.forward(days=1)
    lea.enter()
    assert "Optique Bastille" not in page(lea.client, AGENDA)
    page(lea.client, f"{at(visit)}/synthese", 404)


def test_milestones_are_dates_that_the_conversation_is_told(house: House, lea: Guest, clock: Clock) -> None:
    here = booked(house, opened(house))
    visit = visit_of(house, here)
    clock.at = visit.starts_at + timedelta(days=2)
    lea.enter()
    done, today = visit.starts_at.date(), clock().date()

    def noted() -> Booking:
        found = house.store.db.read(lambda tx: bookings.find(tx, visit.id))
        assert found
        return found

    for name, day, said in (
        ("visite", (today + timedelta(1)).isoformat(), "Ce jour ne va pas"),
        ("visite", (done - timedelta(1)).isoformat(), "Ce jour ne va pas"),
        ("visite", "hier", "Écrivez le jour comme"),
        ("rapport", today.isoformat(), "La visite d'abord"),
        ("rêve", today.isoformat(), "Cette étape n'existe pas"),
    ):
        assert said in send(lea.client, at(visit), 422, faire="etape", jalon=name, jour=day)
    assert "Il faut un premier jour" in send(lea.client, at(visit), 422, faire="accompagnement", du="", au="")
    assert noted() == visit
    send(lea.client, at(visit), faire="etape", jalon="visite", jour=done.isoformat())
    send(lea.client, at(visit), faire="etape", jalon="rapport", jour=today.isoformat())
    until = today + timedelta(days=60)
    send(lea.client, at(visit), faire="accompagnement", du=today.isoformat(), au=until.isoformat(), jours="2")
    found = noted()
    assert (found.visit_on, found.report_on, found.support_to, found.support_days) == (done, today, until, 2)
    assert found.open_until() == until + timedelta(days=30)
    told = page(lea.client, at(visit))
    assert "Accompagnement : 2 jours" in told
    send(lea.client, at(visit), 422, faire="etape", jalon="visite", retirer="oui")
    send(lea.client, at(visit), 422, faire="accompagnement", du=today.isoformat(), au=done.isoformat(), jours="2")
    send(lea.client, at(visit), faire="accompagnement", retirer="oui")
    for name in ("rapport", "visite"):
        send(lea.client, at(visit), faire="etape", retirer="oui", jalon=name)
    assert (noted().visit_on, noted().report_on, noted().support_to) == (None, None, None)


def test_a_visit_cancelled_by_its_consultant_is_cancelled_once(house: House, lea: Guest, clock: Clock) -> None:
    here = booked(house, opened(house))
    visit = visit_of(house, here)
    assert files(house) == 1
    send(lea.client, at(visit), faire="annuler")
    send(lea.client, at(visit), faire="annuler")
    gone = house.store.db.read(lambda tx: bookings.find(tx, visit.id))
    assert gone
    assert (gone.status, gone.cancelled_by, gone.sequence, gone.sealed) == ("cancelled", "consultant", 1, None)
    assert files(house) == 0
    page(lea.client, at(visit), 404)
    assert "C'est annulé" in page(lea.client, f"{AGENDA}?dit=annulee")
    begun = visit_of(house, booked(house, opened(house)))
    clock.at = begun.starts_at + timedelta(minutes=1)
    lea.enter()
    assert "a commencé" in send(lea.client, at(begun), 409, faire="annuler")


def test_a_firm_with_a_number_only_is_called_even_about_a_cancellation(house: House, lea: Guest) -> None:
    here = booked(house, opened(house), **PHONE)
    visit = visit_of(house, here)
    told = page(lea.client, AGENDA)
    assert "À appeler" in told
    assert "06 12 34 56 78" in told
    assert "2 autres appels viendront en leur temps" in told
    assert log(house, here) == ["visit"], "one for each number shown"
    send(lea.client, f"{AGENDA}/appels", visite=visit.id, appel="booked")
    send(lea.client, f"{AGENDA}/appels", visite=visit.id, appel="booked")
    assert {each.what for each in to_make(house, lea)} == {"day_before", "two_hours"}
    send(lea.client, at(visit), faire="annuler")
    told = page(lea.client, AGENDA)
    assert "dire que la visite est annulée" in told
    assert "06 12 34 56 78" in told
    send(lea.client, f"{AGENDA}/appels", visite=visit.id, appel="cancelled")
    gone = house.store.db.read(lambda tx: bookings.find(tx, visit.id))
    assert gone
    assert gone.sealed is None
    assert to_make(house, lea) == []


def to_make(house: House, lea: Guest) -> list[calls.Call]:
    assert lea.account
    name = lea.account.id
    return house.store.db.read(lambda tx: calls.to_make(tx, name))


def test_days_that_are_gone_are_not_in_the_agenda_twice(house: House, lea: Guest, clock: Clock) -> None:
    visit = visit_of(house, booked(house, opened(house)))
    clock.at = visit.ends_at + timedelta(minutes=1)
    lea.enter()
    told = page(lea.client, AGENDA)
    assert "Aucune visite à venir" in told
    assert told.count("<strong>Optique Bastille") == 1
