"""How much of a connection a client may take, and for how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a client is cut off at. Whoever keeps to it is served for as long as it likes."""

    connections: int = 400
    """Open at the same time; one more is answered 503. Each may have a file open, and 1,024 are what a process has."""
    head_bytes: int = 64 * 1024
    """Request line and headers of one request, or its trailers; more is answered 431."""
    head_seconds: float = 30.0
    """From the first byte of a request, or from the connection's beginning, to the last header; then 408.

    A TLS handshake has as long, and then the connection ends.
    """
    body_seconds: float = 60.0
    """How long the speed of a body is measured, again and again."""
    body_bytes_per_second: int = 240
    """The least speed, on average of that time, as Kestrel's default has it; a slower client gets 408."""

    @property
    def least_body(self) -> float:
        """Bytes of a body that come in `body_seconds` at the least."""
        return self.body_seconds * self.body_bytes_per_second
