"""Text in, frozen specs out: the command line, Procfiles, ``.env`` files.

Parsers here are functions of text; what they return is checked, and what they refuse is a
``UsageError`` of one line that names the place and the way out. Files are read in ``procfile.read``
and ``environment`` alone. Nothing here starts, waits or prints.
"""
