"""The state of a deployed steward, in its table."""

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.state_backfills import StateBackfills
from ecr_steward.adapters.state_brakes import StateBrakes
from ecr_steward.adapters.state_journal import StateJournal
from ecr_steward.adapters.state_releases import StateReleases
from ecr_steward.adapters.state_sightings import StateSightings
from ecr_steward.adapters.state_switch import StateSwitch
from ecr_steward.adapters.state_table import StateTable
from ecr_steward_cli.planning.state import State


def deployed_state(clients: AwsClients, name: str) -> State:
    """What the table of this name keeps."""
    table = StateTable(clients, name, utc_now)
    return State(
        StateReleases(table),
        StateSwitch(table, utc_now),
        StateBrakes(table, utc_now),
        StateJournal(table, utc_now),
        sightings=StateSightings(table),
        missed=StateSightings(table, "missed"),
        started_backfills=StateBackfills(table),
    )
