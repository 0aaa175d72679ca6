"""How a question is answered: with the sentences of one document that fit it best."""


def answer_values(agent, question):
    """The values that prompts/answer.md is filled with."""
    settings = agent.config["answer"]
    document = settings["document"]
    text = agent.tools.call("read_document", path=document)
    sentences = agent.tools.call("summarise", text=text, sentences=settings["sentences"], question=question)
    return {"question": question, "answer": " ".join(sentences), "source": document}
