"""Commands, names and shortcuts."""

from __future__ import annotations

import json

from vector import ANY, EACH, failing, refused, vector

SCRIPTS = {
    "package.json": json.dumps(
        {"scripts": {"dev": "x", "w-a": "x", "w-b": "x", "w-c:d": "x", "test": "x", "t-a-z": "x"}}
    )
}
JSON5 = {"package.json5": '{"scripts": {"w-a": "x", /* and */ "w-b": "x",},}'}
FREE_JSON5 = {"package.json5": "{scripts: {'w-a': 'x'}}"}
COMMENTED = {"package.json": '{"scripts": {"w-a": "x", // one\n "w-b": "x",}}'}
DENO = {"deno.jsonc": '{"tasks": {"d-a": "x", // y\n}}', "package.json": '{"scripts":{"d-b":"x"}}'}

COMMANDS = [
    vector("one", "echo 1"),
    vector("several", "echo 1", "echo 2", order=EACH),
    vector("unquoted words are commands", "true", "true", order=EACH),
    vector("assignments are the shell's", "A=1 sh -c 'echo $A'"),
    vector("operators are the shell's", "echo 1 && echo 2 || echo 3; echo 4 | cat"),
    vector("quotes in a command", "echo \"a 'b' c\""),
    vector("quotes around a command", "'echo 1'"),
    vector("double quotes around a command", '"echo 1"'),
    vector("quotes around a word", '"true"'),
    failing("quotes of that kind inside", '"echo "a"";', code=127),
    vector("a comment", "echo 1 # 2"),
    vector(
        "a line of two lines",
        "echo 1\necho 2",
        order=ANY,
        lines="[0] 1\n[0] 2\n[0] echo 1\\necho 2 exited with code 0",
        differs="one-line-events",
    ),
    failing("a failure", "exit 3", code=3),
    failing("a failure with code 1", "exit 1", code=1),
    failing("a death by a signal", "kill -KILL $$", code=137),
    failing("one of two fails", "echo 1", "exit 4", code=4, order=EACH),
    failing("not found by a shell", "nosuch; exit 127", code=127, order=ANY),
    failing(
        "not found",
        "nosuch",
        code=127,
        differs="spawn-failure",
        lines='[0] no such program: "nosuch" is in no folder of PATH\n'
        "[0] nosuch exited with code 127",
    ),
    vector("no commands", differs="no-commands help-text", code=2, error="Usage: devrun"),
    refused("an empty command", "", error="command 1 is empty"),
    vector(
        "numbers",
        "0x10",
        differs="numbers-as-commands spawn-failure exit-code summary",
        code=127,
        lines='[0] no such program: "0x10" is in no folder of PATH\n[0] 0x10 exited with code 127',
    ),
    vector(
        "name=command",
        "web=echo 1",
        differs="name=command",
        their_code=1,
        lines="[web] 1\n[web] echo 1 exited with code 0",
    ),
    vector("name=command is no name with --names", "-n", "x", "web=1 sh -c 'echo $web'"),
]

NAMES = [
    vector("names", "--names=a,b", "echo 1", "echo 2", order=EACH),
    vector("names of a kind", "-n", '"a",[b],a=b', "true", "true", "true", order=EACH),
    vector("a name is missing", "-n", "a", "echo 1", "echo 2", order=EACH),
    vector("a name is empty", "-n", ",b", "echo 1", "echo 2", order=EACH),
    vector("names behind", "echo 1", "-n", "a"),
    vector("names between", "echo 1", "-n", "a,b", "echo 2", order=EACH),
    vector("names in letters of all kinds", "-n", "ä-日 x", "echo 1"),
    vector(
        "blanks around names",
        "-n",
        "a, b",
        "echo 1",
        "echo 2",
        order=EACH,
        differs="names-trimmed",
        lines="[a] 1\n[a] echo 1 exited with code 0\n[b] 2\n[b] echo 2 exited with code 0",
    ),
    refused(
        "more names than commands",
        "-n",
        "a,b",
        "echo 1",
        error='--names "a,b": 2 names',
        differs="bad-names",
    ),
    refused(
        "a name twice",
        "-n",
        "a,a",
        "echo 1",
        "echo 2",
        error='the name "a" stands at',
        differs="bad-names",
    ),
    refused("names twice", "-n", "a", "-n", "b", "echo 1", error="--names stands twice"),
    vector(
        "a separator",
        "--name-separator",
        "|",
        "-n",
        "a|b",
        "echo 1",
        "echo 2",
        order=EACH,
        differs="name-separator",
        lines="[a] 1\n[a] echo 1 exited with code 0\n[b] 2\n[b] echo 2 exited with code 0",
    ),
]

SHORTCUTS = [
    vector(
        "shortcuts",
        *("npm:a", "pnpm:b", "yarn:c", "bun:d", "node:e", "deno:f"),
        order=EACH,
    ),
    vector("a shortcut with arguments", "npm:dev -- --foo 'a b'"),
    vector("a shortcut with a name", "-n", "x", "npm:dev"),
    failing(
        "no blank behind the colon",
        "npm: dev",
        code=127,
        differs="spawn-failure",
        lines='[0] no such program: "npm:" is in no folder of PATH\n'
        "[0] npm: dev exited with code 127",
    ),
    vector("a wildcard", "npm:w-*", files=SCRIPTS, order=EACH),
    vector("a wildcard in a long form", "npm run w-*", files=SCRIPTS, order=EACH),
    vector(
        "wildcards of all runners",
        *("-n", "p:,y:,b:,n:,d:", "pnpm run w-*", "yarn:w-*", "bun run w-*", "node --run w-*"),
        "deno:w-* --x",
        files=SCRIPTS,
        order=EACH,
    ),
    vector("a wildcard in the middle", "npm:t-*-z", files=SCRIPTS),
    vector("a wildcard for nothing", "npm:dev*", files=SCRIPTS),
    vector("a name is the prefix of names", "-n", "p:", "npm:w-*", files=SCRIPTS, order=EACH),
    vector(
        "names count what was typed", "-n", "p:,q", "npm:w-*", "echo 1", files=SCRIPTS, order=EACH
    ),
    vector("an omission of two", "npm:w-*(!a|b)", files=SCRIPTS, order=EACH),
    vector("an omission that is anchored", "npm:w-*(!a$)", files=SCRIPTS, order=EACH),
    vector("package.json5", "npm:w-*", files=JSON5, order=EACH),
    vector(
        "all of JSON5",
        "npm:w-*",
        files=FREE_JSON5,
        differs="json5",
        lines="[a] npm run w-a\n[a] npm run w-a exited with code 0",
    ),
    vector("a package.json with comments", "npm:w-*", files=COMMENTED, order=EACH),
    vector("tasks of deno and of the package", "deno:d-*", files=DENO, order=EACH),
    vector("a star that is no script's", "echo *.json", files=SCRIPTS),
    refused(
        "no match",
        "npm:zz-*",
        files=SCRIPTS,
        error="no script in package.json matches",
        differs="no-match",
    ),
    vector("no match is let pass", "--allow-empty=true", "npm:zz-*", "echo 1", files=SCRIPTS),
    vector("and nothing else", "--allow-empty=true", "npm:zz-*", files=SCRIPTS),
    refused(
        "a package.json that is none",
        *("npm:w-*", "echo 1"),
        files={"package.json": "nonsense"},
        error="package.json",
        differs="broken-files",
    ),
    refused(
        "an omission that is no regular expression",
        "npm:w-*(!(a|b))",
        files=SCRIPTS,
        error='"w-*(!(a|b)"',
    ),
    refused(
        "a second wildcard",
        "npm:t-*-*",
        files=SCRIPTS,
        error="no script in package.json matches",
        differs="no-match",
    ),
    refused(
        "no package.json", "npm:w-*", error="no package.json in this folder", differs="no-match"
    ),
    vector(
        "text around a wildcard",
        "cd . && npm run w-*(!b|d) && echo b",
        files=SCRIPTS,
        differs="text-around-wildcards",
        lines="[a] npm run w-a\n[a] b\n[a] cd . && npm run w-a && echo b exited with code 0",
    ),
    vector(
        "the same script twice",
        "npm:dev -- 1",
        "npm:dev -- 2",
        order=EACH,
        differs="names-from-scripts",
        lines="[dev] npm run dev -- 1\n"
        "[dev] npm run dev -- 1 exited with code 0\n[dev:2] npm run dev -- 2\n"
        "[dev:2] npm run dev -- 2 exited with code 0",
    ),
]

VECTORS = COMMANDS + NAMES + SHORTCUTS
