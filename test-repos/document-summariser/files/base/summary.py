"""Extractive summaries: sentences are weighed by how often their words occur in the text, and the heaviest are kept in order."""

import re
from collections import Counter

WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|\d+")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'])")


def words_of(text, stop_words=()):
    return [stem(word) for word in WORD.findall(text.lower()) if word not in stop_words]


def stem(word):
    """A rough English stem, enough to make `invoices` meet `invoice`."""
    for ending in ("ing", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)].rstrip("e")
    return word.rstrip("e") if len(word) > 3 else word


def sentences_of(text):
    """The sentences of running text; headings, lists and tables of Markdown are not sentences."""
    paragraphs = re.split(r"\n\s*\n", text)
    running = [" ".join(part.split()) for part in paragraphs if not re.match(r"\s*(#|[-*|]|\d+\.)", part)]
    return [sentence for part in running for sentence in SENTENCE_END.split(part) if sentence]


def summarise(text, count, stop_words=(), shortest=0, question="", question_weight=0.0):
    """The `count` heaviest sentences of `text`, in their order. Words of `question` weigh more."""
    stop_words = frozenset(stop_words)
    sentences = [sentence for sentence in sentences_of(text) if len(sentence) >= shortest]
    frequency = Counter(words_of(text, stop_words))
    asked = set(words_of(question, stop_words))
    most = max(frequency.values(), default=1)

    def weight(sentence):
        words = words_of(sentence, stop_words)
        if not words:
            return 0.0
        common = sum(frequency[word] / most for word in words) / len(words)
        return common + question_weight * len(asked.intersection(words))

    ranked = sorted(range(len(sentences)), key=lambda index: (-weight(sentences[index]), index))
    return [sentences[index] for index in sorted(ranked[:count])]
