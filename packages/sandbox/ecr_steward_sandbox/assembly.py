"""What `sam build` would write, put together from what is installed: no SAM, no checkout, no network.

The template and the functions are data of this package (in a checkout links to the real ones), and the installed
ecr-steward-core with all that it needs is the core layer, linked and not copied. The rulebook comes compiled.
"""

from __future__ import annotations

import compileall
import shutil
from pathlib import Path
from typing import Final

from ecr_steward_sandbox.deploy.interpreter import RUNTIME
from ecr_steward_sandbox.installed import link_distribution

STACK: Final = Path(__file__).with_name("stack")
"""template.yaml, spoke.yaml, functions and the example rulebook."""
EXAMPLE_RULEBOOK: Final = STACK / "ecr-steward.yaml"

_CORE: Final = "ecr-steward-core"
_BUILT_FOR: Final = "python3.13"


def assemble(folder: Path, rulebook: str) -> Path:
    """Write a folder that can be deployed like what `sam build` writes; `rulebook` is the compiled one.

    Where this interpreter is another one than the template names, the functions run under this one.
    """
    template = (STACK / "template.yaml").read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "template.yaml").write_text(template.replace(_BUILT_FOR, RUNTIME), encoding="utf-8")
    shutil.copytree(STACK / "functions", folder / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    layer = folder / "layers" / "core" / "python"
    link_distribution(_CORE, layer)
    # Workers write no bytecode, and a layer of Lambda has it: without it each would compile all that it imports.
    compileall.compile_dir(layer, quiet=2)
    (folder / "layers" / "rulebook").mkdir()
    (folder / "layers" / "rulebook" / "rulebook.json").write_text(rulebook, encoding="utf-8")
    return folder
