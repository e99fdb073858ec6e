"""PutReplicationConfiguration and DescribeRegistry: what is put is what is described, and what is refused."""

import pytest
from botocore.exceptions import ClientError

WHOLE = {
    "rules": [
        {
            "destinations": [
                {"region": "eu-west-1", "registryId": "111122223333"},
                {"region": "us-east-1", "registryId": "444455556666"},
            ],
            "repositoryFilters": [{"filter": "team/", "filterType": "PREFIX_MATCH"}],
            "deleteReplication": {"enabled": True},
        },
        {"destinations": [{"region": "us-west-2", "registryId": "111122223333"}]},
    ]
}


def described(client):
    return client.describe_registry()["replicationConfiguration"]


def test_a_configuration_is_described_as_it_was_put(ecr):
    put = ecr.put_replication_configuration(replicationConfiguration=WHOLE)
    assert put["replicationConfiguration"] == WHOLE
    assert described(ecr) == WHOLE


def test_a_registry_that_was_never_configured_has_no_rules(stand, ecr):
    ecr.put_replication_configuration(replicationConfiguration=WHOLE)
    assert described(stand.client("eu-west-1")) == {"rules": []}
    assert described(stand.client(account="444455556666")) == {"rules": []}


def test_a_configuration_without_rules_ends_replication(ecr):
    ecr.put_replication_configuration(replicationConfiguration=WHOLE)
    ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    assert described(ecr) == {"rules": []}


def test_a_configuration_outlives_a_restart(make_stand, tmp_path):
    first = make_stand(tmp_path / "kept")
    first.client().put_replication_configuration(replicationConfiguration=WHOLE)
    first.server.stop()
    assert described(make_stand(tmp_path / "kept").client()) == WHOLE


def test_nothing_is_changed_when_a_configuration_is_refused(ecr):
    ecr.put_replication_configuration(replicationConfiguration=WHOLE)
    own = {"rules": [{"destinations": [{"region": "us-east-1", "registryId": "111122223333"}]}]}
    with pytest.raises(ClientError, match="cannot be the same as the source registry") as caught:
        ecr.put_replication_configuration(replicationConfiguration=own)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
    assert described(ecr) == WHOLE


@pytest.mark.parametrize(
    "rules",
    [
        [{"destinations": []}] * 26,
        [{"destinations": [], "repositoryFilters": [{"filter": "te", "filterType": "PREFIX_MATCH"}] * 101}],
        [{"destinations": [], "repositoryFilters": [{"filter": "te", "filterType": "WILDCARD_MATCH"}]}],
        [{"destinations": [], "repositoryFilters": [{"filter": "Te*", "filterType": "PREFIX_MATCH"}]}],
    ],
    ids=["26 rules", "101 filters", "another kind of filter", "no prefix of a name"],
)
def test_a_configuration_is_refused_when_it_breaks_the_model(ecr, rules):
    with pytest.raises(ClientError) as caught:
        ecr.put_replication_configuration(replicationConfiguration={"rules": rules})
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
    assert described(ecr) == {"rules": []}
