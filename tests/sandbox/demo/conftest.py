import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.demo.layout import Layout, write_layout
from sandbox.demo.narrator import Narrator
from sandbox.demo.stage import SPOKE, Stage
from sandbox.demo.story import Ending, Interference, play
from sandbox.sandbox import Sandbox

BUILD = Path(__file__).parents[3] / ".aws-sam" / "build"


def keep_one_platform(layout: Layout) -> None:
    """Let a layout hold the image for one platform, as most builders write it: no index but its own."""
    (layout.root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": layout.entries()[:1]}))


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A copy of what ``make build`` wrote, to be changed at will."""
    if not (BUILD / "template.yaml").exists():
        pytest.fail("nothing is built yet: run `make build`")
    return Path(shutil.copytree(BUILD, tmp_path / "build"))


@pytest.fixture
def tell(tmp_path: Path, build: Path) -> Callable[..., tuple[Ending, str]]:
    """Play the story on the built folder; answers how it ended, and the account of it."""

    def tell(interfere: dict[int, Interference] | None = None, *, platforms: int = 2) -> tuple[Ending, str]:
        account = io.StringIO()
        layout = write_layout(tmp_path / "image")
        if platforms == 1:
            keep_one_platform(layout)
        with Sandbox(build, data=tmp_path / "data", spokes=[SPOKE]) as sandbox:
            ending = play(Stage(sandbox, layout, Narrator(Console(file=account, width=200)), tmp_path), interfere)
        return ending, account.getvalue()

    return tell
