"""The interpreter that functions run under here: the one that runs the sandbox."""

import sys
from typing import Final

RUNTIME: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
"""As Lambda names it."""
