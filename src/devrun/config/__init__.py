"""Text in, frozen specs out: the command line, Procfiles, ``.env`` files.

Parsers here are functions of text; what they return is checked, and what they refuse is a
``UsageError`` of one line that names the place and the way out. Files are read in
``procfile.read``, ``root_file`` and ``environment`` alone. Nothing here starts, waits or prints,
and nothing knows a layer above. ``cli`` makes settings and has them resolved; ``supervise`` asks
for a service's environment; everyone else reads the ``Project`` that comes of it.
"""
