"""`make bench`: what a turn costs, how many a second, how much memory, how fast a start; into docs/performance.md.

Every figure is of the real `autodiag serve`, as a process, beside a bare route on the same server stack.
"""
