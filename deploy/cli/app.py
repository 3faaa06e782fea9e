"""The program `onething` and its groups of commands."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from deploy.cli import case, clock, contracts, dead_letters, demo, invariants, rules, stack, story
from deploy.cli.terminal import refuse
from deploy.local.problem import StackProblem, disk_problem


class OneSentence(TyperGroup):
    """Tells a person in one sentence what to mend, instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except StackProblem as problem:
            refuse(problem.sentence)
            raise typer.Exit(1) from None
        except OSError as error:
            problem = disk_problem(error)
            if problem is None:
                raise
            refuse(problem.sentence)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=OneSentence,
    help="社会救助一件事: one application travels through the services. Start with: onething demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)

stack.register(app)
demo.register(app)
app.add_typer(clock.app, name="clock")
app.add_typer(story.app, name="story")
app.add_typer(case.app, name="case")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(contracts.app, name="contracts")
app.add_typer(rules.app, name="rules")
invariants.register(app)
# By name: benchmarks lie above this package and bring their own command.
import_module("benchmarks.command").register(app)
