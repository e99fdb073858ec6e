"""What the exit code of the command says."""

from typing import Final

FINDINGS: Final = 1
USAGE: Final = 2
"""Wrong use, or an error of our own."""
