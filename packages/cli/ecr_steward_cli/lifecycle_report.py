"""A lifecycle preview as people read it: by rule, counted, then the images."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Final, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ecr_steward.domain.lifecycle.policy import Action
from ecr_steward_cli.lifecycle_preview import ECR, Going, Preview

MOST_IMAGES: Final = 20
"""Images that are shown of a repository; the rest is counted."""
_SHOWN_TAGS: Final = 3
_DOES: Final = {Action.EXPIRE: "expire", Action.ARCHIVE: "archive"}


def show_previews(previews: Iterable[Preview], stream: TextIO, *, full: bool) -> None:
    """Print previews. Colours only on a terminal, and never with NO_COLOR."""
    console = Console(file=stream, highlight=False, emoji=False, markup=False)
    for number, preview in enumerate(previews):
        if number:
            console.print()
        _show(preview, console, full=full)


def _show(preview: Preview, console: Console, *, full: bool) -> None:
    going, total = preview.going, len(preview.stored.images)
    console.print(Text(preview.stored.name or "(unnamed repository)", style="bold"), soft_wrap=True)
    console.print(f"  by {preview.intent.source}: of {_counted(total, 'image')}, {_sum(preview)}", soft_wrap=True)
    if going:
        marks = _marks(going)
        console.print(_by_rule(preview, marks))
        console.print()
        shown = going if full else going[:MOST_IMAGES]
        console.print(_by_image(shown, marks))
        if len(shown) < len(going):
            console.print(f"  and {_counted(len(going) - len(shown), 'image')} more, shown with --full")
    for note in preview.notes:
        console.print(Text(f"  note: {note}", style="yellow"), soft_wrap=True)


def _marks(going: Iterable[Going]) -> dict[str, str]:
    """A short name for each rule that claims images: its priority, or a number for an entry that the sweep does."""
    numbers = (f"sweep {number}" for number in count(1))
    marks: dict[str, str] = {}
    for one in going:
        if _rule(one) not in marks:
            of_ecr = "subject" if one.follows else f"ECR {one.priority}"
            marks[_rule(one)] = of_ecr if one.by == ECR else next(numbers)
    return marks


def _sum(preview: Preview) -> str:
    parts = []
    for action, verb in ((Action.EXPIRE, "would go"), (Action.ARCHIVE, "would be archived")):
        of_action = [one for one in preview.going if one.action is action]
        if of_action:
            parts.append(f"{len(of_action)} {verb}{_size(preview, of_action)}")
    stay = len(preview.stored.images) - len({one.image.digest for one in preview.going})
    return ", ".join([*parts, f"{stay} would stay"])


def _size(preview: Preview, going: Iterable[Going]) -> str:
    size = sum(preview.stored.sizes.get(one.image.digest, 0) for one in going)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f" ({size:.0f} {unit})" if size else ""
        size /= 1024  # type: ignore[assignment]
    return f" ({size:.1f} TiB)"


def _by_rule(preview: Preview, marks: Mapping[str, str]) -> Table:
    table = Table(box=None, pad_edge=True, padding=(0, 1, 0, 1))
    table.add_column("rule", no_wrap=True)
    table.add_column("images", justify="right")
    table.add_column("what it says")
    counts = Counter(map(_rule, preview.going))
    for rule, mark in marks.items():
        table.add_row(mark, str(counts[rule]), Text(rule))
    return table


def _rule(one: Going) -> str:
    """What claims an image, in words."""
    if one.follows and one.by == ECR:
        return f"{_DOES[one.action]} referrers with their subject"
    return "expire what belongs to those only" if one.follows else one.says


def _by_image(going: Sequence[Going], marks: Mapping[str, str]) -> Table:
    table = Table(box=None, pad_edge=True, padding=(0, 1, 0, 1))
    for name in ("image", "pushed", "last pulled", "when", "rule", "image tags"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for one in going:
        image = one.image
        tags = sorted(image.image_tags)
        more = f" and {len(tags) - _SHOWN_TAGS} more" if len(tags) > _SHOWN_TAGS else ""
        table.add_row(
            image.digest.hex[:12],
            f"{image.pushed_at:%Y-%m-%d}",
            f"{image.last_pulled_at:%Y-%m-%d}" if image.last_pulled_at else "never",
            _when(one),
            marks[_rule(one)],
            Text(", ".join(tags[:_SHOWN_TAGS]) + more),
        )
    return table


def _when(one: Going) -> str:
    if one.when:
        return f"{one.when:%Y-%m-%d}" if one.by == ECR else f"by {one.when:%Y-%m-%d}"
    return "in 24 hours" if one.by == ECR else "next sweep"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
