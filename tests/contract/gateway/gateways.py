"""A gateway of either kind, and what a test can do to the machine around it."""

import os
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from services.deployer.adapters.gateway.client import Gateway, GatewayClient
from services.deployer.adapters.gateway.fakes import FakeGateway
from shared.clock import SystemClock
from tests.ports import free_port


class Machine(Protocol):
    """Where a gateway runs, seen by a test."""

    gateway: Gateway

    def take(self) -> int:
        """Have somebody else listen on a port; return it."""
        ...

    def give_back(self, port: int) -> None:
        """Have them stop."""
        ...

    async def kill(self) -> None:
        """End the gateway as kill -9 does."""
        ...

    def restart_windlass(self) -> None:
        """Put a new life of Windlass in the old one's place; the gateway goes on."""
        ...

    async def close(self) -> None:
        """Leave nothing running."""
        ...


@dataclass
class RealMachine:
    """A machine with processes."""

    folder: Path
    gateway: Gateway = field(init=False)
    listeners: dict[int, socket.socket] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.restart_windlass()

    def take(self) -> int:
        """See `Machine`."""
        port = free_port()
        self.listeners[port] = socket.create_server(("127.0.0.1", port))
        return port

    def give_back(self, port: int) -> None:
        """See `Machine`."""
        self.listeners.pop(port).close()

    async def kill(self) -> None:
        """See `Machine`."""
        os.kill((await self.gateway.sync()).process, signal.SIGKILL)

    def restart_windlass(self) -> None:
        """See `Machine`."""
        self.gateway = GatewayClient(self.folder, SystemClock())

    async def close(self) -> None:
        """See `Machine`."""
        for listener in self.listeners.values():
            listener.close()
        await self.gateway.shut_down()


@dataclass
class FakeMachine:
    """A machine in memory."""

    folder: Path
    fake: FakeGateway = field(default_factory=FakeGateway)

    @property
    def gateway(self) -> Gateway:
        """Return the fake, which outlives Windlass."""
        return self.fake

    def take(self) -> int:
        """See `Machine`."""
        port = free_port()
        self.fake.taken.add(port)
        return port

    def give_back(self, port: int) -> None:
        """See `Machine`."""
        self.fake.taken.discard(port)

    async def kill(self) -> None:
        """See `Machine`."""
        await self.fake.shut_down()

    def restart_windlass(self) -> None:
        """See `Machine`."""

    async def close(self) -> None:
        """See `Machine`."""
        await self.fake.shut_down()
