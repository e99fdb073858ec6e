"""Which function is invoked with which sample event under which circumstances, and what must come of it."""

import json
from dataclasses import dataclass
from typing import Any

from sam_local.effects import (
    Effect,
    aliases_follow,
    all_is_reconciled,
    event_is_kept,
    image_fails,
    image_fails_and_is_not_copied,
    image_fails_and_poison_kept,
    image_is_quarantined,
    image_passes,
    image_passes_and_is_copied,
    login_is_fresh,
    nothing_changes,
    replica_is_complete,
    replica_is_complete_and_poison_kept,
    scans_are_read_and_nothing_changes,
    settings_follow,
)
from sam_local.given import AS_THE_SAMPLE_SAYS, CACHED, PAYMENTS, Given, Scanned
from sam_local.wiring import EVENTS


@dataclass(frozen=True)
class Case:
    """One invocation: a function by the logical id in the template, a file below ``events/``, and its effect."""

    function: str
    event: str
    effect: Effect
    given: Given = AS_THE_SAMPLE_SAYS

    def load(self) -> Any:
        return json.loads((EVENTS / f"{self.event}.json").read_text(encoding="utf-8"))

    def __str__(self) -> str:
        given = f" [{self.given}]" if str(self.given) else ""
        return f"{self.function} {self.event}{given}"


ENFORCE, APPLY = "EnforceImageTagsFunction", "ApplyRepositoryPoliciesFunction"
EVALUATE, REPLICATE = "EvaluateImageScanFunction", "ReplicateImageFunction"
RECONCILE, REFRESH = "ReconcileRegistryFunction", "RefreshCredentialsFunction"

PASSED = Given(PAYMENTS, (Scanned.CLEAN, Scanned.MEDIUM))
FAILED = Given(PAYMENTS, (Scanned.CLEAN, Scanned.HIGH))
HALF_SCANNED = Given(PAYMENTS, (Scanned.CLEAN, Scanned.NEVER))

CASES = (
    Case(ENFORCE, "ecr_image_action/push_tagged", aliases_follow),
    Case(ENFORCE, "ecr_image_action/push_index", aliases_follow),
    Case(ENFORCE, "ecr_image_action/push_in_account_two", aliases_follow),
    Case(ENFORCE, "ecr_image_action/push_denied_tag", image_is_quarantined),
    Case(ENFORCE, "ecr_referrer_action/push_signature", nothing_changes),
    Case(ENFORCE, "ecr_image_action/malformed", event_is_kept),
    Case(ENFORCE, "self_check/check", nothing_changes),
    Case(APPLY, "repository_pushed/team_a_api", settings_follow),
    Case(APPLY, "aws_api_call_via_cloudtrail/create_repository", settings_follow),
    Case(APPLY, "aws_api_call_via_cloudtrail/delete_lifecycle_policy", settings_follow),
    Case(APPLY, "aws_api_call_via_cloudtrail/tag_resource", settings_follow),
    Case(APPLY, "aws_api_call_via_cloudtrail/create_repository_by_replication", settings_follow),
    Case(APPLY, "aws_api_call_via_cloudtrail/set_repository_policy", settings_follow),
    # What the steward's own functions did is not looked at again.
    Case(APPLY, "aws_api_call_via_cloudtrail/set_repository_policy_by_the_steward", nothing_changes),
    Case(APPLY, "ecr_replication_action/arrived", settings_follow),
    Case(APPLY, "ecr_pull_through_cache_action/fetched", settings_follow, Given(CACHED)),
    # The example rulebook says nothing about whole registries.
    Case(APPLY, "aws_api_call_via_cloudtrail/put_registry_policy", nothing_changes),
    Case(APPLY, "aws_api_call_via_cloudtrail/put_replication_configuration", nothing_changes),
    Case(APPLY, "aws_api_call_via_cloudtrail/update_repository_creation_template", nothing_changes),
    Case(APPLY, "self_check/check", nothing_changes),
    Case(EVALUATE, "sqs_scan_batch/basic_scan", image_fails, Given(PAYMENTS, (Scanned.HIGH,))),
    # The event counts CRITICAL findings; what counts is what the scanner says now.
    Case(EVALUATE, "sqs_scan_batch/basic_scan", image_passes, Given(PAYMENTS, (Scanned.MEDIUM,))),
    Case(EVALUATE, "sqs_scan_batch/basic_scan_of_a_child", image_passes, PASSED),
    Case(EVALUATE, "sqs_scan_batch/basic_scan_of_a_child", image_fails, FAILED),
    Case(EVALUATE, "sqs_scan_batch/basic_scan_of_a_child", scans_are_read_and_nothing_changes, HALF_SCANNED),
    Case(
        EVALUATE,
        "sqs_scan_batch/enhanced_scan_and_finding",
        image_fails,
        Given(PAYMENTS, (Scanned.HIGH_BY_INSPECTOR,)),
    ),
    # No scan follows where all platforms were scanned before the index that leads to them was there.
    Case(EVALUATE, "sqs_scan_batch/tagged_push_of_an_index", image_passes, PASSED),
    Case(EVALUATE, "sqs_scan_batch/tagged_push_of_an_index", image_fails, FAILED),
    Case(EVALUATE, "sqs_scan_batch/tagged_push_of_an_index", scans_are_read_and_nothing_changes, HALF_SCANNED),
    Case(EVALUATE, "sqs_scan_batch/poison_and_good", image_fails_and_poison_kept, Given(PAYMENTS, (Scanned.HIGH,))),
    Case(REPLICATE, "sqs_copy_batch/copy_job_from_push", replica_is_complete),
    Case(REPLICATE, "sqs_copy_batch/copy_job_from_account_two", replica_is_complete),
    Case(REPLICATE, "sqs_copy_batch/copy_job_from_sweep", replica_is_complete),
    Case(REPLICATE, "sqs_copy_batch/copy_job_from_verdict", replica_is_complete, PASSED),
    # The sample says "pass" here, too: a verdict that nobody but its writer stands for.
    Case(REPLICATE, "sqs_copy_batch/copy_job_from_verdict", scans_are_read_and_nothing_changes, FAILED),
    Case(REPLICATE, "sqs_copy_batch/copy_job_from_verdict", scans_are_read_and_nothing_changes, HALF_SCANNED),
    Case(REPLICATE, "sqs_copy_batch/poison_and_good", replica_is_complete_and_poison_kept),
    Case(RECONCILE, "schedule/sweep", all_is_reconciled),
    Case(RECONCILE, "schedule/sweep", image_passes_and_is_copied, PASSED),
    Case(RECONCILE, "schedule/sweep", image_fails_and_is_not_copied, FAILED),
    Case(REFRESH, "schedule/refresh", login_is_fresh),
)
