"""pin_architecture.py TEMPLATE ARCHITECTURE: let a built template be deployed for this architecture alone.

The wheels in the core layer are of one architecture, and the parameter's default is arm64 whatever was built.
"""

import re
import sys
from pathlib import Path
from typing import Final

_PARAMETER: Final = re.compile(
    r"^  Architecture:\n    Type: String\n    Default: arm64\n    AllowedValues:\n    - arm64\n    - x86_64\n",
    re.MULTILINE,
)


def pin_architecture(template: Path, architecture: str) -> None:
    """Make the architecture the only value of its parameter. Raises ValueError where it is not there."""
    pinned = (
        f"  Architecture:\n    Type: String\n    Default: {architecture}\n    AllowedValues:\n    - {architecture}\n"
    )
    text, count = _PARAMETER.subn(pinned, template.read_text(encoding="utf-8"))
    if count != 1:
        raise ValueError(f"{template} has no parameter Architecture as `sam build` writes it")
    template.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    pin_architecture(Path(sys.argv[1]), sys.argv[2])
