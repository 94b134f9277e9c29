"""What only a programmer or an operator can have done wrong in the books. The customer's mistakes are ApiErrors.

Exception
├── LedgerConflict   the same reference came with other arguments, or a resolved reservation is to be resolved otherwise
├── GrantRefused     an operator may not give or decide this
├── PriceConflict    a price change that contradicts what is in effect or scheduled
└── PriceMissing     the price book in force has no such cell
"""


class LedgerConflict(Exception):
    """This contradicts what the ledger already holds; nothing was written."""


class GrantRefused(Exception):
    """What an operator asked for, confirmed or declined cannot be done, with the reason."""


class PriceConflict(Exception):
    """This contradicts the prices that are in effect or scheduled; nothing was written. Its text is for operators."""


class PriceMissing(LookupError):
    """The price book in force has no price for this model and cell."""
