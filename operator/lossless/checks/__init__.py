"""What can be wrong with a set-up: one small pure function per question, in one ordered list.

``setup`` holds what is looked at, ``catalogue`` the list, the other modules the questions by the
object that they are about. Every check has a stable code and a paragraph in ``docs/checks.md``.
"""
