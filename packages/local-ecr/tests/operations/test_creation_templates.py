"""Repository creation templates: made, changed, described, removed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

Create = Callable[..., str]


@pytest.fixture
def create(account: Any) -> Iterator[Create]:
    """Create a template and return its prefix; it is removed afterwards."""
    made: list[str] = []

    def create_template(name: str, **settings: Any) -> str:
        prefix: str = account.name(name)
        account.ecr.create_repository_creation_template(
            **{"prefix": prefix, "appliedFor": ["CREATE_ON_PUSH"], **settings}
        )
        made.append(prefix)
        return prefix

    yield create_template
    for prefix in made:
        if described(account, prefix):
            account.ecr.delete_repository_creation_template(prefix=prefix)


def described(account: Any, prefix: str) -> list[dict[str, Any]]:
    """What is described among all templates of the registry, page by page, for this prefix."""
    pages = account.ecr.get_paginator("describe_repository_creation_templates").paginate()
    return [one for page in pages for one in page["repositoryCreationTemplates"] if one["prefix"].rstrip("/") == prefix]


@pytest.mark.operation("CreateRepositoryCreationTemplate")
def test_a_created_template_is_among_those_that_are_described(account: Any, create: Create) -> None:
    prefix = create("team", description="Ours", imageTagMutability="IMMUTABLE", appliedFor=["REPLICATION"])

    [found] = described(account, prefix)
    assert (found["description"], found["imageTagMutability"], found["appliedFor"]) == (
        "Ours",
        "IMMUTABLE",
        ["REPLICATION"],
    )


@pytest.mark.operation("UpdateRepositoryCreationTemplate")
def test_an_updated_template_has_what_was_given_and_keeps_the_rest(account: Any, create: Create) -> None:
    prefix = create("team", description="Ours", imageTagMutability="IMMUTABLE")

    account.ecr.update_repository_creation_template(prefix=prefix, description="Theirs")

    [found] = described(account, prefix)
    assert (found["description"], found["imageTagMutability"]) == ("Theirs", "IMMUTABLE")


@pytest.mark.operation("DeleteRepositoryCreationTemplate")
def test_a_deleted_template_is_described_no_more(account: Any, create: Create) -> None:
    prefix = create("team")

    account.ecr.delete_repository_creation_template(prefix=prefix)

    assert described(account, prefix) == []


@pytest.mark.operation("DescribeRepositoryCreationTemplates")
def test_the_templates_of_the_prefixes_that_are_asked_for_are_described(account: Any, create: Create) -> None:
    prefixes = [create("a"), create("b")]
    create("c")

    answer = account.ecr.describe_repository_creation_templates(prefixes=prefixes)

    assert sorted(one["prefix"].rstrip("/") for one in answer["repositoryCreationTemplates"]) == prefixes
    assert answer["registryId"] == account.id
