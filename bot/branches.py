"""What a turn tells the branches' room: which step a conversation has reached, and what its first result contributes.

One rule: in the turn's own transaction, and never for a trial. Nearly every turn has nothing to tell.
"""

from __future__ import annotations

from sqlalchemy import Connection

from bot.house import House
from bot.settings import Settings
from bot.turn import Happened
from dialogue.engine import result
from dialogue.events import AnswerRecorded, AutodiagDone, Fact, FormDone, Marked, Noted, ShortPathDone
from dialogue.flow import Flow
from federations import funnel, waves
from federations.funnel import Step
from referential.rules import UNKNOWN
from referential.yamlfile import Fault

SURVEY = "survey"
"""The flow that asks how the visit went."""


def count(house: House, tx: Connection, happened: Happened) -> None:
    """Count what this turn means of a conversation. Whoever tells a branch, or comes by a link that does, has begun."""
    loaded, session, flow = happened.loaded, happened.after.session, happened.after.flow
    if loaded.trial:
        return
    keyring = house.store.keyring
    if happened.after.restarted:
        waves.withdraw(tx, keyring, loaded.id)
    trade = flow.questionnaire.profile[0].id
    told = session.answers.get(trade, UNKNOWN)
    branch = funnel.ELSEWHERE if told == UNKNOWN else told
    steps: list[Step] = [step for fact in happened.facts if (step := _step(house, happened, fact, trade))]
    if happened.before is None and told != UNKNOWN:
        steps.insert(0, "begun")
    for step in steps:
        funnel.reach(tx, keyring, loaded.id, branch, loaded.campaign, "begun", house.today())
        first = funnel.reach(tx, keyring, loaded.id, branch, loaded.campaign, step, house.today())
        if step == "short_done" and (first or waves.may_wait_again(tx, keyring, loaded.id)):
            unit = waves.unit_of(flow.questionnaire, result(flow, session))
            waves.contribute(tx, keyring, loaded.id, loaded.key, branch, unit, house.today())


def _step(house: House, happened: Happened, fact: Fact, trade: str) -> Step | None:
    """The step of the funnel that a fact is, if it is one."""
    on = happened.event.on if isinstance(happened.event, Marked) else None
    match fact:
        case AnswerRecorded() if fact.node == trade:
            return "begun"
        case ShortPathDone():
            return "short_done"
        case AutodiagDone():
            return "done"
        case Noted(mark="appointment") if on:
            return "visit_booked"
        case Noted(mark="visit") if on and on.date() <= house.today():
            return "visit_done"
        case FormDone() if fact.flow == SURVEY:
            return "surveyed"
    return None


def freeze(tx: Connection, flow: Flow, settings: Settings) -> None:
    """Decide, before anything is counted, in which partition each branch will be."""
    branches = [choice.id for choice in flow.questionnaire.profile[0].choices]
    waves.freeze(tx, branches, {each.branch: each.target for each in settings.federations})


def check(flow: Flow, settings: Settings) -> list[Fault]:
    """Federations whose branch is not a trade of the content."""
    trades = flow.questionnaire.profile[0].by_choice
    return [
        Fault("config.yml", 1, f"federations : « {each.branch} » n'est pas un métier de referential/profile.yml.")
        for each in settings.federations
        if each.branch not in trades
    ]
