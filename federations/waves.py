"""Waves: what waits for one, sealed, and what was published of those that closed.

One rule: a contribution lives only between a short path and its wave. It is sealed with its conversation's key and goes
with it; once counted it is deleted, and nothing tells in which wave it was. What was published is never touched again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, delete, exists, func, insert, select

from federations import disclosure, once
from federations.disclosure import LEVEL, Refused, Release, Unit
from federations.tables import contributions, partitions, waves
from referential.model import Questionnaire
from scoring.score import Score, level
from store.keys import DataKey, Keyring, Tampered
from store.tables import conversations, insert_once

_PAD = 1024
"""Bytes of a sealed contribution, whatever it says."""
_WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Published:
    """A release, and the Monday of the week when its wave closed."""

    release: Release
    monday: date


@dataclass(frozen=True)
class Partition:
    """A partition as anybody may see it: its releases, oldest first, and how many units wait for the next wave."""

    id: str
    branches: tuple[str, ...]
    published: tuple[Published, ...]
    waiting: int


def unit_of(book: Questionnaire, score: Score) -> Unit:
    """What a result contributes: the themes to be strengthened (those that the result calls weak), and the level.

    A theme that was not scored is not to be strengthened: every conversation counts for every theme.
    """
    weak = {
        theme.id: theme.range is not None and level(book, theme.range.cautious) == "faible" for theme in score.themes
    }
    return weak | {LEVEL: score.level != "faible"}


def freeze(tx: Connection, branches: Collection[str], targets: Mapping[str, int]) -> None:
    """Decide in which partition each branch is counted. From the first unit that waits, what is decided stays."""
    decided = {row.branch: row.partition for row in tx.execute(select(partitions))}
    plan = disclosure.partitions(branches, targets)
    if _any_unit(tx):
        plan = {branch: partition for branch, partition in plan.items() if branch not in decided}
    elif plan != decided:
        tx.execute(delete(partitions))
    else:
        return
    for branch, partition in sorted(plan.items()):
        insert_once(tx, partitions, branch=branch, partition=partition)


def contribute(
    tx: Connection, keyring: Keyring, conversation: str, key: DataKey, branch: str, unit: Unit, today: date
) -> None:
    """Let a conversation wait for a wave; the one that makes the number closes it, in the same transaction.

    Called at a conversation's first short path, and after it only if it `may_wait_again`: it is the caller who knows.
    """
    partition = partition_of(tx, branch)
    _lock(tx, partition)
    row = {"conversation": conversation, "partition": partition, "sealed": _sealed(key, conversation, unit)}
    tx.execute(insert(contributions).values(row))
    if _waiting(tx, partition) >= disclosure.LEAST:
        _close(tx, keyring, partition, today)


def withdraw(tx: Connection, keyring: Keyring, conversation: str) -> None:
    """Who starts over takes back what still waits. What was counted stays counted, and is not counted again."""
    if tx.execute(delete(contributions).where(contributions.c.conversation == conversation)).rowcount:
        once.first(tx, keyring, conversation, _WITHDRAWN)


def may_wait_again(tx: Connection, keyring: Keyring, conversation: str) -> bool:
    """Whether this conversation took back what waited; true once."""
    return once.undo(tx, keyring, conversation, _WITHDRAWN)


def partition_of(tx: Connection, branch: str) -> str:
    """The partition in which this branch is counted."""
    found = tx.scalar(select(partitions.c.partition).where(partitions.c.branch == branch))
    return found or disclosure.TOGETHER


def read(tx: Connection) -> tuple[Partition, ...]:
    """Every partition; reads only."""
    branches: dict[str, list[str]] = {}
    for row in tx.execute(select(partitions).order_by(partitions.c.branch)):
        branches.setdefault(row.partition, []).append(row.branch)
    closed = _closed(tx)
    counted = select(contributions.c.partition, func.count()).group_by(contributions.c.partition)
    waiting: dict[str, int] = dict(map(tuple, tx.execute(counted)))
    named = sorted({*branches, *waiting, *(each.release.partition for each in closed), disclosure.TOGETHER})
    return tuple(
        Partition(
            name,
            tuple(branches.get(name, ())),
            tuple(each for each in closed if each.release.partition == name),
            waiting.get(name, 0),
        )
        for name in named
    )


def _any_unit(tx: Connection) -> bool:
    """Whether anybody waits for a wave, or was counted in one."""
    return bool(tx.scalar(select(exists(select(contributions)) | exists(select(waves)))))


def _lock(tx: Connection, partition: str) -> None:
    """One transaction at a time counts those who wait in a partition."""
    mine = select(partitions.c.branch).where(partitions.c.partition == partition).order_by(partitions.c.branch)
    tx.execute(mine.with_for_update()).all()


def _waiting(tx: Connection, partition: str) -> int:
    waiting = select(func.count()).select_from(contributions).where(contributions.c.partition == partition)
    return tx.scalar(waiting) or 0


def _close(tx: Connection, keyring: Keyring, partition: str, today: date) -> None:
    """Publish what waits and delete it. What the auditor refuses goes on waiting."""
    waiting = select(contributions.c.conversation, contributions.c.sealed, conversations.c.wrapped_key)
    rows = tx.execute(waiting.join(conversations).where(contributions.c.partition == partition)).all()
    units = []
    for row in rows:
        try:
            units.append(_unsealed(keyring.unwrap(row.conversation, row.wrapped_key), row.conversation, row.sealed))
        except Tampered:  # nobody's turn may fail for it: it is counted nowhere
            tx.execute(delete(contributions).where(contributions.c.conversation == row.conversation))
    try:
        release = disclosure.publish(partition, units, [each.release for each in _closed(tx)])
    except Refused:
        return
    closed = {
        "partition": partition,
        "number": release.number,
        "monday": today - timedelta(days=today.weekday()),
        "units": release.units,
        "bands": json.dumps(release.bands, sort_keys=True),
    }
    tx.execute(insert(waves).values(closed))
    tx.execute(delete(contributions).where(contributions.c.partition == partition))


def _closed(tx: Connection) -> list[Published]:
    rows = tx.execute(select(waves).order_by(waves.c.partition, waves.c.number))
    return [Published(Release(row.partition, row.number, row.units, json.loads(row.bands)), row.monday) for row in rows]


def _sealed(key: DataKey, conversation: str, unit: Unit) -> bytes:
    plain = json.dumps(unit, sort_keys=True).encode()
    return key.seal(plain, table="contributions", row=conversation, column="sealed", pad_to=_PAD)


def _unsealed(key: DataKey, conversation: str, sealed: bytes) -> Unit:
    unit: Unit = json.loads(key.unseal(sealed, table="contributions", row=conversation, column="sealed"))
    return unit
