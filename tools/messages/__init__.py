"""``python -m tools.messages``: writes docs/reference/messages.md out of the programs' sources.

Nobody keeps a list of messages by hand: what is shown there is read out of the syntax trees, with
placeholders in braces where a message has a value. So the words of a message lead to its place.
"""
