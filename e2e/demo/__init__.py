"""``python -m e2e.demo``: three rollouts of one service under load, and the table of what was lost."""
