from agent.tools import look_up_order


def test_unknown_orders_are_said_to_be_unknown() -> None:
    assert look_up_order.invoke({"number": "B-9"}) == "unknown number"
