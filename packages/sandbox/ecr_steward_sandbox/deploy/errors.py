"""Why a template could not be deployed into the sandbox.

::

    DeployError
    ├── BuildError               the built folder lacks what its template names
    ├── TemplateError            the template, or a parameter for it, is refused before anything runs
    │   ├── UnknownTypeError     a resource type that the sandbox has no model of
    │   ├── UnknownPropertyError a property that is neither created nor listed in not_simulated
    │   ├── UnknownReferenceError  a Ref, GetAtt, Sub, DependsOn or Condition that points at nothing
    │   └── RefusedError         a value that AWS refuses and moto takes
    ├── CreationError            moto refused to create a resource
    └── DifferenceError          what exists is not what the template says
"""


class DeployError(Exception):
    """Base of the tree. Never raised itself."""


class BuildError(DeployError):
    """The built folder lacks what its template names: build again."""


class TemplateError(DeployError):
    """The template, or a parameter for it, is refused before anything runs."""


class UnknownTypeError(TemplateError):
    """A resource type that the sandbox has no model of."""


class UnknownPropertyError(TemplateError):
    """A property that the sandbox neither creates nor lists, with its reason, as not simulated."""


class UnknownReferenceError(TemplateError):
    """An intrinsic, DependsOn or Condition that points at nothing. moto would put an empty string in its place."""


class RefusedError(TemplateError):
    """A value that AWS refuses when the resource is created, and moto takes. The rest of the stack exists by then."""


class CreationError(DeployError):
    """moto, or the service model of boto3, refused to create a resource."""


class DifferenceError(DeployError):
    """What exists in moto is not what the template says."""
