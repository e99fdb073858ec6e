"""Who may do what: policies, what they say together, and a log of every decision.

Not evaluated: session policies, and the service control and resource control policies of an organization.
"""
