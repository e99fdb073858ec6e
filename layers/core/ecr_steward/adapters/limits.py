"""What the clients of registries refuse to take, in one table. Each limit is tested at its value and one beyond.

A registry can be hostile or broken; these keep it from filling the memory or the time of a function.
"""

from ecr_steward.domain.images import MANIFEST_LIMIT

MANIFEST_BYTES = MANIFEST_LIMIT
"""Also of one page of referrers."""
CONFIG_BYTES = MANIFEST_LIMIT
"""Of an image config, which no specification limits; those of large images have some tens of KiB."""
ERROR_BYTES = 64 * 1024
"""Of an answer that refuses something; the rest is left unread."""
TOKEN_BYTES = 1024 * 1024
"""Of a token server's answer."""
CHILDREN = 1_000
"""Manifests in an index, and layers in a manifest."""
REFERRERS = 10_000
"""Of one image, over all pages."""
PAGES = 10_000
REDIRECTS = 5
"""From a blob to where it is stored; ECR needs one."""
RETRY_AFTER_SECONDS = 20
"""However long ``Retry-After`` wants us to wait."""
CONNECT_SECONDS = 5
READ_SECONDS = 30
"""Without a single byte."""
SMALL_ANSWER_SECONDS = 60
"""For a manifest, a config or a page of referrers as a whole, however steadily it drips."""
BLOB_CHUNK_BYTES = 256 * 1024
