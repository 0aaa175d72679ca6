"""What stands behind each definition in tools/."""

from retrieval import find_passages
from summary import summarise
from toolbox import ToolError


def skills_of(root, config):
    def read_document(path):
        file = (root / path).resolve()
        if root.resolve() not in file.parents:
            raise ToolError(f"{path} is outside the agent's folder")
        return file.read_text(encoding="utf-8")

    def summarise_text(text, sentences=config["summary"]["sentences"], question=""):
        return summarise(
            text,
            sentences,
            stop_words=config["stop_words"],
            shortest=config["summary"]["shortest_sentence"],
            question=question,
            question_weight=config["answer"]["question_weight"],
        )

    def passages(question, limit=config["answer"].get("passages", 2)):
        return find_passages(root / "data", question, limit, config["stop_words"])

    return {"read_document": read_document, "summarise": summarise_text, "find_passages": passages}
