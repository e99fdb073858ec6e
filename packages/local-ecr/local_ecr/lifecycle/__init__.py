"""Lifecycle policies: their grammar, what they would do, and doing it."""
