"""What answers are worth: notes, range, level, alerts, ranked actions. The rule book is docs/content.md.

Pure: answers in, values out, no clock, no I/O, no sentence. Weights and thresholds come from the questionnaire's data.
"""
