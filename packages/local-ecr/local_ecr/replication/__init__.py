"""Replication: what a registry copies into which other registries, and the copying itself."""
