"""A simulator of the official Kling API, run as a process of its own: `python -m generations.sandbox`.

The product speaks to it through the ordinary Kling adapter, so demo, tests and production run the same code. It knows
nothing of Django: its state is one SQLite file in its own folder, and survives a kill.

    __main__  options, server            control   /__sim/*: script faults, move the clock, read the books
    app       routes, the clock's tick   faults    what can go wrong, and how it is asked for
    creates   one create, step by step   orders    what a create may say (new, legacy, elements)
    queries   answers about tasks        progress  tasks move on as time passes; bills; callbacks
    media     looks at reference media   clips     renders the MP4 files
    store     the SQLite file            wire      the envelope, refusals, credentials
"""
