"""The web chat: pages and forms on Starlette, Jinja2 templates, one style sheet, one ES module.

A door translates: a form to an event, a turn to a page. It holds no rule of the conversation; its sentences are in
templates/. `create_app(house)` in app.py is the only way in.
"""
