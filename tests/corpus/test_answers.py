"""Each real answer of AWS, and what the adapter that reads it makes of it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.connected_accounts import NO_ACCOUNTS
from ecr_steward.adapters.ecr_registry import EcrRegistry
from ecr_steward.adapters.ecr_registry_settings import EcrRegistrySettings
from ecr_steward.adapters.ecr_scans import EcrScans
from ecr_steward.adapters.ecr_store import EcrStore
from ecr_steward.adapters.native_replication import EcrNativeCopies
from ecr_steward.adapters.registry_login import RegistryLogin
from ecr_steward.adapters.role_logins import RoleLogins
from ecr_steward.adapters.roles import Accounts, Role
from ecr_steward.adapters.s3_rulebook import S3Rulebook
from ecr_steward.adapters.secrets_manager import SecretsManager
from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.adapters.workloads import AwsWorkloads
from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef
from ecr_steward.domain.native_copies import NativeCopy
from ecr_steward.domain.repositories import Encryption, Mutability, Part, Repository, TagMutability
from ecr_steward.domain.scans import Finding, ScanStatus, Severity
from ecr_steward.errors import (
    AccessDeniedError,
    CredentialRefusedError,
    ImageNotFoundError,
    RepositoryNotFoundError,
)
from lab.clock import SettableClock
from tests.corpus.answering import clients_that_hear
from tests.corpus.files import copies, found

NOW = datetime(2026, 11, 16, 1, 54, 34, tzinfo=UTC)
HOME = RegistryRef("111122223333", "us-east-1")
THERE = RegistryRef("111122223333", "eu-west-1")
REPOSITORY = RepositoryRef(HOME, "team-a/api")
IMAGE = ImageRef(REPOSITORY, Digest(f"sha256:{'9f' * 32}"))
AUTOSCALER = "sha256:4a1c6567c38904384ebc64e35b7eeddd8451110c299e3368d2210066487d97e5"
MUTABLE = TagMutability(Mutability.MUTABLE)


def test_every_answer_is_read_by_a_test_when_it_is_in_the_corpus():
    named = set(re.findall(r"[a-z0-9]+/[A-Z]\w+/\w+", Path(__file__).read_text(encoding="utf-8")))

    assert named == {copy.name for copy in copies("answers")}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ecr/DescribeRepositories/of_2024", {"team-a/api": (MUTABLE, False, Encryption("AES256"))}),
        ("ecr/DescribeRepositories/of_2019", {"team-a/api": (MUTABLE, False, Encryption("AES256"))}),
        (
            "ecr/DescribeRepositories/two_of_2016",
            {name: (MUTABLE, False, Encryption("AES256")) for name in ("ubuntu", "test")},
        ),
    ],
)
def test_repositories_are_described_when_ecr_answers_as_it_did_in_a_year(name, expected):
    repositories = EcrRegistry(clients_that_hear(name)).repositories(HOME)

    assert {
        each.ref.name: (each.settings.mutability, each.settings.scan_on_push, each.settings.encryption)
        for each in repositories
    } == expected


@pytest.mark.parametrize(
    ("name", "tags", "size", "pushed_at", "pulled_at"),
    [
        ("ecr/DescribeImages/by_tag", {"v1.13.6"}, 48318255, datetime(2019, 8, 6, 21, 51, 15, tzinfo=UTC), None),
        ("ecr/DescribeImages/scanned", {"latest"}, 153448492, datetime(2024, 1, 12, 15, 9, 6, tzinfo=UTC), None),
        (
            "ecr/DescribeImages/pulled",
            {"latest"},
            83520228,
            datetime(2024, 3, 19, 18, 50, 13, tzinfo=UTC),
            datetime(2024, 11, 14, 23, 23, 42, 949000, tzinfo=UTC),
        ),
    ],
)
def test_an_image_has_its_tags_and_times_when_ecr_describes_it(name, tags, size, pushed_at, pulled_at):
    [image] = EcrRegistry(clients_that_hear(name)).images(REPOSITORY).images.values()

    assert (image.image_tags, image.size, image.pushed_at, image.last_pulled_at) == (tags, size, pushed_at, pulled_at)


def test_a_manifest_is_taken_when_its_digest_is_that_of_the_published_answer():
    registry = EcrRegistry(clients_that_hear("ecr/BatchGetImage/one"))

    # An answer is no index, so it has no children; a wrong digest would be an error in its place.
    assert registry.children(REPOSITORY, [Digest(AUTOSCALER)]) == {}


@pytest.mark.parametrize("answer", ["ecr/BatchDeleteImage/not_found", "ecr/BatchDeleteImage/one"])
def test_taking_a_tag_away_is_a_success_when_it_is_gone_already(answer):
    registry = EcrRegistry(clients_that_hear("ecr/DescribeImages/by_tag", answer, change=_with_two_tags))

    registry.remove_image_tag(ImageRef(REPOSITORY, Digest(AUTOSCALER)), "v1.13.6")


def _with_two_tags(document: Any) -> Any:
    for detail in document.get("imageDetails", []):
        detail["imageTags"].append("another")
    return document


def test_a_layer_is_there_when_ecr_says_available():
    digest = Digest(found("answers", "ecr/BatchCheckLayerAvailability/there").load()["layers"][0]["layerDigest"])
    clients = clients_that_hear("ecr/BatchCheckLayerAvailability/there")
    store = EcrStore(None, REPOSITORY.name, clients=clients, registry=HOME)  # type: ignore[arg-type]

    assert store.known_blobs([digest]) == {digest: True}


def parts(*names: str, part: Part) -> Repository:
    return EcrRegistry(clients_that_hear(*names)).repository(REPOSITORY, frozenset({part}))


@pytest.mark.parametrize(
    ("name", "sids"),
    [
        ("ecr/GetRepositoryPolicy/public_pull", ["allow public pull"]),
        ("ecr/GetRepositoryPolicy/two_statements", ["SpecificAllow", "Public"]),
    ],
)
def test_a_policy_is_read_when_ecr_has_written_it_anew(name, sids):
    policy: Any = parts(name, part=Part.POLICY).settings.policy

    assert [statement["Sid"] for statement in policy["Statement"]] == sids


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("ecr/GetLifecyclePolicy/evaluated", 14),
        ("ecr/GetLifecyclePolicy/never_evaluated", 14),
        ("ecr/GetLifecyclePolicy/none", None),
    ],
)
def test_a_lifecycle_policy_is_read_when_there_is_one(name, days):
    lifecycle: Any = parts(name, part=Part.LIFECYCLE).settings.lifecycle

    assert (lifecycle["rules"][0]["selection"]["countNumber"] if lifecycle else None) == days


@pytest.mark.parametrize(
    ("name", "resource_tags"),
    [("ecr/ListTagsForResource/one", {"Stage": "Integ"}), ("ecr/ListTagsForResource/recorded", {"Role": "Dev"})],
)
def test_resource_tags_are_read_when_a_repository_has_some(name, resource_tags):
    assert EcrRegistry(clients_that_hear(name)).resource_tags(REPOSITORY) == resource_tags


@pytest.mark.parametrize(
    ("name", "frequency"),
    [
        ("ecr/BatchGetRepositoryScanningConfiguration/continuous", "CONTINUOUS_SCAN"),
        ("ecr/BatchGetRepositoryScanningConfiguration/manual", None),
    ],
)
def test_the_registry_decides_on_scans_when_a_filter_applies(name, frequency):
    repository = Repository.unread(REPOSITORY)
    registry = EcrRegistry(clients_that_hear(name))

    assert list(registry.with_registry_scanning(HOME, [repository])) == [repository.scanned_as(frequency)]


@pytest.mark.parametrize(
    ("name", "findings"),
    [
        (
            "ecr/DescribeImageScanFindings/basic",
            (Finding("CVE-2019-5188", Severity.MEDIUM, "e2fsprogs 1.44.1-1ubuntu1.1"),),
        ),
        (
            "ecr/DescribeImageScanFindings/enhanced",
            (
                Finding("CVE-2024-9681", Severity.MEDIUM, "curl 7.88.1"),
                Finding("CVE-2025-24528", Severity.UNDEFINED, "krb5 1.20.1", "UNTRIAGED"),
            ),
        ),
    ],
)
def test_findings_have_name_severity_and_package_when_a_scanner_tells_them(name, findings):
    scan = EcrScans(clients_that_hear(name)).scan(IMAGE)

    assert (scan.status, scan.findings) == (ScanStatus.COMPLETE, findings)


def test_a_copy_of_ecrs_is_told_by_region_and_status_when_it_is_complete():
    copies_of = EcrNativeCopies(clients_that_hear("ecr/DescribeImageReplicationStatus/complete"))

    assert copies_of.of(IMAGE) == (NativeCopy(THERE, "COMPLETE", None),)


def test_templates_and_settings_are_read_when_a_registry_has_them():
    settings = EcrRegistrySettings(
        clients_that_hear("ecr/DescribeRepositoryCreationTemplates/two", "ecr/GetAccountSetting/scanner")
    )

    assert [(each.prefix, each.mutability) for each in settings.creation_templates(HOME)] == [
        ("eng/test", MUTABLE),
        ("eng/replication-test", TagMutability(Mutability.IMMUTABLE)),
    ]
    assert settings.account_setting(HOME, "BASIC_SCAN_TYPE_VERSION") == "AWS_NATIVE"


def test_a_login_is_taken_when_ecr_gives_one():
    login = RegistryLogin(clients_that_hear("ecr/GetAuthorizationToken/one"), SettableClock(NOW)).to(HOME)

    assert login.endpoint == "https://123456789012.dkr.ecr.us-west-2.amazonaws.com"
    assert login.authorization.startswith("Basic QVdTOk")


@pytest.mark.parametrize(
    ("name", "ask", "error"),
    [
        (
            "ecr/DescribeImages/no_repository",
            lambda clients: EcrRegistry(clients).images(REPOSITORY),
            RepositoryNotFoundError,
        ),
        ("ecr/ListImages/refused", lambda clients: RoleLogins(clients, {})._an_image(REPOSITORY), AccessDeniedError),
    ],
)
def test_a_refusal_has_its_meaning_when_ecr_gives_it(name, ask: Callable[[AwsClients], object], error):
    with pytest.raises(error):
        ask(clients_that_hear(name))


def test_an_image_to_try_is_the_first_when_ecr_lists_some():
    logins = RoleLogins(clients_that_hear("ecr/ListImages/three"), {})

    assert logins._an_image(REPOSITORY) == Digest(
        "sha256:99c6fb4377e9a420a1eb3b410a951c9f464eff3b7dbc76c65e434e39b94b6570"
    )


ECS = (
    "ecs/ListClusters/two",
    "ecs/ListServices/one",
    "ecs/DescribeServices/one",
    "ecs/ListTasks/two",
    "ecs/DescribeTasks/one",
    "ecs/DescribeTaskDefinition/two_containers",
    "ecs/ListTaskDefinitions/six",
)


def workloads(*names: str, change: Callable[[Any], Any] = lambda document: document) -> AwsWorkloads:
    return AwsWorkloads(clients_that_hear(*names, change=change), HOME.account, NO_ACCOUNTS, SettableClock(NOW))


def test_no_image_of_ecr_is_used_when_ecs_runs_those_of_docker_hub_alone():
    assert workloads(*ECS).run_by_ecs("us-east-1") == ()


def test_images_of_ecr_are_used_when_tasks_and_definitions_name_them():
    uri = "111122223333.dkr.ecr.us-east-1.amazonaws.com/team-a/api"

    def named(document: Any) -> Any:
        for definition in [document["taskDefinition"]] if "taskDefinition" in document else []:
            definition["containerDefinitions"][0]["image"] = f"{uri}:1.4.2"
        for task in document.get("tasks", []):
            task["containers"][0] |= {"image": f"{uri}:1.4.1", "imageDigest": IMAGE.digest.value}
        return document

    used = workloads(*ECS, change=named).run_by_ecs("us-east-1")

    assert {(each.image_tag, each.digest) for each in used} == {("1.4.2", None), (None, IMAGE.digest)}


def test_no_image_is_used_when_lambda_has_archives_alone():
    assert workloads("lambda/ListFunctions/of_zip", "lambda/GetFunction/of_zip").run_by_lambda("us-east-1") == ()


def test_an_image_is_asked_for_when_a_function_is_listed_as_one():
    def of_an_image(document: Any) -> Any:
        for function in document.get("Functions", []):
            function["PackageType"] = "Image"
        return document

    # GetFunction of an archive has neither ImageUri nor ResolvedImageUri: nothing of ECR is used then.
    asked = workloads("lambda/ListFunctions/of_zip", "lambda/GetFunction/of_zip", change=of_an_image)
    assert asked.run_by_lambda("us-east-1") == ()


def test_nothing_counts_when_inspector_covers_instances_alone():
    assert workloads("inspector2/ListCoverage/of_instances").counted_by_inspector(REPOSITORY) == {}


def test_a_role_is_assumed_when_sts_gives_its_credentials():
    clients = clients_that_hear("sts/AssumeRole/one")
    role = Role("arn:aws:iam::444455556666:role/ecr-steward-spoke", "ecr-steward")

    assert role._credentials(clients.sts)["expiry_time"] == "2011-07-15T23:28:33.359000+00:00"


def test_the_functions_own_role_is_refused_when_sts_names_it():
    logins = RoleLogins(clients_that_hear("sts/GetCallerIdentity/role", accounts=Accounts("123456789012")), {})

    with pytest.raises(CredentialRefusedError):
        logins.fetch(RegistryRef("123456789012", "us-east-1"), "My-Role-Name")


def test_a_secret_is_read_with_its_version_when_it_has_a_value():
    secrets = SecretsManager(
        clients_that_hear("secretsmanager/GetSecretValue/one", "secretsmanager/DescribeSecret/one")
    )

    stored = secrets.read("MyTestDatabaseSecret")

    assert stored is not None and stored.current is not None
    assert stored.current.id == "EXAMPLE1-90ab-cdef-fedc-ba987SECRET1"
    assert secrets._is_there("MyTestDatabaseSecret")
    assert not secrets._is_marked_for_deletion("MyTestDatabaseSecret")


def test_a_rulebook_has_its_etag_as_version_when_s3_gives_it():
    source = S3Rulebook(clients_that_hear("s3/GetObject/one"), "bucket", "key", HOME.account, 10_000)

    read = source.read(None)

    assert read is not None
    assert (len(read.text), read.version) == (3191, '"6805f2cfc46c0f04559748bb039d69ae"')


def _ours(document: Any) -> Any:
    """DynamoDB's envelope as it is, around items that have the keys of our table."""
    for item in [document.get("Item"), document.get("Attributes"), *document.get("Items", [])]:
        if item:
            item |= {"pk": {"S": "a"}, "sk": {"S": "b"}}
    return document


def test_items_are_read_when_dynamodb_answers():
    table = StateTable(
        clients_that_hear(
            "dynamodb/GetItem/one",
            "dynamodb/Query/one",
            "dynamodb/DeleteItem/old",
            "dynamodb/BatchWriteItem/all_taken",
            change=_ours,
        ),
        "state",
        SettableClock(NOW),
    )
    key = Key("a", "b")
    album = {"AlbumTitle": "Songs About Life", "Artist": "Acme Band", "SongTitle": "Happy Day"}

    assert table.get(key) == Item(key, album)
    assert list(table.query("a")) == [Item(key, {"SongTitle": "Scared of My Shadow"})]
    assert table.delete(key)
    table.put_all([Item(key, {})])


def test_an_image_of_ecr_is_not_found_by_a_wrong_word_when_it_is_told_as_a_failure():
    # What BatchGetImage says of an image that is not there is what BatchDeleteImage says: one entry of failures[].
    failure = found("answers", "ecr/BatchDeleteImage/not_found").load()["failures"][0]
    clients = clients_that_hear("ecr/BatchGetImage/one", change=lambda _: {"images": [], "failures": [failure]})

    with pytest.raises(ImageNotFoundError):
        EcrRegistry(clients).add_image_tag(IMAGE, "1.4.2")
