"""Where services' output goes beside the terminal: nowhere, until a service has a log file."""

from __future__ import annotations

from collections.abc import Iterable

from devrun.events import Notice
from devrun.model import Service
from devrun.output.bus import Bus

TYPE_CHECKING = False  # log files are not for every run
if TYPE_CHECKING:
    from devrun.output.log_desk import LoggedService
    from devrun.output.log_files import LogFiles
    from devrun.policies import LogFile


class LogOutlet:
    """The log files of a run, as its services come, go and change.

    Attributes:
        files: What writes them, once there are any.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.files: LogFiles | None = None

    def follow(self, services: Iterable[Service]) -> None:
        """Write what services say from their next generation on where they say it is to go now."""
        services = tuple(services)
        logged = {s.index: _logged(s, s.log) for s in services if s.log is not None}
        if self.files is not None:
            for service in services:
                self.files.follow(service.index, logged.get(service.index))
        elif logged:
            from devrun.output.log_files import LogFiles

            notice = lambda text: self._bus.publish(Notice(text))  # noqa: E731 - one use
            self.files = LogFiles(logged, notice=notice)
            self._bus.subscribe(self.files)

    async def close(self) -> None:
        """Wait until all has been written, and close the files."""
        if self.files is not None:
            await self.files.close()


def _logged(service: Service, log: LogFile) -> LoggedService:
    from devrun.output.log_desk import LoggedService

    name = service.process or service.label
    return LoggedService(
        name,
        log,
        number=None if service.label == name else service.number,
        separate_streams=log.json or log.error_path is not None,
    )
