"""What is asked: profile, themes, branch modules, glossary and scale, as YAML that a non-programmer edits.

Loaded once, typed and frozen (`load`), then pure: no clock, no I/O, no sentence of the bot.
Must not know that a conversation, a score or a door exists.
"""
