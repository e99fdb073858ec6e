"""Roles that are broken."""

import contextlib
import json
from collections.abc import Iterator

from tests.sandbox.doctor.broken.breakage import SCANS, TAGS, Breakage
from tests.sandbox.doctor.conftest import House


@contextlib.contextmanager
def trust_changed(house: House) -> Iterator[None]:
    iam, wanted = house.client("iam"), house.properties("NoticesRole")["AssumeRolePolicyDocument"]
    other = json.loads(json.dumps(wanted).replace("events.amazonaws.com", "ec2.amazonaws.com"))
    name = house.named("NoticesRole")
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(other))
    yield
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(wanted))


@contextlib.contextmanager
def action_taken_away(house: House) -> Iterator[None]:
    iam, name = house.client("iam"), house.named(f"{TAGS}Role")
    (policy,) = [one for one in house.properties(f"{TAGS}Role")["Policies"] if "Version" in one["PolicyDocument"]][:1]
    less = {**policy["PolicyDocument"], "Statement": policy["PolicyDocument"]["Statement"][1:]}
    iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(less))
    yield
    whole = json.dumps(policy["PolicyDocument"])
    iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=whole)


@contextlib.contextmanager
def policy_added(house: House) -> Iterator[None]:
    iam, name = house.client("iam"), house.named("PullOnlyRole")
    statement = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=document)
    yield
    iam.delete_role_policy(RoleName=name, PolicyName="more")


@contextlib.contextmanager
def managed_policy_attached(house: House) -> Iterator[None]:
    iam, name = house.client("iam"), house.named(f"{SCANS}Role")
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = iam.create_policy(PolicyName="queues", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    yield
    iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)


@contextlib.contextmanager
def boundary_put(house: House) -> Iterator[None]:
    iam, name = house.client("iam"), house.named("SweepScheduleRole")
    statement = {"Effect": "Deny", "Action": "lambda:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = iam.create_policy(PolicyName="boundary", PolicyDocument=document)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn)
    yield
    iam.delete_role_permissions_boundary(RoleName=name)
    iam.delete_policy(PolicyArn=arn)


@contextlib.contextmanager
def role_deleted(house: House) -> Iterator[None]:
    iam, name = house.client("iam"), house.named("CredentialScheduleRole")
    wanted = house.properties("CredentialScheduleRole")
    for policy in wanted["Policies"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])
    iam.delete_role(RoleName=name)
    yield
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(wanted["AssumeRolePolicyDocument"]))
    for policy in wanted["Policies"]:
        document = json.dumps(policy["PolicyDocument"])
        iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)


BREAKAGES = [
    Breakage("role-trust", "NoticesRole", trust_changed),
    Breakage("role-policies", f"{TAGS}Role", action_taken_away),
    Breakage("role-policies", "PullOnlyRole", policy_added),
    Breakage("role-managed-policies", f"{SCANS}Role", managed_policy_attached),
    Breakage("role-boundary", "SweepScheduleRole", boundary_put),
    Breakage("role-exists", "CredentialScheduleRole", role_deleted),
]
