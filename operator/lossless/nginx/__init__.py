"""nginx at a developer's desk: prints the close-frame snippet, checks a real configuration.

Belongs here: reading nginx's own configuration language, and what its directives do to a drain.
Forbidden here: every third-party import, and running nginx: the check reads files and nothing else.
"""
