"""Finding out who a visitor is, for a look-up that needs it: order number and last four digits of the phone."""

from typing import Any

from actions.form import Form, register
from actions.talk import Talk


@register
class Verify(Form):
    """Nothing to change: when it is complete, the pending look-up goes on (``pending`` slot)."""

    intent = "verify"
    about = "account"
    confirmed = False

    def unwanted(self, talk: Talk) -> bool:
        """Only who has no order leaves; a look-up's question is answered from the records, not by an article."""
        return self._no_customer(talk)

    def do(self, talk: Talk) -> dict[str, Any]:
        """Thanks the customer."""
        return {"text": "核实好了，谢谢您。"}
