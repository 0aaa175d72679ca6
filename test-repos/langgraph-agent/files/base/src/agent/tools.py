"""What the model may call."""

from langchain_core.tools import tool

ORDERS = {"B-1001": "sent on Monday", "B-1002": "waiting for the publisher"}


@tool
def look_up_order(number: str) -> str:
    """The state of an order, by its number such as B-1001."""
    return ORDERS.get(number.strip().upper(), "unknown number")


TOOLS = [look_up_order]
