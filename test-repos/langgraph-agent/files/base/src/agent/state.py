"""What travels along the graph."""

from dataclasses import dataclass, field
from typing import Annotated

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages


@dataclass
class State:
    messages: Annotated[list[AnyMessage], add_messages] = field(default_factory=list)


@dataclass
class Context:
    """Set by whoever runs the graph."""

    model: str = "openai:gpt-4.1-mini"
    max_lookups: int = 3
