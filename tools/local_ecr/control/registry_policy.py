"""The registry policy: checked, stored, read back."""

from __future__ import annotations

from local_ecr.control.call import Handler

OPERATIONS: dict[str, Handler] = {}
