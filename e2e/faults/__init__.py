"""Faults of the product and of the cluster, each in the middle of a lossless rollout under load.

Belongs here: how a fault is made and undone on the real cluster, what a rollout must be like under
it, and the table that ``python -m e2e.faults`` prints. A fault proves nothing unless it was seen
to be there, so each insists on its effect before the rollout goes on.
"""
