"""What ``devrun`` can do, a line for each command: for the help, and for completion.

It is plain text that imports nothing, because it is shown where nothing else is needed.
"""

from __future__ import annotations

GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Run",
        (
            ("run", "Run command lines, or a file's services; meant if none is named"),
            ("up", "Run the project of this folder; -d puts it in the background"),
            ("start", "Run a Procfile, with foreman's, honcho's and overmind's letters"),
            ("exec", "Become one command, in the environment of the project"),
        ),
    ),
    (
        "Look at what runs here",
        (
            ("ps", "Services: state, processes, what they use"),
            ("logs", "What services wrote last; -f goes on with what they write"),
            ("show", "All that is known of a service, its configuration too"),
            ("events", "What happens to services, as it happens"),
            ("attach", "A service's terminal here: its screen, and what is typed"),
        ),
    ),
    (
        "Steer what runs here",
        (
            ("restart", "Restart services, or start them if they are stopped"),
            ("stop", "Stop services; the others go on"),
            ("reload", "Put new generations in the place of services, without a gap"),
            ("scale", "Have so many instances of services"),
            ("signal", "Send a signal to services"),
            ("wait", "Wait until services are ready, healthy, stopped or have exited"),
            ("down", "End the project, and wait until nothing is left of it"),
        ),
    ),
    (
        "Prepare and deploy",
        (
            ("check", "Check a project, and show what would run; starts nothing"),
            ("init", "Change a package.json from concurrently and npm-run-all to devrun"),
            ("export", "Write a project for systemd, compose, Kubernetes and others"),
            ("startup", "Have the project started with the machine"),
            ("notify", "For scripts: tell devrun how the service is doing"),
        ),
    ),
    ("Help", (("help", "Show this, or the help of a command: devrun help logs"),)),
)

COMMANDS = {name: text for _, listed in GROUPS for name, text in listed}
"""What each command does."""

_SHORT = """Usage: devrun [OPTIONS] [COMMAND]...

Run all the processes of a project together.

{commands}

Examples:
  devrun "web=npm run dev" "worker=python worker.py"
  devrun -f Procfile.dev
  devrun -f devrun.toml web db

All options: devrun --help. Those of a command: devrun COMMAND --help.
"""


def listed(heading: str = "{}", command: str = "{}") -> str:
    """Return the commands in their groups, a line for each.

    Args:
        heading: What stands around the title of a group.
        command: What stands around the name of a command.
    """
    width = max(map(len, COMMANDS))
    blocks = []
    for title, commands in GROUPS:
        lines = [
            f"  {command.format(name)}{' ' * (width - len(name))}  {text}"
            for name, text in commands
        ]
        blocks.append("\n".join([heading.format(f"{title}:"), *lines]))
    return "\n\n".join(blocks)


def in_short() -> str:
    """Return a help that a screen has room for, without the options."""
    return _SHORT.format(commands=listed())
