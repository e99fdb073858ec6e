"""Account settings: what an account has switched on in a region."""

from __future__ import annotations

from local_ecr.control.call import Handler

OPERATIONS: dict[str, Handler] = {}
