"""Where a repository's images go by a replication configuration, and which configurations are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_ecr.errors import EcrError
from local_ecr.names import Registry
from local_ecr.replication.rules import check_configuration, destinations_of

HERE = Registry("111122223333", "us-east-1")
REGIONS = ("eu-west-1", "us-west-2", "ap-south-1", "eu-north-1")


def to(region, account="111122223333"):
    return {"region": region, "registryId": account}


def rule(*destinations, prefixes=(), deletes=None):
    made = {"destinations": list(destinations)}
    if prefixes:
        made["repositoryFilters"] = [{"filter": prefix, "filterType": "PREFIX_MATCH"} for prefix in prefixes]
    if deletes is not None:
        made["deleteReplication"] = {"enabled": deletes}
    return made


def configuration(*rules):
    return {"rules": list(rules)}


@pytest.mark.parametrize(
    ("prefixes", "name", "is_copied"),
    [
        ((), "anything", True),
        (("team",), "team/app", True),
        (("team",), "teamwork", True),
        (("team/",), "teamwork", False),
        (("team/app",), "team/app", True),
        (("team/app",), "team/ap", False),
        (("app",), "team/app", False),
        (("other", "team/"), "team/app", True),
    ],
)
def test_a_repository_is_copied_when_its_name_begins_with_one_of_the_prefixes(prefixes, name, is_copied):
    found = destinations_of(configuration(rule(to("eu-west-1"), prefixes=prefixes)), name)
    assert bool(found) is is_copied


def test_a_destination_of_several_rules_is_one_and_deletions_go_there_when_one_of_those_that_match_says_so():
    given = configuration(
        rule(to("eu-west-1"), to("us-west-2")),
        rule(to("eu-west-1"), prefixes=["team/"], deletes=True),
        rule(to("us-west-2"), prefixes=["team/"], deletes=False),
    )
    assert destinations_of(given, "team/app") == {
        Registry("111122223333", "eu-west-1"): True,
        Registry("111122223333", "us-west-2"): False,
    }
    assert set(destinations_of(given, "base/app").values()) == {False}


def test_nothing_is_copied_without_rules():
    assert destinations_of(configuration(), "team/app") == {}


@given(
    st.lists(
        st.builds(
            lambda regions, prefixes, deletes: rule(*map(to, regions), prefixes=prefixes, deletes=deletes),
            st.lists(st.sampled_from(REGIONS), min_size=1, max_size=3),
            st.lists(st.sampled_from(["te", "team/", "team/app", "base"]), max_size=2),
            st.sampled_from([None, False, True]),
        ),
        max_size=5,
    ),
    st.sampled_from(["team/app", "team/web", "base", "other"]),
)
def test_rules_add_up_whatever_their_order(rules, name):
    together = destinations_of(configuration(*rules), name)
    assert together == destinations_of(configuration(*reversed(rules)), name)
    alone = [destinations_of(configuration(one), name) for one in rules]
    assert together == {
        destination: any(one.get(destination, False) for one in alone) for found in alone for destination in found
    }


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (rule(to("us-east-1")), "Replication destination cannot be the same as the source registry"),
        (rule(to("eu-west-1"), to("us-east-1")), "cannot be the same as the source registry"),
        (rule(to("mars-north-1")), "'mars-north-1' is no region of the partition 'aws'"),
        (rule(to("cn-north-1")), "'cn-north-1' is no region of the partition 'aws'"),
        (rule(to("us-gov-west-1", "444455556666")), "'us-gov-west-1' is no region of the partition 'aws'"),
    ],
)
def test_a_configuration_is_refused_when_a_destination_cannot_be_one(refused, words):
    with pytest.raises(EcrError, match=words) as caught:
        check_configuration(HERE, configuration(rule(to("eu-west-1")), refused))
    assert caught.value.code == "InvalidParameterException"
    assert caught.value.message.startswith("Invalid parameter at 'replicationConfiguration' failed")


def test_only_unique_destinations_count_against_their_limit():
    accounts = [f"{number:012}" for number in range(26)]
    within = [rule(*(to("us-east-1", account) for account in accounts[:25])), rule(to("us-east-1", accounts[0]))]
    check_configuration(HERE, configuration(*within))
    with pytest.raises(EcrError, match="more than 25 unique destinations"):
        check_configuration(HERE, configuration(*within, rule(to("us-east-1", accounts[25]))))


def test_the_same_region_of_another_account_and_another_region_of_the_same_are_destinations():
    check_configuration(HERE, configuration(rule(to("us-east-1", "444455556666"), to("eu-west-1"))))
    check_configuration(Registry("111122223333", "cn-north-1"), configuration(rule(to("cn-northwest-1"))))
