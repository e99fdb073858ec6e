"""The account: what its registry scans by, how much it may have, and which trail records it."""

from collections.abc import Mapping
from typing import Any, Final

from ecr_steward_cli.doctor.around.facts import TrailFact
from ecr_steward_cli.doctor.asking import Asker, UnreadError
from ecr_steward_cli.doctor.findings import Unread

REPOSITORIES: Final = "L-CFEB8E8D"
"""The code of the quota "Registered repositories"."""
USUAL_REPOSITORIES: Final = 100_000.0
"""Its default ("Amazon ECR service quotas", ECR user guide), where the account's own cannot be read."""


def read_scanning(asker: Asker) -> Mapping[str, Any]:
    """The registry's scanning configuration. Needs ecr:GetRegistryScanningConfiguration."""
    found: Mapping[str, Any] = asker.ask("ecr.get_registry_scanning_configuration")["scanningConfiguration"]
    return found


def read_inspector(asker: Asker, account: str) -> str:
    """The state of Inspector's scans of ECR. Needs inspector2:BatchGetAccountStatus."""
    answer = asker.ask("inspector2.batch_get_account_status", accountIds=[account])
    if not answer.get("accounts"):
        why = next((one.get("errorMessage") for one in answer.get("failedAccounts", [])), None)
        raise UnreadError(Unread(f"Inspector says nothing about {account}: {why or 'no reason'}"))
    return str(answer["accounts"][0]["resourceState"]["ecr"]["status"])


def read_repositories(asker: Asker) -> int:
    """How many repositories the registry has. Needs ecr:DescribeRepositories."""
    return len(asker.ask("ecr.describe_repositories", maxResults=1000)["repositories"])


def read_repository_quota(asker: Asker) -> float:
    """How many it may have, where the caller may not know it, ECR's default. Needs servicequotas:GetServiceQuota."""
    try:
        answer = asker.ask("service-quotas.get_service_quota", ServiceCode="ecr", QuotaCode=REPOSITORIES)
    except UnreadError:
        return USUAL_REPOSITORIES
    return float(answer["Quota"]["Value"])


def read_unreserved(asker: Asker) -> int:
    """How many functions without a reserve may run at a time. Needs lambda:GetAccountSettings."""
    return int(asker.ask("lambda.get_account_settings")["AccountLimit"]["UnreservedConcurrentExecutions"])


def read_trails(asker: Asker) -> tuple[TrailFact, ...]:
    """The trails that record this region.

    Needs cloudtrail:DescribeTrails, GetTrailStatus and GetEventSelectors.
    """
    region = asker.caller.region
    trails = asker.ask("cloudtrail.describe_trails")["trailList"]
    recording = [one for one in trails if one.get("IsMultiRegionTrail") or one.get("HomeRegion") == region]
    return tuple(_trail(asker, one) for one in recording)


def _trail(asker: Asker, trail: Mapping[str, Any]) -> TrailFact:
    home = trail.get("HomeRegion")
    status = asker.ask("cloudtrail.get_trail_status", region=home, Name=trail["TrailARN"])
    found = asker.ask("cloudtrail.get_event_selectors", region=home, TrailName=trail["TrailARN"])
    writes = any(
        one.get("IncludeManagementEvents", True) and one.get("ReadWriteType", "All") != "ReadOnly"
        for one in found.get("EventSelectors", [])
    ) or any(map(_selects_management_writes, found.get("AdvancedEventSelectors", [])))
    return TrailFact(trail["Name"], bool(status["IsLogging"]), writes)


def _selects_management_writes(selector: Mapping[str, Any]) -> bool:
    fields = {one["Field"]: one for one in selector["FieldSelectors"]}
    return "Management" in fields.get("eventCategory", {}).get("Equals", []) and "true" not in fields.get(
        "readOnly", {}
    ).get("Equals", [])
