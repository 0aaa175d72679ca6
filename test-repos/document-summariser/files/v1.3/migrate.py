#!/usr/bin/env python3
"""python3 migrate.py FROM TO: brings the memory of version FROM into the form that version TO reads."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

MEMORY = Path(__file__).resolve().parent / "memory.sqlite"
SCHEMA_2_SINCE = (1, 3)
TO_SCHEMA_1 = """
BEGIN IMMEDIATE;
CREATE TABLE exchanges (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  asked_at TEXT NOT NULL,
  question TEXT NOT NULL,
  answer TEXT NOT NULL
);
CREATE INDEX exchanges_by_question ON exchanges (question);
INSERT INTO exchanges (id, asked_at, question, answer) SELECT id, asked_at, question, answer FROM conversations;
DROP TABLE conversations;
PRAGMA user_version = 1;
COMMIT;
"""


def main(to):
    # The way forward is taken by the agent itself when it starts.
    if not MEMORY.exists() or minor_of(to) >= SCHEMA_2_SINCE:
        return
    with closing(sqlite3.connect(MEMORY, timeout=10)) as database:
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'conversations'").fetchone():
            database.executescript(TO_SCHEMA_1)
            print(f"memory.sqlite is as version {to} reads it")


def minor_of(version):
    return tuple(int(part) for part in version.split(".")[:2])


if __name__ == "__main__":
    main(sys.argv[2])
