"""``python -m monitoring``: write the documents and the dashboard anew."""

import sys

from monitoring.files import made

for path, text in made().items():
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        sys.stdout.write(f"{path}\n")
