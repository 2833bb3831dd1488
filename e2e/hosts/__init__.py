"""Machines without Kubernetes: three hosts behind HAProxy, each in a network namespace of its own.

Belongs here: making and removing them, sshd on each of them, and three ways to publish on all of
them. No cluster is needed, only root, ``ip``, HAProxy, nginx and OpenSSH. Everything is named
``llh-…`` and gone at the end; what a killed run has left is removed by the next one.
"""
