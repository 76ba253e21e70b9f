"""The result of an Autodiag, drawn: a PDF to keep (`result_pdf`), a picture of its bars (`bars_png`).

Says what the chat says, with its words, and nothing that it does not: no name, only the answers that count.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from dialogue.engine import counted, result
from dialogue.expert import diagnosis
from dialogue.flow import Flow
from dialogue.present import action_words, label_of, level_words, verify_messages, weakest_first
from dialogue.session import Session
from dialogue.words import Words
from papers import press
from papers.days import in_french
from papers.locked import checked, locked
from referential.model import Branch, Questionnaire, Theme
from scoring.score import Action, RoomScore, level, unit

BARS_POINTS: Final = 400
"""Width of bars.typ's page: at 800 pixels, a phone shows its text at the size of a chat's."""
_ITEM = "– "
_Data = dict[str, Any]


def result_pdf(flow: Flow, session: Session, words: Words, *, date: date, passphrase: str | None = None) -> bytes:
    """The result as a tagged PDF/UA-1 to keep, locked if a passphrase is given. Raises BadPassphrase."""
    if passphrase is not None:
        passphrase = checked(passphrase)
    paper = press.pdf("result.typ", _paper(flow, session, words, date), date)
    return paper if passphrase is None else locked(paper, passphrase)


def bars_png(flow: Flow, session: Session, words: Words, *, width: int = 800) -> bytes:
    """The level and the bars of the themes as a picture, `width` pixels wide."""
    return press.png("bars.typ", _bars(flow, session, words), ppi=72 * width / BARS_POINTS)


def _bars(flow: Flow, session: Session, words: Words) -> _Data:
    """What paper and picture share. The chat's own result is cut where it changes subject: level, figures, scale."""
    book, score = flow.questionnaire, result(flow, session)
    said = level_words(words, score)
    opening, *figures, scale = words.say("result", score=score, level=said, alerts=[], actions=[]).split("\n\n")
    notes = {theme.id: theme for theme in score.themes}
    return {
        "label": opening.partition(said)[0].rstrip(" \N{NO-BREAK SPACE}:"),
        "level": said[:1].upper() + said[1:],
        "figures": [line for part in figures for line in part.splitlines()],
        "scale": scale,
        "marks": [book.scale.middling_from, book.scale.satisfying_from],
        "bars": [_bar(book, theme, notes[theme.id]) for theme in weakest_first(flow, score)],
        "scored": score.range is not None,
        "unsure": any(theme.range and theme.range.cautious != theme.range.high for theme in score.themes),
    }


def _bar(book: Questionnaire, room: Theme | Branch, score: RoomScore) -> _Data:
    """One bar: `low` and `high` of 100, its note as read, and what its word and colour hang on."""
    if score.range is None:
        return {"title": room.title, "state": "not_scored", "low": 0, "high": 0, "note": ""}
    low, high = unit(score.range.cautious), unit(score.range.high)
    state = "to_check" if score.status == "to_check" else level(book, score.range.cautious)
    return {
        "title": room.title,
        "state": state,
        "low": low,
        "high": high,
        "note": f"{low}" if low == high else f"{low}–{high}",
    }


def _paper(flow: Flow, session: Session, words: Words, day: date) -> _Data:
    book, score, answers = flow.questionnaire, result(flow, session), counted(flow, session)
    branch = next((each for each in book.branches if score.branch and each.id == score.branch.id), None)
    alerts = [question for node in score.alerts if (question := flow.question(node))]
    first, later = score.actions[: book.scale.shown], score.actions[book.scale.shown :]
    programme = words.programme
    return {
        **_bars(flow, session, words),
        "date": in_french(day),
        "branch": _bar(book, branch, score.branch) if branch and score.branch else None,
        "alerts": [
            {"text": question.text, "answer": label_of(words, question, answers[question.id])} for question in alerts
        ],
        "actions": [_action(words, action) for action in first],
        "later": [_action(words, action) for action in later],
        "verify": list(_verify(flow, session, words)),
        "expert": _expert(flow, session),
        "programme": {"name": programme.name, "phone": programme.phone, "site": str(programme.site)},
        "human": [part for part in words.say("human").splitlines() if part],
    }


def _expert(flow: Flow, session: Session) -> _Data | None:
    """The expert's opinion, theme by theme, or None before there is one."""
    found = diagnosis(flow, session.values)
    if found is None:
        return None
    themes = [{"title": each.title, "note": str(each.note), "level": each.level} for each in found.themes]
    return {"level": found.level, "note": str(found.note), "themes": themes}


def _action(words: Words, action: Action) -> _Data:
    """One action as the chat says it, and the public pages where to read more."""
    resources = words.tutorials[action.tutorial].resources if action.tutorial else ()
    return {
        "text": action_words(words, action),
        "pages": [{"name": each.name, "address": each.address} for each in resources],
    }


def _verify(flow: Flow, session: Session, words: Words) -> Iterator[_Data]:
    """What to ask whom, and the message to forward, its list apart from the sentences around it."""
    minutes = flow.questionnaire.scale.verify_minutes
    for recipient, message in verify_messages(flow, session, words).items():
        lines = [line for line in message.splitlines() if line]
        items = [line.removeprefix(_ITEM) for line in lines if line.startswith(_ITEM)]
        at = next((place for place, line in enumerate(lines) if line.startswith(_ITEM)), len(lines))
        yield {
            "title": words.say("action_verify", recipient=recipient, count=len(items), minutes=minutes),
            "before": lines[:at],
            "items": items,
            "after": [line for line in lines[at:] if not line.startswith(_ITEM)],
        }
