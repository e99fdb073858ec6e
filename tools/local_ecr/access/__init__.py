"""Who may do what: policies, what they say together, and a log of every decision.

Not evaluated: permission boundaries, session policies, service control policies and ECR's registry policy.
"""
