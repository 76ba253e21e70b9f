"""The papers that a manager keeps: read whole, in order, by eye, by ear and in black and white; locked when asked."""

from __future__ import annotations

import io
import re
import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path

import outloud
import pdfua
import pikepdf
import pymupdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outloud.model import Document
from outloud.viewer import reading_order
from pikepdf._core import EncryptionMethod
from PIL import Image

from bot.content import Content
from bot.settings import Settings
from dialogue.engine import begin, counted, result
from dialogue.flow import Flow, autodiag
from dialogue.present import action_words, level_words, weakest_first
from dialogue.session import Session
from dialogue.words import Words
from papers import press
from papers.locked import BadPassphrase, checked
from papers.result import bars_png, result_pdf
from referential.model import Questionnaire
from tests.papers.conftest import answered, shopkeeper, strongest, unsure, weakest

DARK = 140
"""A grey below it is a fill or a hatch; the edges and the thresholds are lighter."""
DAY = date(2026, 11, 23)
PASSPHRASE = "quatre mots à retenir"
HOSTILE = r"""#import "/etc/passwd": * $x^2$ *gras* _it_ \ \u{41} `brut` <b> @cite // fin "mot" l'an #sys.inputs ]"""


def plain(text: str) -> str:
    """Text as read: any space is a space, and a line is no end; a word that begins a line is no other word."""
    return " ".join(unicodedata.normalize("NFC", text).split()).lower()


def read_pages(pdf: bytes) -> str:
    with pymupdf.open(stream=pdf, filetype="pdf") as paper:  # type: ignore[no-untyped-call]
        return plain(" ".join(page.get_text() for page in paper))


def heard(pdf: bytes, folder: Path) -> list[tuple[str, str]]:
    """The paper as a screen reader says it, tag and words in order, without what it skips."""
    (folder / "paper.pdf").write_bytes(pdf)
    paper = Document(str(folder / "paper.pdf"))
    try:
        said = [piece for _, pieces in sorted(reading_order(paper).items()) for piece in pieces]
    finally:
        paper.close()
    return [(piece["type"], plain(piece["text"])) for piece in said if piece["type"] != "Artifact"]


def complaints(pdf: bytes, folder: Path) -> list[str]:
    """What the two checkers of accessibility find, warnings included."""
    path = folder / "paper.pdf"
    path.write_bytes(pdf)
    loud = outloud.check(str(path))
    assert loud.error is None
    return [str(found) for found in (*pdfua.validate(str(path)).findings, *loud.findings)]


def edited(flow: Flow, **changes: str) -> Flow:
    """The same questionnaire, with other words in these places: theme, question, choice."""
    data = flow.questionnaire.model_dump(by_alias=False)
    theme = data["themes"][0]
    theme["title"] = changes.get("theme", theme["title"])
    for asked in theme["questions"]:
        asked["text"] = changes.get("question", asked["text"])
        for choice in asked["choices"]:
            choice["label"] = changes.get("choice", choice["label"])
    return autodiag(Questionnaire.model_validate(data))


@pytest.fixture(scope="module")
def paper(flow: Flow, session: Session, words: Words) -> bytes:
    return result_pdf(flow, session, words, date=DAY)


def test_the_paper_says_what_the_chat_says(paper: bytes, flow: Flow, session: Session, words: Words) -> None:
    text, score = read_pages(paper), result(flow, session)
    told = [
        level_words(words, score),
        "23 novembre 2026",
        "niveau estimé, avant l'avis de l'expert",
        "calculé sur 15 thèmes sur 15",
        "barème proposé par ce programme, fondé sur les guides publics de l'ANSSI",
        "à régler d'abord",
        "Pour faire le point sur la sécurité informatique de mon entreprise",
        "Import-Export",
        *(theme.title for theme in flow.questionnaire.themes),
        *(action_words(words, action) for action in score.actions),
        *(question.text for node in score.alerts if (question := flow.question(node))),
    ]
    assert score.alerts
    assert score.branch
    assert [line for line in told if plain(line) not in text] == []


def test_it_names_who_to_call_and_where_to_read(paper: bytes, example: Settings, words: Words, flow: Flow) -> None:
    text = read_pages(paper)
    assert plain(example.programme.name) in text
    assert plain(example.programme.phone) in text
    assert plain(example.contact.phone) in text
    with pikepdf.open(io.BytesIO(paper)) as opened:
        links = {str(note.A.URI) for page in opened.pages for note in page.get("/Annots", []) if "/A" in note}
    assert str(example.programme.site) in links
    assert "https://17cyber.gouv.fr/" in links


def test_two_pages_are_enough_even_for_who_knows_nothing(flow: Flow, words: Words) -> None:
    sections = tuple(section.id for section in flow.sections if section.asks != "all")
    for pick, most in ((unsure, 2), (weakest, 2), (strongest, 1)):
        pdf = result_pdf(flow, answered(flow, pick, sections), words, date=DAY)
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            assert len(opened.pages) <= most, pick


def test_both_checkers_find_nothing(flow: Flow, session: Session, words: Words, tmp_path: Path) -> None:
    for manager in (session, begin(flow), answered(flow, weakest), answered(flow, strongest), answered(flow, unsure)):
        assert complaints(result_pdf(flow, manager, words, date=DAY), tmp_path) == []


def test_it_is_heard_in_the_order_in_which_it_is_read(
    paper: bytes, flow: Flow, session: Session, words: Words, tmp_path: Path
) -> None:
    said, score = heard(paper, tmp_path), result(flow, session)
    assert said[0] == ("Title", "votre autodiag, à garder")
    assert said[2] == ("P", "votre niveau estimé, avant l'avis de l'expert")
    assert said[3] == ("P", level_words(words, score))
    assert [text for tag, text in said if tag == "H1"] == [
        "vos 15 thèmes, du plus fragile au plus solide",
        "les questions de votre métier : import-export",
        "à régler d'abord",
        "à faire cette semaine",
        "pour aller plus loin",
        "à vérifier",
        "retrouver ce résultat",
    ]
    cells = [text for tag, text in said if tag in {"TH", "TD", "Figure"}]
    assert cells[:3] == ["thème", "note sur 100", "niveau"]
    assert cells[3::3] == [plain(theme.title) for theme in weakest_first(flow, score)]
    assert all(text.startswith("[figure alt: la note est ") for text in cells[4::3])
    assert set(cells[5::3]) == {"faible", "moyen", "satisfaisant", "à vérifier"}


def test_only_our_font_and_all_of_it_inside(paper: bytes) -> None:
    with pymupdf.open(stream=paper, filetype="pdf") as opened:  # type: ignore[no-untyped-call]
        fonts = {font[:5] for page in opened for font in page.get_fonts()}
        assert fonts
        for number, kind, _, name, _ in fonts:
            assert "SourceSans3" in name
            assert kind != "n/a", "not embedded"
            assert opened.extract_font(number)[3]


def test_equal_results_give_equal_papers(flow: Flow, session: Session, words: Words, paper: bytes) -> None:
    assert result_pdf(flow, session, words, date=DAY) == paper


def test_markup_in_the_content_is_only_text(content: Content, flow: Flow, example: Settings) -> None:
    front = [each.model_copy(update={"title": HOSTILE}) for each in content.tutorials]
    theirs = example.model_copy(update={"programme": example.programme.model_copy(update={"name": HOSTILE})})
    odd = edited(flow, theme=HOSTILE, question=HOSTILE, choice=HOSTILE)
    words = Words(theirs, front, content.referential.glossary)
    manager = answered(odd, weakest, (odd.questionnaire.themes[0].id,))
    text = read_pages(result_pdf(odd, manager, words, date=DAY))
    assert text.count(plain(HOSTILE)) >= 5
    assert bars_png(odd, manager, words)


def test_what_the_font_cannot_show_stops_nothing(flow: Flow, words: Words) -> None:
    odd = edited(flow, theme="Caisse 🧾 日本\x07\u200f\ue000 cafe\u0301\u0323\nà deux")
    text = read_pages(result_pdf(odd, answered(odd, weakest), words, date=DAY))
    assert "caisse □ □□ caf" in text
    assert "à deux" in text


@given(st.text(max_size=60))
@settings(max_examples=40, deadline=None)
def test_any_text_compiles(flow: Flow, words: Words, session: Session, title: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("papers.result.level_words", lambda *_: title or "faible")
        assert result_pdf(flow, session, words, date=DAY).startswith(b"%PDF")


@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_answers_compile(flow: Flow, words: Words, data: st.DataObject) -> None:
    sections = [section.id for section in flow.sections if section.asks != "all"]
    opened = tuple(data.draw(st.lists(st.sampled_from(sections), max_size=4, unique=True)))
    seed = data.draw(st.randoms(use_true_random=False))
    manager = answered(
        flow,
        lambda asked: seed.choice([c.id for c in asked.choices] + ["nsp"] + ["na"] * asked.na_allowed),
        opened,
    )
    kept = data.draw(st.integers(0, len(manager.answers)))
    manager = replace(manager, answers=dict(list(manager.answers.items())[:kept]))
    assert result_pdf(flow, manager, words, date=DAY).startswith(b"%PDF")
    assert bars_png(flow, manager, words).startswith(b"\x89PNG")


def test_nothing_scored_is_said_plainly(flow: Flow, words: Words) -> None:
    manager = begin(flow)
    text = read_pages(result_pdf(flow, manager, words, date=DAY))
    assert result(flow, manager).range is None
    assert "pas encore de niveau : aucun thème n'a pu être noté" in text
    assert "rien n'est noté pour l'instant" in text
    assert text.count("pas noté") == 15
    assert "à faire cette semaine" not in text
    assert "sur 15" not in text


def test_nothing_to_mend_is_said_too(flow: Flow, words: Words) -> None:
    text = read_pages(result_pdf(flow, answered(flow, strongest), words, date=DAY))
    assert "rien à corriger, d'après vos réponses" in text
    assert "à régler d'abord" not in text


def test_an_answer_off_the_journey_is_on_no_paper(flow: Flow, session: Session, words: Words, paper: bytes) -> None:
    away = next(
        q.id for branch in flow.questionnaire.branches if branch.id != "import-export" for q in branch.questions
    )
    there = replace(session, answers={**session.answers, away: flow.questionnaire.by_id[away].choices[0].id})
    assert away not in counted(flow, there)
    assert result_pdf(flow, there, words, date=DAY) == paper


def test_locked_it_opens_only_with_the_passphrase(flow: Flow, session: Session, words: Words, tmp_path: Path) -> None:
    closed = result_pdf(flow, session, words, date=DAY, passphrase=PASSPHRASE)
    assert "Sauvegardes".encode("utf-16-be") not in closed
    for wrong in ("", PASSPHRASE.upper(), PASSPHRASE[:-1]):
        with pytest.raises(pikepdf.PasswordError):
            pikepdf.open(io.BytesIO(closed), password=wrong)
    with pikepdf.open(io.BytesIO(closed), password=PASSPHRASE) as opened:
        lock = opened.encryption
        assert (lock.R, lock.V, lock.bits) == (6, 5, 256)
        assert {lock.stream_method, lock.string_method, lock.file_method} == {EncryptionMethod.aesv3}
        assert opened.Root.MarkInfo.Marked
        assert opened.Root.StructTreeRoot.K
        assert opened.allow.accessibility
        opened.save(tmp_path / "opened.pdf", encryption=False)
    unlocked = (tmp_path / "opened.pdf").read_bytes()
    assert complaints(unlocked, tmp_path) == []
    assert "sauvegardes" in read_pages(unlocked)


def test_a_passphrase_typed_on_a_mac_opens_elsewhere(flow: Flow, session: Session, words: Words) -> None:
    typed = unicodedata.normalize("NFD", PASSPHRASE)
    assert typed != PASSPHRASE
    closed = result_pdf(flow, session, words, date=DAY, passphrase=typed)
    pikepdf.open(io.BytesIO(closed), password=PASSPHRASE).close()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "too_short"),
        ("sept777", "too_short"),
        ("   abc    ", "too_short"),
        ("une phrase de passe ", "spaces"),
        ("mot\nde passe", "unreadable"),
        ("mot de\ud800passe", "unreadable"),
        ("mot de passe²", "unreadable"),
        ("mot\u00a0de passe", "unreadable"),
        ("é" * 64, "too_long"),
    ],
)
def test_a_passphrase_that_would_not_open_is_refused(
    flow: Flow, session: Session, words: Words, given: str, code: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadPassphrase) as refused:
        result_pdf(flow, session, words, date=DAY, passphrase=given)
    assert refused.value.code == code
    assert re.fullmatch(r"Cette phrase de passe .+\.", str(refused.value))
    assert refused.value.__context__ is None
    assert not given.strip() or given.strip() not in repr(refused.value)
    assert capfd.readouterr() == ("", "")


def test_the_longest_and_the_shortest_passphrases_are_taken() -> None:
    assert checked("12345678") == "12345678"
    assert checked("a" * 127) == "a" * 127


def bars_in_grey(picture: bytes) -> list[tuple[float, float]]:
    """Each bar of the picture, from its greys alone: how far it is full, how far it is full or hatched, out of 100."""
    grey = Image.open(io.BytesIO(picture)).convert("L")
    pixels = [grey.crop((40, y, grey.width - 40, y + 1)).tobytes() for y in range(grey.height)]
    tops: list[int] = []
    for y, row in enumerate(pixels):
        if max(row) < 230 and (not tops or y > tops[-1] + 24):
            tops.append(y)
    found = []
    for top in tops:
        columns = list(zip(*pixels[top + 4 : top + 14], strict=True))
        full = [at for at, column in enumerate(columns, 1) if max(column) < DARK]
        touched = [at for at, column in enumerate(columns, 1) if min(column) < DARK]
        found.append((100 * max(full, default=0) / len(columns), 100 * max(touched, default=0) / len(columns)))
    return found


def test_the_picture_has_its_size_and_a_light_ground(flow: Flow, session: Session, words: Words) -> None:
    drawn = bars_png(flow, session, words)
    picture = Image.open(io.BytesIO(drawn))
    assert picture.format == "PNG"
    assert picture.width == 800
    assert 900 < picture.height < 1600
    assert len(drawn) < 400_000
    grey = picture.convert("L")
    assert min(grey.tobytes()) < 60
    assert max(grey.tobytes()) == 255
    assert grey.getpixel((2, 2)) == 255


def test_in_black_and_white_the_bars_are_as_long_as_the_notes(flow: Flow, words: Words) -> None:
    manager = answered(flow, shopkeeper)
    score = result(flow, manager)
    ranges = {theme.id: theme.range for theme in score.themes}
    drawn = bars_in_grey(bars_png(flow, manager, words))
    assert len(drawn) == 15
    for theme, (full, touched) in zip(weakest_first(flow, score), drawn, strict=True):
        notes = ranges[theme.id]
        assert notes
        assert full == pytest.approx(float(notes.cautious), abs=2), theme.id
        assert touched == pytest.approx(float(notes.high), abs=2), theme.id


def test_another_width_is_exact(flow: Flow, session: Session, words: Words) -> None:
    for width in (400, 640, 801, 1080):
        assert Image.open(io.BytesIO(bars_png(flow, session, words, width=width))).width == width


def test_the_font_shows_french(words: Words) -> None:
    french = "ÀÂÆÇÉÈÊËÎÏÔŒÙÛÜŸ àâæçéèêëîïôœùûüÿ « » – — … ’ € °"
    assert "□" not in press.shown(french)
