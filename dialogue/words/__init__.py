"""The bot's words: every sentence is a French Jinja2 template beside this file, every button a line of `labels.yml`.

Templates are read when `Words` is made; after that, pure. Plain text comes out: paragraphs apart by a blank line, list
items after "– "; a door turns that into its own markup, and escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dialogue.understanding.plain import normal
from referential.load import Term
from referential.model import ScoredQuestion
from scoring.score import unit
from tutorials.load import Tutorial

FOLDER = Path(__file__).parent


class Words:
    """What the bot needs to speak: its templates, the deployer's texts, the tutorials, the glossary.

    `deployer` carries what config.yml says: its `programme`, `contact` and `texts`, which templates call by these
    names. A missing value is an error, never a blank.
    """

    def __init__(self, deployer: Any, tutorials: Sequence[Tutorial], glossary: Sequence[Term]) -> None:
        self.programme = deployer.programme
        self.tutorials = {tutorial.id: tutorial for tutorial in tutorials}
        self._terms = {normal(word): term for term in glossary for word in (term.term, *term.synonyms)}
        self._spotted = [(_whole(word), term) for word, term in self._terms.items()]
        self._labels: Mapping[str, str] = yaml.safe_load((FOLDER / "labels.yml").read_text(encoding="utf-8"))
        templates = Environment(
            loader=FileSystemLoader(FOLDER),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # noqa: S701 — plain text, escaped by the door that has a markup
        )
        templates.globals.update(programme=deployer.programme, contact=deployer.contact, texts=deployer.texts)
        templates.filters.update(unit=unit)
        self._templates = {name: templates.get_template(name) for name in templates.list_templates(extensions=["j2"])}

    def say(self, template: str, **values: object) -> str:
        """The text of a template, without blank lines at its ends."""
        text = self._templates[f"{template}.j2"].render(**values)
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    def label(self, name: str, **values: object) -> str:
        """The words on a button."""
        return self._labels[name].format(**values)

    def term(self, word: str) -> Term | None:
        """The glossary entry that a word leads to."""
        return self._terms.get(normal(word)) or self._terms.get(normal(word).rstrip("s"))

    def terms_in(self, *texts: str) -> tuple[Term, ...]:
        """The glossary entries whose words stand in these texts, once each, by order of the glossary."""
        said = normal(" ".join(texts))
        found = {id(term): term for pattern, term in self._spotted if pattern.search(said)}
        return tuple(found.values())

    def message_to(self, recipient: str, questions: Sequence[ScoredQuestion]) -> str:
        """The message, ready to forward, that asks whoever knows about the questions left unknown."""
        return self.say("verify_message", recipient=recipient, questions=questions)


def _whole(word: str) -> re.Pattern[str]:
    """Finds this word by itself, one or several: "export" is not in "import-export"."""
    return re.compile(rf"(?<![\w-]){re.escape(word)}s?(?![\w-])")
