"""Images put into the archive and taken out again."""

from __future__ import annotations

from local_ecr.control.call import Handler

OPERATIONS: dict[str, Handler] = {}
