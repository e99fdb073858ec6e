"""Each function, with each of its events, under the real ``sam local invoke``; checked by what changed in the sandbox.

``python -m sam_local`` (``make sam-local``) runs it. SAM exits 0 whatever a function does, so its word is not enough:
the registries and queues of the sandbox are compared before and after.
"""
