"""The branches: campaigns and their kit, how many came, and the little that may be said of what they answered.

What must not live here: a page, a setting, a conversation's answers in clear. A figure leaves only through `disclosure`
(answers and levels) or `counts` (how many), both pure.
"""
