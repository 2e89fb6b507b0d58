"""What may stand in devrun.toml, or below ``[tool.devrun]``: the schema is made from these structs.

Everything is optional to msgspec: what is missing is said by what reads the tables, which knows the
lines.
"""

from __future__ import annotations

from typing import Annotated, Literal

from devrun.config.toml.gates import VARIABLE
from devrun.config.toml.tables import (
    BackoffTable,
    Condition,
    DependencyTable,
    Health,
    Log,
    Memory,
    Ready,
    StopTable,
    Table,
    TeardownTable,
    Time,
    Uptime,
    Watch,
    Whole,
    said,
)

OnExit = Literal["ignore", "stop", "stop-on-failure"]


class ServiceTable(Table, frozen=True):
    """A service, or what all services inherit."""

    command: Annotated[
        str | list[str] | None,
        said(
            "A shell command line, or a program and its arguments. Variables are the shell's.",
            "pnpm dev:web",
            ["node", "server.js"],
        ),
    ] = None
    cwd: Annotated[
        str | None,
        said("Folder it runs in, relative to this file. Default: the file's.", "apps/web"),
    ] = None
    shell: Annotated[
        str | None, said("What runs the command line. Default: /bin/sh if it needs one.", "bash")
    ] = None
    env: Annotated[
        dict[str, str | int | float | bool] | None,
        said("Variables, above every file and devrun's own environment.", {"NODE_ENV": "test"}),
    ] = None
    env_file: Annotated[
        str | list[str] | None,
        said("Further files of variables.", ".env.web", [".env", ".env.web"]),
    ] = None
    port: Annotated[
        Whole | None,
        said(
            "PORT of its first instance; each further one gets 1 more.",
            3000,
            minimum=1,
            maximum=65535,
        ),
    ] = None
    sockets: Annotated[
        str | list[str] | dict[str, str] | None,
        said(
            "Held by devrun and handed over (LISTEN_FDS); a table gives them names.",
            ["tcp:3000"],
            ["tcp:127.0.0.1:3000", "unix:run/web.sock"],
            {"http": "tcp:80"},
        ),
    ] = None
    instances: Annotated[
        int | str | None,
        said(
            'How many run: a number, or "max" for one a processor. Default: 1.',
            2,
            "max",
            minimum=1,
            maximum=1000,
            pattern=rf"^(?:max|\s*0*[1-9]\d*\s*)$|{VARIABLE}",
        ),
    ] = None
    cluster: Annotated[
        bool | None, said("Node instances share the ports that they open themselves.")
    ] = None

    depends_on: Annotated[
        str | list[str] | dict[str, Condition | DependencyTable] | None,
        said(
            "What it waits for before each start.",
            ["db"],
            {"db": "healthy", "migrate": "completed"},
            {"db": {"condition": "ready", "on_restart": "restart"}},
        ),
    ] = None
    ready: Annotated[
        Ready | None,
        said(
            "When it may be depended on. Default: as soon as it runs.",
            {"port": 5432, "timeout": "60s"},
            {"log": "listening on"},
        ),
    ] = None
    health: Annotated[
        Health | None,
        said("Asked again and again; it is restarted when it fails.", {"exec": "pg_isready"}),
    ] = None
    start_delay: Annotated[
        Time | None, said("Before the first start, when all it waits for is there.", "5s")
    ] = None

    restart: Annotated[
        Literal["no", "on-failure", "always"] | None,
        said('Which ends are followed by another start. Default: "no".', "on-failure"),
    ] = None
    restart_on: Annotated[
        list[int | str] | None,
        said("Exit codes and signals that are followed by a restart besides.", [75, "SIGHUP"]),
    ] = None
    no_restart_on: Annotated[
        list[int | str] | None,
        said("Exit codes and signals that never are.", [0, "SIGKILL"]),
    ] = None
    backoff: Annotated[
        BackoffTable | None, said("How long to wait after fast ends.", {"initial": "1s"})
    ] = None
    max_restarts: Annotated[
        int | str | None,
        said(
            "Fast ends in a row before it has failed; -1 is for ever. Default: 16.",
            10,
            minimum=-1,
            pattern=rf"^\s*(?:-1|\d+)\s*$|{VARIABLE}",
        ),
    ] = None
    min_uptime: Annotated[
        Uptime | None,
        said('Sooner ends are fast; "inf": all are. Default: 1s.', "10s"),
    ] = None
    restart_delay: Annotated[
        Time | None, said("Before each restart, at least. Default: 0s.", "1s")
    ] = None
    restart_limit: Annotated[
        str | None,
        said("More restarts than that within a time are too many: COUNT/TIME.", "5/60s"),
    ] = None
    on_exit: Annotated[
        OnExit | None,
        said('What its end does to the others. Default: "ignore".', "stop-on-failure"),
    ] = None
    stop: Annotated[
        StopTable | None, said("How it is ended.", {"signal": "SIGINT", "timeout": "30s"})
    ] = None

    max_memory: Annotated[
        Memory | None,
        said(
            "What its whole process tree may use; K, M and G are powers of 1024.",
            "500M",
            {"size": "1G", "action": "reload"},
        ),
    ] = None
    nice: Annotated[
        Whole | None,
        said(
            "Added to devrun's niceness, from -20 to 19.",
            5,
            minimum=-20,
            maximum=19,
            pattern=rf"^\s*-?\d+\s*$|{VARIABLE}",
        ),
    ] = None
    limits: Annotated[
        dict[str, int | str | list[int | str]] | None,
        said(
            "Limits of setrlimit(2): one for both, or soft and hard.",
            {"nofile": [1024, 4096], "core": 0, "as": "2G"},
        ),
    ] = None

    watch: Annotated[
        Watch | None,
        said(
            "Restart on changes: below its folder (true), or of what matches.",
            ["src/**/*.ts"],
            {"paths": ["src"], "ignore": ["**/*.test.ts"]},
        ),
    ] = None
    log: Annotated[
        Log | None,
        said(
            "A file that gets the output too.",
            "logs/{name}.log",
            {"file": "logs/web.log", "max_size": "50M", "keep": "14d"},
        ),
    ] = None
    color: Annotated[str | None, said("Colour of its prefix.", "blue", "bold.#ff8800")] = None
    tty: Annotated[
        bool | Literal["auto"] | None,
        said('Whether it has a terminal of its own. Default: "auto", as devrun itself.'),
    ] = None
    raw: Annotated[bool | None, said("It has devrun's own stdin and output.")] = None
    hidden: Annotated[bool | None, said("Its output is not shown.")] = None

    profiles: Annotated[
        list[str] | None, said("Runs only if one of them is asked for.", ["full"])
    ] = None
    group: Annotated[str | None, said("A group of [groups] that it belongs to.", "backend")] = None
    disabled: Annotated[bool | None, said("It is not run.")] = None


class GroupTable(Table, frozen=True):
    """Services that are restarted together."""

    strategy: Annotated[
        Literal["one_for_one", "rest_for_one", "one_for_all"] | None,
        said(
            "Who is restarted with one that failed: nobody, its dependants, or all. "
            'Default: "one_for_one".',
            "rest_for_one",
        ),
    ] = None
    services: Annotated[list[str] | None, said("Its members.", ["db", "web"])] = None


class ProjectTable(Table, frozen=True):
    """The services of a project, and what holds for the whole run."""

    env_file: Annotated[
        str | list[str] | None,
        said("Files of variables for all. Default: the shared root .env.", [".env"]),
    ] = None
    env_override: Annotated[
        bool | None, said("Files win over the environment of devrun. Default: false.")
    ] = None
    defaults: Annotated[
        ServiceTable | None,
        said("What every service inherits unless it says otherwise.", {"restart": "on-failure"}),
    ] = None
    services: Annotated[
        dict[str, str | ServiceTable] | None,
        said("The services by name; a text is a command.", {"web": {"command": "pnpm dev:web"}}),
    ] = None
    groups: Annotated[
        dict[str, GroupTable] | None,
        said(
            "Services that are restarted together.",
            {"app": {"strategy": "rest_for_one", "services": ["db", "web"]}},
        ),
    ] = None
    on_exit: Annotated[
        OnExit | None,
        said('What the end of a service does to the others. Default: "ignore".', "stop"),
    ] = None
    success: Annotated[
        str | None,
        said(
            "Whose exit decides: all, first, last, command-NAME, !command-NAME. Default: all.",
            "command-web",
        ),
    ] = None
    max_processes: Annotated[
        int | str | None,
        said(
            "How many run at a time; N% is of the processors.",
            4,
            "50%",
            minimum=1,
            pattern=rf"^\s*\d+\s*%?\s*$|{VARIABLE}",
        ),
    ] = None
    teardown: Annotated[
        str | list[str] | TeardownTable | None,
        said("What runs when all have ended.", "docker compose down"),
    ] = None
    shutdown_timeout: Annotated[
        Time | None, said("How long the end of the whole run may take.", "30s")
    ] = None
    watch_ignore: Annotated[
        str | list[str] | None,
        said("What no service watches, as a .gitignore has it.", ["dist/", "*.log"]),
    ] = None
    prefix: Annotated[
        str | None,
        said("What marks lines: index, pid, time, command, name, none, or a template.", "[{name}]"),
    ] = None
    timestamps: Annotated[
        bool | str | None, said("Put the time before every line; a text is its format.")
    ] = None
