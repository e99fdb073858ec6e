"""What a template may say and the sandbox deliberately does not create, each with its reason.

What is neither created and read back by a model (``services``) nor listed here stops the deployment.
"""

from collections.abc import Mapping

_NOTHING_IS_ENCRYPTED = "The sandbox encrypts nothing, and knows no keys."

PROPERTIES: Mapping[tuple[str, str], str] = {
    ("AWS::DynamoDB::Table", "SSESpecification"): _NOTHING_IS_ENCRYPTED,
    ("AWS::Lambda::Function", "KmsKeyArn"): _NOTHING_IS_ENCRYPTED,
    ("AWS::Logs::LogGroup", "KmsKeyId"): _NOTHING_IS_ENCRYPTED,
    ("AWS::SQS::Queue", "KmsMasterKeyId"): _NOTHING_IS_ENCRYPTED,
    ("AWS::Lambda::Function", "Code"): (
        "The sandbox runs a function from its built folder (Deployment.code); moto keeps a placeholder."
    ),
    ("AWS::Lambda::Function", "RecursiveLoop"): (
        "The sandbox looks for no loops between functions and queues; our functions count their own hops."
    ),
    ("AWS::Lambda::Function", "VpcConfig"): "The sandbox's functions run on this machine, in no VPC.",
    ("AWS::Lambda::LayerVersion", "Content"): (
        "The sandbox takes a Lambda layer from its built folder (Deployment.code); moto keeps a placeholder."
    ),
}
"""By resource type and property."""

ATTRIBUTES: Mapping[str, str] = {
    "DeletionPolicy": "A sandbox is thrown away as a whole; no stack of it is ever updated or deleted.",
    "Metadata": "Notes for build tools; CloudFormation itself does nothing with them.",
    "UpdateReplacePolicy": "A sandbox is thrown away as a whole; no stack of it is ever updated or deleted.",
}
"""By attribute of a resource beside its Type and Properties; moto's stack acts on Condition and DependsOn."""
