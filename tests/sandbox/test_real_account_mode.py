"""The contract suite as it runs against a real account, run against the sandbox as if that were AWS.

The user who runs it has the policy of packages/local-ecr/docs/real-account.md and no more, in an account that others
use, too.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "packages" / "local-ecr" / "docs" / "real-account-policy.json"
REGIONS = ("us-east-1", "eu-west-1")
ACCOUNT = "111122223333"
PREFIX = "ecr-steward-test-"

type Contract = Callable[..., subprocess.CompletedProcess[str]]

SUITES = ((ROOT, "tests/contract"), (ROOT / "packages" / "local-ecr", "tests/operations"))
"""Where each part of the suite is started, and its folder there."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def box(new_template: Callable[[], Any], start: Callable[..., Any]) -> Any:
    """An account with settings of its own in every place that the suite touches."""
    stack = new_template()
    stack.queue("Nothing")
    found = start(stack, account=ACCOUNT, regions=REGIONS)
    ecr = found.sandbox.client("ecr")
    ecr.create_repository(repositoryName="theirs/api")
    ecr.create_repository_creation_template(prefix="theirs", appliedFor=["CREATE_ON_PUSH"])
    ecr.put_account_setting(name="BLOB_MOUNTING", value="DISABLED")
    ecr.register_pull_time_update_exclusion(principalArn=f"arn:aws:iam::{ACCOUNT}:role/theirs")
    own = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "ecr:ReplicateImage", "Resource": "*"}
    ecr.put_registry_policy(policyText=json.dumps({"Version": "2012-10-17", "Statement": [own]}))
    filters = [{"filter": "theirs/*", "filterType": "WILDCARD"}]
    rule = {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": filters}
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[rule])
    copied = [{"filter": "theirs", "filterType": "PREFIX_MATCH"}]
    destinations = [{"region": "eu-central-1", "registryId": ACCOUNT}]
    ecr.put_replication_configuration(
        replicationConfiguration={"rules": [{"destinations": destinations, "repositoryFilters": copied}]}
    )
    return found


@pytest.fixture
def run_contract(box: Any) -> Contract:
    """Run those tests of the contract suite that are for a real account, as a user with the policy."""
    iam = box.sandbox.client("iam")

    def run(user: str, policy: dict[str, Any], *, only: str = "aws") -> subprocess.CompletedProcess[str]:
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="tests", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        environment = {
            **kept,
            "STEWARD_TEST_AWS": "1",
            "AWS_ENDPOINT_URL": box.sandbox.endpoint_url,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        parts = []
        for folder, tests in SUITES:
            command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", tests, "-k", only]
            parts.append(
                subprocess.run(
                    command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
                )
            )
        said, told = ("".join(getattr(part, name) for part in parts) for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(only, max(part.returncode for part in parts), said, told)

    return run


def policy_without(*actions: str) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(POLICY.read_text(encoding="utf-8"))
    for statement in policy["Statement"]:
        if "iam:CreateRole" in statement["Action"]:
            statement["Resource"] = "*"  # where the sandbox judges IAM's own operations; AWS does by the role
        if isinstance(statement["Action"], list):
            statement["Action"] = [one for one in statement["Action"] if one not in actions]
    return policy


def state_of(box: Any) -> dict[str, list[Any]]:
    """Whatever the suite could leave in the account."""
    registries = {region: _state_of_registry(box.sandbox.client("ecr", region)) for region in REGIONS}
    return {**registries, "roles": [role["RoleName"] for role in box.sandbox.client("iam").list_roles()["Roles"]]}


def _state_of_registry(ecr: Any) -> list[Any]:
    try:
        policy = ecr.get_registry_policy()["policyText"]
    except ecr.exceptions.RegistryPolicyNotFoundException:
        policy = None
    settings = ("BASIC_SCAN_TYPE_VERSION", "REGISTRY_POLICY_SCOPE", "BLOB_MOUNTING")
    return [
        ecr.describe_repositories()["repositories"],
        ecr.describe_repository_creation_templates()["repositoryCreationTemplates"],
        ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"],
        ecr.describe_registry()["replicationConfiguration"],
        ecr.get_registry_scanning_configuration()["scanningConfiguration"],
        [ecr.get_account_setting(name=name)["value"] for name in settings],
        policy,
    ]


def test_the_suite_passes_with_the_documented_policy_and_leaves_the_account_as_it_was(
    box: Any, run_contract: Contract
) -> None:
    before = state_of(box)

    done = run_contract("tester", policy_without())

    assert done.returncode == 0, done.stdout + done.stderr
    assert passed(done) > 90
    box.sandbox.wait_until_idle()
    assert state_of(box) == before
    asked = [one for one in box.sandbox.decisions if one.principal.endswith(":user/tester")]
    assert {one.action for one in asked} == actions() - {"iam:CreateServiceLinkedRole"}  # which only AWS asks for
    touched = {
        (one.action, one.resource.partition(":repository/")[2]) for one in asked if ":repository/" in one.resource
    }
    of_others = {(action, name) for action, name in touched if not name.startswith((PREFIX, "*"))}
    assert of_others == {("ecr:ListImages", "theirs/api")}  # a login is tried at what is there; see RoleLogins


def test_nothing_is_left_behind_when_tests_fail(box: Any, run_contract: Contract) -> None:
    before = state_of(box)
    policy = policy_without("ecr:PutImage", "ecr:UpdateRepositoryCreationTemplate", "iam:PutRolePolicy")

    done = run_contract(
        "clumsy", policy, only="aws and (test_image or test_creation or test_replication or test_logins)"
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "not authorized to perform: ecr:PutImage" in done.stdout
    assert "not authorized to perform: iam:PutRolePolicy" in done.stdout
    assert passed(done) > 0
    box.sandbox.wait_until_idle()
    assert state_of(box) == before


def passed(done: subprocess.CompletedProcess[str]) -> int:
    return sum(map(int, re.findall(r"(\d+) passed", done.stdout)))


def actions() -> set[str]:
    """All that the documented policy allows."""
    policy = policy_without()
    lists = [statement["Action"] for statement in policy["Statement"]]
    return {action for one in lists for action in ([one] if isinstance(one, str) else one)}
