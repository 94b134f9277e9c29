"""What one sees while the demo runs: a sentence for each step, and a bar for each task."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Stage:
    def __init__(self, console: Console, bars: Progress) -> None:
        self.console, self.bars = console, bars

    def say(self, sentence: str) -> None:
        self.console.print(f"[bold green]»[/] {sentence}")

    def bar(self, title: str) -> TaskID:
        return self.bars.add_task(title, total=100, status="pending")

    def show(self, bar: TaskID, status: str, percent: int) -> None:
        self.bars.update(bar, completed=percent, status=status)

    def end(self, bar: TaskID, status: str) -> None:
        self.bars.update(bar, completed=100, status=status)
        self.bars.stop_task(bar)


@contextmanager
def opened(console: Console) -> Iterator[Stage]:
    columns = (TextColumn("  {task.description:<26}"), BarColumn(24), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[status]}"), console=console) as bars:
        yield Stage(console, bars)
