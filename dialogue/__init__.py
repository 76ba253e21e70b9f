"""The conversation, pure: flow, session, event -> session, facts, effects; reads typed French; renders the bot's words.

Values and functions only: no clock, no randomness, no SQL, no HTTP. The same events always give the same session.
Must not know which door, database or room is on the other side.
"""
