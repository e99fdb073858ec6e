"""What accounts and forget-account do."""

import json

import typer

from ecr_steward.domain.announcements import quiet
from ecr_steward_cli.exit_codes import FAILED
from ecr_steward_cli.refusal import told
from ecr_steward_cli.remembered import Remembered
from ecr_steward_cli.where import Where


def accounts(where: Where, *, as_json: bool) -> None:
    """Show the accounts that have announced themselves. Raises typer.Exit with 1 where one has not for a day."""
    remembered = Remembered(where)
    with told():
        noted = remembered.announcements.noted()
    silent = set(quiet(noted, remembered.now()))
    if as_json:
        rows = [
            {
                "account": each.registry.account,
                "region": each.registry.region,
                "seen": each.at.isoformat(),
                "quiet": each in silent,
            }
            for each in noted
        ]
        typer.echo(json.dumps(rows, indent=2))
    else:
        for each in noted:
            late = "  no self-check for a day" if each in silent else ""
            typer.echo(f"{each.registry.account}  {each.registry.region}  {each.at:%Y-%m-%d %H:%M} UTC{late}")
        if not noted:
            typer.echo("no account has announced itself", err=True)
    if silent:
        raise typer.Exit(FAILED)


def forget_account(where: Where, account: str) -> None:
    """Delete what is noted of an account."""
    with told():
        forgotten = Remembered(where).announcements.forget(account)
    if not forgotten:
        typer.echo(f"nothing is noted of {account}", err=True)
        return
    regions = ", ".join(each.registry.region for each in forgotten)
    typer.echo(f"{account} is not connected any more, within a minute; it was in {regions}", err=True)
    typer.echo("while its stack is there, its next self-check connects it again", err=True)
