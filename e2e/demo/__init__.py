"""``python -m e2e.demo``: three rollouts of one service under load, as a table of what was lost."""
