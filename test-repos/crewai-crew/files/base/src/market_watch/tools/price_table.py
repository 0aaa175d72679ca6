from crewai.tools import BaseTool
from pydantic import BaseModel, Field


class PriceTableInput(BaseModel):
    product: str = Field(..., description="The product, as the buyers call it")


class PriceTable(BaseTool):
    name: str = "price_table"
    description: str = "The last known prices of a product, newest first."
    args_schema: type[BaseModel] = PriceTableInput

    def _run(self, product: str) -> str:
        return {"coffee": "4.10 on 3 March, 3.95 on 24 February"}.get(product.lower(), "no prices known")
