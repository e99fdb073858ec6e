"""The version of the command."""


def version_text() -> str:
    """Name and version, as ``--version`` prints them."""
    from importlib.metadata import version  # noqa: PLC0415 only --version pays for it

    return f"ecr-steward {version('ecr-steward')}"
