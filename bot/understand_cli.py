"""`autodiag understand`: what the bot understands of a typed answer, or how well it understands."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.shell import settings, stop
from referential.yamlfile import Faults


def understand(
    text: Annotated[str | None, typer.Argument(help="La réponse tapée, entre guillemets.")] = None,
    question: Annotated[str | None, typer.Option("--question", help="L'identifiant de la question posée.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help='JSON Lines : {"question", "reply"}.')] = None,
    evaluate: Annotated[
        Path | None, typer.Option("--evaluate", help='JSON Lines : {"question", "reply", "kind", "choice", "command"}.')
    ] = None,
    voices: Annotated[bool, typer.Option("--voices", help="Chaque voix lue sans l'avoir apprise (2 minutes).")] = False,
) -> None:
    """Dit ce que le robot comprend d'une réponse tapée, en JSON ; ou mesure ce qu'il comprend."""
    from bot import understand as understanding
    from bot.content import load_content
    from bot.hearing import ear_for

    if sum((text is not None, file is not None, evaluate is not None, voices)) != 1 or (text is None) != (
        question is None
    ):
        stop(2, "Donnez soit --question ID et un texte, soit --file, --evaluate ou --voices.")
    try:
        questionnaire = load_content().flow.questionnaire
    except Faults as found:
        stop(1, *found.faults)
    questions = questionnaire.by_id
    if voices:
        print(json.dumps(_voices(questions), ensure_ascii=False, indent=2))
        return
    ear = ear_for(settings().storage.model_dir, questionnaire)
    if not ear.learn():
        print("Le modèle n'a pas pu être appris : les règles seules répondent.", file=sys.stderr)
    try:
        if text is not None:
            if question not in questions:
                stop(2, f"« {question} » n'est pas une question.")
            print(json.dumps(understanding.told(ear.model, questions[question], text), ensure_ascii=False))
        elif file is not None:
            for asked, given in understanding.lines(_read_text(file), questions):
                print(json.dumps(understanding.told(ear.model, asked, given["reply"]), ensure_ascii=False))
        elif evaluate is not None:
            given_lines = understanding.expected(_read_text(evaluate), questions)
            figures = understanding.evaluate(ear.model, questions, given_lines)
            print(json.dumps(figures.report(), ensure_ascii=False, indent=2))
    except understanding.BadLine as error:
        stop(2, f"{file or evaluate}, {error}")


def _voices(questions: Any) -> dict[str, Any]:
    """The figures of each voice left out in turn, then of all together."""
    from bot import understand as understanding
    from bot.training import train
    from referential import spoken

    try:
        sayings = spoken.load(questions)
    except Faults as found:
        stop(1, *found.faults)
    together, told = understanding.Figures(), {}
    for voice in sorted({each.voice for each in sayings.utterances if each.node}):
        rest, given = understanding.held_out(sayings, questions, voice)
        figures = understanding.evaluate(train(rest, questions)[0], questions, given)
        told[voice] = figures.report()
        together.merge(figures)
    return {**told, "ensemble": together.report()}


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        stop(2, f"{file} ne peut pas être lu : {error.strerror}.")
    except UnicodeDecodeError:
        stop(2, f"{file} n'est pas en UTF-8.")
