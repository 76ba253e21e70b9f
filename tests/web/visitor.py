"""A visitor without a browser: opens pages, finds their forms, presses their buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from httpx import Response
from starlette.testclient import TestClient


@dataclass
class PageForm:
    """One form of a page: where it goes, its hidden fields, its buttons."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[PageForm] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(PageForm(given["action"]))
            self.inside = True
        elif tag == "input" and self.inside and given.get("type") == "hidden":
            self.found[-1].fields[given["name"]] = given["value"]
        elif tag == "button" and self.inside and "name" in given:
            self.found[-1].buttons.append((given["name"], given["value"]))

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "form"


def forms(page: Response) -> list[PageForm]:
    """Every form of a page, in order."""
    parser = _Forms()
    parser.feed(page.text)
    return parser.found


class Visitor:
    """Somebody on one device. `page` is what the device shows."""

    def __init__(self, client: TestClient, start: str = "/") -> None:
        self.client = client
        self.page: Response = client.get(start)

    def open(self, path: str) -> Response:
        self.page = self.client.get(path)
        return self.page

    def choices(self) -> PageForm:
        """The form of the question being asked."""
        return next(form for form in forms(self.page) if "node" in form.fields and form.buttons[0][0] == "choice")

    def send(self, form: PageForm, **fields: str) -> Response:
        self.page = self.client.post(form.action, data={**form.fields, **fields})
        return self.page

    def answer(self, place: int = 0) -> Response:
        """Press the choice at this place."""
        form = self.choices()
        return self.send(form, choice=form.buttons[place][1])

    def press(self, name: str, value: str) -> Response:
        """Press the first button with this name and value."""
        return self.send(next(form for form in forms(self.page) if (name, value) in form.buttons), **{name: value})

    def command(self, value: str) -> Response:
        return self.press("command", value)

    def to_result(self, place: int = 0) -> Response:
        for _ in range(60):
            if 'class="ask"' not in self.page.text and "Première question" not in self.page.text:
                return self.page
            self.answer(place)
        raise AssertionError("no result after 60 answers")
