"""Finds the paragraphs that fit a question: rare words count for more (TF-IDF)."""

import math
import re
from collections import Counter
from pathlib import Path

from summary import words_of


def passages_of(folder):
    """Every paragraph of running text in the documents of `folder`, with its source."""
    for path in sorted(Path(folder).glob("*.md")):
        for part in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
            if part.strip() and not part.lstrip().startswith("#"):
                yield {"source": path.name, "text": " ".join(part.split())}


def find_passages(folder, question, limit, stop_words):
    """The `limit` best passages, best first; none that shares no word with the question."""
    passages = list(passages_of(folder))
    stop_words = frozenset(stop_words)
    counts = [Counter(words_of(passage["text"], stop_words)) for passage in passages]
    found_in = Counter(word for count in counts for word in count)
    asked = set(words_of(question, stop_words))

    def score(index):
        total = sum(counts[index].values()) or 1
        return sum(counts[index][word] / total * math.log(1 + len(passages) / found_in[word]) for word in asked & counts[index].keys())

    scored = [(score(index), -index) for index in range(len(passages))]
    best = sorted((pair for pair in scored if pair[0] > 0), reverse=True)[:limit]
    return [{**passages[-negative], "score": round(value, 4)} for value, negative in best]
