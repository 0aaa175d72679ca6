"""What the agent remembers: questions and answers in SQLite, counters in state.json."""

import json
import os
import sqlite3
from contextlib import closing
from datetime import datetime, timezone

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS exchanges (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  asked_at TEXT NOT NULL,
  question TEXT NOT NULL,
  answer TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS exchanges_by_question ON exchanges (question);
"""


class Memory:
    """One SQLite file in WAL mode, so that the server can read while it writes."""

    def __init__(self, path, keep):
        self.path = str(path)
        self.keep = keep
        with closing(self.connect()) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(SCHEMA)
            database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def connect(self):
        return sqlite3.connect(self.path, timeout=10)

    def remember(self, question, answer):
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        with closing(self.connect()) as database, database:
            database.execute(
                "INSERT INTO exchanges (asked_at, question, answer) VALUES (?, ?, ?)", (now, question, answer)
            )
            database.execute(
                "DELETE FROM exchanges WHERE id <= (SELECT MAX(id) FROM exchanges) - ?", (self.keep,)
            )

    def times_asked(self, question):
        with closing(self.connect()) as database:
            return database.execute("SELECT COUNT(*) FROM exchanges WHERE question = ?", (question,)).fetchone()[0]

    def size(self):
        with closing(self.connect()) as database:
            return database.execute("SELECT COUNT(*) FROM exchanges").fetchone()[0]

    def latest(self, count):
        with closing(self.connect()) as database:
            return database.execute(
                "SELECT asked_at, question FROM exchanges ORDER BY id DESC LIMIT ?", (count,)
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
