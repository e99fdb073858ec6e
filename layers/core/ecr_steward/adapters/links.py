"""The ``Link`` header (RFC 8288), as far as listings use it."""

import re

_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w*!#$%&\'+.^`|~-]+\s*(?:=\s*(?:"[^"]*"|[^",;<>\s]*))?)*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^",;<>\s]*))', re.IGNORECASE)


def next_link(header: str | None) -> str | None:
    """The target of ``rel="next"``, absolute or relative as the server wrote it; ``None`` where there is none."""
    for target, parameters in _LINK.findall(header or ""):
        rel = _REL.search(parameters)
        if rel and "next" in (rel[1] or rel[2] or "").lower().split():
            return str(target)
    return None
