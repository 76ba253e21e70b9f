"""What is drawn: a result as a PDF to keep, its bars as a picture. Typst lays out, pikepdf locks.

Everything comes in as values, and goes out as bytes: no file of a conversation, no clock, no door. The French that the
papers add to the bot's own words stands in the `.typ` templates beside this file.
"""
