"""Where devrun differs from concurrently on purpose; ``docs/from-concurrently.md`` says it too."""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """One deliberate difference, in the words of the documentation."""

    concurrently: str
    devrun: str
    why: str


DIFFERENCES = {
    "exit-code": Difference(
        "every failure is exit code 1",
        "the exit code of the command that failed, 128 + N for a signal",
        "scripts and CI can tell failures apart",
    ),
    "summary": Difference(
        "nothing at the end of a failed run",
        "`--> Failed:` with who, code, duration, restarts and the last lines",
        "the reason is not buried in the output; `--quiet` and `--tail 0` shorten it",
    ),
    "usage-error": Difference(
        "wrong values are taken for something else, or crash the tool while it runs",
        "one line on stderr, exit code 2, and nothing is started",
        "a typo must not change what runs",
    ),
    "unknown-option": Difference(
        "an unknown option is passed over and swallows the word behind it",
        "an error that names the nearest right one",
        "a command that was meant to run must not vanish",
    ),
    "no-commands": Difference(
        "help on stderr, exit code 0",
        "help on stderr, exit code 2; or the folder's Procfile is run",
        "`&&` must not go on after nothing was done",
    ),
    "help-text": Difference(
        "its own help and version",
        "devrun's",
        "they are two programs",
    ),
    "truth-behind-a-switch": Difference(
        "`-k true` takes `true` for the value of `-k`",
        "an error; `--kill-others=true`, or the command before the flag",
        "nobody can tell which of the two was meant",
    ),
    "numbers-as-commands": Difference(
        "a command that looks like a number is turned into one: `0x10` runs `16`",
        "it is run as it was typed",
        "a command line is text",
    ),
    "stopped-is-no-failure": Difference(
        "what `-k` stopped counts as failed: exit code 1",
        "what devrun stopped itself is no failure; the others decide",
        "a stop that was asked for is not an error",
    ),
    "names-trimmed": Difference(
        "blanks around names are kept",
        "they are left out",
        "`-n 'a, b'` means a and b",
    ),
    "name=command": Difference(
        "`web=cmd` is a command that assigns a variable",
        "without `--names` it is the command `cmd`, called web; `WEB=x cmd` stays an assignment",
        "names stand beside their commands",
    ),
    "bad-names": Difference(
        "more names than commands, and a name given twice, are let pass",
        "an error",
        "a name that names nothing, or two, is a mistake",
    ),
    "no-match": Difference(
        "a wildcard that no script matches runs nothing, with exit code 0",
        "an error; `--allow-empty` has concurrently's way",
        "a renamed script must not be left out in silence",
    ),
    "text-around-wildcards": Difference(
        "what stands before the runner and behind `&` is dropped",
        "it is kept",
        "`cd x && npm run a-* && b` means all of it; later versions keep it as well",
    ),
    "names-from-scripts": Difference(
        "several commands may get the same name from their scripts",
        "further ones get a number: `dev`, `dev:2`",
        "a name is how a command is addressed",
    ),
    "spawn-failure": Difference(
        "the shell's message about a missing program",
        "devrun's own, where no shell is needed to run the line",
        "plain commands run without a shell between, so that signals reach them",
    ),
    "quoting": Difference(
        "passed-through arguments are quoted with backslashes",
        "with single quotes; the command gets the same",
        "one way of quoting that is always safe",
    ),
    "byte-exact": Difference(
        "`…` becomes `...`, bytes that are no UTF-8 become U+FFFD",
        "output is passed on byte for byte",
        "a runner has no business in what programs say",
    ),
    "whole-lines": Difference(
        "parts of a line are shown at once, CR CR LF and progress bars as they come",
        "lines are written whole; of a line that is redrawn only the last state",
        "prefixes stay in their place",
    ),
    "one-stop-line": Difference(
        "`--> Sending SIGTERM to other processes..` whenever one ends while others run",
        "once",
        "every process gets the signal once",
    ),
    "kill-line": Difference(
        "`--> Sending SIGKILL to N processes..`, N being commands",
        "the same behind `--> NAME did not end within T s`, N being processes of its tree",
        "it says who, and whole process trees are killed",
    ),
    "signal-names": Difference(
        "`--kill-signal` takes `SIGTERM`, and crashes at the stop for `TERM` or 15",
        "takes all three, and refuses what is no signal before the start",
        "they mean the same",
    ),
    "leftovers": Difference(
        "waits until nobody holds a command's output open",
        "a command has ended when its process has; what it left running is stopped at the end",
        "a background process must not keep a finished command alive, nor survive the run",
    ),
    "empty-stdin": Difference(
        "without `-i` stdin is a pipe in which nothing ever comes",
        "stdin is empty",
        "`cat` ends instead of hanging",
    ),
    "input-by-line": Difference(
        "input is routed by what happens to be read at once",
        "line by line",
        "three lines that come together are three lines",
    ),
    "input-end": Difference(
        "the end of stdin is not passed on",
        "it is",
        "a command that reads to the end can end",
    ),
    "input-target": Difference(
        "an unknown default target is reported when a line comes",
        "before the start",
        "errors come first",
    ),
    "teardown-shortcuts": Difference(
        "teardown commands know no shortcuts",
        "`npm:x` works there too",
        "one grammar for commands",
    ),
    "max-processes": Difference(
        "0, `0%` and nonsense mean no limit, fractions round up; percent is of all processors",
        "a whole number or a percentage above 0; of the processors that devrun may use",
        "a limit that is none is a mistake",
    ),
    "stable-colours": Difference(
        "colours are given in turn",
        "a named command's colour comes from its name; `-c auto` takes turns",
        "`web` has the same colour every day",
    ),
    "colour-errors": Difference(
        "unknown colours are shown uncoloured, or break the output",
        "an error",
        "a typo is worth a word",
    ),
    "unknown-placeholder": Difference(
        "an unknown placeholder in a prefix stays as it is",
        "an error",
        "`{nmae}` is a typo",
    ),
    "prefix-length": Difference(
        "0 and nonsense mean 10",
        "an error",
        "a wrong value is worth a word",
    ),
    "padding-width": Difference(
        "prefixes are padded by UTF-16 units",
        "by columns of the terminal",
        "columns are what lines up",
    ),
    "success-errors": Difference(
        "an unknown `--success` means `all`",
        "an error",
        "a typo must not change what counts",
    ),
    "restart-errors": Difference(
        "`--restart-tries abc` ends with exit code 0, whatever happens",
        "an error",
        "a wrong value is worth a word",
    ),
    "one-line-events": Difference(
        "a line end in a command breaks its event lines",
        "it is shown as `\\n` there",
        "a line of devrun's is one line",
    ),
    "name-separator": Difference(
        "version 10 has passed over `--name-separator` since it left it out",
        "works as in version 9",
        "lines written for either go on working",
    ),
    "json5": Difference(
        "package.json5 is read as JSON with comments",
        "as JSON5",
        "that is what it is",
    ),
    "variables": Difference(
        "`CONCURRENTLY_*` are handed on to the commands; `1` is false",
        "options are kept from the commands; 1, true, yes and on are true; a notice names the "
        "`DEVRUN_*` variable to use",
        "a concurrently inside of another is not configured by accident",
    ),
    "interrupted": Difference(
        "exit code 0 after Ctrl+C, 1 after SIGTERM",
        "it dies of the signal: 130 and 143 in a shell",
        "`&&` must not go on after an interruption",
    ),
    "signal-line": Difference(
        "says nothing when a signal comes",
        "`--> Sending SIGINT to N processes..`",
        "who waits knows for what",
    ),
    "hang-up": Difference(
        "after SIGHUP the commands get SIGHUP",
        "they get SIGTERM",
        "many programs take SIGHUP for an order to read their configuration again",
    ),
    "stopping-beats-starting": Difference(
        "with restarts, what `-k` has stopped is started again",
        "it stays stopped",
        "a stop is no failure",
    ),
    "timings-of-all": Difference(
        "no table of times if a command in the queue never started",
        "a table of those that did",
        "they have times",
    ),
    "names-as-indices": Difference(
        "a name that is a number is also the index of another command",
        "the name comes first",
        "`--hide 1` means the one that is called 1",
    ),
    "values-behind-letters": Difference(
        "`-na,b` is a row of letters",
        "it is `-n a,b`",
        "as everywhere else",
    ),
    "broken-files": Difference(
        "a broken package.json is passed over",
        "an error with file and line",
        "the reason would be found late",
    ),
    "strftime": Difference(
        "`%` in a time format is a plain character",
        "a format with a `%` is strftime's",
        "`date` and most languages take it; `%%` is the character",
    ),
    "input-notices": Difference(
        '`Unable to find command "x", or it has no stdin open` has an empty line behind it',
        "it has none",
        "an empty line says nothing",
    ),
    "colour-depth": Difference(
        "colours beyond the terminal's are reduced by rounding, `ansi256()` not at all",
        "the nearest one there is",
        "the colour that was meant",
    ),
    "colour-variables": Difference(
        "`FORCE_COLOR` beats `--no-color`; `NO_COLOR` and `CLICOLOR_FORCE` are not known",
        "an option beats a variable; both are known",
        "the nearest word counts",
    ),
    "auto-colours": Difference(
        "`auto` leaves out a colour that stands alone, but not `bold.cyan`",
        "leaves out both",
        "neighbours must look different",
    ),
    "terminals": Difference(
        "commands write to a pipe",
        "to a terminal, if devrun does",
        "programs keep their colours and lines come at once",
    ),
    "hygiene": Difference(
        "commands may clear the screen and move about in it",
        "what would damage other lines is left out; `--raw` lets all through",
        "the output of others stays",
    ),
}
"""Name of a difference: what each does, and why."""
