"""One workload's rollout: what was observed, the decision, what its status says; pure.

Belongs here: what the controller decides out of one look at a workload and its pods.
"""
