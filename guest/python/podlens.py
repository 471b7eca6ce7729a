"""Write query components for podlens in Python: the contract of `wit/`, made comfortable.

A query lists pods with `pods`, or gets one with `get`, and answers with rows. It has no network, no files and no
environment; what it prints becomes log lines of the host.
"""

import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from math import floor
from typing import Any, ClassVar

from componentize_py_types import Err
from wit_world.imports import pods as host
from wit_world.imports import rows
from wit_world.imports.types import (
    Argument,
    Column,
    ColumnType,
    Description,
    Error_Other,
    Parameter,
    ParameterType,
)

Pod = host.Pod


@dataclass(frozen=True)
class Kind:
    """A column or a parameter.

    Of a column: `priority` 0 is in the ordinary table, a higher number in wide output only; `metric` calls a number a
    measurement that can be watched over time. Of a parameter: `default` is its value where the operator gives none,
    `required` refuses a run without one.
    """

    type: str
    description: str
    priority: int = 0
    metric: bool = False
    default: Any = None
    required: bool = False


def text(description: str, **options: Any) -> Kind:
    return Kind("text", description, **options)


def integer(description: str, **options: Any) -> Kind:
    return Kind("integer", description, **options)


def number(description: str, **options: Any) -> Kind:
    return Kind("number", description, **options)


def boolean(description: str, **options: Any) -> Kind:
    return Kind("boolean", description, **options)


def time(description: str, **options: Any) -> Kind:
    """A column only: seconds since 1970 or an aware `datetime`. A table shows the time that has passed since."""
    return Kind("time", description, **options)


class Query:
    """A query: `class WitWorld(Query)`, which is the name that componentize-py looks for.

    `rows` is a generator that is told the parameters by name, with `_` for `-`, and yields each row as a tuple, a value for
    each column. `None` makes an empty cell. An exception ends the run; one of `pods` and `get` tells the operator why: an
    `Err`, with a case of `wit_world.imports.types.Error` as its `value`.
    """

    title: ClassVar[str]
    summary: ClassVar[str]
    columns: ClassVar[dict[str, Kind]]
    parameters: ClassVar[dict[str, Kind]] = {}

    def rows(self, **parameters: Any) -> Iterable[tuple]:
        raise NotImplementedError

    def __init_subclass__(cls) -> None:
        # While the component is built, so that a mistake in here is told then.
        columns = [
            Column(name, ColumnType[kind.type.upper()], kind.description, kind.priority, kind.metric)
            for name, kind in cls.columns.items()
        ]
        parameters = [
            Parameter(name, ParameterType[kind.type.upper()], written(kind.default), kind.required, kind.description)
            for name, kind in cls.parameters.items()
        ]
        cls.description = Description(cls.title, cls.summary, columns, parameters)

    def describe(self) -> Description:
        return self.description

    def run(self, arguments: list[Argument]) -> None:
        told = {name.replace("-", "_"): None for name in self.parameters}
        told |= {argument.name.replace("-", "_"): argument.value.value for argument in arguments}
        try:
            for row in self.rows(**told):
                rows.emit(cells(self.columns, tuple(row)))
        except Err:
            # The host's own errors pass as they came.
            raise
        except Exception as error:
            raise Err(Error_Other(explained(error))) from None


def pods(
    namespace: str | None = None,
    label_selector: str | None = None,
    field_selector: str | None = None,
    objects: bool = False,
) -> Iterator[Pod]:
    """The pods that the run is granted, or some of them, ordered by the text `namespace/name` as bytes.

    The arguments are those of `list-options` of `wit/pods.wit`. A pod is given back to the host when the loop goes on to the
    next one: keep what you read of it, not the pod.
    """
    with host.list(host.ListOptions(namespace, label_selector, field_selector, objects)) as pages:
        while page := pages.next():
            page.reverse()
            try:
                while page:
                    with page.pop() as pod:
                        yield pod
            finally:
                # Of a loop that was left early.
                for pod in page:
                    pod.__exit__(None, None, None)


def get(namespace: str, name: str, objects: bool = False) -> Pod:
    """One pod by name. It counts towards the run's memory until it is given back: `with get(namespace, name) as pod:`."""
    return host.get(namespace, name, objects)


def cells(columns: dict[str, Kind], row: tuple) -> list[rows.Cell]:
    if len(row) != len(columns):
        raise ValueError(f"a row has {len(row)} values, for {len(columns)} columns")
    return [cell(name, kind.type, value) for (name, kind), value in zip(columns.items(), row)]


def cell(name: str, type: str, value: Any) -> rows.Cell:
    """Of the column's type, or an error: nothing is converted but an integer for a number."""
    # To Python, a boolean is an integer.
    is_boolean = isinstance(value, bool)
    match type:
        case _ if value is None:
            return rows.Cell_None_()
        case "text" if isinstance(value, str):
            return rows.Cell_Text(value)
        case "integer" if isinstance(value, int) and not is_boolean:
            return rows.Cell_Integer(exact(name, value))
        case "number" if isinstance(value, (int, float)) and not is_boolean:
            return rows.Cell_Number(float(value))
        case "boolean" if is_boolean:
            return rows.Cell_Boolean(value)
        case "time" if isinstance(value, datetime) and value.tzinfo:
            return rows.Cell_Time(exact(name, floor(value.timestamp())))
        case "time" if isinstance(value, int) and not is_boolean:
            return rows.Cell_Time(exact(name, value))
    raise TypeError(f"the {type} column `{name}` takes no {value.__class__.__name__} such as {value!r}")


def exact(name: str, integer: int) -> int:
    """The integer, or an error where it has more than the 64 bits of the contract."""
    if not -(2**63) <= integer < 2**63:
        raise OverflowError(f"the column `{name}` takes 64 bits, and {integer} has more")
    return integer


def written(default: Any) -> str | None:
    """A default as an operator would write it."""
    return default if default is None else str(default).lower() if isinstance(default, bool) else str(default)


def explained(error: Exception) -> str:
    """What an exception says, and where it was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.endswith("podlens.py")]
    place = f" ({frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno})" if frames else ""
    return "".join(traceback.format_exception_only(error)).strip() + place

