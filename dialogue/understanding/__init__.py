"""Typed French: (text, question, what stands around) -> a reading; rules and a light model together, through a gate.

Never records a guess; keeps nothing of a text. Pure: the model comes in as a value, trained and kept by bot/.
"""
