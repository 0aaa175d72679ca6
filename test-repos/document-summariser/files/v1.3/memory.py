"""What the agent remembers: questions and answers in SQLite, counters in state.json."""

import json
import os
import sqlite3
from contextlib import closing
from datetime import datetime, timezone

SCHEMA_VERSION = 2
SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  asked_at TEXT NOT NULL,
  question TEXT NOT NULL,
  answer TEXT NOT NULL,
  words INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS conversations_by_question ON conversations (question);
"""
# Since schema 2 the length of an answer is kept with it.
FROM_SCHEMA_1 = """
INSERT INTO conversations (id, asked_at, question, answer, words)
  SELECT id, asked_at, question, answer, length(answer) - length(replace(answer, ' ', '')) + 1 FROM exchanges;
DROP TABLE exchanges;
"""


class Memory:
    """One SQLite file in WAL mode, so that the server can read while it writes."""

    def __init__(self, path, keep):
        self.path = str(path)
        self.keep = keep
        with closing(self.connect()) as database:
            database.execute("PRAGMA journal_mode = WAL")
            old = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'exchanges'").fetchone()
            database.executescript(f"BEGIN IMMEDIATE; {SCHEMA} {FROM_SCHEMA_1 if old else ''} COMMIT;")
            database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def connect(self):
        return sqlite3.connect(self.path, timeout=10)

    def remember(self, question, answer):
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        with closing(self.connect()) as database, database:
            database.execute(
                "INSERT INTO conversations (asked_at, question, answer, words) VALUES (?, ?, ?, ?)",
                (now, question, answer, len(answer.split())),
            )
            database.execute(
                "DELETE FROM conversations WHERE id <= (SELECT MAX(id) FROM conversations) - ?", (self.keep,)
            )

    def times_asked(self, question):
        with closing(self.connect()) as database:
            return database.execute("SELECT COUNT(*) FROM conversations WHERE question = ?", (question,)).fetchone()[0]

    def size(self):
        with closing(self.connect()) as database:
            return database.execute("SELECT COUNT(*) FROM conversations").fetchone()[0]

    def latest(self, count):
        with closing(self.connect()) as database:
            return database.execute(
                "SELECT asked_at, question FROM conversations ORDER BY id DESC LIMIT ?", (count,)
            ).fetchall()


def count_up(path, counter):
    """Adds one to a counter of state.json; a reader never sees half a file."""
    try:
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
    except FileNotFoundError:
        state = {}
    state[counter] = state.get(counter, 0) + 1
    aside = f"{path}.{os.getpid()}.new"
    with open(aside, "w", encoding="utf-8") as file:
        json.dump(state, file, indent=2, sort_keys=True)
        file.write("\n")
    os.replace(aside, path)
