"""The playground: a form for every model of the catalogue, made of its data, and what comes of it.

    fields    what the form asks, read from a model's `Spec`; `shown_when` from its conditions
    bodies    the form as the body of a request, and a body as the form's values
    words     labels, help and refusals in the reader's language
    prices    the price tag, and the price of what the form says
    code      the request as a program would send it
    shown     elements, tasks and results as its pages show them

A new model needs nothing here: a field that `words` does not know is shown by its name and the catalogue's sentence.
"""
