"""A statement as a file to keep, the same from the API and from the console: CSV, PDF, and all of its JSON.

The API answers JSON page by page; the file has every line of the month in the same shape, and is streamed.
"""

import json
from collections.abc import Iterator

from django.http import HttpResponse, StreamingHttpResponse

from billing import serializers, statement_csv, statements
from billing.statements import Statement


def as_csv(statement: Statement) -> StreamingHttpResponse:
    rows = statement_csv.stream(statement)
    return StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8", headers=_named(statement, "csv"))


def as_pdf(statement: Statement) -> HttpResponse:
    from billing import statement_pdf  # noqa: PLC0415  its library would slow every web process's start

    paper = statement_pdf.render(statement)
    return HttpResponse(paper, content_type="application/pdf", headers=_named(statement, "pdf"))


def as_json(statement: Statement) -> StreamingHttpResponse:
    return StreamingHttpResponse(_stream(statement), content_type="application/json", headers=_named(statement, "json"))


def _stream(statement: Statement) -> Iterator[str]:
    page = serializers.StatementPage().to_representation({"statement": statement, "data": [], "next_cursor": None})
    head = json.dumps({name: value for name, value in page.items() if name != "data"}, ensure_ascii=False)
    yield f'{head[:-1]}, "data": ['
    shape = serializers.StatementLine()
    for number, line in enumerate(statements.lines(statement)):
        yield f"{',' if number else ''}\n{json.dumps(shape.to_representation(line), ensure_ascii=False)}"
    yield "]}\n"


def _named(statement: Statement, ending: str) -> dict[str, str]:
    state = "-provisional" if statement.provisional else ""
    return {"Content-Disposition": f'attachment; filename="statement-{statement.month}{state}.{ending}"'}
