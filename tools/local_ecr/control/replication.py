"""Replication: what a registry copies where, and how far each image has come."""

from __future__ import annotations

from local_ecr.control.call import Handler

OPERATIONS: dict[str, Handler] = {}
