"""Services' lives: what starts, restarts and stops when, and what the run amounts to.

``machine`` decides the life of one service and ``outcome`` the result of the run; both are pure.
``service`` performs what a machine decides, ``supervisor`` looks after all of them together.
"""
