from market_watch.tools.price_table import PriceTable


def test_an_unknown_product_has_no_prices():
    assert PriceTable()._run("tea") == "no prices known"
