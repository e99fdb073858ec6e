"""What steps, undo, quarantine and release do."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import typer

from ecr_steward.domain.journal import Entry
from ecr_steward.domain.names import ImageRef, image_tag
from ecr_steward.domain.plan import Plan
from ecr_steward.rulebook.codes import Code
from ecr_steward.usecases.by_hand import ByHand
from ecr_steward_cli.image_names import parse_image, resolve
from ecr_steward_cli.refusal import refuse, told
from ecr_steward_cli.remembered import Remembered
from ecr_steward_cli.where import Where


def steps(where: Where, repository: str | None, days: int, *, as_json: bool) -> None:
    """List what the journal has of the last days."""
    remembered = Remembered(where)
    today = remembered.now().date()
    with told():
        entries = [
            entry
            for entry in remembered.journal.entries(today - timedelta(days=days - 1), today)
            if repository is None or (entry.repository is not None and entry.repository.name == repository)
        ]
    if as_json:
        typer.echo(json.dumps([_document(entry) for entry in entries], indent=2))
        return
    for entry in entries:
        typer.echo(f"{entry.id}  {entry.state:8}  {entry.what}\n    {entry.why} ({entry.rule}, by {entry.who})")
    if not entries:
        typer.echo("the journal has no such step", err=True)


def undo(where: Where, step_id: str, *, is_dry: bool, is_forced: bool, days: int) -> None:
    """Undo one step."""
    remembered = Remembered(where)
    with told():
        entry = remembered.journal.entry(step_id) if step_id else None
        if entry is None:
            refuse(
                f"the journal has no step `{step_id}`: `ecr-steward steps` lists those of the last days",
                Code.JOURNAL_STEP,
            )
        hands = remembered.by_hand(is_dry=is_dry)
        plan = hands.undo(entry, is_forced=is_forced, lasting=timedelta(days=days))
    _show(plan, is_dry=is_dry)
    if entry.previous and not plan.is_empty:
        typer.echo(
            "a rule that moves this image tag moves it again after the next push or sweep: change the rule, or pause",
            err=True,
        )


def quarantine(where: Where, image: str, reason: str, *, is_dry: bool) -> None:
    """Take one image out of reach."""
    _check(reason)
    remembered = Remembered(where)
    with told():
        hands = remembered.by_hand(is_dry=is_dry)
        plan = hands.quarantine(_image(image, remembered, hands), reason)
    _show(plan, is_dry=is_dry)


def release(
    where: Where,
    image: str,
    reason: str,
    *,
    image_tags: Sequence[str],
    days: int,
    is_dry: bool,
    is_forced: bool,
) -> None:
    """Give one image back."""
    _check(reason)
    remembered = Remembered(where)
    with told():
        hands = remembered.by_hand(is_dry=is_dry)
        plan = hands.release(
            _image(image, remembered, hands),
            reason,
            image_tags=frozenset(map(image_tag, image_tags)),
            lasting=timedelta(days=days),
            is_forced=is_forced,
        )
    _show(plan, is_dry=is_dry)
    if not is_dry:
        until = remembered.now() + timedelta(days=days)
        typer.echo(f"the rules let it be until {until:%Y-%m-%d}", err=True)


def _image(text: str, remembered: Remembered, hands: ByHand) -> ImageRef:
    name = parse_image(text, remembered.own_registry)
    return resolve(name, lambda repository: dict(hands.registry.images(repository).holders))


def _check(reason: str) -> None:
    if not reason.strip():
        refuse("say why: the journal keeps the reason", Code.REASON)


def _show(plan: Plan, *, is_dry: bool) -> None:
    for step in plan.steps:
        typer.echo(f"{'would ' if is_dry else 'done: '}{step}")
    for remark in plan.remarks:
        typer.echo(remark)
    if plan.is_empty:
        typer.echo("there is nothing to do", err=True)


def _document(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "state": str(entry.state),
        "step": entry.step,
        "what": entry.what,
        "why": entry.why,
        "rule": entry.rule,
        "who": entry.who,
        "account": entry.registry.account,
        "region": entry.registry.region,
        "repository": entry.repository.name if entry.repository else None,
        "digest": entry.digest.value if entry.digest else None,
        "image_tags": list(entry.image_tags),
        "previous": entry.previous.value if entry.previous else None,
    }
