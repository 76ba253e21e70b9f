"""The e-mail door: `letters` puts a letter in the outbox, `send` takes it from there and writes it by SMTP.

It only speaks; what comes back is read by a person. Nothing that was answered, no level, theme or firm's name is in a
letter: its sentences are in dialogue/words/mail_*.j2.
"""
