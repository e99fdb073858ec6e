"""``copy --create``: the repository that is not there yet, with its settings, before anything is copied to it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.domain.names import ImageTag, RegistryRef, RepositoryRef
from ecr_steward_cli.copying.arguments import run
from ecr_steward_cli.copying.command import Asked, have_repository
from ecr_steward_cli.copying.creating import Rulebook, plan_creation
from ecr_steward_cli.copying.layout import LayoutStore
from ecr_steward_cli.copying.places import read_place
from ecr_steward_cli.copying.stores import Stores
from ecr_steward_cli.copying.telling import Story
from local_ecr import LocalEcr, LocalEcrServer
from local_ecr.access.identities import read_identities
from tests.given.graphs import fill, image_of, index_of

HOME = RegistryRef("111122223333", "us-east-1")
HOST = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
IMAGE = image_of(b"{}", b"layer")
PUSHER = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecr:PutLifecyclePolicy", "Resource": "*"},
    ],
}
CREATOR = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecr:BatchGetImage", "Resource": "*"},
    ],
}
JO = {"policies": [{"name": "Pusher", "document": PUSHER}], "access_keys": ["AKIAJO"]}
KIM = {"policies": [{"name": "Creator", "document": CREATOR}], "access_keys": ["AKIAKIM"]}
IDENTITIES = {"accounts": {HOME.account: {"users": {"jo": JO, "kim": KIM}}}}
RULEBOOK = """version: 1
rules:
  - name: services
    match: {repositories: ["team/**"]}
    mode: observe
    repository:
      mutability: {immutable: true, except: [latest]}
      scanning: on_push
      lifecycle: [{expire: {untagged: true, after: 14d}}]
      resource_tags: {owner: jo}
"""


class Ecr:
    """A local ECR, and what it was asked for."""

    def __init__(self, server: LocalEcrServer) -> None:
        self.server = server

    @property
    def api(self) -> Any:
        return boto3.client(
            "ecr",
            region_name=HOME.region,
            endpoint_url=self.server.endpoint_url,
            aws_access_key_id=HOME.account,
            aws_secret_access_key="not-verified",
        )

    def token(self) -> str:
        (data,) = self.api.get_authorization_token()["authorizationData"]
        return str(data["authorizationToken"])

    def names(self) -> list[str]:
        return [each["repositoryName"] for each in self.api.describe_repositories()["repositories"]]

    def described(self, name: str) -> dict[str, Any]:
        (found,) = self.api.describe_repositories(repositoryNames=[name])["repositories"]
        return dict(found)

    def tags(self, name: str) -> set[str]:
        return {each["imageTag"] for each in self.api.list_images(repositoryName=name)["imageIds"]}

    @property
    def writes(self) -> list[str]:
        """The operations that changed something, in their order."""
        return [each.operation for each in self.server.ecr.requests.since(0) if each.mutating and each.status < 300]


@pytest.fixture
def ecr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ecr]:
    """With AWS's own credentials, no login of Docker's, and the image ``oci:image:1.0`` in the folder of the test."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    store = LayoutStore(Path("image"))
    fill(store, [IMAGE], [b"{}", b"layer"])
    for tag in ("1.0", "1.1"):
        store.put_manifest(IMAGE, ImageTag(tag))
    local = LocalEcr(tmp_path / "ecr", **read_identities(IDENTITIES).options)
    with LocalEcrServer(local, [(HOME.account, HOME.region)]) as server:
        environment = {
            "HOME": str(folder),
            "AWS_ENDPOINT_URL_ECR": server.endpoint_url,
            "AWS_ACCESS_KEY_ID": HOME.account,
            "AWS_SECRET_ACCESS_KEY": "not-verified",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
            monkeypatch.delenv(name, raising=False)
        yield Ecr(server)


@pytest.fixture
def rulebook() -> Path:
    """The usual one, where the command runs."""
    path = Path("ecr-steward.yaml")
    path.write_text(RULEBOOK)
    return path


def test_it_is_told_what_to_do_when_the_repository_is_not_there(ecr: Ecr, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["oci:image:1.0", f"{HOST}/team/app"]) == 1

    told = capsys.readouterr().err
    assert f"note: ECR has no repository {HOST}/team/app yet: --create makes it" in told
    assert ecr.names() == []


def test_it_is_told_before_anything_is_copied_when_it_is_a_dry_run(
    ecr: Ecr, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--dry-run", "oci:image:1.0", f"{HOST}/team/app"]) == 0

    assert "--create makes it" in capsys.readouterr().err


def test_it_has_ecrs_defaults_when_there_is_no_rulebook(ecr: Ecr, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--create", "oci:image:1.0", f"{HOST}/team/app"]) == 0

    assert f"created {HOME}/team/app with ECR's defaults" in capsys.readouterr().err
    assert ecr.described("team/app")["imageTagMutability"] == "MUTABLE"
    assert ecr.tags("team/app") == {"1.0"}


def test_it_has_the_settings_of_the_rulebook_before_the_first_byte_moves_when_the_rule_only_observes(
    ecr: Ecr, rulebook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--create", "oci:image:1.0", f"{HOST}/team/app"]) == 0

    told = capsys.readouterr().err
    assert (
        f"created {HOME}/team/app as ecr-steward.yaml says: image tags are IMMUTABLE_WITH_EXCLUSION except lat" in told
    )
    assert "switch scan on push of team/app on, as the rule services says" in told
    found = ecr.described("team/app")
    assert (found["imageTagMutability"], found["imageScanningConfiguration"]) == (
        "IMMUTABLE_WITH_EXCLUSION",
        {"scanOnPush": True},
    )
    settings = {"CreateRepository", "PutImageScanningConfiguration", "TagResource", "PutLifecyclePolicy"}
    first = ecr.writes.index("InitiateLayerUpload")
    assert set(ecr.writes[:first]) == settings
    assert not settings & set(ecr.writes[first:])


def test_another_rulebook_counts_when_it_is_named(ecr: Ecr, rulebook: Path) -> None:
    named = Path("other.yaml")
    named.write_text(RULEBOOK.replace("team/**", "else/**"))

    assert run(["--create", "--rulebook", str(named), "oci:image:1.0", f"{HOST}/team/app"]) == 0

    assert ecr.described("team/app")["imageTagMutability"] == "MUTABLE"


def test_a_creation_template_makes_it_when_it_is_for_pushes_and_no_rule_says_anything(
    ecr: Ecr, rulebook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for prefix, cause in (("ROOT", "CREATE_ON_PUSH"), ("made", "CREATE_ON_PUSH"), ("made/by", "REPLICATION")):
        ecr.api.create_repository_creation_template(
            prefix=prefix, appliedFor=[cause], imageTagMutability="IMMUTABLE" if prefix == "made" else "MUTABLE"
        )

    assert run(["--create", "oci:image:1.0", f"{HOST}/made/by/it"]) == 0

    assert "by its creation template for made\n" in capsys.readouterr().err
    assert ecr.described("made/by/it")["imageTagMutability"] == "IMMUTABLE"
    assert "CreateRepository" not in ecr.writes


def test_the_rulebook_makes_it_when_a_creation_template_is_for_pushes_as_well(ecr: Ecr, rulebook: Path) -> None:
    ecr.api.create_repository_creation_template(prefix="ROOT", appliedFor=["CREATE_ON_PUSH"])

    assert run(["--create", "oci:image:1.0", f"{HOST}/team/app"]) == 0

    assert ecr.described("team/app")["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"


def test_a_replica_that_no_rule_covers_has_the_settings_of_its_source(ecr: Ecr, rulebook: Path) -> None:
    rulebook.write_text(
        RULEBOOK.replace('["team/**"]', '["team/**"], regions: [us-east-1]')
        + "    replicate: [{to: [{region: eu-west-1}]}]\n"
    )
    source = RepositoryRef(HOME, "team/app")
    replica = source.in_registry(RegistryRef(HOME.account, "eu-west-1"))

    plans = [plan_creation(replica, each, Rulebook(rulebook), AwsClients()).plan for each in (source, None)]

    settings = ["CreateRepository", "PutScanOnPush", "AddResourceTags", "PutLifecyclePolicy"]
    assert [[type(step).__name__ for step in plan.steps] for plan in plans] == [settings, settings[:1]]


def test_nothing_of_it_changes_when_it_is_there(ecr: Ecr, capsys: pytest.CaptureFixture[str]) -> None:
    ecr.api.create_repository(repositoryName="team/app")
    Path("ecr-steward.yaml").write_text("not: a rulebook\n")  # which nobody needs then

    assert run(["--create", "oci:image:1.0", f"{HOST}/team/app"]) == 0

    assert capsys.readouterr().err == ""
    assert ecr.writes.count("CreateRepository") == 1
    assert ecr.described("team/app")["imageTagMutability"] == "MUTABLE"


def test_it_is_left_alone_when_somebody_else_creates_it_meanwhile(
    ecr: Ecr, rulebook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, destination = read_place("oci:image:1.0"), read_place(f"{HOST}/team/app")
    asked = Asked(
        str(source),
        str(destination),
        platforms=(),
        all_tags=False,
        referrers=False,
        deep=False,
        no_clobber=False,
        dry_run=False,
        insecure=False,
        keep_going=False,
        as_json=False,
        digest_file=None,
        create=True,
    )
    story = Story(source, destination)
    theirs = json.dumps(lifecycle_of(7))

    def somebody_creates_it() -> bool:
        ecr.api.create_repository(repositoryName="team/app")
        ecr.api.put_lifecycle_policy(repositoryName="team/app", lifecyclePolicyText=theirs)
        return True

    have_repository(asked, story, Stores(insecure=False, idle=3), somebody_creates_it)

    assert capsys.readouterr().err == f"note: somebody else has just created {HOME}/team/app: it stays as it is\n"
    assert (story.creation, story.is_created) == (None, False)
    assert ecr.described("team/app")["imageScanningConfiguration"] == {"scanOnPush": False}
    found = ecr.api.get_lifecycle_policy(repositoryName="team/app")["lifecyclePolicyText"]
    assert json.loads(found) == json.loads(theirs)


def lifecycle_of(days: int) -> dict[str, Any]:
    chosen = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days}
    return {"rules": [{"rulePriority": 1, "selection": chosen, "action": {"type": "expire"}}]}


@pytest.mark.parametrize("options", [["oci:image:3.0"], ["--platform=linux/s390x", "oci:image:2.0"]])
def test_nothing_is_created_when_there_is_nothing_to_be_copied(options: list[str], ecr: Ecr) -> None:
    LayoutStore(Path("image")).put_manifest(index_of(IMAGE, platforms=["linux/amd64"]), ImageTag("2.0"))

    assert run(["--create", *options, f"{HOST}/team/app:1"]) == 1

    assert ecr.names() == []


def test_it_is_created_once_when_all_tags_are_copied(ecr: Ecr, rulebook: Path) -> None:
    assert run(["--create", "--all-tags", "oci:image", f"{HOST}/team/app"]) == 0

    assert ecr.writes.count("CreateRepository") == 1
    assert ecr.tags("team/app") == {"1.0", "1.1"}


def test_a_dry_run_says_what_it_would_create_and_creates_nothing(
    ecr: Ecr, rulebook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--create", "--dry-run", "--json", "oci:image:1.0", f"{HOST}/team/app"]) == 0

    told = capsys.readouterr()
    assert f"would create {HOME}/team/app as ecr-steward.yaml says" in told.err
    creation = json.loads(told.out)["creation"]
    assert (creation["created"], creation["rulebook"]) == (False, "ecr-steward.yaml")
    assert creation["steps"][0]["step"] == "CreateRepository"
    assert ecr.names() == []


def test_nothing_is_copied_when_a_setting_is_not_allowed(
    ecr: Ecr, rulebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAJO")

    assert run(["--create", "oci:image:1.0", f"{HOST}/team/app"]) == 1

    told = capsys.readouterr().err
    assert "ecr:PutLifecyclePolicy" in told
    assert f"What is missing: put the lifecycle policy of {HOME}/team/app. Do that by hand" in told
    assert "delete the repository and copy again with --create" in told
    assert ecr.tags("team/app") == set()
    assert ecr.described("team/app")["imageScanningConfiguration"] == {"scanOnPush": True}


def test_it_is_said_to_be_created_when_only_a_setting_is_not_allowed(
    ecr: Ecr, rulebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAJO")

    assert run(["--create", "--json", "oci:image:1.0", f"{HOST}/team/app"]) == 1

    assert json.loads(capsys.readouterr().out)["creation"]["created"] is True


def test_it_is_created_for_another_tag_when_the_first_cannot_be_copied_and_the_rest_is_to_be(
    ecr: Ecr, capsys: pytest.CaptureFixture[str]
) -> None:
    store = LayoutStore(Path("several"))
    fill(store, [IMAGE], [b"{}", b"layer"])
    store.put_manifest(index_of(IMAGE, platforms=["linux/amd64"]), ImageTag("0.9"))
    store.put_manifest(index_of(IMAGE, platforms=["linux/s390x"]), ImageTag("2.0"))
    options = ["--create", "--all-tags", "--platform=linux/s390x"]

    assert run([*options, "oci:several", f"{HOST}/team/app"]) == 1
    assert ecr.names() == []

    assert run([*options, "--keep-going", "oci:several", f"{HOST}/team/app"]) == 1
    assert ecr.tags("team/app") == {"2.0"}


def test_create_is_not_advised_when_it_was_given(ecr: Ecr, capsys: pytest.CaptureFixture[str]) -> None:
    """The creation template that was to make it does not, say."""
    template = {"prefix": "ROOT", "appliedFor": ["CREATE_ON_PUSH"], "resourceTags": [{"Key": "team", "Value": "a"}]}
    ecr.api.create_repository_creation_template(**template)  # without the role that tags need

    assert run(["--create", "oci:image:1.0", f"{HOST}/team/app"]) == 1

    told = capsys.readouterr().err
    assert "RepositoryNotFound" in told or "NAME_UNKNOWN" in told or "not found" in told, told
    assert "--create makes it" not in told


def test_nothing_is_created_when_the_destination_refuses_the_login(
    ecr: Ecr, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAKIM")

    assert run(["--create", "oci:image:1.0", f"{HOST}/team/app"]) == 1

    assert "ecr:BatchGetImage" in capsys.readouterr().err
    assert ecr.names() == []


def test_a_login_that_is_kept_for_aws_goes_nowhere_when_ecr_is_elsewhere(ecr: Ecr) -> None:
    Path(".docker").mkdir()
    Path(".docker/config.json").write_text(json.dumps({"auths": {HOST: {"auth": "bm9ib2R5OmF0LWFsbA=="}}}))

    assert run(["--create", "oci:image:1.0", f"{HOST}/team/app"]) == 0

    assert ecr.tags("team/app") == {"1.0"}


def test_nothing_of_aws_or_of_rulebooks_is_imported_when_no_side_is_ecr(ecr: Ecr) -> None:
    code = "import sys; from ecr_steward_cli.copying.arguments import run; run(sys.argv[1:]); print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code, "oci:image:1.0", "oci:other:1.0"], capture_output=True, text=True, check=True
    )

    assert not {"boto3", "botocore", "pydantic", "ruamel.yaml", "rich", "typer"} & set(done.stdout.split())


def test_it_is_awss_own_credentials_that_create_when_docker_keeps_a_login(
    ecr: Ecr, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".docker").mkdir()
    Path(".docker/config.json").write_text(json.dumps({"auths": {HOST: {"auth": ecr.token()}}}))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_ECR"):
        monkeypatch.delenv(name)
    profile = Path("config")  # which says where ECR is to those alone who ask as AWS's own
    profile.write_text(f"[default]\nendpoint_url = {ecr.server.endpoint_url}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profile))

    assert run(["--create", "oci:image:1.0", f"{HOST}/team/app"]) == 1

    told = capsys.readouterr().err
    assert "ecr:DescribeRepositories" in told
    assert "--create is done by AWS's own credentials" in told


@pytest.mark.parametrize(
    ("options", "destination", "says"),
    [
        (["--create"], "localhost:5000/team/app", "makes repositories of ECR"),
        (["--create"], "oci:folder", "makes repositories of ECR"),
        (["--rulebook=ecr-steward.yaml"], f"{HOST}/team/app", "give both"),
        (["--create", "--rulebook=lost.yaml"], f"{HOST}/team/app", "lost.yaml cannot be read"),
    ],
)
def test_wrong_use_is_refused(
    options: list[str], destination: str, says: str, ecr: Ecr, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        run([*options, "oci:image:1.0", destination])

    assert raised.value.code == 1
    assert says in capsys.readouterr().err
    assert ecr.names() == []
