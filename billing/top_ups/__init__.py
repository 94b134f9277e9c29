"""Top-ups: credits bought with money, through Stripe.

    checkout.start -> row committed -> Stripe's page -> webhook (events.receive) --+
    recharge.run   -> row committed -> Stripe charges the saved method ------------+--> settling.settle -> ledger.top_up
                                       looks.run asks Stripe, if no webhook came --+
    refund, dispute -> money_back.note -> ledger.adjust

Every path ends in the same two functions, each in one transaction that locks the top-up's row first; they go by what
the row says, so a message may come twice, late, in any order, or never. `wire` alone speaks to Stripe, and never
within a transaction.
"""
