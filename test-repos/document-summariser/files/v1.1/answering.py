"""How a question is answered: with the sentences that fit it best, out of the passages that fit it best."""

NOTHING = "The documents do not say."


def answer_values(agent, question):
    """The values that prompts/answer.md is filled with."""
    settings = agent.config["answer"]
    passages = agent.tools.call("find_passages", question=question, limit=settings["passages"])
    text = "\n\n".join(passage["text"] for passage in passages)
    sentences = agent.tools.call("summarise", text=text, sentences=settings["sentences"], question=question)
    sources = sorted({passage["source"] for passage in passages})
    return {"question": question, "answer": " ".join(sentences) or NOTHING, "sources": ", ".join(sources) or "nothing"}
