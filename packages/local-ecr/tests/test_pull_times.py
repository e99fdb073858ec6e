"""When an image was last pulled, as DescribeImages says it."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from local_ecr import Policy, Principal
from local_ecr.principals import account_principal

REPOSITORY = {"repositoryName": "team/app"}
SCANNER = "arn:aws:iam::111122223333:role/security/scanner"
SESSION = "arn:aws:sts::111122223333:assumed-role/scanner/nightly"


def pull_time(ecr, digest):
    [detail] = ecr.describe_images(**REPOSITORY, imageIds=[{"imageDigest": digest}])["imageDetails"]
    return detail.get("lastRecordedPullTime")


def test_an_image_that_nobody_pulled_has_no_pull_time(ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    assert team_app.send("HEAD", "manifests/1.0").status == 200
    ecr.describe_images(**REPOSITORY)
    ecr.list_images(**REPOSITORY)
    assert pull_time(ecr, digest) is None


@pytest.mark.parametrize("way", ["manifest", "BatchGetImage"])
def test_a_pull_is_recorded(ecr, team_app, way):
    digest = team_app.push_image("one", "1.0")
    before = datetime.now(UTC) - timedelta(seconds=1)
    if way == "manifest":
        assert team_app.send("GET", "manifests/1.0").status == 200
    else:
        assert ecr.batch_get_image(**REPOSITORY, imageIds=[{"imageTag": "1.0"}])["images"]
    assert before <= pull_time(ecr, digest) <= datetime.now(UTC)


def test_a_pull_is_recorded_once_a_day_and_waits_for_no_writer_in_between(stand, ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    team_app.send("GET", "manifests/1.0")
    first = pull_time(ecr, digest)
    stand.clock.ahead = timedelta(hours=11)
    with stand.ecr.store.changing():  # who wants to write has to wait until this is over
        assert team_app.send("GET", "manifests/1.0").status == 200
        assert ecr.batch_get_image(**REPOSITORY, imageIds=[{"imageTag": "1.0"}])["images"]
    assert pull_time(ecr, digest) == first

    stand.clock.ahead = timedelta(hours=25)
    team_app.token = stand.token()
    team_app.send("GET", "manifests/1.0")
    assert pull_time(ecr, digest) - first > timedelta(hours=24)


def test_an_index_that_is_pulled_does_not_pull_what_it_lists(ecr, team_app):
    child = team_app.push_image("one")
    index = team_app.push_index("1.0", [child])
    team_app.send("GET", "manifests/1.0")
    assert pull_time(ecr, index) is not None
    assert pull_time(ecr, child) is None


@pytest.fixture
def scanned(make_stand):
    """A stand where whoever has the key of another account's number is a session of a role, and may everything."""

    def principal_of(credential):
        if credential.access_key_id == "111122223333":
            return account_principal(credential)
        return Principal("111122223333", SESSION, credential.access_key_id, path="/security/")

    statement = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
    everything = Policy("everything", {"Version": "2012-10-17", "Statement": [statement]})
    stand = make_stand(principal_of=principal_of, identities=lambda principal: [everything])
    stand.client().create_repository(**REPOSITORY)
    return stand


def test_a_pull_is_not_recorded_when_its_role_is_excluded(scanned):
    ecr, team_app = scanned.client(), scanned.distribution()
    digest = team_app.push_image("one", "1.0")
    team_app.token = scanned.token(account="999900009999")
    ecr.register_pull_time_update_exclusion(principalArn=SCANNER)

    assert team_app.send("GET", "manifests/1.0").status == 200
    pulled = scanned.client(account="999900009999").batch_get_image(**REPOSITORY, imageIds=[{"imageTag": "1.0"}])
    assert pulled["images"]
    assert pull_time(ecr, digest) is None

    ecr.deregister_pull_time_update_exclusion(principalArn=SCANNER)
    assert team_app.send("GET", "manifests/1.0").status == 200
    assert pull_time(ecr, digest) is not None


def test_exclusions_are_listed_by_page_and_each_is_there_once(ecr):
    arns = [f"arn:aws:iam::111122223333:role/scanner-{number}" for number in range(5)]
    for arn in arns:
        registered = ecr.register_pull_time_update_exclusion(principalArn=arn)
        assert registered["principalArn"] == arn
        assert registered["createdAt"] <= datetime.now(UTC)
    with pytest.raises(ClientError, match="ExclusionAlreadyExistsException"):
        ecr.register_pull_time_update_exclusion(principalArn=arns[0])

    listed, token = [], {}
    while True:
        page = ecr.list_pull_time_update_exclusions(maxResults=2, **token)
        listed.append(page["pullTimeUpdateExclusions"])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert listed == [arns[:2], arns[2:4], arns[4:]]

    assert ecr.deregister_pull_time_update_exclusion(principalArn=arns[1])["principalArn"] == arns[1]
    with pytest.raises(ClientError, match="ExclusionNotFoundException"):
        ecr.deregister_pull_time_update_exclusion(principalArn=arns[1])


def test_a_registry_has_at_most_a_hundred_exclusions(stand, ecr):
    for number in range(100):
        ecr.register_pull_time_update_exclusion(principalArn=f"arn:aws:iam::111122223333:user/scanner-{number}")
    with pytest.raises(ClientError, match="LimitExceededException"):
        ecr.register_pull_time_update_exclusion(principalArn=SCANNER)
    stand.client("eu-west-1").register_pull_time_update_exclusion(principalArn=SCANNER)


@pytest.mark.parametrize("arn", ["arn:aws:iam::111122223333:root", "arn:aws:sts::111122223333:assumed-role/a/b", "x"])
def test_only_users_and_roles_are_excluded(ecr, arn):
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.register_pull_time_update_exclusion(principalArn=arn)
