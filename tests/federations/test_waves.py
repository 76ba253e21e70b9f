"""Waves in a real database: who waits, what closes, what is left behind, and what never changes again."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select, text

from bot import branches
from bot.house import House, open_house
from bot.web.example import example
from dialogue.engine import result
from federations import disclosure, waves
from federations.disclosure import LEAST, LEVEL, TOGETHER
from federations.tables import contributions, reached
from federations.waves import Partition
from scoring.score import RoomScore
from store import conversations, tables
from store.conversations import Conversation
from store.keys import Tampered
from tests.conftest import Clock

WEAK = {"mots-de-passe": True, LEVEL: False}
STRONG = {"mots-de-passe": False, LEVEL: True}
Arrive = Callable[..., str]


@pytest.fixture
def arrive(house: House) -> Arrive:
    """A conversation that has just finished its short path; its id."""

    def _arrive(*, weak: bool = False, branch: str = "optique") -> str:
        def work(tx: Connection) -> str:
            made = _begun(house, tx, branch)
            unit = WEAK if weak else STRONG
            waves.contribute(tx, house.store.keyring, made.id, made.key, branch, unit, house.today())
            return made.id

        return house.store.db.write(work)

    return _arrive


def _begun(house: House, tx: Connection, branch: str) -> Conversation:
    day = house.today()
    return conversations.create(
        tx, house.store.keyring, snapshot=b"{}", flow="f", entry="direct", today=day, purge_on=day, branch=branch
    )


def seen(house: House, partition: str = TOGETHER) -> Partition:
    return next(each for each in house.store.db.read(waves.read) if each.id == partition)


def test_the_twentieth_closes_the_wave_and_nothing_of_it_is_left_but_its_bands(house: House, arrive: Arrive) -> None:
    for place in range(LEAST - 1):
        arrive(weak=place < 7)
    assert (seen(house).waiting, seen(house).published) == (LEAST - 1, ())
    arrive()
    (published,) = seen(house).published
    assert (published.release.units, published.release.number) == (LEAST, 1)
    assert published.release.bands == {"mots-de-passe": "under_half", LEVEL: "half"}
    assert published.monday == house.today() - timedelta(days=house.today().weekday())
    assert seen(house).waiting == 0
    assert house.store.db.read(lambda tx: tx.scalar(select(func.count()).select_from(contributions))) == 0


def test_a_wave_is_of_new_units_only(house: House, arrive: Arrive) -> None:
    for _ in range(LEAST):
        arrive(weak=True)
    for _ in range(LEAST):
        arrive()
    first, second = seen(house).published
    assert first.release.bands["mots-de-passe"] == "three_quarters"
    assert second.release.bands["mots-de-passe"] == "quarter", "the first wave counts for nothing in the second"
    assert second.release.number == 2


def test_a_branch_that_aims_at_forty_is_counted_apart_and_no_total_adds_it(house: House, arrive: Arrive) -> None:
    for _ in range(LEAST):
        arrive(branch="alimentaire", weak=True)
    assert len(seen(house, "alimentaire").published) == 1
    assert (seen(house).published, seen(house).waiting) == ((), 0)
    assert "alimentaire" not in seen(house).branches


def test_partitions_follow_the_settings_until_somebody_is_counted_and_never_after(house: House, arrive: Arrive) -> None:
    names = ("optique", "alimentaire", "nouveau")

    def again(tx: Connection) -> tuple[str, ...]:
        waves.freeze(tx, names, {"optique": 1000, "alimentaire": 0, "nouveau": 40})
        return tuple(waves.partition_of(tx, each) for each in names)

    decided = house.store.db.read(lambda tx: waves.partition_of(tx, "alimentaire"))
    house.store.db.write(lambda tx: waves.freeze(tx, ["alimentaire", "optique"], {}))
    assert decided == "alimentaire"
    assert house.store.db.read(lambda tx: waves.partition_of(tx, "alimentaire")) == TOGETHER, "nobody was counted yet"
    house.store.db.write(lambda tx: waves.freeze(tx, ["alimentaire", "optique"], {"alimentaire": 40}))
    arrive()
    assert house.store.db.write(again) == (TOGETHER, "alimentaire", "nouveau")


def test_what_waits_goes_with_its_conversation(house: House, arrive: Arrive) -> None:
    gone, *_ = [arrive(weak=True) for _ in range(LEAST - 1)]
    store = house.store
    assert store.db.write(lambda tx: conversations.erase(tx, store.keyring, store.journal, gone))
    arrive()
    assert seen(house).waiting == LEAST - 1, "one is missing again"
    assert seen(house).published == ()


def test_a_purge_takes_what_waits_too(house: House, arrive: Arrive, clock: Clock) -> None:
    for _ in range(3):
        arrive()
    clock.forward(days=1)
    house.store.db.write(lambda tx: conversations.purge(tx, house.now()))
    assert seen(house).waiting == 0


def test_a_closed_wave_is_never_touched_again(house: House, arrive: Arrive) -> None:
    shops = [arrive(weak=True) for _ in range(LEAST)]
    before = seen(house)
    store = house.store
    for shop in shops:
        store.db.write(lambda tx, shop=shop: conversations.erase(tx, store.keyring, store.journal, shop))  # type: ignore[misc]
    assert seen(house) == before


def test_who_starts_over_takes_back_what_waits_and_nothing_that_was_counted(house: House, arrive: Arrive) -> None:
    early, write = arrive(weak=True), house.store.db.write
    write(lambda tx: waves.withdraw(tx, house.store.keyring, early))
    assert seen(house).waiting == 0
    assert write(lambda tx: waves.may_wait_again(tx, house.store.keyring, early))
    assert not write(lambda tx: waves.may_wait_again(tx, house.store.keyring, early))
    counted = [arrive() for _ in range(LEAST)]
    before = seen(house)
    write(lambda tx: waves.withdraw(tx, house.store.keyring, counted[0]))
    assert not write(lambda tx: waves.may_wait_again(tx, house.store.keyring, counted[0]))
    assert seen(house) == before


def test_what_waits_is_sealed_with_its_own_key_and_says_nothing_by_its_length(house: House, arrive: Arrive) -> None:
    arrive(weak=True)
    arrive()
    rows = house.store.db.read(lambda tx: tx.execute(select(contributions)).all())
    assert len({len(row.sealed) for row in rows}) == 1
    for row in rows:
        for word in (b"mots-de-passe", b"niveau", b"true", b"false"):
            assert word not in row.sealed
    first, second = rows

    def swapped(tx: Connection) -> None:
        held = conversations.hold(tx, house.store.keyring, first.conversation)
        assert held
        held[0].unseal(second.sealed, table="contributions", row=first.conversation, column="sealed")

    with pytest.raises(Tampered):
        house.store.db.write(swapped)


def test_one_that_no_longer_opens_stops_nobody(house: House, arrive: Arrive) -> None:
    spoilt = arrive()
    spoil = contributions.update().where(contributions.c.conversation == spoilt).values(sealed=b"spoilt")
    house.store.db.write(lambda tx: tx.execute(spoil))
    for _ in range(LEAST - 1):
        arrive()
    assert (seen(house).published, seen(house).waiting) == ((), LEAST - 1)
    arrive()
    assert len(seen(house).published) == 1


def test_nothing_in_the_database_leads_from_a_wave_to_a_conversation(house: House, arrive: Arrive) -> None:
    shops = [arrive() for _ in range(LEAST + 2)]
    counted, waiting = shops[:LEAST], shops[LEAST:]

    def holding(tx: Connection) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for table in tables.metadata.tables.values():
            for row in tx.execute(select(table)):
                for value in map(str, row):
                    found.setdefault(table.name, set()).update(shop for shop in shops if shop in value)
        return {name: held for name, held in found.items() if held}

    assert house.store.db.read(holding) == {"conversations": set(shops), "contributions": set(waiting)}
    assert not {"wave", "number"} & {column.name for column in (*tables.conversations.c, *reached.c, *contributions.c)}
    assert counted


@pytest.mark.databases("sqlite", because="only there does a row's number tell when it was written")
def test_no_row_number_tells_the_order_in_which_they_came(house: House, arrive: Arrive) -> None:
    arrive()
    for table in ("contributions", "reached"):
        with pytest.raises(Exception, match="rowid"):
            house.store.db.read(lambda tx, table=table: tx.execute(text(f"SELECT rowid FROM {table}")))  # type: ignore[misc]


def test_twenty_at_once_close_one_wave(house: House, arrive: Arrive) -> None:
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda _: arrive(), range(LEAST + 4)))
    assert [each.release.units for each in seen(house).published] == [LEAST]
    assert seen(house).waiting == 4


def test_what_the_auditor_refuses_is_not_published_and_goes_on_waiting(
    house: House, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disclosure, "audit", _refusing)
    for _ in range(LEAST + 1):
        arrive()
    assert (seen(house).published, seen(house).waiting) == ((), LEAST + 1)


def _refusing(_: object) -> None:
    raise disclosure.Refused("for the test")


@pytest.mark.databases("sqlite", because="it is about a file of settings, not about the database")
def test_a_federation_of_an_unknown_trade_stops_the_start(house: House) -> None:
    wrong = house.settings.federations[0].model_copy(update={"branch": "sabotage"})
    settings = house.settings.model_copy(update={"federations": (wrong,)})
    (fault,) = branches.check(house.flow, settings)
    assert "sabotage" in str(fault)
    with pytest.raises(Exception, match="sabotage"):
        open_house(settings, content=house.content)


@pytest.mark.databases("sqlite", because="nothing is read from the database")
def test_what_a_result_contributes_is_what_its_page_calls_weak(house: House) -> None:
    session = example(house.flow)
    score = result(house.flow, session)
    unit = waves.unit_of(house.flow.questionnaire, score)
    assert set(unit) == {*(theme.id for theme in score.themes), LEVEL}
    weak = {theme.id for theme in score.themes if theme.range and theme.range.cautious < 40}
    assert weak
    assert {name for name, found in unit.items() if found and name != LEVEL} == weak
    assert unit[LEVEL] is (score.level != "faible")
    assert json.loads(json.dumps(unit)) == unit


@pytest.mark.databases("sqlite", because="nothing is read from the database")
def test_not_scored_is_not_to_be_strengthened(house: House) -> None:
    score = result(house.flow, example(house.flow))
    bare = replace(score, themes=tuple(RoomScore(theme.id, None, "not_scored") for theme in score.themes), level=None)
    assert waves.unit_of(house.flow.questionnaire, bare) == {**{t.id: False for t in score.themes}, LEVEL: True}
