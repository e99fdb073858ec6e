"""The checks: one file per theme, each with its checks in a tuple ``CHECKS``. ``catalogue`` has them all."""
