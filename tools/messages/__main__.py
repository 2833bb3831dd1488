"""Writes the page anew."""

from tools.messages.page import PAGE, render
from tools.messages.trees import collect

if __name__ == "__main__":
    PAGE.write_text(render(collect()))
