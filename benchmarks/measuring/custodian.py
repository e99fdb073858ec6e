"""Cloud Custodian, from an environment of its own, with policies as its documentation writes them.

Each policy filters the repositories that need its action, so that a run with nothing to do changes nothing. All of
them are in one file: the repositories are listed once, and the cache hands them to the next policy. The cache is a new
one for each run: with that of the last one Custodian would act on how things were before it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lab.commands import Ran, run

PROGRAM = Path(__file__).parents[2] / ".tools" / "c7n" / "bin" / "custodian"

POLICIES = """\
policies:
  - name: lifecycle
    resource: aws.ecr
    filters:
      - type: lifecycle-rule
        state: false
        match: [{selection.tagStatus: untagged}, {selection.countNumber: 14}, {action.type: expire}]
    actions:
      - type: set-lifecycle
        rules:
          - rulePriority: 1
            selection: {tagStatus: untagged, countType: sinceImagePushed, countUnit: days, countNumber: 14}
            action: {type: expire}
  - name: immutability
    resource: aws.ecr
    filters: [{imageTagMutability: MUTABLE}]
    actions: [{type: set-immutability, state: true}]
  - name: scanning
    resource: aws.ecr
    filters: [{imageScanningConfiguration.scanOnPush: false}]
    actions: [{type: set-scanning, state: true}]
"""


def require_custodian() -> None:
    """End this process where Cloud Custodian is not installed."""
    if not PROGRAM.is_file():
        sys.exit("Cloud Custodian is missing: run make bench, or make .tools/c7n/.installed")


def custodian(environment: Mapping[str, str], region: str) -> Ran:
    """`custodian run` over a region."""
    with tempfile.TemporaryDirectory(prefix="bench-custodian-") as name:
        folder = Path(name)
        policies = folder / "policies.yaml"
        policies.write_text(POLICIES, encoding="utf-8")
        cache, output = folder / "cache", folder / "output"
        options: list[str | Path] = ["--region", region, "--cache", cache, "--output-dir", output]
        return run([PROGRAM, "run", *options, policies], {**environment, "HOME": name})
