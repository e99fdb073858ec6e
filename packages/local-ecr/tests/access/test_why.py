"""Request ids, and the log's answer to "why was this refused?"."""

import pytest
from botocore.exceptions import ClientError

from local_ecr import Policy
from local_ecr.iam import Identity, UnknownRequestError

OWNER, VISITOR = "111122223333", "444455556666"
ACTION = "ecr:ListImages"


def allow(*actions, **elements):
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **elements}


@pytest.fixture(scope="module")
def tokens(shared_town):
    return {key: shared_town.token(key) for key in ("owner-ci", "visitor-ci")}


def refused_id(town, key, **asked):
    with pytest.raises(ClientError) as refusal:
        town.client(key).list_images(repositoryName="team/app", **asked)
    return refusal.value.response["ResponseMetadata"]["RequestId"]


def test_an_answer_of_either_face_has_the_id_that_the_request_log_and_the_decisions_have(town, tokens):
    town.may(OWNER, allow(ACTION))
    mark = town.ecr.requests.mark()
    answer = town.client("owner-ci").list_images(repositoryName="team/app")
    found = town.send(tokens["owner-ci"], "GET", "tags/list")

    ids = [answer["ResponseMetadata"]["RequestId"], found.headers["x-amzn-RequestId"]]
    assert len(set(ids)) == 2
    assert [one.request_id for one in town.ecr.requests.since(mark)] == ids
    assert [one.request_id for one in town.ecr.decisions.entries()] == ids
    assert [len(town.ecr.decisions.of_request(one)) for one in ids] == [1, 1]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v2/"), ("GET", "/v2/no"), ("HEAD", "tags/list"), ("PUT", "/v2/")]
)
def test_every_answer_below_v2_has_an_id_however_it_ends(town, method, path):
    assert town.send("", method, path).headers["x-amzn-RequestId"]


def test_why_tells_what_was_missing_when_nothing_allows(town):
    town.may(
        OWNER,
        allow("ecr:BatchGetImage", Sid="Pull"),
        allow("ecr:List*", Resource=town.arn + "2", Sid="Other"),
        allow(ACTION, Sid="Tagged", Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}}),
        allow(ACTION, Sid="Office", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        allow("s3:*", Resource="arn:aws:s3:::bucket", Sid="Bucket"),
    )
    session = town.session_arn.format(account=OWNER)
    town.repository_may({"Effect": "Allow", "Principal": {"AWS": VISITOR}, "Action": ACTION})
    lines = town.ecr.decisions.why(refused_id(town, "owner-ci"))
    assert lines == [
        f"refused {session} {ACTION} {town.arn} (api) because no identity-based policy allows the {ACTION} action",
        "  identity policy Build: 5 statements",
        f"    statement Pull would allow it, but the action is {ACTION}, not ecr:BatchGetImage",
        f"    statement Other would allow it, but the resource is {town.arn}, not {town.arn}2",
        "    statement Tagged would allow it, but the condition StringEquals aws:PrincipalTag/team wants a, "
        "the request does not have it",
        "    statement Office would allow it, but the condition IpAddress aws:SourceIp wants 10.0.0.0/8, "
        "the request has 127.0.0.1",
        "    1 more is about something else",
        "  repository policy: 1 statement",
        f"    statement 1 would allow it, but it names {VISITOR}, not {session}",
    ]


def test_why_tells_which_statement_denies(town):
    town.may(OWNER, allow("ecr:*", Sid="All"))
    town.repository_may({"Sid": "Never", "Effect": "Deny", "Principal": "*", "Action": "ecr:List*"})
    lines = town.ecr.decisions.why(refused_id(town, "owner-ci"))
    assert lines[0].endswith("with an explicit deny in a resource-based policy, repository policy, statement Never")
    assert lines[1:] == [
        "  identity policy Build: 1 statement",
        "    statement All allows it",
        "  repository policy: 1 statement",
        "    statement Never denies it",
    ]


def test_why_tells_of_the_policies_as_they_were(town):
    town.may(OWNER)
    request_id = refused_id(town, "owner-ci")
    town.may(OWNER, allow("ecr:*"))
    town.repository_may({"Effect": "Allow", "Principal": "*", "Action": "ecr:*"})
    assert town.ecr.decisions.why(request_id)[1:] == ["  identity policies: none", "  resource policies: none"]


def test_why_tells_of_a_role_that_is_gone_and_of_a_policy_that_nobody_understands(town):
    town.identities[OWNER] = None
    assert "  identity policies: the user or role does not exist any more" in town.ecr.decisions.why(
        refused_id(town, "owner-ci")
    )
    town.may(OWNER, allow(ACTION, Condition={"Sounds": {"a": "b"}}))
    lines = town.ecr.decisions.why(refused_id(town, "owner-ci"))
    assert "  identity policy Build: it is not known what it means: condition operator Sounds is not" in lines[1]


def test_why_refuses_to_tell_of_a_request_that_it_does_not_know(town):
    with pytest.raises(UnknownRequestError, match="no decision of request 1234 is known: it asked for nothing that"):
        town.ecr.decisions.why("1234")
    with pytest.raises(UnknownRequestError):
        town.ecr.decisions.why("")


def test_why_does_not_say_that_a_statement_allows_what_it_leaves_to_its_account(town):
    town.may(OWNER)
    town.repository_may({"Sid": "Own", "Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "ecr:*"})
    assert town.ecr.decisions.why(refused_id(town, "owner-ci"))[2:] == [
        "  repository policy: 1 statement",
        "    statement Own leaves it to the identity policies of its account",
    ]


def test_why_names_the_denial_of_everybody_but_whoever_is_listed_to_a_role_with_a_boundary(town):
    everything = Policy("All", {"Version": "2012-10-17", "Statement": [allow("*")]})
    town.identities[OWNER] = Identity((everything,), everything)
    spared = {"AWS": [OWNER, town.role_arn.format(account=OWNER)]}
    town.repository_may({"Sid": "AllBut", "Effect": "Deny", "NotPrincipal": spared, "Action": "ecr:List*"})
    assert "    statement AllBut denies it" in town.ecr.decisions.why(refused_id(town, "owner-ci"))


def test_why_shows_the_session_policy_that_lacks_the_action(town):
    everything = Policy("All", {"Version": "2012-10-17", "Statement": [allow("*")]})
    reading = Policy("passed", {"Version": "2012-10-17", "Statement": [allow("ecr:Describe*", Sid="Reads")]})
    town.identities[OWNER] = Identity((everything,), session=reading)
    assert town.ecr.decisions.why(refused_id(town, "owner-ci"))[3:5] == [
        "  session policy: 1 statement",
        f"    statement Reads would allow it, but the action is {ACTION}, not ecr:Describe*",
    ]


def test_why_tells_all_conditions_that_do_not_hold_when_the_statement_is_about_the_call(town):
    wanted = {"StringEquals": {"aws:PrincipalTag/team": "a"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    town.may(OWNER, allow(ACTION, Sid="Both", Condition=wanted), allow("ecr:PutImage", Sid="Far", Condition=wanted))
    assert town.ecr.decisions.why(refused_id(town, "owner-ci"))[2:4] == [
        "    statement Both would allow it, but the condition StringEquals aws:PrincipalTag/team wants a, the request "
        "does not have it, and the condition IpAddress aws:SourceIp wants 10.0.0.0/8, the request has 127.0.0.1",
        "    1 more is about something else",
    ]
