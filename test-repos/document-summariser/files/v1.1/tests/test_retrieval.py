import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from logic import Agent


class RetrievalTest(unittest.TestCase):
    def test_finds_the_document_that_knows(self):
        passages = Agent().tools.call("find_passages", question="Who approves a release?", limit=1)
        self.assertEqual([passage["source"] for passage in passages], ["releases.md"])

    def test_finds_nothing_where_no_word_fits(self):
        self.assertEqual(Agent().tools.call("find_passages", question="Quantum chromodynamics?"), [])


if __name__ == "__main__":
    unittest.main()
