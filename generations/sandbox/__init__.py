"""A simulator of the providers' APIs, run as a process of its own: `python -m generations.sandbox`.

The product speaks to it through its ordinary adapters, so demo, tests and production run the same code. It knows
nothing of Django: its state is one SQLite file in its own folder, and survives a kill.

A face is what is peculiar to one provider: its paths, bodies, codes, words, signatures. Kling's lies at the root, every
other one under a prefix of its own. The core beside them does the rest, and knows no provider.

    __main__   options, server                 control    /__sim/*: script faults, move the clock, read the books
    app        the routes of all faces         faults     what can go wrong, and how it is asked for
    face       what a face has to say          refusals   how an upstream says no
    creates    one create, step by step        orders     what a create asks for, read strictly
    limits     rates, slots, balance           progress   tasks move on as time passes; queue, cancel, bills
    queries    who asks, faults of a query     callbacks  what is sent by itself
    media      looks at reference media        clips      renders the MP4 files
    store      the SQLite file                 simulator  holds all of it together
    connections  ways to break one             kling/     the face of the official Kling API
                                               fal/       the face of fal.ai
                                               kie/       the face of kie.ai
                                               replicate/ the face of Replicate
"""

from generations.sandbox.fal import FAL
from generations.sandbox.kie import KIE
from generations.sandbox.kling import KLING
from generations.sandbox.replicate import REPLICATE

FACES = (KLING, FAL, REPLICATE, KIE)
