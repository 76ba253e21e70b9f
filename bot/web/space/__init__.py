"""The spaces of those who were invited: consultants, federations, operators. Server-rendered, on the chat's look.

Every page asks `guard.signed_in` who is there, and every row by `guard.theirs` whether it is theirs. What another room
shows hangs under /espace/consultant, /espace/federation or /espace/operateur.
"""
