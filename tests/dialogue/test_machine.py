"""Any conversation at all: whatever is pressed, typed or replayed, the promises of the engine hold."""

from __future__ import annotations

from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dialogue.engine import Refused, asking, begin, counted, path, result, step
from dialogue.events import COMMANDS, RECORD, Clicked, Commanded, Event, NotUnderstood, ReadAnswer, Record
from dialogue.flow import openable
from dialogue.present import past, present
from dialogue.session import Session, dump, load
from tests.dialogue.conftest import FLOW, WORDS, read

NODES = sorted(FLOW.questionnaire.by_id)
SECTIONS = [section.id for section in FLOW.sections]
TUTORIALS = [length.id for length in FLOW.questionnaire.tutorials]
CHOICES = sorted({choice for question in FLOW.questionnaire.questions() for choice in question.by_choice})
TYPED = [
    "oui",
    "non",
    "1",
    "b",
    "je ne sais pas",
    "non concerné",
    "retour",
    "pause",
    "c'est quoi un VPN ?",
    "euh",
    "",
    "résultat",
]
LEVELS = {"active": 0, "short_done": 1, "done": 2}


class Conversation(RuleBasedStateMachine):
    """A session, everything that it accepted, and what was true of it before."""

    session: Session
    given: dict[str, str]
    accepted: list[Event]
    level: int = 0

    @initialize(given=st.dictionaries(st.just("branche"), st.sampled_from(["optique", "import-export", "autre"])))
    def start(self, given: dict[str, str]) -> None:
        self.given, self.accepted = given, []
        self.session = begin(FLOW, given)

    def take(self, event: Event) -> None:
        before = dump(self.session)
        try:
            stepped = step(FLOW, self.session, event)
        except Refused as refused:
            note(f"{event} refused: {refused.code}")
            assert dump(self.session) == before
            return
        assert dump(self.session) == before
        assert (
            RECORD.validate_json(RECORD.dump_json(Record("now", "test", event, stepped.facts))).facts == stepped.facts
        )
        self.accepted.append(event)
        self.session = load(dump(stepped.session))
        if any(effect.kind == "start_over" for effect in stepped.effects):
            self.session, self.accepted, self.level = begin(FLOW, self.given), [], 0

    @precondition(lambda self: asking(FLOW, self.session) is not None)
    @rule(place=st.integers(0, 6), times=st.integers(1, 6), certain=st.booleans())
    def answer(self, place: int, times: int, certain: bool) -> None:
        for _ in range(times):
            question = present(FLOW, self.session, WORDS).question
            if question is None:
                return
            chosen = question.choices[place % len(question.choices)]
            self.take(Clicked(question.node, chosen.id, certain=certain))

    @rule(data=st.data())
    def press_a_button(self, data: st.DataObject) -> None:
        button = data.draw(st.sampled_from(present(FLOW, self.session, WORDS).buttons))
        before = len(self.accepted)
        self.take(Commanded(button.name, button.node, button.word))
        assert len(self.accepted) != before or not self.accepted, "a button on offer is never refused"

    @rule(node=st.sampled_from(NODES), choice=st.sampled_from([*CHOICES, "nsp", "na"]), typed=st.booleans())
    def press_something_old(self, node: str, choice: str, typed: bool) -> None:
        self.take(ReadAnswer(node, choice) if typed else Clicked(node, choice))

    @rule(
        name=st.sampled_from(COMMANDS),
        node=st.sampled_from(["", "inconnu", *NODES, *SECTIONS]),
        word=st.sampled_from(["", "VPN", "inconnu", *TUTORIALS]),
    )
    def command(self, name: str, node: str, word: str) -> None:
        self.take(Commanded(next(each for each in COMMANDS if each == name), node, word))

    @rule(text=st.sampled_from(TYPED))
    def type(self, text: str) -> None:
        self.take(read(FLOW, self.session, text))

    @rule()
    def type_nonsense(self) -> None:
        self.take(NotUnderstood())

    @rule(data=st.data())
    def change_an_answer_and_put_it_back(self, data: st.DataObject) -> None:
        nodes = [each.question.id for each in path(FLOW, self.session) if each.question.id in self.session.answers]
        if not nodes:
            return
        node = data.draw(st.sampled_from(nodes))
        kept = self.session.answers[node]
        before, standing = result(FLOW, self.session), counted(FLOW, self.session)
        other = data.draw(st.sampled_from(sorted(FLOW.questionnaire.by_id[node].by_choice)))
        for choice in (other, kept):
            self.take(Commanded("edit", node))
            self.take(Clicked(node, choice, certain=True))
        assert (result(FLOW, self.session), counted(FLOW, self.session)) == (before, standing)

    @invariant()
    def the_session_survives_writing(self) -> None:
        assert load(dump(self.session)) == self.session
        assert dump(load(dump(self.session))) == dump(self.session)

    @invariant()
    def there_is_always_something_to_do_and_to_read(self) -> None:
        turn = present(FLOW, self.session, WORDS)
        assert turn.question or turn.buttons
        assert turn.question or turn.messages
        assert all(message.text.strip() for message in turn.messages)
        assert (turn.place != "result") or self.session.short_done

    @invariant()
    def only_answers_on_the_path_count(self) -> None:
        on_path = {each.question.id for each in path(FLOW, self.session)}
        standing = counted(FLOW, self.session)
        assert set(standing) <= on_path
        assert {each.node: each.choice for each in past(FLOW, self.session, WORDS)} == standing
        trade = standing.get("branche")
        assert {FLOW.questionnaire.home.get(node) for node in standing} <= {
            None, trade, *(theme.id for theme in FLOW.questionnaire.themes)
        }  # fmt: skip

    @invariant()
    def what_is_asked_is_on_the_path(self) -> None:
        asked = asking(FLOW, self.session)
        assert asked is None or asked in path(FLOW, self.session)

    @invariant()
    def the_status_never_goes_down(self) -> None:
        now = LEVELS.get(present(FLOW, self.session, WORDS).status, self.level)
        assert now >= self.level
        self.level = now

    def teardown(self) -> None:
        if not hasattr(self, "session"):
            return
        replayed = begin(FLOW, self.given)
        for event in self.accepted:
            replayed = step(FLOW, replayed, event).session
        assert dump(replayed) == dump(self.session), "the same events give the same bytes"
        self.ends(self.session)

    def ends(self, session: Session) -> None:
        """Whoever keeps answering comes to a result, and to the end of everything."""
        session = step(FLOW, session, Commanded("resume")).session
        for _ in range(150):
            asked = asking(FLOW, session)
            if asked:
                session = step(FLOW, session, Clicked(asked.question.id, asked.question.choices[0].id)).session
                continue
            if session.place.kind != "result":
                session = step(FLOW, session, Commanded("resume")).session
                continue
            left = [
                section.id
                for section in openable(FLOW, session.answers)
                if step(FLOW, session, Commanded("deepen", section.id)).facts[0].kind == "section_opened"
            ]
            if not left:
                assert session.done
                return
            session = step(FLOW, session, Commanded("deepen", left[0])).session
        raise AssertionError("this walk does not end")


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=40, stateful_step_count=25)
