"""A demo that cannot fail shows nothing: each act is broken on purpose, and the story must end in exactly that act."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.demo.stage import REPOSITORY, Stage
from sandbox.demo.story import Ending, Interference

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Break:
    """One thing that is wrong, and the act that must notice."""

    act: int
    name: str
    template: Callable[[dict[str, Any]], None] | None = None
    rulebook: Callable[[dict[str, Any]], None] | None = None
    code: tuple[str, str, str] | None = None
    """Module of the built core layer, text, and what stands there instead."""
    interfere: Interference | None = None


def without(resource: str, *path: str | int) -> Callable[[dict[str, Any]], None]:
    """Take a resource, or a part of one, out of the template."""

    def change(resources: dict[str, Any]) -> None:
        place: Any = resources
        for key in (resource, *path)[:-1]:
            place = place[key]
        del place[(resource, *path)[-1]]

    return change


def without_action(function: str, action: str) -> Callable[[dict[str, Any]], None]:
    """Take one action out of a function's role."""

    def change(resources: dict[str, Any]) -> None:
        (policy,) = resources[function]["Properties"]["Policies"]
        holders = [each for each in policy["Statement"] if action in each["Action"]]
        assert holders, f"{function} does not have {action}"
        for statement in holders:
            statement["Action"] = [each for each in statement["Action"] if each != action]

    return change


def without_the_rule_for_pushes(resources: dict[str, Any]) -> None:
    del resources["EnforceImageTagsFunction"]["Properties"]["Events"]
    (statement,) = resources["DeliveryFailureQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    sources[:] = [arn for arn in sources if "EnforceImageTags" not in json.dumps(arn)]


def with_another_target(resources: dict[str, Any]) -> None:
    (target,) = resources["ImagePushedToReplicateImageRule"]["Properties"]["Targets"]
    target["Arn"] = {"Fn::GetAtt": ["ReplicateImageDeadLetterQueue", "Arn"]}


def change_a_byte(stage: Stage) -> None:
    blob = stage.release("1.4.3").children[0].blobs[-1].digest
    stage.settle()
    replica = stage.layout.root.parent / "data" / "ecr" / stage.sandbox.account / stage.away.region
    (stored,) = replica.glob(f"blobs/sha256/**/{blob.hex}")
    content = bytearray(stored.read_bytes())
    content[-1] ^= 1
    stored.chmod(0o644)
    stored.write_bytes(content)


def lose_an_image(stage: Stage) -> None:
    image = {"imageDigest": str(stage.release("1.4.3").sbom.digest)}
    stage.away.ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[image])


BREAKS = [
    Break(1, "permission to forward events", template=without("ForwardToStewardRole", "Properties", "Policies")),
    Break(
        1,
        "permission to set repository policies",
        template=without_action("ApplyRepositoryPoliciesFunction", "ecr:SetRepositoryPolicy"),
    ),
    Break(1, "rule on repository settings", rulebook=lambda rule: rule.pop("repository")),
    Break(
        1,
        "step that puts the lifecycle policy",
        code=("domain/governance.py", "wanted.lifecycle is not None", "False"),
    ),
    Break(2, "EventBridge rule for pushes", template=without_the_rule_for_pushes),
    Break(2, "permission to put images", template=without_action("EnforceImageTagsFunction", "ecr:PutImage")),
    Break(2, "rule on aliases", rulebook=lambda rule: rule["image_tags"].pop("aliases")),
    Break(
        2,
        "comparison of versions",
        code=(
            "domain/tagging.py",
            "highest[alias][0].order < version.order",
            "version.order < highest[alias][0].order",
        ),
    ),
    Break(3, "target of the rule", template=with_another_target),
    Break(3, "permission to write to the queue", template=without("ReplicateImageQueuePolicy")),
    Break(
        4,
        "permission to remove image tags",
        template=without_action("EnforceImageTagsFunction", "ecr:BatchDeleteImage"),
    ),
    Break(3, "rule on referrers", rulebook=lambda rule: rule["replicate"][0].update(referrers=False)),
    Break(3, "step that copies image tags", code=("domain/replication.py", "if holder != source.digest", "if False")),
    Break(3, "byte at the destination", interfere=change_a_byte),
    Break(3, "referrer at the destination", interfere=lose_an_image),
    Break(4, "rule on image tags", rulebook=lambda rule: rule["image_tags"].update(deny=[], allow=[])),
    Break(
        4,
        "permission to publish notices",
        template=without("NoticesTopicPolicy", "Properties", "PolicyDocument", "Statement", 0),
    ),
    Break(
        4,
        "step that removes the tag",
        code=(
            "domain/tagging.py",
            "for violation in violations:\n        yield RemoveImageTag",
            "for violation in ():\n        yield RemoveImageTag",
        ),
    ),
    Break(5, "comparison before the write", code=("domain/tagging.py", "if holder == digest:", "if False:")),
    Break(
        6,
        "permission to start the sweep",
        template=without("SweepScheduleRole", "Properties", "Policies", 0, "PolicyDocument", "Statement", 0),
    ),
    Break(
        6,
        "permission to put lifecycle policies",
        template=without_action("ReconcileRegistryFunction", "ecr:PutLifecyclePolicy"),
    ),
    Break(
        6,
        "step that requests a copy",
        code=("usecases/reconcile_registry.py", "if missing and rule.mode is Mode.ENFORCE", "if False"),
    ),
]


@pytest.mark.parametrize("broken", BREAKS, ids=lambda b: f"act {b.act}: {b.name}")
def test_story_ends_in_the_act_that_is_broken(
    broken: Break, build: Path, tell: Callable[..., tuple[Ending, str]]
) -> None:
    if broken.template:
        edit_template(build, broken.template)
    if broken.rulebook:
        edit_rulebook(build, broken.rulebook)
    if broken.code:
        edit_code(build, *broken.code)

    ending, account = tell({broken.act: broken.interfere} if broken.interfere else None)

    assert ending.failed_act == broken.act, account
    assert f"Act {broken.act} failed" in account


def test_story_holds_when_nothing_is_broken(tell: Callable[..., tuple[Ending, str]]) -> None:
    ending, account = tell()

    assert ending.failed_act is None, account
    assert ending.checks > 40
    assert "All 6 acts held" in account


def test_story_holds_with_an_image_for_a_single_platform(
    tmp_path: Path, tell: Callable[..., tuple[Ending, str]]
) -> None:
    ending, account = tell(platforms=1)

    assert ending.failed_act is None, account
    assert "1 manifests under" not in account


def edit_template(build: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = build / "template.yaml"
    template = yaml.safe_load(path.read_text())
    change(template["Resources"])
    path.write_text(yaml.safe_dump(template))


def edit_rulebook(build: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = build / "RulebookLayer" / "rulebook.json"
    compiled = json.loads(path.read_text())
    change(compiled["rulebook"]["rules"][0])
    path.write_text(json.dumps(compiled))


def edit_code(build: Path, module: str, text: str, instead: str) -> None:
    path = build / "CoreLayer" / "python" / "ecr_steward" / module
    code = path.read_text()
    assert code.count(text) == 1, f"{module} has changed: {text!r} stands in it {code.count(text)} times"
    path.write_text(code.replace(text, instead))
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
        compiled.unlink()  # it would be run unread: the build makes it so, for a faster cold start
