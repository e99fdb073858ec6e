"""Which deployed steward's state a plan heeds."""

from dataclasses import dataclass

import typer

from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.caller import Caller
from ecr_steward_cli.refusal import refuse
from ecr_steward_cli.stacks import USUAL_STACK, StackUnknownError, table_of_stack, table_of_usual_stack

_ALONE = "no pause, brake or release of a deployed steward counts, and `undo` will not know of what is done here"


@dataclass(frozen=True)
class Deployed:
    """A deployed steward, as a person names it."""

    stack_name: str | None = None
    """``None``: the stack with the usual name, if there is one."""
    table_name: str | None = None
    """Its state table, which then need not be asked for."""
    is_left_out: bool = False
    """Whether no deployed steward is to count."""

    def table(self, caller: Caller, *, to_apply: bool) -> str | None:
        """The state table that counts, or ``None``; where none was named, one line on standard error says which.

        Where the usual stack cannot be looked for, a plan goes on without it, and nothing is applied: there could be a
        pause. Raises SystemExit then, and where a named stack does not say its table.
        """
        if self.is_left_out:
            if self.stack_name:
                refuse("--no-stack leaves out what --stack-name names: give one of them", Code.WRONG_USE)
            return None
        if self.table_name:
            return self.table_name
        if self.stack_name:
            return table_of_stack(self.stack_name, caller)
        try:
            found = table_of_usual_stack(caller)
        except StackUnknownError as error:
            unknown = f"whether there is a stack {USUAL_STACK} in {caller.region}, and a pause, is not known: {error}"
            if to_apply:
                refuse(f"{unknown}. Name it with --stack-name or --table, or give --no-stack", Code.STATE_TABLE)
            typer.echo(f"note: {unknown}", err=True)
            return None
        if found is None:
            typer.echo(f"note: no stack {USUAL_STACK} in {caller.region}: {_ALONE}", err=True)
        else:
            typer.echo(f"note: pause, brakes, journal and releases of the stack {USUAL_STACK} count", err=True)
        return found
