"""A project in devrun.toml that says of its services all that can be said."""

from __future__ import annotations

from pathlib import Path

TOML = """\
env_file = ".env"
shutdown_timeout = "60s"
teardown = "echo bye"
on_exit = "stop-on-failure"

[groups.back]
strategy = "rest_for_one"
services = ["db", "api"]

[services.migrate]
command = ["./serve", "a b", "$HOME"]
restart = "on-failure"
max_restarts = 3

[services.db]
command = "./serve"
port = 5432
ready = { port = 5432, timeout = "90s" }
restart = "always"
restart_limit = "5/60s"
max_memory = "500M"
nice = 5
limits = { nofile = [1024, 4096], core = 0, nproc = "unlimited" }
stop = { signal = "SIGINT", timeout = "12500ms", command = "echo stopping $PORT 100%" }

[services.db.health]
exec = ["pg_isready", "-q"]
interval = "2500ms"
timeout = "1500ms"
retries = 5
start_period = "20s"

[services.db.log]
file = "logs/{name}-{instance}.log"
error_file = "logs/db.err"
max_size = "50M"
keep = 3

[services.api]
command = "./serve $PORT; true"
cwd = "api"
shell = "bash"
env_file = "api/.env"
env = { DB = "postgres://x:${DB_PASSWORD}@db/", MODE = "test", STAGE = "${STAGE_OF_NOBODY:-dev}" }
port = 8000
instances = 2
restart = "on-failure"
restart_on = [75, "SIGHUP"]
no_restart_on = [78, "SIGKILL"]
ready = { http = "http://localhost:${PORT}/health?x=1", status = [200, 204], timeout = "30s" }
health = { http = "http://localhost:${PORT}/health", interval = "5s" }
depends_on = { db = { condition = "healthy", on_restart = "restart" }, migrate = "completed" }
stop = { scope = "main" }

[services.web]
command = "./serve $PORT"
port = 3000
sockets = { http = "tcp:127.0.0.1:3000", admin = "unix:run/admin.sock" }
depends_on = ["api"]
ready = { notify = true, watchdog = "10s" }
start_delay = "2s"
instances = 2
tty = true

[services.worker]
command = "./serve"
ready = { log = "started" }
depends_on = { web = { condition = "ready", required = false } }
watch = true
on_exit = "stop"
raw = true
stop = { message = true }

[services.mail]
command = "./serve"
ready = { exec = "test -e up", timeout = "1500ms" }
health = { file = "tmp/alive", retries = 2 }
restart = "always"
max_restarts = -1
stop = { command = "echo bye" }
max_memory = { size = "1G", action = "reload" }
"""


def write_project(folder: Path, text: str = TOML) -> Path:
    """Write a project, with the programs and files that it names."""
    (folder / "api").mkdir(parents=True)
    (folder / "devrun.toml").write_text(text)
    (folder / ".env").write_text("DB_PASSWORD=se-cr-et\n")
    (folder / "api/.env").write_text("API_KEY=k-e-y-1\n")
    for place in (folder, folder / "api"):
        program = place / "serve"
        program.write_text("#!/bin/sh\nexec sleep 60\n")
        program.chmod(0o755)
    return folder
