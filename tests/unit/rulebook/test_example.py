"""The rulebook that ships: what people start from, with what they may uncomment."""

import re

import pytest
from ruamel.yaml import YAML

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.rules import Condition, Destination, ScanRules
from ecr_steward.domain.scans import Severity
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.validate import validate

HOME = RegistryRef("111122223333", "us-east-1")
API = RepositoryRef(HOME, "payments/api")


@pytest.fixture
def shipped(example_file):
    """The example file, compiled; its lines may be changed before."""

    def compile_text(change=lambda text: text):
        rulebook, problems = validate(YAML(typ="safe", pure=True).load(change(example_file.read_text("utf-8"))))
        assert problems == ()
        return compile_rulebook(rulebook)

    return compile_text


def uncomment(text):
    """All below ``rules`` that stands in a line of its own behind a ``#``."""
    head, rules, rest = text.partition("\nrules:\n")
    return head + rules + re.sub(r"(?m)^( *)# ", r"\1", rest)


def test_services_are_copied_at_once_when_the_example_governs_them(shipped):
    rule = shipped().governing(RepositoryRef(HOME, "team-a/api"), {}).replicate

    assert (rule.name, rule.scan) == ("services", None)
    assert [(copy.to, copy.when) for copy in rule.replicate] == [((Destination(region="eu-west-1"),), frozenset())]


def test_payments_are_copied_after_a_good_scan_when_the_example_governs_them(shipped):
    governing = shipped().governing(API, {})
    rule = governing.replicate

    assert (rule.name, rule.scan) == ("payments", ScanRules(Severity.HIGH))
    assert governing.settings[0].repository(API.registry).scan_on_push
    assert [(copy.to, copy.when) for copy in rule.replicate] == [
        ((Destination(region="eu-west-1"),), {Condition.SCAN_PASSED})
    ]


def test_the_login_of_the_example_can_only_pull_when_nothing_else_is_written(shipped):
    (credential,) = shipped().credentials

    assert (credential.name, credential.role) == ("on-prem-cluster", "pull-only")
    assert [sink.secret for sink in credential.sinks] == ["ecr-steward/on-prem-cluster"]


def test_what_is_commented_in_the_example_is_right_when_somebody_uncomments_it(shipped):
    rules = shipped(uncomment)

    (waiver,) = rules.waivers
    assert waiver.repositories[0].matches(API.name)
    assert rules.governing(API, {}).replicate.replicate[0].to == (
        Destination(region="eu-west-1"),
        Destination(account="222233334444", repository="release/{name}"),
    )


def test_the_example_waives_nothing_when_it_is_as_it_ships(shipped):
    assert shipped().waivers == ()
