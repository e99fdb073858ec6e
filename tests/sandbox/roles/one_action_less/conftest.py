"""The scenarios by their names."""

from collections.abc import Mapping

import pytest

from tests.sandbox.roles.one_action_less.of_copies import (
    Publish,
    Replicate,
    ReplicateFromSpoke,
    ReplicateToBare,
    ReplicateToNewRepository,
    ReplicateWhatIsUnderWay,
    SweepBefore,
    SweepBeforeInSpoke,
    SweepFailedBefore,
    SweepFailedBeforeInSpoke,
    SweepNative,
    SweepNativeInSpoke,
    SweepPublished,
    Withdraw,
)
from tests.sandbox.roles.one_action_less.of_deliveries import (
    Refresh,
    checked,
    forwarded,
    malformed,
    postponed,
    released,
    scheduled,
)
from tests.sandbox.roles.one_action_less.of_images import (
    Enforce,
    EnforceCopied,
    EnforceInSpoke,
    EnforceLabels,
    EnforceTagged,
    Evaluate,
    EvaluateTagged,
    Retain,
    Sweep,
    Watch,
)
from tests.sandbox.roles.one_action_less.of_settings import (
    Apply,
    ApplyElsewhere,
    ApplyElsewhereInSpoke,
    ApplyInSpoke,
    ApplyToRegistry,
    ApplyToRegistryInSpoke,
    Bare,
    BareInSpoke,
    Braked,
    Reported,
    SweepBare,
    SweepElsewhere,
    SweepRegistries,
)
from tests.sandbox.roles.one_action_less.scenario import HUB, POLLED, SPOKE, Scenario

FUNCTIONS = (Apply, Enforce, Evaluate, Replicate, Sweep, Refresh)
NOTIFYING = {
    "watch": Watch,
    "braked": Braked,
    "evaluate": Evaluate,
    "replicate": Replicate,
    "sweep": Sweep,
    "refresh": Refresh,
}
SWEEPING = scheduled("ReconcileRegistryFunctionSweep", "hub/SweepScheduleRole", Sweep)
REFRESHING = scheduled("RefreshCredentialsFunctionRefresh", "hub/CredentialScheduleRole", Refresh)
SCENARIOS: Mapping[str, type[Scenario]] = {
    "apply": Apply,
    "apply in the spoke": ApplyInSpoke,
    "apply to a registry": ApplyToRegistry,
    "apply to a registry in the spoke": ApplyToRegistryInSpoke,
    "apply elsewhere": ApplyElsewhere,
    "apply elsewhere in the spoke": ApplyElsewhereInSpoke,
    "sweep registries": SweepRegistries,
    "sweep registries elsewhere": SweepElsewhere,
    "bare": Bare,
    "bare in the spoke": BareInSpoke,
    "sweep what is to be bare": SweepBare,
    "retain": Retain,
    "sweep what ECR copies": SweepNative,
    "sweep what ECR copies in the spoke": SweepNativeInSpoke,
    "sweep what was there before": SweepBefore,
    "sweep what was there before in the spoke": SweepBeforeInSpoke,
    "sweep what ECR failed to bring": SweepFailedBefore,
    "sweep what ECR failed to bring in the spoke": SweepFailedBeforeInSpoke,
    "replicate to what is to be bare": ReplicateToBare,
    "enforce": Enforce,
    "enforce what is copied": EnforceCopied,
    "enforce in the spoke": EnforceInSpoke,
    "enforce labels": EnforceLabels,
    "enforce by resource tags": EnforceTagged,
    "evaluate by resource tags": EvaluateTagged,
    **NOTIFYING,
    "replicate to a new repository": ReplicateToNewRepository,
    "replicate from the spoke": ReplicateFromSpoke,
    "replicate what is under way": ReplicateWhatIsUnderWay,
    "withdraw": Withdraw,
    "publish": Publish,
    "report": Reported,
    "sweep what is to be published": SweepPublished,
    **{f"{name}, and the bus refuses": released(scenario) for name, scenario in NOTIFYING.items()},
    **{f"malformed for {one.function}": malformed(one.function, POLLED.get(one.function)) for one in FUNCTIONS},
    "malformed part of a sweep": malformed(Sweep.function, "ReconcileRegistryQueue"),
    **{f"{name} later": postponed(NOTIFYING[name]) for name in ("evaluate", "replicate")},
    "forward from the hub": forwarded(HUB),
    "forward from the spoke": forwarded(SPOKE),
    "check the hub": checked(HUB),
    "check the spoke": checked(SPOKE),
    **dict(zip(("start the sweep", "cannot start the sweep"), SWEEPING, strict=True)),
    **dict(zip(("start the refresh", "cannot start the refresh"), REFRESHING, strict=True)),
}


@pytest.fixture(scope="session")
def scenarios() -> Mapping[str, type[Scenario]]:
    """Every scenario by its name."""
    return SCENARIOS
