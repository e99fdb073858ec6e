"""``ecr-steward doctor``: looks at a deployed stack from outside, read-only, and says what is wrong and what to do.

``stack`` and ``parts`` read, ``checks`` decide from what was read, ``output`` prints. A new check is one entry in a
file of ``checks``; a new kind of resource is one reader in a file of ``parts``.
"""
