#!/usr/bin/env python3
"""python3 migrate.py FROM TO: brings the memory of version FROM into the form that version TO reads."""

# Every version so far keeps it in the same form.
