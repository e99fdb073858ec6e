"""Users, roles and service callers from a document."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_ecr import Credential, EcrError, LocalEcr, LocalEcrServer
from local_ecr.__main__ import main
from local_ecr.access.identities import IdentitiesError, read_identities
from local_ecr.principals import user_identity

PUSH_ANYWHERE = {
    "name": "Push",
    "document": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "arn:aws:ecr:*:*:repository/*"}],
    },
}
FUNCTION = "arn:aws:lambda:us-east-1:444455556666:function:app"
DOCUMENT = {
    "organization_id": "o-example",
    "accounts": {
        "111122223333": {
            "groups": {"readers": {"policies": ["AmazonEC2ContainerRegistryReadOnly"]}},
            "users": {
                "jo": {
                    "path": "/people/",
                    "groups": ["readers"],
                    "policies": [PUSH_ANYWHERE],
                    "boundary": "AmazonEC2ContainerRegistryPowerUser",
                    "tags": {"team": "a"},
                    "access_keys": ["AKIAJO"],
                }
            },
            "roles": {
                "ci": {
                    "path": "/build/",
                    "policies": ["AmazonEC2ContainerRegistryFullAccess"],
                    "sessions": {"ASIACI": "run-1"},
                }
            },
        }
    },
    "services": {
        "PULLER": {"principal": "lambda.amazonaws.com", "source_arn": FUNCTION, "source_account": "444455556666"}
    },
}


@pytest.fixture(scope="module")
def client_of(tmp_path_factory):
    """A client of the JSON API for a key."""
    known = read_identities(DOCUMENT)
    with LocalEcrServer(LocalEcr(tmp_path_factory.mktemp("known"), **known.options)) as server:

        def client(key):
            return boto3.client(
                "ecr",
                region_name="us-east-1",
                endpoint_url=server.endpoint_url,
                aws_access_key_id=key,
                aws_secret_access_key="not-verified",
                config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20),
            )

        yield client


def test_a_user_may_what_its_policies_and_groups_say_within_its_boundary(client_of):
    client_of("111122223333").create_repository(repositoryName="of/root")
    jo = client_of("AKIAJO")
    jo.get_authorization_token()  # the group's policy
    assert jo.initiate_layer_upload(repositoryName="of/root")["uploadId"]  # its own policy
    with pytest.raises(ClientError, match=r"jo is not .* no permissions boundary allows the ecr:CreateRepo"):
        jo.create_repository(repositoryName="of/jo")


def test_a_session_may_what_the_policies_of_its_role_say(client_of):
    created = client_of("ASIACI").create_repository(repositoryName="of/ci")["repository"]
    assert created["repositoryArn"] == "arn:aws:ecr:us-east-1:111122223333:repository/of/ci"


def test_a_service_gets_in_by_the_repository_policy_that_names_what_it_calls_for(client_of):
    root, puller = client_of("111122223333"), client_of("PULLER")
    root.create_repository(repositoryName="for/lambda")
    asked = {"registryId": "111122223333", "repositoryName": "for/lambda", "imageIds": [{"imageTag": "1.0"}]}
    assert puller.get_authorization_token()["authorizationData"]
    for source, is_let_in in ((FUNCTION, True), (f"{FUNCTION}-2", False)):
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Condition": {
                "StringLike": {"aws:sourceARN": source},
                "StringEquals": {"aws:SourceAccount": "444455556666"},
            },
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        root.set_repository_policy(repositoryName="for/lambda", policyText=policy)
        if is_let_in:
            assert puller.batch_get_image(**asked)["failures"][0]["failureCode"] == "ImageNotFound"
        else:
            with pytest.raises(ClientError, match=r"User: lambda\.amazonaws\.com is not authorized"):
                puller.batch_get_image(**asked)


def test_cloudtrail_calls_a_service_by_its_name():
    puller = read_identities(DOCUMENT).principal_of(Credential("PULLER"))
    assert user_identity(puller) == {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}


def test_a_key_that_is_nobodys_is_refused(client_of):
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        client_of("AKIANOBODY").describe_repositories()
    with pytest.raises(EcrError, match="UnrecognizedClientException"):
        read_identities({}).principal_of(Credential("AKIAJO"))


def changed(path, value):
    """The document with something else at a place."""
    document = json.loads(json.dumps(DOCUMENT))
    place = document
    *way, last = path
    for step in way:
        place = place[step]
    place[last] = value
    return document


JO = ("accounts", "111122223333", "users", "jo")
UNKNOWN_OPERATOR = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Is": {"a": "b"}}}]}


@pytest.mark.parametrize(
    ("path", "value", "where", "what"),
    [
        ((*JO, "groups"), ["writers"], "accounts.111122223333.users.jo.groups", "add it to the account's groups"),
        ((*JO, "policies"), ["ReadOnly"], "users.jo.policies[0]", "take one of AmazonEC2ContainerRegistryPullOnly"),
        ((*JO, "boundary"), "Mine", "users.jo.boundary", 'or write it out as {"name"'),
        (
            (*JO, "policies"),
            [{"name": "Odd", "document": UNKNOWN_OPERATOR}],
            "users.jo.policies[0].document",
            "condition operator Is is not evaluated here: change the policy Odd",
        ),
        (
            (*JO, "policies"),
            [{"name": "Odd", "document": {"Statement": {"Effect": "Allow", "Action": "*"}}}],
            "users.jo.policies[0].document",
            "names no Resource",
        ),
        (
            (*JO, "access_keys"),
            ["ASIACI"],
            "roles.ci.sessions",
            "the key ASIACI is taken by accounts.111122223333.users",
        ),
        ((*JO, "access_keys"), ["123456789012"], "users.jo.access_keys", "is the root of that account"),
        ((*JO, "path"), "people", "accounts.111122223333.users.jo.path", "'people' does not look like it should"),
        ((*JO, "acces_keys"), [], "accounts.111122223333.users.jo.acces_keys", "there is no such word here"),
        (("accounts", "12"), {}, "accounts.12", "'12' does not look like it should"),
        (("services", "PULLER"), {"principal": "lambda"}, "services.PULLER.principal", "does not look like it should"),
    ],
)
def test_a_document_is_refused_with_what_is_wrong_where_and_what_to_do(path, value, where, what):
    with pytest.raises(IdentitiesError) as refusal:
        read_identities(changed(path, value))
    place, _, told = str(refusal.value).partition(": ")
    assert place.endswith(where)
    assert what in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "line 1 column 2"),
        ('{"accounts": {}, "accounts": {}}', "the same key twice"),
        ('{"acounts": {}}', "acounts: there is no such word here"),
        (None, "No such file"),
    ],
)
def test_the_command_says_which_file_it_cannot_read_and_why(tmp_path, capsys, text, told):
    file = tmp_path / "identities.json"
    if text is not None:
        file.write_text(text)
    assert main(["--identities", str(file)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"--identities {file}: ")
    assert told in error
