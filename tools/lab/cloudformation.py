"""The part of CloudFormation that SAM speaks to: it keeps templates, parameters and change sets.

Nothing is created but S3 buckets, which SAM uploads to. Capabilities and parameters are refused as CloudFormation
refuses them (CreateChangeSet and "Parameters" in its API reference and user guide); a template URL is read from S3.
"""

from __future__ import annotations

import itertools
import re
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.sax.saxutils import escape

import boto3

from lab.cloudformation_rules import (
    RefusedError,
    check_capabilities,
    declared_in,
    read_template,
    resolve_parameters,
)

ACCOUNT = "123456789012"
_SCOPE = re.compile(r"Credential=[^/]+/[0-9]{8}/([a-z0-9-]+)/cloudformation/")
EMPTY = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass
class Stack:
    """A stack, its values of parameters and its events, newest first."""

    name: str
    region: str
    number: int
    status: str = "REVIEW_IN_PROGRESS"
    body: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    tags: list[dict[str, str]] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, str]] = field(default_factory=list)
    change_sets: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """Its id."""
        uuid = f"{self.number:08d}-0000-4000-8000-000000000000"
        return f"arn:aws:cloudformation:{self.region}:{ACCOUNT}:stack/{self.name}/{uuid}"


class CloudFormation:
    """Stacks of one region of an account. ``failing`` names logical ids whose creation or update fails from now on."""

    def __init__(self, s3: str, region: str) -> None:
        self.region = region
        self.stacks: dict[str, Stack] = {}
        self.deleted: list[str] = []
        self.requests: list[tuple[str, Mapping[str, Any]]] = []
        self.failing: set[str] = set()
        self._numbers = itertools.count(1)
        self._now = datetime.now(UTC)
        self._buckets: Any = boto3.client(
            "s3", region_name="us-east-1", endpoint_url=s3, aws_access_key_id="any", aws_secret_access_key="any"
        )

    def answer(self, action: str, request: Mapping[str, Any]) -> Any:
        """What the action answers, as its output shape. Raises RefusedError."""
        self.requests.append((action, request))
        actions = {
            "DescribeStacks": self._describe_stacks,
            "GetTemplateSummary": self._get_template_summary,
            "CreateChangeSet": self._create_change_set,
            "DescribeChangeSet": self._describe_change_set,
            "ExecuteChangeSet": self._execute_change_set,
            "DescribeStackEvents": lambda request: {"StackEvents": self._stack(request).events},
            "GetTemplate": lambda request: {"TemplateBody": self._stack(request).body},
            "DeleteStack": self._delete_stack,
        }
        if action not in actions:
            raise RefusedError(f"{action} is not played", "NotImplemented")
        return actions[action](request)

    def created(self) -> list[Mapping[str, Any]]:
        """The requests to create change sets, but for SAM's own stack."""
        return [
            request
            for action, request in self.requests
            if action == "CreateChangeSet" and not request["StackName"].startswith("aws-sam-cli")
        ]

    def _stack(self, request: Mapping[str, Any]) -> Stack:
        name = request["StackName"]
        for stack in self.stacks.values():
            if name in (stack.name, stack.arn):
                return stack
        raise RefusedError(f"Stack with id {name} does not exist")

    def _describe_stacks(self, request: Mapping[str, Any]) -> Any:
        stack = self._stack(request)
        return {
            "Stacks": [
                {
                    "StackId": stack.arn,
                    "StackName": stack.name,
                    "StackStatus": stack.status,
                    "EnableTerminationProtection": "false",
                    "CreationTime": _text(self._now),
                    "Parameters": _pairs("Parameter", stack.parameters),
                    "Outputs": _pairs("Output", stack.outputs),
                    "Tags": stack.tags,
                }
            ]
        }

    def _get_template_summary(self, request: Mapping[str, Any]) -> Any:
        return {
            "Parameters": [{"ParameterKey": name} for name in declared_in(read_template(self._stack(request).body))]
        }

    def _create_change_set(self, request: Mapping[str, Any]) -> Any:
        name, kind = request["StackName"], request["ChangeSetType"]
        stack = self.stacks.get(name)
        if stack is None:
            if kind == "UPDATE":
                raise RefusedError(f"Stack [{name}] does not exist")
            stack = Stack(name, self.region, next(self._numbers))
        elif stack.status.startswith("ROLLBACK_"):
            raise RefusedError(f"Stack:{stack.arn} is in {stack.status} state and can not be updated.")
        body = request.get("TemplateBody") or self._download(request["TemplateURL"])
        template = read_template(body)
        check_capabilities(template, request.get("Capabilities", []))
        parameters = resolve_parameters(template, request.get("Parameters", []), stack.parameters, kind)
        empty = kind == "UPDATE" and (body, parameters) == (stack.body, stack.parameters)
        if name not in self.stacks:
            self.stacks[name] = stack
            self._note(stack, name, "AWS::CloudFormation::Stack", stack.status)
        number = len(stack.change_sets) + 1
        arn = f"arn:aws:cloudformation:{self.region}:{ACCOUNT}:changeSet/{request['ChangeSetName']}/{number}"
        stack.change_sets[arn] = {
            "ChangeSetName": request["ChangeSetName"],
            "Status": "FAILED" if empty else "CREATE_COMPLETE",
            "StatusReason": EMPTY if empty else "",
            "body": body,
            "parameters": parameters,
            "kind": kind,
        }
        stack.tags = stack.tags or request.get("Tags", [])
        return {"Id": arn, "StackId": stack.arn}

    def _download(self, url: str) -> str:
        bucket, _, key = urllib.parse.urlsplit(url).path[1:].partition("/")
        body: bytes = self._buckets.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body.decode()

    def _change_set(self, request: Mapping[str, Any]) -> tuple[Stack, dict[str, Any]]:
        stack = self._stack(request)
        for arn, change_set in stack.change_sets.items():
            if request["ChangeSetName"] in (arn, change_set["ChangeSetName"]):
                return stack, change_set
        raise RefusedError(f"ChangeSet [{request['ChangeSetName']}] does not exist", "ChangeSetNotFound")

    def _describe_change_set(self, request: Mapping[str, Any]) -> Any:
        stack, found = self._change_set(request)
        action = "Add" if found["kind"] == "CREATE" else "Modify"
        resources = read_template(found["body"])["Resources"]
        changes = [
            {
                "Type": "Resource",
                "ResourceChange": {"Action": action, "LogicalResourceId": key, "ResourceType": each["Type"]},
            }
            for key, each in resources.items()
        ]
        shown = {key: found[key] for key in ("ChangeSetName", "Status", "StatusReason") if found[key]}
        return {"StackName": stack.name, "Changes": changes, **shown}

    def _execute_change_set(self, request: Mapping[str, Any]) -> Any:
        stack, found = self._change_set(request)
        template, verb = read_template(found["body"]), found["kind"]
        self._note(stack, stack.name, "AWS::CloudFormation::Stack", f"{verb}_IN_PROGRESS")
        failed = self.failing & template["Resources"].keys()
        for key in failed:
            self._note(stack, key, template["Resources"][key]["Type"], f"{verb}_FAILED", "AlreadyExists")
        stack.status = {
            ("CREATE", False): "CREATE_COMPLETE",
            ("UPDATE", False): "UPDATE_COMPLETE",
            ("CREATE", True): "ROLLBACK_COMPLETE",
            ("UPDATE", True): "UPDATE_ROLLBACK_COMPLETE",
        }[verb, bool(failed)]
        if not failed or verb == "CREATE":
            stack.body, stack.parameters = found["body"], found["parameters"]
        if not failed:
            stack.outputs = self._outputs(stack, template)
        self._note(stack, stack.name, "AWS::CloudFormation::Stack", stack.status)
        return {}

    def _outputs(self, stack: Stack, template: Mapping[str, Any]) -> dict[str, str]:
        for key, resource in template["Resources"].items():
            if resource["Type"] == "AWS::S3::Bucket":
                self._buckets.create_bucket(Bucket=self._name_of_bucket(stack, key))
        return {
            key: self._name_of_bucket(stack, output["Value"].get("Ref", key))
            if isinstance(output["Value"], dict)
            else str(output["Value"])
            for key, output in template.get("Outputs", {}).items()
        }

    def _name_of_bucket(self, stack: Stack, key: str) -> str:
        return f"{stack.name}-{key}-{self.region}".lower()

    def _note(self, stack: Stack, key: str, kind: str, status: str, reason: str = "") -> None:
        self._now = max(datetime.now(UTC), self._now + timedelta(milliseconds=1))
        event = {
            "EventId": f"{stack.name}-{len(stack.events)}",
            "StackId": stack.arn,
            "StackName": stack.name,
            "LogicalResourceId": key,
            "PhysicalResourceId": stack.arn if key == stack.name else key,
            "ResourceType": kind,
            "ResourceStatus": status,
            "Timestamp": _text(self._now),
        }
        stack.events.insert(0, event | ({"ResourceStatusReason": reason} if reason else {}))

    def _delete_stack(self, request: Mapping[str, Any]) -> Any:
        stack = self._stack(request)
        del self.stacks[stack.name]
        self.deleted.append(stack.name)
        return {}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _pairs(word: str, values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{f"{word}Key": key, f"{word}Value": value} for key, value in values.items()]


def _xml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<{key}>{_xml(each)}</{key}>" for key, each in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(each)}</member>" for each in value)
    return escape(str(value))


def _parsed(form: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a request in the Query protocol, of which lists have members numbered from 1."""
    fields: dict[str, Any] = {}
    for name, value in form.items():
        key, _, rest = name.partition(".member.")
        if not rest:
            fields[key] = value
            continue
        number, _, member = rest.partition(".")
        entries = fields.setdefault(key, [])
        while len(entries) < int(number):
            entries.append({})
        if member:
            entries[int(number) - 1][member] = value
        else:
            entries[int(number) - 1] = value
    return fields


class Regions(dict[str, CloudFormation]):
    """CloudFormation of each region, which comes to be when it is first asked for."""

    def __init__(self, s3: str) -> None:
        super().__init__()
        self._s3 = s3

    def __missing__(self, region: str) -> CloudFormation:
        self[region] = CloudFormation(self._s3, region)
        return self[region]


@contextmanager
def serving_cloudformation(s3: str) -> Iterator[tuple[str, Regions]]:
    """CloudFormation at a free port of 127.0.0.1, whose templates lie in the S3 at this endpoint.

    A request is for the region that it is signed for.
    """
    regions, lock = Regions(s3), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True))
            action = form.pop("Action")
            signed = _SCOPE.search(self.headers["Authorization"])
            try:
                if signed is None:
                    raise RefusedError("the request is not signed for CloudFormation", "MissingAuthenticationToken")
                with lock:
                    found = _xml(regions[signed[1]].answer(action, _parsed(form)))
                status, text = 200, f"<{action}Response><{action}Result>{found}</{action}Result></{action}Response>"
            except RefusedError as refused:
                error = _xml({"Type": "Sender", "Code": refused.code, "Message": str(refused)})
                status, text = 400, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", regions
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
