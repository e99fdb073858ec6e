"""What a plan for a whole registry changes, and what it keeps."""

from dataclasses import replace
from typing import Any

import pytest

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.plan import Plan
from ecr_steward.domain.registries import (
    CreationTemplate,
    DeleteRegistryPolicy,
    NativeReplication,
    PutCreationTemplate,
    PutRegistryPolicy,
    PutRegistryScanning,
    PutReplicationConfiguration,
    RegistrySettings,
    WantedPolicy,
    WantedReplication,
    WantedScanning,
    WantedSettings,
)
from ecr_steward.domain.registry_governance import plan_registry
from ecr_steward.domain.repositories import Encryption, Mutability, TagMutability
from tests.given.registry_worlds import ELSEWHERE, document, native, statement
from tests.given.rules import AWAY, HOME


def plan(wanted: WantedSettings, **actual: Any) -> Plan:
    return plan_registry("all", HOME, wanted, RegistrySettings(**actual))


OURS, THEIRS = statement("EcrStewardReplicationFrom"), statement("Theirs")
OURS_ONCE = statement("EcrStewardOld", "333344445555")


class TestPolicy:
    def test_statements_of_others_stay_when_the_rulebook_keeps_them(self) -> None:
        (step,) = plan(WantedSettings(policy=WantedPolicy((OURS,))), policy=document(THEIRS, OURS_ONCE)).steps

        assert isinstance(step, PutRegistryPolicy)
        assert step.document == document(THEIRS, OURS)
        assert step.why == "the registry policy has what it should not: `EcrStewardOld`"

    def test_statements_of_others_go_when_the_rulebook_removes_them(self) -> None:
        wanted = WantedSettings(policy=WantedPolicy((OURS,), keeps_foreign=False))

        (step,) = plan(wanted, policy=document(statement("Theirs", "999999999999"))).steps

        assert isinstance(step, PutRegistryPolicy)
        assert (step.document, step.takes_away) == (document(OURS), True)

    def test_a_deleted_principal_is_left_out_when_the_policy_is_written(self) -> None:
        gone = {**THEIRS, "Principal": {"AWS": ["AROAEXAMPLEEXAMPLE123", "arn:aws:iam::222233334444:root"]}}
        all_gone = {**THEIRS, "Sid": "Gone", "Principal": {"AWS": "AIDAEXAMPLEEXAMPLE123"}}

        (step,) = plan(WantedSettings(policy=WantedPolicy((OURS,))), policy=document(gone, all_gone)).steps

        assert isinstance(step, PutRegistryPolicy)
        theirs, ours = step.document["Statement"]
        assert (theirs["Sid"], theirs["Principal"]) == ("Theirs", {"AWS": "arn:aws:iam::222233334444:root"})
        assert ours == OURS

    def test_nothing_is_taken_away_when_somebody_is_only_added(self) -> None:
        (step,) = plan(WantedSettings(policy=WantedPolicy((OURS,))), policy=document(THEIRS)).steps

        assert isinstance(step, PutRegistryPolicy)
        assert not step.takes_away

    def test_something_is_taken_away_when_a_deny_is_added(self) -> None:
        wanted = WantedSettings(policy=WantedPolicy((statement("EcrStewardNo", effect="Deny"),)))

        (step,) = plan(wanted, policy=document(THEIRS)).steps

        assert isinstance(step, PutRegistryPolicy)
        assert step.takes_away

    @pytest.mark.parametrize("keeps_foreign", [True, False])
    def test_nothing_is_planned_when_the_policy_says_the_same_in_other_words(self, keeps_foreign: bool) -> None:
        told = {**OURS, "Action": OURS["Action"][::-1], "Principal": {"AWS": OURS["Principal"]["AWS"][0]}}
        wanted = WantedSettings(policy=WantedPolicy((OURS,), keeps_foreign=keeps_foreign))

        assert plan(wanted, policy=document(told)) == Plan()

    @pytest.mark.parametrize("actual", [document(THEIRS), document(OURS_ONCE)])
    def test_the_policy_is_deleted_when_nothing_is_left_in_it(self, actual: dict[str, Any]) -> None:
        (step,) = plan(WantedSettings(policy=WantedPolicy(keeps_foreign=False)), policy=actual).steps

        assert isinstance(step, DeleteRegistryPolicy)
        assert step.is_destructive

    def test_the_policy_stays_with_a_remark_when_it_would_be_too_long(self) -> None:
        theirs = [statement(f"Theirs{number}", f"{number:012}") for number in range(60)]
        theirs = [{**one, "Resource": f"{one['Resource']}{number}"} for number, one in enumerate(theirs)]

        planned = plan(WantedSettings(policy=WantedPolicy((OURS,))), policy=document(*theirs))

        assert planned.steps == ()
        assert "ECR takes at most 10240" in planned.remarks[0]


class TestScanning:
    WANTED = WantedSettings(scanning=WantedScanning("BASIC", {"SCAN_ON_PUSH": frozenset({"prod*", "team-a"})}))

    def test_nothing_is_planned_when_the_same_filters_stand_in_two_rules(self) -> None:
        rules = [
            {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": one, "filterType": "WILDCARD"}]}
            for one in ("team-a", "prod*")
        ]

        assert plan(self.WANTED, scanning={"scanType": "BASIC", "rules": rules}) == Plan()

    @pytest.mark.parametrize(("type_", "frequency"), [("HYBRID", "SCAN_ON_PUSH"), ("BASIC", "SCAN_ON_PULL")])
    def test_words_of_a_newer_ecr_are_shown_and_left_alone(self, type_: str, frequency: str) -> None:
        """core 6.6"""
        rules = [{"scanFrequency": frequency, "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}]
        newer = type_ if type_ == "HYBRID" else frequency

        found = plan(self.WANTED, scanning={"scanType": type_, "rules": rules})

        assert found == Plan(
            remarks=(
                f"the scanning configuration is {type_} with {frequency} of *, the rulebook says BASIC with "
                f"SCAN_ON_PUSH of prod*, team-a; left as it is: this version of ECR Steward does not know {newer}",
            )
        )

    def test_members_that_nobody_knows_stay_when_the_configuration_is_written(self) -> None:
        rules = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [], "depth": "FULL"}]

        (step,) = plan(self.WANTED, scanning={"scanType": "ENHANCED", "rules": rules, "languages": ["python"]}).steps

        filters = [{"filter": one, "filterType": "WILDCARD"} for one in ("prod*", "team-a")]
        assert isinstance(step, PutRegistryScanning)
        assert step.document == {
            "scanType": "BASIC",
            "rules": [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": filters, "depth": "FULL"}],
            "languages": ["python"],
        }
        assert step.why == (
            "the scanning configuration is ENHANCED with no rule, the rulebook says BASIC with SCAN_ON_PUSH of prod*, "
            "team-a"
        )


def wanted_rule(prefix: str, *destinations: RegistryRef, deletes: bool | None = None) -> NativeReplication:
    return NativeReplication(frozenset({prefix}), frozenset(destinations), deletes)


def replication(*rules: NativeReplication, keeps_foreign: bool = True) -> WantedSettings:
    return WantedSettings(replication=WantedReplication(rules, keeps_foreign))


class TestReplication:
    def planned(self, wanted: WantedSettings, *rules: dict[str, Any]) -> list[dict[str, Any]]:
        (step,) = plan(wanted, replication={"rules": list(rules)}).steps
        assert isinstance(step, PutReplicationConfiguration)
        found: list[dict[str, Any]] = step.document["rules"]
        return found

    def test_rules_for_other_prefixes_stay_when_the_rulebook_keeps_them(self) -> None:
        theirs = native("theirs/", AWAY, tagFilters=["v*"])

        assert self.planned(replication(wanted_rule("prod/", AWAY)), theirs) == [theirs, native("prod/", AWAY)]

    def test_rules_for_other_prefixes_go_when_the_rulebook_removes_them(self) -> None:
        wanted = replication(wanted_rule("prod/", AWAY), keeps_foreign=False)

        assert self.planned(wanted, native("theirs/", AWAY), native(None, AWAY)) == [native("prod/", AWAY)]

    def test_a_rule_is_taken_for_the_rulebooks_when_it_is_for_the_same_prefixes(self) -> None:
        wanted = replication(wanted_rule("prod/", AWAY, deletes=True))

        assert self.planned(wanted, native("prod/", ELSEWHERE)) == [
            native("prod/", AWAY, deleteReplication={"enabled": True})
        ]

    def test_flags_that_nobody_knows_stay_when_a_rule_is_written_again(self) -> None:
        actual = native("prod/", AWAY, tagFilters=["v*"], deleteReplication={"enabled": True, "after": {"days": 3}})
        actual["destinations"][0]["priority"] = 7

        (rule,) = self.planned(replication(wanted_rule("prod/", AWAY, ELSEWHERE, deletes=False)), actual)

        assert rule["tagFilters"] == ["v*"]
        assert rule["deleteReplication"] == {"enabled": False, "after": {"days": 3}}
        assert {"region": AWAY.region, "registryId": AWAY.account, "priority": 7} in rule["destinations"]

    def test_the_reason_names_the_copies_that_come_and_go_when_rules_differ(self) -> None:
        wanted = replication(wanted_rule("prod/", AWAY, deletes=True), keeps_foreign=False)

        (step,) = plan(wanted, replication={"rules": [native(None, ELSEWHERE)]}).steps

        assert step.why == (
            f"the replication lacks: prod/ to {AWAY} with deletions; has what it should not: everything to {ELSEWHERE}"
        )

    @pytest.mark.parametrize("deletes", [None, True])
    def test_nothing_is_planned_when_deletes_are_replicated_and_the_rulebook_wants_it_or_does_not_say(
        self, deletes: bool | None
    ) -> None:
        actual = {"rules": [native("prod/", AWAY, ELSEWHERE, deleteReplication={"enabled": True})]}

        assert plan(replication(wanted_rule("prod/", ELSEWHERE, AWAY, deletes=deletes)), replication=actual) == Plan()

    def test_nothing_is_planned_when_deletes_are_not_mentioned_and_not_wanted(self) -> None:
        actual = {"rules": [native("prod/", AWAY)]}

        assert plan(replication(wanted_rule("prod/", AWAY, deletes=False)), replication=actual) == Plan()

    def test_a_rule_that_chooses_in_a_newer_way_is_foreign_when_its_text_is_the_same(self) -> None:
        theirs = native("prod/", AWAY)
        theirs["repositoryFilters"][0]["filterType"] = "EXACT_MATCH"

        assert self.planned(replication(wanted_rule("prod/", ELSEWHERE)), theirs) == [
            theirs,
            native("prod/", ELSEWHERE),
        ]

    def test_two_rules_for_the_same_prefixes_become_one_when_they_are_the_rulebooks(self) -> None:
        actual = native("prod/", AWAY), native("prod/", ELSEWHERE)

        assert self.planned(replication(wanted_rule("prod/", AWAY)), *actual) == [native("prod/", AWAY)]

    def test_replication_ends_when_the_rulebook_wants_none(self) -> None:
        assert self.planned(replication(keeps_foreign=False), native("prod/", AWAY)) == []

    @pytest.mark.parametrize(
        ("rules", "told"),
        [
            ([native(f"theirs-{number}/", AWAY) for number in range(25)], "26 rules, and ECR takes at most 25"),
            (
                [native("theirs/", *(RegistryRef(f"{number:012}", "us-east-1") for number in range(25)))],
                "26 destinations, and ECR takes at most 25",
            ),
        ],
    )
    def test_the_configuration_stays_with_a_remark_when_ecr_would_refuse_it(
        self, rules: list[dict[str, Any]], told: str
    ) -> None:
        planned = plan(replication(wanted_rule("prod/", AWAY)), replication={"rules": rules})

        assert planned.steps == ()
        assert told in planned.remarks[0]


TEMPLATE = CreationTemplate(
    "team-a/",
    frozenset({"REPLICATION"}),
    mutability=TagMutability(Mutability.IMMUTABLE),
    encryption=Encryption("KMS"),
    resource_tags={"managed-by": "ecr-steward"},
    role=f"arn:aws:iam::{HOME.account}:role/ecr-steward-creation-template",
)


class TestCreationTemplates:
    WANTED = WantedSettings(creation_templates=(TEMPLATE,))

    def test_a_template_is_created_with_everything_when_there_is_none(self) -> None:
        (step,) = plan(self.WANTED).steps

        assert isinstance(step, PutCreationTemplate)
        assert (step.is_new, step.template) == (True, TEMPLATE)

    def test_a_mutability_of_a_newer_ecr_is_shown_and_left_alone(self) -> None:
        """core 6.6"""
        actual = replace(TEMPLATE, mutability=TagMutability.read("MUTABLE_ON_FRIDAYS"))

        found = plan(self.WANTED, creation_templates={"team-a": actual})

        assert found.steps == ()
        assert "left as it is: this version of ECR Steward does not know MUTABLE_ON_FRIDAYS" in found.remarks[0]

    def test_only_what_differs_is_changed_when_there_is_one(self) -> None:
        actual = CreationTemplate(
            "team-a",
            frozenset({"REPLICATION"}),
            description="Theirs",
            mutability=TagMutability(Mutability.MUTABLE),
            encryption=Encryption("KMS", "arn:aws:kms:us-east-1:111122223333:alias/aws/ecr"),
            resource_tags={"owner": "team-a"},
            role=TEMPLATE.role,
        )

        (step,) = plan(self.WANTED, creation_templates={"team-a": actual}).steps

        assert isinstance(step, PutCreationTemplate)
        assert not step.is_new
        assert step.template == CreationTemplate(
            "team-a",
            frozenset({"REPLICATION"}),
            mutability=TEMPLATE.mutability,
            resource_tags={"owner": "team-a", "managed-by": "ecr-steward"},
        )
        assert step.why == "not as the rulebook says: mutability, resource_tags"

    def test_the_reason_names_both_when_only_what_it_is_applied_for_differs(self) -> None:
        actual = CreationTemplate("team-a", frozenset({"CREATE_ON_PUSH"}))
        wanted = WantedSettings(creation_templates=(CreationTemplate("team-a", frozenset({"REPLICATION"})),))

        (step,) = plan(wanted, creation_templates={"team-a": actual}).steps

        assert step.why == "it is applied for CREATE_ON_PUSH, the rulebook says REPLICATION"

    def test_nothing_is_planned_when_the_lifecycle_policy_does_the_same_in_other_words(self) -> None:
        selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5}
        rule = {"rulePriority": 1, "description": "ours", "selection": selection, "action": {"type": "expire"}}
        wanted = CreationTemplate("team-a", frozenset({"REPLICATION"}), lifecycle={"rules": [rule]})
        told = {**rule, "rulePriority": 7, "description": "theirs"}
        actual = CreationTemplate("team-a", frozenset({"REPLICATION"}), lifecycle={"rules": [told]})

        planned = plan(WantedSettings(creation_templates=(wanted,)), creation_templates={"team-a": actual})

        assert planned == Plan()

    def test_a_lifecycle_goes_when_its_rule_leaves_ecr_nothing_to_do(self) -> None:
        wanted = CreationTemplate("team-a", frozenset({"REPLICATION"}), lifecycle={"rules": []})
        actual = replace(wanted, lifecycle={"rules": [{"rulePriority": 1}]})
        asked = WantedSettings(creation_templates=(wanted,))

        (change,) = plan(asked, creation_templates={"team-a": actual}).steps
        (new,) = plan(asked).steps

        assert isinstance(change, PutCreationTemplate)
        assert isinstance(new, PutCreationTemplate)
        assert (change.template.lifecycle, new.template.lifecycle) == ({"rules": []}, None)
        assert plan(asked, creation_templates={"team-a": replace(wanted, lifecycle=None)}) == Plan()

    def test_other_templates_are_left_alone_when_the_rulebook_does_not_name_them(self) -> None:
        theirs = CreationTemplate("ROOT", frozenset({"CREATE_ON_PUSH"}))

        assert plan(self.WANTED, creation_templates={"ROOT": theirs, "team-a": TEMPLATE}) == Plan()
