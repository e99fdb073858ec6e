"""What a registry's rules say of one repository."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_ecr.errors import EcrError
from local_ecr.scans.configuration import AppliedScan, ScanConfiguration, ScanRule, passes_filter, read_configuration

names = st.text("ab/-", min_size=1, max_size=6)
patterns = st.text("ab/-*", min_size=1, max_size=6)
FREQUENCIES = {"BASIC": ("SCAN_ON_PUSH", "MANUAL"), "ENHANCED": ("CONTINUOUS_SCAN", "SCAN_ON_PUSH")}


@st.composite
def configurations(draw):
    scan_type = draw(st.sampled_from(sorted(FREQUENCIES)))
    rule = st.builds(ScanRule, st.sampled_from(FREQUENCIES[scan_type]), st.lists(patterns, max_size=3).map(tuple))
    return ScanConfiguration(scan_type, tuple(draw(st.lists(rule, max_size=2))))


def reference(pattern, name):
    if "*" not in pattern:
        return name.find(pattern) >= 0
    return re.fullmatch(pattern.replace("*", ".*"), name) is not None


@given(pattern=patterns, name=names)
def test_a_filter_without_a_star_is_any_part_of_the_name_and_with_one_it_is_the_whole(pattern, name):
    assert passes_filter(pattern, name) == reference(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "passing", "failing"),
    [
        ("prod", ["prod", "repo-prod", "prod-repo", "team/prod/api"], ["pro", "team/api"]),
        ("*prod", ["prod", "repo-prod"], ["prod-repo"]),
        ("prod*", ["prod", "prod-repo"], ["repo-prod"]),
        ("*prod*", ["prod", "repo-prod", "prod-repo"], ["pro"]),
        ("prod*repo", ["prodrepo", "prod-1/repo"], ["prod-repo-1"]),
        ("*", ["anything", "at/all"], []),
    ],
)
def test_filters_pass_what_the_user_guide_says(pattern, passing, failing):
    assert [name for name in [*passing, *failing] if passes_filter(pattern, name)] == passing


@given(configuration=configurations(), name=names, scan_on_push=st.booleans())
def test_the_strongest_matching_rule_counts_with_all_filters_that_match(configuration, name, scan_on_push):
    applied = configuration.applied_to(name, scan_on_push=scan_on_push)

    matching = {
        frequency: [one for rule in configuration.rules if rule.frequency == frequency for one in rule.filters]
        for frequency in FREQUENCIES[configuration.type]
    }
    matching = {frequency: [one for one in found if reference(one, name)] for frequency, found in matching.items()}
    wanted = {frequency for frequency, found in matching.items() if found}
    if configuration.type == "BASIC" and scan_on_push:
        wanted.add("SCAN_ON_PUSH")
    expected = next(
        (one for one in ("CONTINUOUS_SCAN", "SCAN_ON_PUSH", "MANUAL") if one in wanted),
        "MANUAL",
    )
    assert applied.frequency == expected
    assert list(applied.filters) == matching.get(expected, [])


@given(configuration=configurations())
def test_a_configuration_is_read_as_it_was_written(configuration):
    assert read_configuration(configuration.as_json()) == configuration


def test_a_new_registry_scans_on_request():
    assert ScanConfiguration().applied_to("team/app", scan_on_push=False) == AppliedScan("MANUAL")
    assert read_configuration({}) == ScanConfiguration("BASIC")


@pytest.mark.parametrize(("scan_type", "frequency"), [("BASIC", "CONTINUOUS_SCAN"), ("ENHANCED", "MANUAL")])
def test_a_frequency_is_refused_when_the_type_of_scans_does_not_know_it(scan_type, frequency):
    document = {"scanType": scan_type, "rules": [{"scanFrequency": frequency, "repositoryFilters": []}]}
    with pytest.raises(EcrError, match="InvalidParameterException") as failed:
        read_configuration(document)
    assert frequency in failed.value.message
