"""The controller's shell: queue, index, election, loops; against an API server in memory."""
