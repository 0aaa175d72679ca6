"""The graph: the model speaks, and looks orders up until it has what it needs."""

from agent.prompts import SYSTEM_PROMPT
from agent.state import Context, State
from agent.tools import TOOLS
from langchain.chat_models import init_chat_model
from langgraph.graph import START, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.runtime import Runtime


async def call_model(state: State, runtime: Runtime[Context]) -> dict:
    model = init_chat_model(runtime.context.model).bind_tools(TOOLS)
    reply = await model.ainvoke([{"role": "system", "content": SYSTEM_PROMPT}, *state.messages])
    return {"messages": [reply]}


builder = StateGraph(State, context_schema=Context)
builder.add_node("call_model", call_model)
builder.add_node("tools", ToolNode(TOOLS))
builder.add_edge(START, "call_model")
builder.add_conditional_edges("call_model", tools_condition)
builder.add_edge("tools", "call_model")

graph = builder.compile(name="order-desk")
