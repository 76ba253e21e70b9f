"""The result as a PDF: drawn on demand, locked if one wishes, for who has a result and nobody else."""

from __future__ import annotations

import io

import pikepdf
import pytest

from bot.house import House
from bot.web.guard import PAPERS
from tests.web.test_bad_input import says_no
from tests.web.visitor import PageForm, Visitor, forms

pytestmark = pytest.mark.databases("sqlite", because="a drawing only reads, what other tests read on both")


def paper_form(visitor: Visitor) -> PageForm:
    return next(form for form in forms(visitor.page) if "/resultat.pdf#" in form.action)


@pytest.fixture(params=["/", "/integre"])
def finished(request: pytest.FixtureRequest, visitor: Visitor) -> Visitor:
    """Somebody before a result, in a page of its own or in a frame."""
    visitor.open(request.param)
    visitor.to_result()
    return visitor


def test_a_real_pdf_to_keep(finished: Visitor) -> None:
    drawn = finished.send(paper_form(finished))
    assert drawn.status_code == 200
    assert drawn.headers["content-type"] == "application/pdf"
    assert drawn.headers["content-disposition"] == 'attachment; filename="autodiag-resultat.pdf"'
    assert drawn.headers["cache-control"] == "no-store"
    with pikepdf.open(io.BytesIO(drawn.content)) as paper:
        assert len(paper.pages) >= 1
        assert "/StructTreeRoot" in paper.Root


def test_a_passphrase_locks_it(finished: Visitor) -> None:
    drawn = finished.send(paper_form(finished), phrase="quatre chevaux bleus été")
    assert drawn.headers["content-type"] == "application/pdf"
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(drawn.content))
    with pikepdf.open(io.BytesIO(drawn.content), password="quatre chevaux bleus été") as paper:
        assert paper.encryption.R == 6


@pytest.mark.parametrize(
    ("phrase", "said"), [("chat", "trop courte"), ("       ", "trop courte"), (" commence ici", "une espace")]
)
def test_a_passphrase_that_cannot_lock_is_told_beside_its_field(finished: Visitor, phrase: str, said: str) -> None:
    page = finished.send(paper_form(finished), phrase=phrase)
    says_no(page, 422)
    assert said in page.text
    assert page.text.partition("<template")[0].count('role="alert"') == 1
    assert 'aria-invalid="true" aria-describedby="phrase-dit"' in page.text
    assert f'value="{phrase}"' not in page.text
    assert finished.send(paper_form(finished)).headers["content-type"] == "application/pdf"


def test_the_address_of_the_paper_reloaded_is_the_result(finished: Visitor) -> None:
    finished.client.follow_redirects = False
    for path, result in (("/resultat.pdf", "/autodiag"), ("/integre/resultat.pdf", "/integre")):
        page = finished.client.get(path)
        assert (page.status_code, page.headers["location"]) == (303, result)


def test_there_is_no_paper_before_a_result_nor_for_a_stranger(visitor: Visitor) -> None:
    assert visitor.client.post("/resultat.pdf", data={"id": "z" * 24}).status_code == 403
    visitor.answer()
    says_no(visitor.client.post("/resultat.pdf", data={"id": "z" * 24}), 409)


def test_papers_are_slowed_for_one_conversation_only(
    house: House, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("papers.result.result_pdf", lambda *_, **__: b"%PDF")
    visitor.to_result()
    form = paper_form(visitor)
    statuses = [visitor.client.post(form.action, data=form.fields).status_code for _ in range(PAPERS.amount + 1)]
    assert statuses == [200] * PAPERS.amount + [429]
    visitor.client.cookies.clear()
    visitor.open("/")
    visitor.to_result()
    assert visitor.send(paper_form(visitor)).status_code == 200
