#!/usr/bin/env python3
"""How long an answer takes, without what is remembered of it."""

import statistics
import time

QUESTIONS = ["How long are invoices kept?", "Who approves a release?", "When does the support desk open?"]
ROUNDS = 30


def describe_bench(agent):
    durations = []
    for _ in range(ROUNDS):
        for question in QUESTIONS:
            started = time.perf_counter()
            agent.answer(question)
            durations.append((time.perf_counter() - started) * 1000)
    durations.sort()
    slowest = durations[int(len(durations) * 0.95)]
    return f"{len(durations)} answers, median {statistics.median(durations):.2f} ms, 95 % within {slowest:.2f} ms"


if __name__ == "__main__":
    from logic import Agent

    print(describe_bench(Agent()))
