"""The JSON API: the same conversation for a federation's app or an existing bot, under /api/v1.

A door translates: JSON to an event, a turn to JSON, what is refused to problem+json in French. It holds no rule of the
conversation. `create_api(house)` in app.py is the only way in; docs/api.md shows it with examples that a test runs.
"""
