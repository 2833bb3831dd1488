"""The one process that paces rollouts and reports on them: watch, gather, decide, apply.

Belongs here: what wakes it, who leads, the queue, and kopf, which is its front end for the custom
resource. Forbidden here: what follows from what was seen; that is ``lossless.model.rollout``.
"""
