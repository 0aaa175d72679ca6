#!/usr/bin/env python3
"""The document summariser: answers questions about its documents, and summarises texts."""

import argparse
import sqlite3
import sys
from pathlib import Path

from answering import answer_values
from config_file import ConfigError, read_config
from memory import Memory, count_up
from skills import skills_of
from templates import PromptError, render
from toolbox import Toolbox, ToolError

ROOT = Path(__file__).resolve().parent


class Agent:
    def __init__(self, root=ROOT):
        self.root = Path(root)
        self.config = read_config(self.root / "config.yaml")
        self.tools = Toolbox(self.root / "tools", skills_of(self.root, self.config))

    def answer(self, question):
        if not question.strip():
            raise ToolError("ask: the question is empty")
        return render(self.root / "prompts", "answer", answer_values(self, question))

    def summary_of(self, text, title):
        sentences = self.tools.call("summarise", text=text)
        return render(self.root / "prompts", "summary", {"title": title, "summary": "\n".join(sentences)})

    def memory(self):
        settings = self.config["memory"]
        return Memory(self.root / settings["path"], settings["keep"])

    def ask(self, question):
        """Answers, remembers the exchange, and counts it. Where nothing can be written it answers all the same."""
        answer = self.answer(question)
        try:
            self.memory().remember(question, answer)
            count_up(self.root / "state.json", "answered")
        except (OSError, sqlite3.DatabaseError) as error:
            print(f"not remembered: {error}", file=sys.stderr)
        return answer


def describe_memory(memory):
    lines = [f"{memory.size()} answers remembered"]
    lines += [f"{asked_at}  {question}" for asked_at, question in memory.latest(5)]
    return "\n".join(lines)


def run(arguments):
    agent = Agent()
    if arguments.ask is not None:
        print(agent.ask(arguments.ask))
    elif arguments.summarise is not None:
        file = Path(arguments.summarise)
        print(agent.summary_of(file.read_text(encoding="utf-8"), file.name))
        count_up(agent.root / "state.json", "summarised")
    elif arguments.memory:
        print(describe_memory(agent.memory()))
    elif arguments.bench:
        from bench import describe_bench

        print(describe_bench(agent))
    else:
        from server import serve

        serve(agent, arguments.port)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--ask", metavar="QUESTION", help="answer a question about the documents")
    action.add_argument("--summarise", metavar="FILE", help="summarise a text file")
    action.add_argument("--serve", action="store_true", help="answer over HTTP: GET /health, POST /ask")
    action.add_argument("--memory", action="store_true", help="show what was asked before")
    action.add_argument("--bench", action="store_true", help="measure how long an answer takes")
    parser.add_argument("--port", type=int, default=8080, help="for --serve; 0 takes a free one")
    try:
        run(parser.parse_args())
    except (ConfigError, PromptError, ToolError, OSError) as error:
        print(f"logic.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
