"""Ways in which a generation of a service and devrun talk, besides its streams and signals.

Usable before the event loop exists, because the first generation starts before that; what is said
meanwhile waits in the sockets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devrun.errors import ExitCode, SpawnError
from devrun.model import Service

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.process.node.channel import Channel
    from devrun.process.node.ipc import NodeIpc
    from devrun.process.notify_socket import NotifySocket
    from devrun.process.private_folder import PrivateFolder


@dataclass(slots=True)
class Channels:
    """The channels of one generation; each is there only if the service asks for it."""

    notify: NotifySocket | None = None
    ipc: NodeIpc | None = None
    cluster: Channel | None = None

    def close(self) -> None:
        """End them; who waits for something to be said hears that nothing will be."""
        if self.notify is not None:
            self.notify.close()
        if self.ipc is not None:
            self.ipc.close()
        if self.cluster is not None:
            self.cluster.close()


class ChannelOpener:
    """Opens channels in a folder that is made when the first is wanted.

    Args:
        environ: devrun's own environment, which says where the folder may be.
        lasting: The folder has to be there still when the user has logged out.
    """

    def __init__(self, environ: Mapping[str, str], *, lasting: bool = False) -> None:
        self._environ = environ
        self._lasting = lasting
        self._folder: PrivateFolder | None = None
        self._opened = 0

    def open(self, service: Service, mark: str, environ: dict[str, str]) -> Channels | None:
        """Return the channels that a service asks for, or None if it asks for none.

        Args:
            mark: The generation's part of ``DEVRUN_INSTANCE``.
            environ: The generation's environment, to which theirs is added.

        Raises:
            SpawnError: There is no place for a socket, or no descriptor.
        """
        notifies, talks = _wants(service)
        if not notifies and not talks and not service.shares_ports:
            return None
        folder = self.folder()
        self._opened += 1
        channels = Channels()
        try:
            if notifies:
                channels.notify = self._notify_socket(folder, service, mark)
                environ |= channels.notify.variables()
            if talks:
                from devrun.process.node.ipc import NodeIpc

                channels.ipc = NodeIpc.open(folder, f"ipc.{service.index}.{self._opened}")
                environ |= channels.ipc.variables(environ)
            if service.shares_ports:
                from devrun.process.node.channel import open_preloaded

                path = folder.path_for(f"ports.{service.index}.{self._opened}")
                channels.cluster = open_preloaded(service.number, path, environ)
                environ |= channels.cluster.variables
        except OSError as error:
            channels.close()
            reason = (error.strerror or "").lower()
            message = f"cannot make a socket in {folder.path}: {reason}"
            raise SpawnError(message, ExitCode.NOT_EXECUTABLE) from error
        return channels

    def folder(self) -> PrivateFolder:
        """Return the run's private folder, which is made if there is none yet.

        Raises:
            SpawnError: There is no place for it.
        """
        if self._folder is None:
            from devrun.process.private_folder import PrivateFolder

            self._folder = PrivateFolder.make(self._environ, lasting=self._lasting)
        return self._folder

    def _notify_socket(self, folder: PrivateFolder, service: Service, mark: str) -> NotifySocket:
        from devrun.process.notify_socket import NotifySocket

        name = f"notify.{service.index}.{self._opened}"
        gate = service.ready.gate if service.ready is not None else None
        watchdog = getattr(gate, "watchdog", None)
        return NotifySocket.open(folder, name, mark=mark, watchdog=watchdog)

    def close(self) -> None:
        """Remove the folder, at the end of the run."""
        if self._folder is not None:
            self._folder.remove()


def _wants(service: Service) -> tuple[bool, bool]:
    """Whether a service asks for sd_notify, and for Node's IPC."""
    if service.ready is None:
        return False, service.stop.message
    from devrun.policies import IpcGate, NotifyGate

    gate = service.ready.gate
    return isinstance(gate, NotifyGate), service.stop.message or isinstance(gate, IpcGate)
