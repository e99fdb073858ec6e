"""What a registry scans, and when."""

from __future__ import annotations

from local_ecr.control.call import Handler

OPERATIONS: dict[str, Handler] = {}
