"""The command line: words in, settings out; the only place for usage errors and exit codes."""
