"""Connections to checked addresses only, with one deadline for all of a request.

The name is resolved once, every address is judged, and the socket goes to one of these very addresses: no second look-up
lies between the check and the connection (DNS rebinding). TLS and `Host` keep the name.
"""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from knowledge.sources.web.addresses import Resolve, refusal


class AddressRefused(Exception):
    """The host's address must not be talked to."""


class Deadline:
    """When the present request has to be over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = float("inf")

    def start(self, seconds: float) -> None:
        """From now on."""
        self._until = self._clock() + seconds

    def left(self, timeout: float | None) -> float:
        """`timeout`, or less if less is left. Raises httpcore.ReadTimeout when it is over."""
        left = self._until - self._clock()
        if left <= 0:
            raise httpcore.ReadTimeout("the whole request took too long")
        return left if timeout is None else min(timeout, left)


class CheckedBackend(httpcore.NetworkBackend):
    """Opens sockets for httpcore. `resolve`: how names become addresses; `sockets`: what opens them."""

    def __init__(
        self,
        resolve: Resolve,
        deadline: Deadline,
        *,
        allow_private: bool,
        sockets: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._resolve = resolve
        self._deadline = deadline
        self._allow_private = allow_private
        self._sockets = sockets or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Raises AddressRefused, or httpcore's errors."""
        problem: Exception = httpcore.ConnectError("the name has no address")
        for address in self._checked(host, port):
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self._deadline.left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                return _BoundedStream(stream, self._deadline)
        raise problem

    def _checked(self, host: str, port: int) -> list[str]:
        """All addresses of `host`, or none: a name that also points inside is not to be trusted with the others."""
        try:
            addresses = [ipaddress.ip_address(found) for found in self._resolve(host, port)]
        except (OSError, ValueError) as error:  # UnicodeError is a ValueError: a label too long for DNS
            raise httpcore.ConnectError("the name cannot be resolved") from error
        for address in addresses:
            why = refusal(address, allow_private=self._allow_private)
            if why is not None:
                raise AddressRefused(f"{host}: {why}")
        return [str(address) for address in addresses]


class _BoundedStream(httpcore.NetworkStream):
    """Every wait ends at the deadline, so that a server cannot hold us by sending one byte at a time."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _BoundedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
