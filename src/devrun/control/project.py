"""What a running project answers: the API's requests, as the supervisor understands them."""

from __future__ import annotations

from devrun.control.server import Answer, Requests, open_listener, serve
from devrun.errors import SpawnError
from devrun.model import Project
from devrun.output.complaint import complain
from devrun.supervise.launch import Launcher
from devrun.supervise.reload import Outcome
from devrun.supervise.supervisor import Supervisor


async def answer_requests(supervisor: Supervisor, project: Project, launcher: Launcher) -> None:
    """Listen for requests until cancelled; without a place to listen, nothing can be asked."""

    async def reload(name: str) -> Answer:
        indices = supervisor.instances_of(name)
        if not indices:
            return 404, {"title": "Not Found", "detail": _no_such_service(name, project)}
        found = await supervisor.reloads.reload(indices)
        services = [
            {"name": project.services[index].label, "outcome": outcome.value}
            for index, outcome in found.items()
        ]
        bad = next((o for o in found.values() if o in (Outcome.FAILED, Outcome.STOPPED)), None)
        if bad is None:
            return 200, {"services": services}
        detail = {
            Outcome.FAILED: "the new generation failed; the former one goes on",
            Outcome.STOPPED: "it does not run",
        }[bad]
        return 409, {"title": "Conflict", "detail": detail, "services": services}

    try:
        listener = open_listener(launcher.private_folder().path, project.root)
    except (SpawnError, OSError) as error:
        complain(f"cannot be asked for anything while it runs: {error}")
        return
    await serve(listener, Requests(reload))


def _no_such_service(name: str, project: Project) -> str:
    from devrun.config.nearest import choices

    known = dict.fromkeys(service.process or service.label for service in project.services)
    return f'no service "{name}" runs{choices(name, list(known))}'
