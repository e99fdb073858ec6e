"""A template's policies with values in place of references, and each condition met: as wide as they can be."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

HUB, SPOKE, HOME = "111122223333", "222233334444", "us-east-1"

_VALUES: Final[Mapping[str, Any]] = {
    "AWS::AccountId": HUB,
    "AWS::Partition": "aws",
    "AWS::Region": HOME,
    "HubBusArn": f"arn:aws:events:{HOME}:{HUB}:event-bus/EventBus",
    "KmsKeyArn": f"arn:aws:kms:{HOME}:{HUB}:key/name",
    "NoticesTopic": f"arn:aws:sns:{HOME}:{HUB}:NoticesTopic",
    "RepositoryKeyArns": [f"arn:aws:kms:{HOME}:{HUB}:key/name"],
    "SpokeAccounts": [SPOKE],
}
_ARNS: Final[Mapping[str, str]] = {
    "AWS::DynamoDB::Table": "dynamodb:{at}:table/{name}",
    "AWS::Events::EventBus": "events:{at}:event-bus/{name}",
    "AWS::Lambda::Function": "lambda:{at}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{at}:log-group:{name}:*",
    "AWS::SQS::Queue": "sqs:{at}:{name}",
}


def resolved(value: Any, resources: Mapping[str, Any], values: Mapping[str, Any] = MappingProxyType({})) -> Any:
    """A part of a template whose resources are `resources`; a resource is named by its logical id.

    `values` are of parameters and pseudo parameters; one that has none here is called `name`, as text, or by its own
    name.
    """
    known = {**_VALUES, **values}

    def found(value: Any) -> Any:
        match value:
            case {"Fn::If": [_, met, _]}:
                result = found(met)
            case {"Ref": str(name)}:
                result = known.get(name, name)
            case {"Fn::GetAtt": [str(name), _]}:
                arn = _ARNS.get(resources[name]["Type"], "iam::{account}:role/{name}")
                account = known["AWS::AccountId"]
                result = f"arn:aws:{arn.format(at=f'{HOME}:{account}', account=account, name=name)}"
            case {"Fn::Sub": str(text)}:
                result = re.sub(r"\$\{([^}]+)}", lambda match: str(known.get(match[1], "name")), text)
            case list():
                result = [found(each) for each in value if each != {"Ref": "AWS::NoValue"}]
            case dict():
                result = {key: found(each) for key, each in value.items()}
            case _:
                result = value
        return result

    return found(value)
