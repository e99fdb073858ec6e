"""All thirty attacks."""

from lab.hostile import floods, lies, logins, transfers
from lab.hostile.attack import Attack

ATTACKS: tuple[type[Attack], ...] = tuple(
    sorted(
        (*logins.ATTACKS, *lies.ATTACKS, *floods.ATTACKS, *transfers.ATTACKS),
        key=lambda attack: attack.number,
    )
)
