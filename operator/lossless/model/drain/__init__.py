"""One pod's drain: the evidence, the rule that ends it, who may stop when; pure.

Belongs here: what the agent decides, and the document with which it is told what to do.
"""
