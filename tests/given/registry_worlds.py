"""Settings of whole registries to hypothesise about, the rulebook's and those of others, and what makes them up."""

from typing import Any

from hypothesis import strategies as st

from ecr_steward.adapters.memory.registry_settings import FRESH
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.registries import (
    CreationTemplate,
    NativeReplication,
    RegistrySettings,
    WantedPolicy,
    WantedReplication,
    WantedScanning,
    WantedSettings,
)
from ecr_steward.domain.repositories import Encryption, Mutability, TagMutability
from tests.given.rules import AWAY, HOME

ELSEWHERE = RegistryRef("222233334444", "us-east-1")


def statement(sid: str | None, account: str = "222233334444", effect: str = "Allow") -> dict[str, Any]:
    """A statement of a registry policy that lets an account replicate into it."""
    named = {"Sid": sid} if sid else {}
    return {
        **named,
        "Effect": effect,
        "Principal": {"AWS": [f"arn:aws:iam::{account}:root"]},
        "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"],
        "Resource": f"arn:aws:ecr:us-east-1:{HOME.account}:repository/*",
    }


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A registry policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def native(prefix: str | None, *destinations: RegistryRef, **members: Any) -> dict[str, Any]:
    """A rule of the replication configuration."""
    filters = {"repositoryFilters": [{"filter": prefix, "filterType": "PREFIX_MATCH"}]} if prefix else {}
    places = [{"region": one.region, "registryId": one.account} for one in destinations]
    return {"destinations": places, **filters, **members}


SIDS = st.sampled_from(["EcrStewardA", "EcrStewardB", "Theirs", "Others", None])
STATEMENTS = st.lists(
    st.builds(statement, SIDS, st.sampled_from(["222233334444", "333344445555"]), st.sampled_from(["Allow", "Deny"])),
    max_size=4,
)
OWN_STATEMENTS = st.lists(
    st.builds(statement, st.sampled_from(["EcrStewardA", "EcrStewardB"])), max_size=2, unique_by=lambda one: one["Sid"]
).map(tuple)
PLACES = st.sets(st.sampled_from([AWAY, ELSEWHERE, RegistryRef("333344445555", "eu-west-1")]), min_size=1)
PREFIXES = st.sampled_from(["prod/", "test/", None])
FLAGS = st.fixed_dictionaries(
    {}, optional={"tagFilters": st.just(["v*"]), "deleteReplication": st.builds(dict, enabled=st.booleans())}
)
NATIVE = st.lists(
    st.builds(lambda prefix, to, flags: native(prefix, *sorted(to), **flags), PREFIXES, PLACES, FLAGS), max_size=3
)
WANTED_RULES = st.lists(
    st.builds(
        NativeReplication,
        PREFIXES.map(lambda prefix: frozenset({prefix} if prefix else ())),
        PLACES.map(frozenset),
        st.none() | st.booleans(),
    ),
    unique_by=lambda rule: rule.prefixes,
).map(tuple)
FILTERS = st.frozensets(st.sampled_from(["*", "prod*", "team-a"]), min_size=1)
FREQUENCIES = st.dictionaries(st.sampled_from(["SCAN_ON_PUSH", "MANUAL"]), FILTERS)
SCANNING = FREQUENCIES.map(
    lambda rules: {
        "scanType": "BASIC",
        "rules": [
            {"scanFrequency": one, "repositoryFilters": [{"filter": each, "filterType": "WILDCARD"} for each in some]}
            for one, some in rules.items()
        ],
    }
)
TEMPLATES = st.builds(
    CreationTemplate,
    st.sampled_from(["team-a", "team-a/", "ROOT"]),
    st.frozensets(st.sampled_from(["REPLICATION", "CREATE_ON_PUSH"]), min_size=1),
    description=st.none() | st.just("of the rulebook"),
    mutability=st.none() | st.just(TagMutability(Mutability.IMMUTABLE)),
    policy=st.none() | st.just(document({"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"})),
    encryption=st.none() | st.just(Encryption("KMS")),
    resource_tags=st.dictionaries(st.sampled_from(["owner", "tier"]), st.sampled_from(["a", "b"])),
)
SETTINGS = st.builds(
    RegistrySettings,
    policy=st.none() | STATEMENTS.filter(bool).map(lambda some: document(*some)),
    scanning=SCANNING,
    replication=NATIVE.map(lambda rules: {"rules": rules}),
    creation_templates=st.lists(TEMPLATES, max_size=3).map(lambda some: {one.key: one for one in some}),
    account_settings=st.dictionaries(st.just("BLOB_MOUNTING"), st.sampled_from(["ENABLED", "DISABLED"])).map(
        lambda some: {**FRESH, **some}
    ),
)
WANTED = st.builds(
    WantedSettings,
    policy=st.none() | st.builds(WantedPolicy, OWN_STATEMENTS, st.booleans()),
    scanning=st.none() | st.builds(WantedScanning, st.just("BASIC"), FREQUENCIES),
    replication=st.none() | st.builds(WantedReplication, WANTED_RULES, st.booleans()),
    creation_templates=st.none() | st.lists(TEMPLATES, unique_by=lambda one: one.key, max_size=2).map(tuple),
    account_settings=st.none() | st.just({"BLOB_MOUNTING": "ENABLED"}),
)
