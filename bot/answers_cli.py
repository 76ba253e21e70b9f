"""`autodiag score`, `autodiag summary`: what answers given as a file are worth, and what a consultant reads of them."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell import settings, stop
from referential.yamlfile import Faults

if TYPE_CHECKING:
    from bot.content import Content

Given = Annotated[Path, typer.Argument(help='JSON : {"profile": {…}, "answers": {…}}')]


def score(file: Given) -> None:
    """Calcule le résultat de réponses données en JSON, et l'affiche en JSON."""
    from scoring.score import as_data
    from scoring.score import score as score_answers

    content, answers = _read(file)
    print(json.dumps(as_data(score_answers(content.flow.questionnaire, answers)), ensure_ascii=False, indent=2))


def summary(
    file: Given,
    pdf: Annotated[Path, typer.Option("--pdf", help="Le PDF à écrire.")],
    firm: Annotated[str, typer.Option("--nom", help="Le nom de l'entreprise.")] = "",
    minutes: Annotated[int, typer.Option("--minutes", min=15, max=480, help="La durée de la visite.")] = 120,
) -> None:
    """Écrit la synthèse avant visite de réponses données en JSON ; sans réponse, les questions à poser."""
    from dataclasses import replace

    from dialogue.calendar import PARIS
    from dialogue.engine import begin
    from dialogue.summary.make import summary as make
    from dialogue.summary.value import Visit
    from dialogue.words import Words
    from papers.summary import summary_pdf

    content, answers = _read(file)
    deployed, flow = settings(), content.flow
    words = Words(deployed, content.tutorials, content.referential.glossary)
    opened = tuple(section.id for section in flow.sections if any(each.id in answers for each in section.questions))
    session = replace(begin(flow), answers=answers, opened=opened)
    today: date = datetime.now(PARIS).date()
    found = make(
        flow,
        session,
        words,
        content.referential.preparation,
        made_on=today,
        visit=Visit(firm=firm, minutes=minutes),
    )
    try:
        pdf.write_bytes(summary_pdf(found, programme=deployed.programme.name))
    except OSError as error:
        stop(2, f"{pdf} ne peut pas être écrit : {error.strerror}.")
    print(f"Synthèse écrite : {pdf}")


def _read(file: Path) -> tuple[Content, dict[str, str]]:
    """The content, and the facts and answers of the file together; stops with what is wrong."""
    from bot.content import load_content
    from scoring.score import BadAnswer, check_answers

    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        stop(2, f"{file} ne peut pas être lu : {error.strerror}.")
    except (ValueError, RecursionError) as error:
        stop(2, f"{file} n'est pas du JSON en UTF-8 : {error}.")
    profile, answers = _answers(given, "profile"), _answers(given, "answers")
    try:
        content = load_content()
    except Faults as found:
        stop(1, *found.faults)
    try:
        check_answers(content.flow.questionnaire, profile, answers)
    except BadAnswer as error:
        stop(2, error)
    return content, {**profile, **answers}


def _answers(given: Any, key: str) -> dict[str, str]:
    """The answers under this key of the file; an absent key means none."""
    if not isinstance(given, dict) or set(given) - {"profile", "answers"}:
        stop(2, f"Le fichier doit tenir en un objet avec « profile » et « answers »{_named(given)}.")
    found = given.get(key, {})
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        stop(2, f"« {key} » doit être un objet d'identifiants et de choix, tous en texte.")
    return found


def _named(given: Any) -> str:
    return f" ; retirez {', '.join(sorted(set(given) - {'profile', 'answers'}))}" if isinstance(given, dict) else ""
