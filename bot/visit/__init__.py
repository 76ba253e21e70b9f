"""The expert's visit in the conversation: what the room `visits` answers in a turn, and what leaves because of it.

`booking` answers inside a turn; `notices` puts what must leave in the outbox; `rules` reads the programme's settings.
The consultant's space calls `notices` and `changes` too. No rule of a time or of a place is here: those are in visits/.
"""
