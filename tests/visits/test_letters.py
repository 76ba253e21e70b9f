"""What leaves because of a visit: invitations that calendars read, letters, reminders, the link of one visit."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from starlette.testclient import TestClient

from bot.doers import doers
from bot.house import House
from bot.people import Wrong
from bot.settings import Mail, Settings
from bot.turn import Present, look
from bot.visit import agendas, changes, desk
from bot.web.app import create_app
from bot.worker import work_once
from dialogue.events import Clicked, Commanded, Wrote
from tests.bot.test_turn import run, send
from tests.conftest import Clock
from tests.visits.conftest import LEA
from tests.visits.test_chat import asked, booked, chosen, go, lea, opened, said, shop, visit_of
from tests.web.conftest import client_of
from tests.web.visitor import forms
from visits import bookings, calls, consultants
from visits.consultants import Consultant
from visits.slots import Span

__all__ = ["lea", "shop"]  # fixtures
pytestmark = pytest.mark.databases("sqlite", because="rows of visits are tried on both in test_bookings and test_chat")
WHEN = "mercredi 25 novembre à 11 h"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Letters are written in a folder."""
    mail = Mail.model_validate(
        {"developpement_dossier": str(tmp_path / "letters"), "adresse": "autodiag@programme.example"}
    )
    return settings.model_copy(update={"mail": mail})


def post(house: House) -> list[EmailMessage]:
    """Everything due is done; the letters that left, oldest first."""
    while run(work_once(house, doers(house))):
        pass
    folder = house.settings.mail.folder
    assert folder is not None
    found = sorted(folder.glob("*"), key=lambda file: file.stat().st_mtime_ns) if folder.exists() else []
    letters = [message_from_bytes(file.read_bytes(), policy=default) for file in found]
    for file in found:
        file.unlink()
    return letters


def to(letters: list[EmailMessage], address: str) -> list[EmailMessage]:
    return [letter for letter in letters if address in str(letter["To"])]


def calendar_in(letter: EmailMessage) -> tuple[str, Any]:
    """The method and the event of the calendar in a letter, as a calendar programme reads them."""
    part = next(part for part in letter.walk() if part.get_content_type() == "text/calendar")
    whole: Any = Calendar.from_ical(part.get_content())
    (event,) = whole.walk("VEVENT")
    method = str(whole["method"])
    if method != "PUBLISH":
        assert part.get_param("method") == method
    return method, event


def text_of(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def link_of(letter: EmailMessage) -> str:
    found = re.search(r"https?://\S+(/rv/\S+)", text_of(letter))
    assert found is not None
    return found[1]


def test_the_consultant_is_invited_moved_and_cancelled_in_one_event_of_their_calendar(
    house: House, lea: Consultant, shop: Present
) -> None:
    here = booked(house, shop)
    visit = visit_of(house, here)
    (letter,) = to(post(house), LEA.email)
    method, event = calendar_in(letter)
    assert method == "REQUEST"
    assert (event["dtstart"].dt, event["dtend"].dt) == (visit.starts_at, visit.ends_at)
    assert b"DTSTART:20261125T100000Z" in event.to_ical()
    assert (int(event["sequence"]), str(event["status"])) == (0, "CONFIRMED")
    assert str(event["attendee"]) == f"mailto:{LEA.email}"
    assert str(event["organizer"]) == "mailto:autodiag@programme.example"
    whole = letter.as_string() + text_of(letter)
    for secret in ("Optique Bastille", "Nadia", "Roquette", "73282932000074", "optique.example"):
        assert secret not in whole, "nothing of the firm is in the invitation"
    assert "/espace" in text_of(letter)

    here = go(house, here, Commanded("book"), Clicked("rdv-que-faire", "deplacer"))
    here = go(house, chosen(house, here, 1), Clicked("rdv-deplacer", "oui"))
    (letter,) = to(post(house), LEA.email)
    again = calendar_in(letter)
    assert again[0] == "REQUEST"
    assert (again[1]["uid"], int(again[1]["sequence"])) == (event["uid"], 1)
    assert again[1]["dtstart"].dt == visit_of(house, here).starts_at

    go(house, here, Commanded("book"), Clicked("rdv-que-faire", "annuler"), Clicked("rdv-annuler", "oui"))
    (letter,) = to(post(house), LEA.email)
    over = calendar_in(letter)
    assert over[0] == "CANCEL"
    assert (over[1]["uid"], int(over[1]["sequence"]), str(over[1]["status"])) == (event["uid"], 2, "CANCELLED")


def test_the_manager_is_confirmed_with_a_file_for_their_calendar_and_no_code(
    house: House, lea: Consultant, shop: Present
) -> None:
    here = booked(house, shop)
    (letter,) = to(post(house), "nadia@optique.example")
    assert WHEN in str(letter["Subject"])
    text = text_of(letter)
    assert LEA.phone in text
    assert LEA.name in text
    told = house.store.db.read(lambda tx: bookings.details(tx, house.store.keyring, visit_of(house, here)))
    assert told is not None
    assert told["code"] not in text.replace(link_of(letter), "")
    method, event = calendar_in(letter)
    assert method == "PUBLISH"
    assert event["dtstart"].dt == visit_of(house, here).starts_at
    assert LEA.phone in str(event["description"])


def test_reminders_leave_the_day_before_and_two_hours_before_and_never_for_an_old_time(
    house: House, lea: Consultant, shop: Present, clock: Clock
) -> None:
    here = booked(house, shop)
    post(house)
    here = go(house, here, Commanded("book"), Clicked("rdv-que-faire", "deplacer"))
    here = go(house, chosen(house, here, 2), Clicked("rdv-deplacer", "oui"))
    post(house)
    start = visit_of(house, here).starts_at
    for before in (timedelta(days=1), timedelta(hours=2)):
        clock.at = start - before - timedelta(minutes=1)
        assert post(house) == []
        clock.forward(minutes=1)
        (letter,) = post(house)
        assert "Rappel" in str(letter["Subject"])
        assert "nadia@optique.example" in str(letter["To"])
    clock.at = start + timedelta(hours=1)
    assert post(house) == []


def test_erasing_tells_the_consultant_without_a_reason_and_the_manager_nothing(
    house: House, lea: Consultant, shop: Present, clock: Clock
) -> None:
    here = booked(house, shop)
    send(house, go(house, here, Commanded("erase")), Commanded("confirm"))
    letters = post(house)
    assert to(letters, "nadia@optique.example") == [], "not even the confirmation that had not left"
    methods = [calendar_in(letter)[0] for letter in to(letters, LEA.email)]
    assert methods == ["REQUEST", "CANCEL"]
    assert "effac" not in text_of(letters[-1])
    clock.forward(days=3)
    assert post(house) == []


def test_a_consultant_who_cancels_offers_new_times_at_once(house: House, lea: Consultant, shop: Present) -> None:
    here = booked(house, shop)
    visit = visit_of(house, here)
    post(house)
    assert house.store.db.write(lambda tx: changes.consultant_cancels(house, tx, visit.id, "somebody else")) is None
    gone = house.store.db.write(lambda tx: changes.consultant_cancels(house, tx, visit.id, lea.id))
    assert gone is not None
    there = run(look(house, here.conversation))
    assert asked(house, there) == "rdv-heure"
    assert "ne pourra finalement pas venir" in said(house, there)
    assert "appointment" not in there.held.diary.since
    (letter,) = to(post(house), "nadia@optique.example")
    assert "ne pourra" in text_of(letter)
    there = go(house, chosen(house, there), Clicked("rdv-confirmer", "oui"))
    assert visit_of(house, there).id != visit.id


def test_a_mail_server_that_does_not_answer_keeps_nobody_from_booking(
    house: House, lea: Consultant, shop: Present, clock: Clock
) -> None:
    folder = house.settings
    nowhere = Mail.model_validate({"serveur": "127.0.0.1", "port": 9, "chiffrement": "aucun", "adresse": "a@b.example"})
    object.__setattr__(house, "settings", folder.model_copy(update={"mail": nowhere}))
    here = booked(house, shop)
    for _ in range(6):
        run(work_once(house, doers(house)))
    assert visit_of(house, here).status == "booked"
    object.__setattr__(house, "settings", folder)
    clock.forward(minutes=5)
    assert len(post(house)) == 2, "the confirmation and the invitation waited"


def test_a_consultant_who_leaves_cancels_every_visit_to_come(house: House, lea: Consultant, shop: Present) -> None:
    here = booked(house, shop)
    assert house.store.db.write(lambda tx: changes.consultant_leaves(house, tx, lea.id)) == 1
    assert house.store.db.read(lambda tx: bookings.booked_by(tx, here.conversation)) is None


def test_milestones_reach_the_conversation_and_so_the_survey(house: House, lea: Consultant, shop: Present) -> None:
    here = booked(house, shop)
    visit = visit_of(house, here)
    day = visit.starts_at.date()
    assert house.store.db.write(lambda tx: changes.milestone(house, tx, visit.id, "other", "visit", day)) is None
    done = house.store.db.write(lambda tx: changes.milestone(house, tx, visit.id, lea.id, "visit", day))
    assert done is not None
    assert done.visit_on == day
    assert run(look(house, here.conversation)).held.diary.since["visit"].date() == day


def device(house: House) -> TestClient:
    return client_of(create_app(house))


def test_a_mailed_link_opens_that_visit_only_by_its_button(house: House, lea: Consultant, shop: Present) -> None:
    here = booked(house, shop)
    (letter,) = to(post(house), "nadia@optique.example")
    path, client = link_of(letter), device(house)
    before = run(look(house, here.conversation)).revision
    page = client.get(path)
    assert page.status_code == 200
    assert run(look(house, here.conversation)).revision == before, "a scanner that opens it changes nothing"
    assert LEA.name not in page.text
    page = client.post(path, data=forms(page)[0].fields)
    assert LEA.name in page.text
    assert "Que voulez-vous faire" in page.text
    for secret in ("Optique-lunetterie", "Nadia", "73282932000074"):
        assert secret not in page.text
    fields = forms(page)[0].fields | {"choice": "deplacer"}
    page = client.post(path, data=fields)
    assert "Quel moment vous arrange" in page.text.replace("\xa0", " ")
    choice = forms(page)[0].buttons[1][1]
    page = client.post(path, data=forms(page)[0].fields | {"choice": choice})
    page = client.post(path, data=forms(page)[0].fields | {"choice": "oui"})
    assert page.status_code == 200
    assert visit_of(house, here).moves == 1
    assert client.get("/autodiag").status_code == 403, "the chat stays closed to it"


def test_a_mailed_link_answers_nothing_else_and_a_guessed_one_opens_nothing(
    house: House, lea: Consultant, shop: Present
) -> None:
    here = booked(house, shop)
    (letter,) = to(post(house), "nadia@optique.example")
    path, client = link_of(letter), device(house)
    fields = forms(client.get(path))[0].fields
    for node, choice in (("effectif", "1"), ("rdv-accord", "suite"), ("rdv-siret", "na")):
        refused = client.post(path, data=fields | {"node": node, "choice": choice, "revision": "1"})
        assert refused.status_code == 403
    assert client.post("/rv/" + "a" * 32, data=fields).status_code == 403
    assert client.post("/rv/x", data=fields).status_code == 403
    token = path.removeprefix("/rv/")
    for other in (f"/m/{token}", f"/r/{token}"):
        client.post(other, data=fields)
        assert client.get("/autodiag").status_code == 403
    client.cookies.set("autodiag", token)
    assert client.get("/autodiag").status_code == 403
    assert run(look(house, here.conversation)).revision == here.revision


def test_the_calendar_file_and_the_photo_are_for_the_manager_s_own_device(
    house: House, lea: Consultant, shop: Present
) -> None:
    client = device(house)
    assert client.get("/rendez-vous.ics").status_code == 404
    assert client.get("/rendez-vous/photo").status_code == 404


def test_a_feed_shows_a_consultant_s_visits_and_its_address_can_be_renewed(
    house: House, lea: Consultant, shop: Present
) -> None:
    visit = visit_of(house, booked(house, shop))
    first = house.store.db.write(lambda tx: consultants.new_feed(tx, house.store.keyring, lea.id))
    client = device(house)
    page = client.get(f"/agenda/{first}.ics")
    assert page.headers["content-type"].startswith("text/calendar")
    whole: Any = Calendar.from_ical(page.content)
    (event,) = whole.walk("VEVENT")
    assert event["dtstart"].dt == visit.starts_at
    assert "Optique" not in page.text
    second = house.store.db.write(lambda tx: consultants.new_feed(tx, house.store.keyring, lea.id))
    assert client.get(f"/agenda/{first}.ics").status_code == 404
    assert client.get(f"/agenda/{second}.ics").status_code == 200
    assert client.get("/agenda/.ics").status_code == 404


def test_a_consultant_s_own_calendar_closes_times_and_a_fault_changes_nothing(
    house: House, lea: Consultant, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Here:
        data: bytes = b""

        def fetch(self, address: str) -> bytes:
            assert address == "https://agenda.example/lea.ics"
            return self.data

    fetcher = Here()
    monkeypatch.setattr(agendas, "_FETCHER", fetcher)
    who = house.store.db.read(lambda tx: consultants.find(tx, house.store.keyring, lea.id))
    assert who is not None
    house.store.db.write(lambda tx: consultants.set_calendar(tx, who, "https://agenda.example/lea.ics"))
    fetcher.data = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20261101T000000Z\r\n"
        b"DTSTART:20261125T080000Z\r\nDTEND:20261125T160000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    post(house)

    def known() -> tuple[tuple[Span, ...], str]:
        found = house.store.db.read(lambda tx: consultants.find(tx, house.store.keyring, lea.id))
        assert found is not None
        return house.store.db.read(
            lambda tx: consultants.agendas(tx, [lea.id], house.now())[lea.id].busy
        ), found.calendar_fault

    assert [span.start.hour for span in known()[0]] == [8]
    fetcher.data = b"<html>"
    house.store.db.write(lambda tx: agendas.read_soon(house, tx, lea.id))
    post(house)
    assert [span.start.hour for span in known()[0]] == [8]
    assert known()[1] == "not_ics"


def test_a_firm_that_phoned_is_entered_by_hand_and_called(house: House, lea: Consultant) -> None:
    told = {
        "rdv-entreprise": "Chaussures Dupont",
        "rdv-contact": "Paul",
        "rdv-telephone": "0612345678",
        "rdv-postal": "75003",
        "rdv-adresse": "3 rue de Bretagne",
        "rdv-siret": "",
    }
    said_back = desk.add(house, "2026-11-26 10:00", told, branch="chaussure")
    assert "jeudi 26 novembre à 10 h" in said_back[0]
    (visit,) = house.store.db.read(lambda tx: bookings.ahead(tx, house.now()))
    kept = house.store.db.read(lambda tx: bookings.details(tx, house.store.keyring, visit))
    assert kept is not None
    assert (kept["rdv-telephone"], kept["code"] in said_back[1]) == ("06 12 34 56 78", True)
    assert [call.what for call in house.store.db.read(lambda tx: calls.to_make(tx, lea.id))] == [
        "booked", "day_before", "two_hours",
    ]  # fmt: skip
    assert "Dupont" not in "".join(desk.listed(house))
    with pytest.raises(Wrong, match="pas libre"):
        desk.add(house, "2026-11-26 10:00", told)
    with pytest.raises(Wrong, match="pas un moment"):
        desk.add(house, "demain", told)
    with pytest.raises(Wrong, match="SIRET"):
        desk.add(house, "2026-11-26 15:00", told | {"rdv-siret": "123"})
    desk.cancel(house, visit.id[:8])
    assert desk.listed(house) == ["Aucune visite à venir."]
    with pytest.raises(Wrong, match="ce numéro"):
        desk.cancel(house, "zzz")


def test_hours_are_read_as_people_write_them_or_refused_with_a_sentence() -> None:
    found = desk.read_hours("lun-mer 9:00-12:00, Jeu 14h-17h30")
    assert [(each.weekday, each.opens, each.closes) for each in found] == [
        (0, 540, 720), (1, 540, 720), (2, 540, 720), (3, 840, 1050),
    ]  # fmt: skip
    for bad in ("9-12", "lun 12-9", "ven-lun 9-12", "lun 9-25", "lun 9-12, lun 9-10"):
        with pytest.raises(Wrong):
            desk.read_hours(bad)


def test_a_stranger_s_line_breaks_and_markup_stay_words(house: House, lea: Consultant) -> None:
    evil = "Léa\r\nATTACH:http://evil.example\r\n<b>x</b>"
    who = house.store.db.read(lambda tx: consultants.find(tx, house.store.keyring, lea.id))
    assert who is not None
    house.store.db.write(lambda tx: consultants.change(tx, who, replace(LEA, name=evil)))
    here = booked(house, opened(house), rdv_entreprise=Wrote("rdv-entreprise", "<script>alert(1)</script>"))
    letters = post(house)
    for letter in letters:
        _, event = calendar_in(letter)
        assert "attach" not in event
        assert letter["Attach"] is None
    assert visit_of(house, here)
