import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config_file import ConfigError, parse_config
from logic import Agent
from memory import Memory
from summary import sentences_of, summarise
from templates import PromptError, render
from toolbox import ToolError


class ConfigTest(unittest.TestCase):
    def test_reads_nested_values_lists_and_comments(self):
        text = "name: a # who\nanswer:\n  sentences: 2\n  weight: 4.5\nwords: [a, 'b c']\nlist:\n  - one\n  - true\n"
        self.assertEqual(
            parse_config(text),
            {"name": "a", "answer": {"sentences": 2, "weight": 4.5}, "words": ["a", "b c"], "list": ["one", True]},
        )

    def test_names_the_line_of_a_mistake(self):
        with self.assertRaisesRegex(ConfigError, "config:2"):
            parse_config("name: a\nwhat is this\n")


class SummaryTest(unittest.TestCase):
    def test_headings_are_not_sentences(self):
        self.assertEqual(sentences_of("# Title\n\nOne is here. Two is there."), ["One is here.", "Two is there."])

    def test_prefers_the_words_that_are_asked_for(self):
        text = "Cats sleep all day. Dogs guard the house. Birds sing."
        self.assertEqual(summarise(text, 1, question="Who guards?", question_weight=4), ["Dogs guard the house."])


class AgentTest(unittest.TestCase):
    def test_answers_from_the_handbook(self):
        self.assertIn("seven years", Agent().answer("How long are invoices kept?"))

    def test_refuses_arguments_that_the_schema_does_not_allow(self):
        agent = Agent()
        with self.assertRaisesRegex(ToolError, "out of range"):
            agent.tools.call("summarise", text="One.", sentences=0)
        with self.assertRaisesRegex(ToolError, "not known"):
            agent.tools.call("read_document", path="README.md", mode="w")

    def test_a_prompt_may_ask_only_for_what_there_is(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "x.md").write_text("{unknown}")
            with self.assertRaisesRegex(PromptError, "unknown"):
                render(folder, "x", {"question": ""})


class MemoryTest(unittest.TestCase):
    def test_remembers_and_keeps_a_bound(self):
        with tempfile.TemporaryDirectory() as folder:
            memory = Memory(Path(folder, "memory.sqlite"), keep=2)
            for question in ("one", "two", "three", "three"):
                memory.remember(question, "answer")
            self.assertEqual((memory.size(), memory.times_asked("three"), memory.times_asked("one")), (2, 2, 0))


if __name__ == "__main__":
    unittest.main()
