"""The doors: web chat, terminal, command line, worker, settings, and the turn that every door takes.

A door translates: outside to event, turn to outside. What is asked, said or worth is decided in the rooms below;
nothing below imports this package.
"""
