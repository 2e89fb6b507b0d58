"""Completion of devrun's command line in bash, zsh and fish.

The shells' own parts are short scripts (``scripts``) that ask devrun at each Tab what may stand
where the cursor is. ``enter`` reads how each of them asks, ``before`` what stands before the
cursor, and ``candidates`` knows what may follow; ``install`` puts the scripts into place. Nothing
here imports Typer, which would take most of the time that a Tab may take.
"""
