"""Step 5: the first creation template of an account, and scanning from basic to enhanced and back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from real_account.beliefs import Belief, Observation
from real_account.run import Run, code_of, new_client
from real_account.step import NotLookedAtError, Step

ROLE: Final = "AWSServiceRoleForECRTemplate"
TEMPLATE: Final = Belief(
    "template-makes-role",
    f"CreateRepositoryCreationTemplate makes {ROLE} where the account has none",
    "ECR user guide, service-linked role for repository creation templates",
    "made",
)
SCANNING: Final = Belief(
    "scanning-rights",
    "scanning goes to enhanced and back with PutRegistryScanningConfiguration and Inspector's Enable, Disable and"
    " ListAccountPermissions",
    "handler permissions of AWS::ECR::RegistryScanningConfiguration",
    "accepted, accepted",
)


def _do(run: Run) -> Iterator[Observation]:
    had = _has_role(run)
    prefix = run.making("creation template", run.name("template"))
    run.client("ecr").create_repository_creation_template(prefix=prefix, appliedFor=["REPLICATION"])
    if not had:
        made = run.pace.until(lambda: _has_role(run), 30)
        yield Observation(TEMPLATE, "made" if made else "not made", f"{ROLE} stays")
    before = run.client("ecr").get_registry_scanning_configuration()["scanningConfiguration"]
    if before["scanType"] != "BASIC":
        raise NotLookedAtError(f"this registry's scanning is {before['scanType']}: it is left as it is")
    yield _scanning(run, before)
    if had:
        raise NotLookedAtError(f"the account has {ROLE} already")


def _scanning(run: Run, before: dict[str, Any]) -> Observation:
    inspector = ["inspector2:Enable", "inspector2:Disable", "inspector2:ListAccountPermissions"]
    role = run.role(
        "scanning",
        {"Action": ["ecr:PutRegistryScanningConfiguration", *inspector], "Resource": "*"},
        {
            "Action": "iam:CreateServiceLinkedRole",
            "Resource": "*",
            "Condition": {"StringEquals": {"iam:AWSServiceName": "inspector2.amazonaws.com"}},
        },
    )
    ecr = new_client("ecr", run.region, run.as_role(role))
    run.making("registry scanning", run.name("scanning"), before=before)
    filters = [{"filter": run.name("*"), "filterType": "WILDCARD"}]
    rule = {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": filters}
    try:
        there, why = code_of(lambda: ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=[rule]))
        back, why_not = code_of(
            lambda: ecr.put_registry_scanning_configuration(scanType="BASIC", rules=before.get("rules", []))
        )
    finally:
        ecr.close()
    return Observation(SCANNING, f"{there}, {back}", f"{why} {why_not}".strip())


def _has_role(run: Run) -> bool:
    try:
        run.client("iam").get_role(RoleName=ROLE)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return False
        raise
    return True


STEP: Final = Step(
    name="05-registry",
    title="Settings of the registry",
    how="creates a template; switches scanning to enhanced, for names of its own, and back, as a role of these rights",
    makes=f"a creation template, a role, and {ROLE}, which stays; it changes the registry's scanning for seconds",
    dollars=0.05,
    budget=timedelta(minutes=5),
    beliefs=(TEMPLATE, SCANNING),
    do=_do,
)
