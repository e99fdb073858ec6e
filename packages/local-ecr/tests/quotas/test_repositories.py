"""A registry that is full makes no repository, whoever asks for one."""

import pytest
from botocore.exceptions import ClientError

from local_ecr import Quirks, Quotas


@pytest.fixture
def full(make_stand):
    """A stand whose registry in us-east-1 has the two repositories that it may have."""
    stand = make_stand(quotas=Quotas(repositories=2))
    for name in ("team/a", "team/b"):
        stand.client().create_repository(repositoryName=name)
    return stand


def names(stand, region="us-east-1"):
    return [one["repositoryName"] for one in stand.client(region).describe_repositories()["repositories"]]


def test_a_repository_too_many_is_refused_until_another_one_is_deleted(full):
    ecr = full.client()
    with pytest.raises(ClientError, match=r"LimitExceededException.*maximum allowed number .* '2'"):
        ecr.create_repository(repositoryName="team/c")
    with pytest.raises(ClientError, match="RepositoryAlreadyExistsException"):
        ecr.create_repository(repositoryName="team/a")
    full.client("eu-west-1").create_repository(repositoryName="team/c")
    assert (names(full), names(full, "eu-west-1")) == (["team/a", "team/b"], ["team/c"])

    ecr.delete_repository(repositoryName="team/a")
    ecr.create_repository(repositoryName="team/c")


def test_a_push_makes_no_repository_too_many_by_a_creation_template(full):
    full.client().create_repository_creation_template(prefix="ROOT", appliedFor=["CREATE_ON_PUSH"])

    answer = full.distribution(repository_name="team/c").send("POST", "blobs/uploads/")

    assert (answer.status, answer.json()["errors"][0]["code"]) == (403, "DENIED")
    assert names(full) == ["team/a", "team/b"]


def test_a_push_makes_no_repository_too_many_in_a_plain_registry(make_stand):
    stand = make_stand(quirks=Quirks.none(), quotas=Quotas(repositories=1))

    answers = [stand.distribution(repository_name=name).send("POST", "blobs/uploads/") for name in ("team/a", "team/b")]

    assert [answer.status for answer in answers] == [202, 403]
    assert names(stand) == ["team/a"]
