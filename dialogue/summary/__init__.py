"""The pre-visit summary as a value: what a consultant reads before coming, drawn by `papers/` and shown by `bot/web/`.

Pure, like the whole of `dialogue/`: `make.summary` derives it from a session and from what rooms hand over. It says
nothing that does not follow from answers that count. No layout here, and no French but the content's and the bot's.
"""
