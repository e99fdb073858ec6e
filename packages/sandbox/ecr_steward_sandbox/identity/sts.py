"""Our own STS: AssumeRole, as a role's trust policy and the caller's policies have it, and GetCallerIdentity.

moto's gives everybody every role. A session policy limits the session; managed session policies, session tags, source
identities and MFA are not simulated: a call that asks for one is refused rather than answered with more than was asked
for. How AWS packs a policy is not known, so its PackedPolicySize is not answered, nor its limit kept.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from xml.sax.saxutils import escape

from ecr_steward_sandbox.api_calls import ApiCall, HttpRequest
from ecr_steward_sandbox.identity import iam
from ecr_steward_sandbox.identity.sessions import RoleSession, Sessions
from ecr_steward_sandbox.moto_gateway import HttpAnswer
from ecr_steward_sandbox.permissions import read_parameters
from local_ecr import Policy, Principal
from local_ecr.iam import Permission, UnsupportedPolicyError, check

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
DEFAULT_LIFETIME = timedelta(hours=1)
SHORTEST_LIFETIME, LONGEST_LIFETIME = timedelta(minutes=15), timedelta(hours=12)
LONGEST_CHAINED_LIFETIME = timedelta(hours=1)
"""STS API reference, AssumeRole, "DurationSeconds"; the last is of a role that another role's session assumes."""

_ROLE_ARN = re.compile(r"arn:aws:iam::[0-9]{12}:role/[\w+=,.@/-]+", re.ASCII)
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_POLICY = re.compile(r"[\u0009\u000A\u000D\u0020-\u00FF]+")
LONGEST_POLICY = 2048
"""Characters. STS API reference, AssumeRole, "Policy"."""
_NOT_SIMULATED = ("PolicyArns", "Tags", "TransitiveTagKeys", "SourceIdentity", "SerialNumber", "TokenCode")

Refusal = Callable[[Principal, Permission, Mapping[str, str]], str | None]
"""Why a principal may not do something, by the condition keys of the call; None when it may."""


class _StsError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Sts:
    """Answers what is signed for STS."""

    def __init__(self, sessions: Sessions, refusal: Refusal) -> None:
        self._sessions = sessions
        self._refusal = refusal

    def answer(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer:
        """Answer one call in the shape of the query protocol, whatever comes of it."""
        try:
            match call.operation:
                case "AssumeRole":
                    return self._assume_role(request, call, principal)
                case "GetCallerIdentity":
                    # Service authorization reference: needs no permission, and no policy can deny it.
                    result = {"Arn": principal.arn, "UserId": principal.user_id, "Account": principal.account}
                    return _answered(
                        call.operation, "".join(f"<{name}>{_text(of)}</{name}>" for name, of in result.items())
                    )
            raise _StsError(501, "NotImplemented", f"The sandbox's STS has no {call.operation}")
        except _StsError as error:
            return HttpAnswer.query_error(error.status, error.code, str(error))

    def _assume_role(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer:
        asked = dict(read_parameters(request))
        role_arn, session_name = asked.get("RoleArn", ""), asked.get("RoleSessionName", "")
        _check_shape(asked)
        lifetime, policy = _lifetime(asked), _session_policy(asked.get("Policy"))
        if principal.is_root:
            raise _StsError(403, "AccessDenied", "Roles may not be assumed by root accounts.")
        keys = {"sts:RoleSessionName": session_name, "aws:RequestedRegion": call.region, **request.sender_keys}
        if "ExternalId" in asked:
            keys["sts:ExternalId"] = asked["ExternalId"]
        if refusal := self._refusal(principal, Permission("sts:AssumeRole", role_arn), keys):
            raise _StsError(403, "AccessDenied", refusal)
        _check_lifetime(lifetime, role_arn, is_chained=principal.role_arn is not None)
        return _assumed(self._sessions.begin(role_arn, session_name, lifetime, policy))


def _check_shape(asked: Mapping[str, str]) -> None:
    for name in asked:
        if name.partition(".")[0] in _NOT_SIMULATED:
            raise _StsError(501, "NotImplemented", f"The sandbox's STS does not take {name.partition('.')[0]}")
    for name, pattern in (("RoleArn", _ROLE_ARN), ("RoleSessionName", _SESSION_NAME), ("ExternalId", _EXTERNAL_ID)):
        given = asked.get(name)
        if given is None and name == "ExternalId":
            continue
        if given is None or not pattern.fullmatch(given):
            raise _invalid(name, given, f"Member must satisfy regular expression pattern: {pattern.pattern}")


def _session_policy(given: str | None) -> Policy | None:
    """The session policy that is passed. Raises _StsError for one that is too long, or no policy of an identity."""
    if given is None:
        return None
    if not _POLICY.fullmatch(given):
        raise _invalid("Policy", given, f"Member must satisfy regular expression pattern: {_POLICY.pattern}")
    if len(given) > LONGEST_POLICY:
        raise _invalid("Policy", given, f"Member must have length less than or equal to {LONGEST_POLICY}")
    try:
        document = json.loads(given)
    except ValueError as cause:
        raise _StsError(400, "MalformedPolicyDocument", f"This policy contains invalid Json: {cause}") from cause
    try:
        if not isinstance(document, dict):
            raise UnsupportedPolicyError("it is no JSON object")
        check(document, is_of_identity=True)
    except UnsupportedPolicyError as cause:
        raise _StsError(400, "MalformedPolicyDocument", f"Syntax errors in policy: {cause}") from cause
    return Policy("session policy", document)


def _lifetime(asked: Mapping[str, str]) -> timedelta:
    """How long the session is to live. Raises _StsError for what no session does, whoever asks."""
    given = asked.get("DurationSeconds")
    if given is None:
        return DEFAULT_LIFETIME
    wanted = timedelta(seconds=int(given)) if given.isdecimal() and len(given) < 10 else timedelta()
    for limit, which in ((SHORTEST_LIFETIME, "greater"), (LONGEST_LIFETIME, "less")):
        if wanted < limit if which == "greater" else wanted > limit:
            seconds = int(limit.total_seconds())
            raise _invalid("DurationSeconds", given, f"Member must have value {which} than or equal to {seconds}")
    return wanted


def _check_lifetime(wanted: timedelta, role_arn: str, *, is_chained: bool) -> None:
    """Whether this role's session may live so long. Raises _StsError."""
    if is_chained and wanted > LONGEST_CHAINED_LIFETIME:
        limit_text = "the 1 hour session limit for roles assumed by role chaining"
        raise _StsError(400, "ValidationError", f"The requested DurationSeconds exceeds {limit_text}.")
    role = iam.find_role(role_arn)
    if role is not None and wanted > role.max_session:
        raise _StsError(
            400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )


def _invalid(name: str, given: str | None, constraint: str) -> _StsError:
    value = "null" if given is None else given
    parameter = name[0].lower() + name[1:]
    return _StsError(
        400,
        "ValidationError",
        f"1 validation error detected: Value '{value}' at '{parameter}' failed to satisfy constraint: {constraint}",
    )


def _assumed(session: RoleSession) -> HttpAnswer:
    principal = session.principal
    return _answered(
        "AssumeRole",
        f"<AssumedRoleUser><AssumedRoleId>{_text(principal.user_id)}</AssumedRoleId>"
        f"<Arn>{_text(principal.arn)}</Arn></AssumedRoleUser>"
        f"<Credentials><AccessKeyId>{_text(principal.access_key_id)}</AccessKeyId>"
        f"<SecretAccessKey>{_text(session.secret_access_key)}</SecretAccessKey>"
        f"<SessionToken>{_text(session.session_token)}</SessionToken>"
        f"<Expiration>{session.expires_at:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>",
    )


def _answered(operation: str, result: str) -> HttpAnswer:
    body = (
        f'<{operation}Response xmlns="{NAMESPACE}"><{operation}Result>{result}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return HttpAnswer(200, (("Content-Type", "text/xml"),), body.encode())


def _text(value: str) -> str:
    return escape(value)
