"""The expert's visit: consultants and their hours, free times, holds, bookings, invitations, the waiting list.

Rows and rules only. Times come in as arguments, never from a clock. What must not live here: a sentence of the bot, a
letter, a page; `bot/` calls this room from the conversation, the consultant's space and the command line.
"""
