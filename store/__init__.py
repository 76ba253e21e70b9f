"""What is remembered: engine, tables, encryption, conversations, inbox, outbox, migrations.

The store keeps bytes sealed with each conversation's own key, and a few columns that can be counted.
What must not live here: the meaning of an answer, a sentence of the bot, a channel, a second copy of anything.
"""
