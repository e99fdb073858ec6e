"""Why a template could not be deployed into the sandbox.

::

    DeployError
    ├── BuildError               the built folder lacks what its template names
    ├── TemplateError            the template, or a parameter for it, is refused before anything runs
    │   ├── UnknownTypeError     a resource type that the sandbox has no model of
    │   ├── UnknownPropertyError a property that is neither created nor listed in not_simulated
    │   └── RefusedError         a value that the sandbox cannot run by
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


class RefusedError(TemplateError):
    """A value, or a role, that the sandbox cannot run by, and moto takes. The rest of the stack exists by then."""


class CreationError(DeployError):
    """moto, or the service model of boto3, refused to create a resource."""


class DifferenceError(DeployError):
    """What exists in moto is not what the template says."""
