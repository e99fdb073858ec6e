"""Documents that could be read in two ways, or not be written again, are refused wherever they are sent."""

import json

import pytest
from botocore.exceptions import ClientError

from local_ecr.strict_json import InvalidJsonError, read_json

HALF_A_PAIR = "\ud800"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        "[" * 101 + "]" * 101,
        "[" * 100 + '"x"' + "]" * 100,
        '{"a": 1, "a": 2}',
        "[NaN]",
        "[-Infinity]",
        "[1e999]",
        r'"\ud800"',
        r'["x", {"y": "\udfff\ud800"}]',
        r'{"\ud800": 1}',
        HALF_A_PAIR.join('""'),
        b"\xff",
        b'"\xed\xa0\x80"',
    ],
)
def test_a_text_is_refused(text):
    with pytest.raises(InvalidJsonError):
        read_json(text)


def test_a_text_is_read_when_it_is_plain_json():
    assert read_json(r'{"whole": "\ud83d\ude00", "ä": [1, null, 1.5, true]}') == {
        "whole": "😀",
        "ä": [1, None, 1.5, True],
    }
    assert read_json("[" * 99 + '"x"' + "]" * 99) is not None


@pytest.mark.parametrize("member", ["artifactType", "config", "annotations", "other"])
def test_a_manifest_is_invalid_on_both_faces_when_a_string_in_it_is_no_text(ecr, team_app, member):
    manifest = team_app.image("one")
    changes = {
        "artifactType": HALF_A_PAIR,
        "config": {**manifest["config"], "mediaType": HALF_A_PAIR},
        "annotations": {"key": HALF_A_PAIR},
        "other": [HALF_A_PAIR],
    }
    manifest[member] = changes[member]
    refused = team_app.push_manifest("1.0", manifest)
    assert (refused.status, refused.json()["errors"][0]["code"]) == (405, "UNSUPPORTED")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.put_image(repositoryName="team/app", imageManifest=json.dumps(manifest))


DEEP = json.loads("[" * 500 + "]" * 500)


@pytest.mark.parametrize("value", [HALF_A_PAIR, DEEP], ids=["half a pair", "deep"])
def test_a_policy_is_invalid_when_it_could_not_be_written_again(ecr, team_app, value):
    condition = {"StringEquals": {"aws:PrincipalArn": value}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage", "Condition": condition}
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.set_repository_policy(repositoryName="team/app", policyText=json.dumps({"Statement": [statement]}))
    rule = {
        "rulePriority": 1,
        "description": value,
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
        "action": {"type": "expire"},
    }
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.put_lifecycle_policy(repositoryName="team/app", lifecyclePolicyText=json.dumps({"rules": [rule]}))
