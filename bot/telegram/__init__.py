"""The Telegram door: updates become events of the turn, the present turn becomes messages with buttons.

What must leave goes through the outbox. Nothing of the conversation's rules lives here, and no chat's number stands in
clear anywhere but in memory.
"""
