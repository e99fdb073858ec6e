"""ECR Steward: a registry that keeps itself to a written rulebook.

Rooms, each allowed to import only those below it (checked by import-linter)::

    entry       what every Lambda handler does around its job: log, metrics, failure exits
    bootstrap   wires ports to adapters; the only reader of the environment
    usecases    one function per job: gather facts, plan, apply, report an outcome
    adapters    boto3 and HTTP live here and nowhere else
    events      payloads we receive and send, as pydantic models; JSON keys end here
    rulebook    the rulebook as pydantic models, compiled to domain rules
    ports       what the use cases need from the world, as Protocols
    domain      frozen dataclasses and pure functions; standard library only
    errors      the error tree
"""
