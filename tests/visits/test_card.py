"""A consultant's hours, card, photo and calendars: what is typed is kept whole, or refused with a sentence."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from PIL import Image
from sqlalchemy import select

from bot.house import House
from bot.visit.agendas import ONE
from store.tables import outbox
from tests.access.conftest import Guest, browser_of, guest
from tests.conftest import Clock
from tests.visits.conftest import LEA, OFFICE
from tests.visits.test_chat import booked, opened, visit_of
from tests.visits.test_space import employ, lea, page, send, settings
from visits import consultants
from visits.consultants import Card
from visits.photos import SIDE, BadPhoto, portrait
from visits.slots import Agenda, Span, Weekly

__all__ = ["browser_of", "guest", "lea", "settings"]

SPACE = "/espace/consultant"
HOURS, CARD, CALENDARS = f"{SPACE}/heures", f"{SPACE}/fiche", f"{SPACE}/calendrier"
SQLITE = pytest.mark.databases("sqlite", because="the same statements are tried on both beside")


def agenda_of(house: House, someone: Guest) -> Agenda:
    assert someone.account
    name = someone.account.id
    return house.store.db.read(lambda tx: consultants.agendas(tx, [name], house.now())[name])


def card_of(house: House, someone: Guest) -> Card:
    assert someone.account
    name = someone.account.id
    found = house.store.db.read(lambda tx: consultants.find(tx, house.store.keyring, name))
    assert found
    return found.card


def test_the_hours_of_the_week_are_kept_and_shown_again(house: House, guest: Callable[..., Guest]) -> None:
    someone = guest("consultant")
    assert "Dites vos heures de visite" in page(someone.client, SPACE)
    send(someone.client, HOURS, j0a="09:00", j0b="12:00", j0c="14:00", j0d="17:30", j4a="08:00", j4b="24:00")
    assert agenda_of(house, someone).weekly == (Weekly(0, 540, 720), Weekly(0, 840, 1050), Weekly(4, 480, 1440))
    told = page(someone.client, f"{HOURS}?dit=heures")
    assert 'name="j0d" type="time" step="900" value="17:30"' in told
    assert "Dites vos heures de visite" not in page(someone.client, SPACE)


@SQLITE
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"j1a": "09:00"}, "Pour mardi, une plage n'a que son début"),
        ({"j2a": "12:00", "j2b": "09:00"}, "Pour mercredi, une plage finit avant de commencer"),
        ({"j6a": "09:00", "j6b": "12:00", "j6c": "11:59", "j6d": "15:00"}, "Pour dimanche, la seconde plage commence"),
        ({"j0a": "neuf", "j0b": "12:00"}, "Écrivez les heures comme 09:30"),
        ({"j0a": "24:30", "j0b": "24:45"}, "Écrivez les heures comme 09:30"),
    ],
)
def test_hours_that_do_not_hold_together_change_nothing(
    house: House, lea: Guest, typed: dict[str, str], said: str
) -> None:
    told = send(lea.client, HOURS, 422, **typed)
    assert said in told
    assert agenda_of(house, lea).weekly == tuple(OFFICE)
    assert send(lea.client, HOURS, 400, **{f"j{n}": "" for n in range(40)})


def test_absences_and_more_hours_are_told_in_paris(house: House, lea: Guest) -> None:
    exceptions = f"{HOURS}/exceptions"
    send(lea.client, exceptions, faire="absence", du="2027-03-27", au="2027-03-28")
    send(lea.client, exceptions, faire="ouverture", du="2026-12-25", de="09:00", a="12:30")
    agenda = agenda_of(house, lea)
    night = Span(datetime(2027, 3, 26, 23, tzinfo=UTC), datetime(2027, 3, 28, 22, tzinfo=UTC))
    assert agenda.absences == (night,), "the clocks change that night"
    assert agenda.openings == (Span(datetime(2026, 12, 25, 8, tzinfo=UTC), datetime(2026, 12, 25, 11, 30, tzinfo=UTC)),)
    told = page(lea.client, HOURS)
    assert "du 27 mars 2027 au 28 mars 2027" in told
    assert "le 25 décembre 2026, de 9 h à 12 h 30" in told
    for typed, said in (
        ({"du": "2027-03-28"}, "chevauche"),
        ({"du": "2026-12-02", "au": "2026-12-01"}, "finit avant de commencer"),
        ({"du": "2026-11-01"}, "déjà finie"),
        ({"du": "2031-01-01"}, "plus de deux ans"),
        ({"du": "demain"}, "Écrivez le jour"),
        ({}, "Écrivez le jour"),
    ):
        assert said in send(lea.client, exceptions, 422, faire="absence", **typed)
    assert agenda_of(house, lea) == agenda
    (key, _, _) = house.store.db.read(lambda tx: consultants.exceptions_of(tx, name_of(lea), house.now()))[0]
    send(lea.client, exceptions, faire="retirer", exception=key)
    send(lea.client, exceptions, 404, faire="retirer", exception=key)
    assert agenda_of(house, lea).openings == ()


def name_of(someone: Guest) -> str:
    assert someone.account
    return someone.account.id


@SQLITE
def test_an_absence_over_a_visit_says_so(house: House, lea: Guest) -> None:
    visit = visit_of(house, booked(house, opened(house)))
    answer = lea.client.post(
        f"{HOURS}/exceptions",
        data={"id": "n" * 24, "faire": "absence", "du": visit.starts_at.date().isoformat()},
        follow_redirects=True,
    )
    assert "une visite est déjà réservée pendant cette absence" in answer.text.replace("\u00a0", " ")


def test_the_card_is_what_managers_read(house: House, lea: Guest) -> None:
    typed = {"telephone": "+33 1 99 00 55 66", "e-mail": "lea@autre.example", "departements": "75, 2a"}
    send(lea.client, CARD, **typed, **{"metier-optique": "oui", "metier-inconnu": "oui"})
    assert card_of(house, lea) == Card(
        LEA.name, LEA.firm, "01 99 00 55 66", "lea@autre.example", ("75", "20"), ("optique",)
    )
    for name, value, said in (
        ("telephone", "cinq", "n'a pas l'air d'un numéro"),
        ("e-mail", "a\r\nBcc: b@c.example", "n'a pas l'air entière"),
        ("departements", "75, Paris", "« PARIS » n"),
    ):
        assert said in send(lea.client, CARD, 422, **(typed | {name: value}))
    assert card_of(house, lea).phone == "01 99 00 55 66"


def picture(kind: str, size: tuple[int, int] = (900, 600), **more: object) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, (200, 120, 40)).save(made, kind, **more)
    return made.getvalue()


def test_a_photo_is_drawn_again_small_and_tells_nothing_else(house: House, lea: Guest) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    exif[0x0112] = 6
    sent = picture("JPEG", exif=exif, comment=b"secret place")
    assert b"secret place" in sent
    files = {"photo": ("x.jpg", sent, "image/jpeg")}
    answer = lea.client.post(f"{SPACE}/photo", files=files, follow_redirects=False)
    assert answer.status_code == 303
    kept = lea.client.get(f"{SPACE}/photo")
    assert kept.headers["content-type"] == "image/jpeg"
    assert b"secret place" not in kept.content
    assert len(kept.content) < consultants.MOST_PHOTO
    with Image.open(io.BytesIO(kept.content)) as drawn:
        assert drawn.size == (320, SIDE), "turned upright, as the device said"
        assert not drawn.getexif()
    send(lea.client, f"{SPACE}/photo", faire="retirer")
    assert lea.client.get(f"{SPACE}/photo").status_code == 204


@SQLITE
@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 422, "ni en JPEG ni en PNG"),
        (picture("GIF"), 422, "ni en JPEG ni en PNG"),
        (picture("PNG")[:400], 422, "est abîmée"),
        (picture("PNG", (20, 20)), 422, "trop petite ou trop grande"),
        (picture("PNG", (40_000, 1_000)), 422, "trop petite ou trop grande"),
        (bytes(6_100_000), 413, "trop gros"),
    ],
)
def test_a_file_that_is_no_picture_is_refused(house: House, lea: Guest, sent: bytes, status: int, said: str) -> None:
    answer = lea.client.post(f"{SPACE}/photo", files={"photo": ("x.png", sent, "image/png")})
    assert answer.status_code == status
    assert said in answer.text.replace("\u00a0", " ")
    assert lea.client.get(f"{SPACE}/photo").status_code == 204


@SQLITE
def test_a_photo_from_another_site_or_without_a_file_is_refused(house: House, lea: Guest) -> None:
    files = {"photo": ("x.png", picture("PNG"), "image/png")}
    foreign = lea.client.post(f"{SPACE}/photo", files=files, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    assert lea.client.post(f"{SPACE}/photo", files={"autre": ("x", b"x", "image/png")}).status_code == 400
    assert lea.client.post(f"{SPACE}/fiche", data={"x": "x" * 20_000}).status_code == 413


def test_a_transparent_picture_gets_a_white_ground() -> None:
    made = io.BytesIO()
    Image.new("RGBA", (100, 100), (0, 0, 0, 0)).save(made, "PNG")
    with Image.open(io.BytesIO(portrait(made.getvalue()))) as drawn:
        assert drawn.getpixel((50, 50)) == (255, 255, 255)
    with pytest.raises(BadPhoto):
        portrait(b"")


def test_a_calendar_is_read_soon_and_its_address_never_shown_again(house: House, lea: Guest, clock: Clock) -> None:
    address = "https://agenda.example/prive-7f3a/basic.ics"
    send(lea.client, CALENDARS, faire="adresse", adresse=address)
    due = house.store.db.read(lambda tx: tx.execute(select(outbox).where(outbox.c.kind == ONE)).all())
    assert len(due) == 1
    told = page(lea.client, f"{CALENDARS}?dit=adresse")
    assert "Calendrier lu chez agenda.example" in told
    assert "prive-7f3a" not in told
    name = name_of(lea)
    house.store.db.write(lambda tx: consultants.set_busy(tx, name, [], house.now()))
    clock.forward(minutes=61)
    lea.enter()
    house.store.db.write(lambda tx: consultants.calendar_failed(tx, name, "not_public"))
    told = page(lea.client, CALENDARS)
    assert "Dernière lecture : lundi 23 novembre 2026 à 11 h" in told
    assert "une machine privée" in told
    for bad in ("http://agenda.example/x.ics", "javascript:alert(1)", "https://a:b@c.example/", "https://", ""):
        assert "recopiez-la entière" in send(lea.client, CALENDARS, 422, faire="adresse", adresse=bad)
    send(lea.client, CALENDARS, faire="sans")
    assert "Calendrier lu chez" not in page(lea.client, CALENDARS)


def test_the_secret_address_of_the_visits_is_told_once_and_renewed(house: House, lea: Guest) -> None:
    visit = visit_of(house, booked(house, opened(house)))
    made = [address_in(send(lea.client, CALENDARS, 200, faire="flux")) for _ in range(2)]
    assert made[0] != made[1]
    assert "/agenda/" not in page(lea.client, CALENDARS)
    assert lea.client.get(made[0]).status_code == 404
    feed = lea.client.get(made[1])
    assert feed.headers["content-type"].startswith("text/calendar")
    assert visit.id in feed.text
    assert "Optique" not in feed.text


def address_in(told: str) -> str:
    return "/agenda/" + told.split("/agenda/")[1].split("<", maxsplit=1)[0]


@SQLITE
def test_another_consultant_changes_only_their_own(house: House, lea: Guest, guest: Callable[..., Guest]) -> None:
    other = guest("consultant", "Autre")
    employ(house, other)
    send(lea.client, HOURS, j0a="09:00", j0b="10:00")
    assert agenda_of(house, other).weekly == tuple(OFFICE)
