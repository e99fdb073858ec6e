"""A registry that does its worst to whoever copies from or to it: thirty attacks, and what became of them.

Tests run `ecr-steward copy` through all of them, and `benchmarks/hostile_registries.py` other clients, too.
"""
