"""What the clients of registries refuse to take, in one table, which docs/limits.md explains.

A registry can be hostile or broken; these keep it from filling the memory or the time of a function. Each limit is
tested at its value and one beyond.
"""

from ecr_steward.domain import images

MANIFEST_BYTES = images.MANIFEST_LIMIT
"""Also of one page of a list."""
VALUES = 250_000
"""In a manifest, an index or a page of referrers: a thousand layers with forty annotations each have a third of it."""
CONFIG_BYTES = images.MANIFEST_LIMIT
"""Of an image config, which no specification limits; those of large images have some tens of KiB."""
ERROR_BYTES = 1024 * 1024
"""Of an answer that refuses something; the rest is left unread."""
TOKEN_BYTES = 1024 * 1024
"""Of a token server's answer."""
DEPTH, PARTS = images.DEPTH_LIMIT, images.PARTS_LIMIT
"""Of one image's indexes and referrers. Whoever walks them knows no adapter."""
CHILDREN = 1_000
"""Manifests in an index, and layers in a manifest."""
REFERRERS = 10_000
"""Of one image, over all pages."""
IMAGE_TAGS = 100_000
"""Of one repository, over all pages."""
PAGES = 10_000
"""Of one list; none may come twice."""
LIST_SECONDS, ENTRIES_PER_SECOND = 20, 50
"""For a list as a whole, and a second more for so many entries that have come."""
LIST_BYTES = 32 * 1024 * 1024
"""Of all pages of one list together."""
RESUMES = 100
"""How often a blob's download may break and go on, each time by a byte at least."""
REDIRECTS = 5
"""From a blob, a manifest or a list to where it is kept; ECR needs one."""
RETRY_AFTER_SECONDS = 20
"""That ``Retry-After`` makes us wait for one answer, in all; a registry that wants more is left."""
AT_ONCE_SECONDS = 3
"""That requests of a kind are refused with ``Retry-After: 0``, one after the other; then a job takes that for a no."""
RETRIES = 200
"""Of all requests of a job together, or of a run of a command; beyond them the first failure counts."""
RETRY_EARNED = 0.1
"""What a request that is answered gives back of a retry."""
CONNECT_SECONDS = 5
READ_SECONDS = 30
"""Without a single byte."""
SMALL_ANSWER_SECONDS = 20
"""For a manifest, a config, a token or a page of a list as a whole, however steadily it comes; for a page with all its
tries and waits."""
TOKEN_SECONDS = 20
"""For a token, whatever its server asks us to wait for."""
DRIP_SECONDS, DRIP_BYTES = 15, 16 * 1024
"""So many bytes at least must come in so many seconds of waiting."""
DRIP_PARTS = 8
"""What so little comes in, or it is no drip but a network that stalls, which may happen once in a row."""
HEADER_BYTES = 64 * 1024
"""Status line and headers of one answer."""
HEADER_SECONDS = 20
"""From their first byte to their last."""
BLOB_CHUNK_BYTES = 256 * 1024
PUT_IMAGE_QUOTA = 10
"""What ECR takes of PutImage from an account in a region, a second ("Amazon ECR service quotas")."""
PUTS_A_SECOND = PUT_IMAGE_QUOTA * 4 // 5
"""Of them, by all copy jobs together: the others are left to people's own pushes."""
