import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from ecr_steward_sandbox.demo.layout import write_layout
from ecr_steward_sandbox.demo.narrator import Narrator
from ecr_steward_sandbox.demo.stage import SPOKE, Stage
from ecr_steward_sandbox.demo.story import Ending, Interference, leading_to, play
from ecr_steward_sandbox.deploy.translate import read_template
from ecr_steward_sandbox.oci_layout import Layout
from ecr_steward_sandbox.sandbox import Sandbox

ROOT = Path(__file__).parents[3]
BUILD = ROOT / ".aws-sam" / "build"


def keep_one_platform(layout: Layout) -> None:
    """Let a layout hold the image for one platform, as most builders write it: no index but its own."""
    (layout.root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": layout.entries()[:1]}))


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A copy of what ``make build`` wrote, to be changed at will."""
    if not (BUILD / "template.yaml").exists():
        pytest.fail("nothing is built yet: run `make build`")
    return Path(shutil.copytree(BUILD, tmp_path / "build"))


class Template:
    """A template whose parts can be taken away. What is to be taken must be there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        # Through JSON, so that what two places share is changed in one.
        template = json.loads(json.dumps(read_template(self._path)))
        yield template
        self._path.write_text(yaml.safe_dump(template))

    def remove(self, resource: str, *path: str | int) -> None:
        """Take a resource, or a part of one, away."""
        with self._changing() as template:
            place: Any = template["Resources"]
            for key in (resource, *path)[:-1]:
                place = place[key]
            del place[(resource, *path)[-1]]

    def set(self, resource: str, *path_and_value: Any) -> None:
        """Put something else in the place of a property, or a new one."""
        *path, name, value = path_and_value
        with self._changing() as template:
            place: Any = template["Resources"][resource]["Properties"]
            for key in path:
                place = place[key]
            place[name] = value

    def default(self, parameter: str, value: str) -> None:
        """Let a parameter have another default."""
        with self._changing() as template:
            template["Parameters"][parameter]["Default"] = value

    def disable(self, rule: str) -> None:
        """Let an EventBridge rule match nothing."""
        self.set(rule, "State", "DISABLED")

    def forget(self, name: str) -> None:
        """Take every mention of a resource out of the lists of other resources, but not the resource."""

        def without(value: Any) -> Any:
            if isinstance(value, list):
                return [without(each) for each in value if each != {"Fn::GetAtt": [name, "Arn"]}]
            return {key: without(each) for key, each in value.items()} if isinstance(value, dict) else value

        with self._changing() as template:
            template["Resources"] = {key: without(each) for key, each in template["Resources"].items()}


class House:
    """All that the story is played on, in a copy that can be broken at will."""

    def __init__(self, build: Path, folder: Path) -> None:
        self._build = build
        self._folder = folder
        self._spoke = Path(shutil.copy(ROOT / "spoke.yaml", folder / "spoke.yaml"))
        self._interference: dict[int, Interference] = {}
        self.hub = Template(build / "template.yaml")
        self.spoke = Template(self._spoke)

    def rulebook(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the rulebook as the functions get it."""
        path = self._build / "RulebookLayer" / "rulebook.json"
        compiled = json.loads(path.read_text())
        change(compiled["rulebook"])
        path.write_text(json.dumps(compiled))

    def rule(self, name: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Change one rule of the rulebook."""
        self.rulebook(lambda book: change(next(rule for rule in book["rules"] if rule["name"] == name)))

    def before(self, act: int, interfere: Interference) -> None:
        """Do something just before an act."""
        self._interference[act] = interfere

    def tell(self, act: int, *, platforms: int) -> tuple[Ending, str]:
        """Play an act after those that it builds on; answers how the story ended, and the account of it."""
        account = io.StringIO()
        layout = write_layout(self._folder / "image")
        if platforms == 1:
            keep_one_platform(layout)
        data = self._folder / "data"
        with Sandbox(self._build, data=data, spokes=[SPOKE], spoke_template=self._spoke) as sandbox:
            stage = Stage(sandbox, layout, Narrator(Console(file=account, width=200)), self._folder)
            ending = play(stage, self._interference, acts=leading_to(act))
        return ending, account.getvalue()


@pytest.fixture
def house(build: Path, tmp_path: Path) -> House:
    """What ``make build`` wrote and ``spoke.yaml``, to be broken, and the story on it."""
    return House(build, tmp_path)
