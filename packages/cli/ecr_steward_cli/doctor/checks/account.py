"""The rulebook in force, and what the account gives for it: scans, quotas, a trail."""

from collections.abc import Iterator, Mapping
from typing import Final

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.registries import Part as Setting
from ecr_steward.domain.registries import RegistrySettings
from ecr_steward.domain.registry_governance import plan_registry
from ecr_steward.domain.registry_rules import governing_registry
from ecr_steward.domain.rules import Rule, Rules
from ecr_steward_cli.doctor.around.facts import RulebookFact
from ecr_steward_cli.doctor.checks.check import Asks, Check
from ecr_steward_cli.doctor.facts import Facts
from ecr_steward_cli.doctor.findings import Finding, Status, Unread, unread

_MAPPING: Final = "AWS::Lambda::EventSourceMapping"
_FUNCTION: Final = "AWS::Lambda::Function"
NEARLY: Final = 0.9
"""The share of a quota from which it is a problem: to raise one takes days."""


def _home(facts: Facts) -> RegistryRef:
    return RegistryRef(facts.stack.names.account, facts.stack.names.region)


def _rules(facts: Facts) -> Rules | Unread | None:
    """The rules in force; why they are not known, where a check needs them."""
    rulebook = facts.around.rulebook
    if isinstance(rulebook, RulebookFact):
        return rulebook.rules or Unread("no rulebook is in force")
    return rulebook


def _wrong(check: Asks, subject: str, message: str) -> Finding:
    return Finding(check.id, Status.PROBLEM, subject, message, check.do)


def _rulebook(check: Asks, facts: Facts) -> Iterator[Finding]:
    rulebook = facts.around.rulebook
    if isinstance(rulebook, Unread):
        yield unread(check.id, "rulebook", rulebook)
    elif rulebook is not None and rulebook.refused:
        rest = (
            "the last good version is in force"
            if rulebook.rules
            else "no rulebook is in force, and no event is handled"
        )
        yield _wrong(check, "rulebook", f"{rest}: {rulebook.refused}")


def _scanning(check: Asks, facts: Facts) -> Iterator[Finding]:
    rules, scanning = _rules(facts), facts.around.scanning
    if isinstance(scanning, Unread):
        yield unread(check.id, "registry", scanning)
    elif isinstance(rules, Unread):
        yield unread(check.id, "rulebook", rules)
    elif rules is not None and scanning is not None:
        home = _home(facts)
        actual = RegistrySettings(scanning=dict(scanning))
        for rule in governing_registry(rules.registries, home):
            if Setting.SCANNING in rule.wanted.parts:
                for step in plan_registry(rule.name, home, rule.wanted.only(Setting.SCANNING), actual).steps:
                    yield _wrong(check, rule.name, step.why)
        judging = [rule.name for rule in rules.with_defaults if rule.scan is not None]
        if (
            judging
            and not scanning.get("rules")
            and not any(_scans_on_push(rule, home) for rule in rules.with_defaults)
        ):
            asked = ", ".join(judging)
            yield _wrong(check, asked, "it wants verdicts, and neither the registry nor a rule has images scanned")


def _scans_on_push(rule: Rule, home: RegistryRef) -> bool:
    return rule.repository is not None and rule.repository(home).scan_on_push is True


def _inspector(check: Asks, facts: Facts) -> Iterator[Finding]:
    state = facts.around.inspector
    if isinstance(facts.around.scanning, Unread):
        yield unread(check.id, "registry", facts.around.scanning)
    elif isinstance(state, Unread):
        yield unread(check.id, "inspector2", state)
    elif state not in {None, "ENABLED", "ENABLING"}:
        yield _wrong(check, "inspector2", f"the registry's scans are Inspector's, and its scans of ECR are {state}")


def _repositories(check: Asks, facts: Facts) -> Iterator[Finding]:
    count, quota = facts.around.repositories, facts.around.repository_quota
    if isinstance(count, Unread):
        yield unread(check.id, "registry", count)
    elif isinstance(quota, Unread):
        yield unread(check.id, "registry", quota)
    elif count is not None and quota is not None and count >= NEARLY * quota:
        yield _wrong(check, "registry", f"it has {count} repositories of {quota:.0f} that it may have")


def _concurrency(check: Asks, facts: Facts) -> Iterator[Finding]:
    there, asked = facts.around.unreserved_concurrency, _asked_concurrency(facts)
    if isinstance(there, Unread):
        yield unread(check.id, "lambda", there)
    elif there is not None and there < asked:
        yield _wrong(check, "lambda", f"the account lets {there} run at a time, the stack alone asks for up to {asked}")


def _asked_concurrency(facts: Facts) -> int:
    """What its queues' mappings may run at a time, and one of each function that no queue starts."""
    mappings = [part.wanted for part in facts.of_types(_MAPPING) if isinstance(part.wanted, Mapping)]
    read = {wanted["FunctionName"] for wanted in mappings}
    others = [part for part in facts.of_types(_FUNCTION) if part.physical_id not in read]
    return len(others) + sum(int(wanted.get("ScalingConfig", {}).get("MaximumConcurrency", 0)) for wanted in mappings)


def _trail(check: Asks, facts: Facts) -> Iterator[Finding]:
    rules, trails = _rules(facts), facts.around.trails
    if isinstance(trails, Unread):
        yield unread(check.id, "cloudtrail", trails)
    elif isinstance(rules, Unread):
        yield unread(check.id, "rulebook", rules)
    elif rules is not None and trails is not None:
        governed = [*(f"rule {one.name}" for one in rules.with_defaults if one.repository is not None)]
        governed += [f"registry rule {one.name}" for one in rules.registries]
        if governed and not any(one.is_logging and one.has_management_writes for one in trails):
            names = ", ".join(one.name for one in trails)
            there = f"none of {names} records calls that change something" if names else "there is no trail"
            yield _wrong(
                check, "cloudtrail", f"{there}, so that {governed[0]} hears of changed settings by the sweep alone"
            )


CHECKS: tuple[Check, ...] = (
    Asks(
        "rulebook-valid",
        "the rulebook in the Lambda layer, or in the bucket: it validates, also within what the parameters allow",
        "mend what the reason names, `ecr-steward compile` it, and put it back, or deploy",
        _rulebook,
    ),
    Asks(
        "scanning-mode",
        "the registry's scanning configuration is as the rulebook's `registries` say; where rules want verdicts, "
        "something scans",
        "put `scanning` into the rulebook's `registries`, or change one of both: docs/rulebook/scanning.md",
        _scanning,
    ),
    Asks(
        "inspector-enabled",
        "Inspector scans ECR, where the registry's scan type is ENHANCED",
        "`aws inspector2 enable --resource-types ECR`",
        _inspector,
    ),
    Asks(
        "quota-repositories",
        f"the registry has less than {NEARLY:.0%} of the repositories that it may have: ECR's default of 100,000 where "
        "the account's quota cannot be read",
        "request more *Registered repositories* of Amazon ECR in Service Quotas, or let rules expire images",
        _repositories,
    ),
    Asks(
        "quota-concurrency",
        "Lambda lets as many functions run at a time, beside those with a reserve, as the stack may ask for",
        "request more *Concurrent executions* of AWS Lambda in Service Quotas: a new account may have 10",
        _concurrency,
    ),
    Asks(
        "trail-logging",
        "a trail of CloudTrail records management events of this region, where rules govern settings: without one "
        "EventBridge has no event of a changed setting",
        "create a trail that logs management events that write; docs/deploy/first-day.md",
        _trail,
    ),
)
