"""Options as such: spellings, places, repetition, variables."""

from __future__ import annotations

from vector import ANY, EACH, refused, vector

OPTIONS = [
    vector("switches together", "-kr", "echo 1"),
    vector("a switch turned off", "--raw=false", "echo 1"),
    vector("a switch in the negative", "--no-raw", "echo 1"),
    vector("in camel case", "--prefixLength=5", "-p", "command", "echo 1234"),
    vector("a switch in camel case", "--padPrefix", "-n", "a,bcd", "echo 1", "echo 2", order=EACH),
    vector("in the negative, in camel case", "--no-killOthers", "echo 1"),
    vector("= behind a letter", "-n=a", "echo 1"),
    vector("behind the commands", "echo 1", "--raw"),
    vector("between the commands", "echo 1", "--hide", "1", "echo 2", order=EACH),
    vector("behind --", "echo 1", "--", "true", order=EACH),
    refused(
        "an unknown one", "--foo", "echo 1", error="no such option: --foo", differs="unknown-option"
    ),
    refused(
        "an unknown one with a value",
        "--prefix-color",
        "red",
        "echo 1",
        error='no such option: --prefix-color; did you mean "--prefix-colors"?',
        differs="unknown-option",
    ),
    refused(
        "an unknown letter", "-x", "echo 1", error="no such option: -x", differs="unknown-option"
    ),
    refused(
        "a truth behind a switch",
        "-k",
        "true",
        "echo 1",
        error="-k true: write -k=true",
        differs="truth-behind-a-switch",
    ),
    refused(
        "no value to turn off",
        "--no-names",
        "echo 1",
        error="no such option: --no-names",
        differs="unknown-option",
    ),
    vector(
        "a value behind its letter",
        "-na,b",
        "echo 1",
        "echo 2",
        order=EACH,
        differs="values-behind-letters",
        lines="[a] 1\n[a] echo 1 exited with code 0\n[b] 2\n[b] echo 2 exited with code 0",
    ),
    vector("letters, the last with a value", "-kp", "none", "echo 1"),
    vector("a switch twice", "-k", "-k", "echo 1"),
    refused("a value twice", "-c", "red", "-c", "blue", "echo 1", error="--prefix-colors stands"),
    refused("on and off", "--raw", "--no-raw", "echo 1", error="--no-raw contradicts"),
    vector("help", "--help", differs="help-text", lines=None),
    vector("help, short, with a command", "-h", "echo 1", differs="help-text", lines=None),
    vector("the version", "--version", differs="help-text", lines=None),
    vector("the version, short", "-v", differs="help-text", lines=None),
    vector("the version, in a capital", "-V", differs="help-text", lines=None),
]


def _variables(name, *words, error="CONCURRENTLY", differs="variables", **more):
    """Return a vector whose variables devrun takes, and says that it has."""
    return vector(name, *words, error=f"devrun: {error}", differs=differs, **more)


def _set(**values):
    """Return an environment with these options."""
    return {f"CONCURRENTLY_{name}": value for name, value in values.items()}


VARIABLES = [
    _variables(
        "a variable",
        "echo 1",
        env=_set(RAW="true"),
        error="CONCURRENTLY_RAW is taken for DEVRUN_RAW",
    ),
    _variables(
        "variables of prefixes",
        "echo 1234",
        "echo 2",
        env={
            **_set(NAMES="a,bcd", PREFIX="{time}-{name}-{command}", PREFIX_LENGTH="5"),
            **_set(PAD_PREFIX="true", TIMESTAMP_FORMAT="'in' y", PREFIX_COLORS="red,blue"),
            "FORCE_COLOR": "1",
        },
        order=ANY,
    ),
    _variables(
        "variables of letters",
        "echo 1234",
        "echo 2",
        env=_set(N="a,b", P="{name}-{command}", L="5", C="red", T="yyyy", G="true", M="1"),
    ),
    _variables(
        "variables in camel case",
        "echo 12345678",
        "-p",
        "command",
        env=_set(prefixLength="5", padPrefix="true", maxProcesses="1"),
    ),
    _variables("variables in small letters", "echo 1", env=_set(pad_prefix="true", raw="true")),
    _variables(
        "variables of output",
        "echo 1",
        "echo 2",
        env=_set(GROUP="true", HIDE="0", TIMINGS="true"),
        order=ANY,
    ),
    _variables(
        "variables of kills",
        "exit 1",
        "exec sleep 30",
        env=_set(KILL_OTHERS_ON_FAIL="true", KILL_SIGNAL="SIGINT", KILL_TIMEOUT="5000"),
        differs="variables summary",
        code=1,
        order=EACH,
    ),
    _variables(
        "variables of kills, short",
        "exit 1",
        "exec sleep 30",
        env=_set(K="true", KS="SIGHUP", S="first"),
        differs="variables summary",
        code=1,
        order=EACH,
    ),
    _variables(
        "variables of restarts",
        "exit 1",
        env=_set(RESTART_TRIES="1", RESTART_AFTER="10"),
        differs="variables summary",
        code=1,
    ),
    _variables(
        "variables of input",
        "true",
        "read a; echo $a",
        env=_set(HANDLE_INPUT="true", DEFAULT_INPUT_TARGET="1"),
        stdin="x\n",
        order=EACH,
    ),
    _variables(
        "variables of shells and arguments",
        "echo {1} ${BASH_VERSION:+bash}",
        "--",
        "x",
        env=_set(PASSTHROUGH_ARGUMENTS="true", SHELL="bash", TEARDOWN="echo bye"),
    ),
    _variables("a variable of nothing", "echo 1", env=_set(RAW="false")),
    vector("an empty variable", "echo 1", env=_set(RAW="", NAMES="")),
    vector("a variable of no option", "echo 1", env=_set(FOO="1")),
    vector("a word beats a variable", "-p", "index", "echo 1", env=_set(P="none")),
    vector(
        "so does a switch",
        *("--no-kill-others", "exit 0", "exit 0"),
        env=_set(KILL_OTHERS="true"),
        order=EACH,
    ),
    _variables(
        "variables for commands",
        "echo [$CONCURRENTLY_M]",
        env=_set(M="2"),
        lines="[0] []\n[0] echo [$CONCURRENTLY_M] exited with code 0",
        error="CONCURRENTLY_M is taken",
    ),
    _variables(
        "a truth that is 1",
        "echo 1",
        env=_set(RAW="1"),
        lines="1",
        error="CONCURRENTLY_RAW is taken",
    ),
    vector(
        "a wrong variable",
        "echo 1",
        env=_set(MAX_PROCESSES="abc"),
        differs="variables usage-error",
        code=2,
        lines=(),
        error="devrun: CONCURRENTLY_MAX_PROCESSES is taken for DEVRUN_MAX_PROCESSES",
    ),
]

VECTORS = OPTIONS + VARIABLES
