"""How long rollouts of several sizes take, by who paces them: ``python -m e2e.pace``."""
