"""What to do about it: one Markdown file a tutorial, in French, with front matter.

Loaded once (`load`), then pure. Must not know why a tutorial is proposed: scoring says that.
"""
