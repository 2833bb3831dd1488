"""Pages: one HTML file each, with everything in it and nothing to load.

``element`` makes markup, ``frame`` what all pages have in common, ``axis`` and ``history_page``
what is drawn; all pure. ``destination`` writes the file.
"""
