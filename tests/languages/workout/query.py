"""What an SDK has to be able to do, one thing for each value of the parameter `what`."""

import sys
import time as clock
from datetime import UTC, datetime

from wit_world.imports.types import Error_NotFound

from podlens import Err, Query, boolean, get, integer, number, pods, text, time

NOTHING = (None,) * 5

# Rows of another type than their column: one that is converted in silence is a wrong answer.
REFUSED = {
    "text: number": (1, None, None, None, None),
    "integer: fraction": (None, 1.5, None, None, None),
    "integer: huge": (None, 2**63, None, None, None),
    "integer: text": (None, "12", None, None, None),
    "integer: empty": (None, "", None, None, None),
    "integer: spaced": (None, " 12 ", None, None, None),
    "integer: boolean": (None, True, None, None, None),
    "number: text": (None, None, "3", None, None),
    "number: boolean": (None, None, True, None, None),
    "boolean: number": (None, None, None, 1, None),
    "boolean: text": (None, None, None, "true", None),
    "time: text": (None, None, None, None, "0"),
    "time: boolean": (None, None, None, None, True),
    "time: fraction": (None, None, None, None, 1.5),
    "time: no time": (None, None, None, None, datetime(2026, 1, 2)),
}


class WitWorld(Query):
    title = "Workout"
    summary = "What an SDK has to be able to do"
    columns = {
        "text": text("A text"),
        "integer": integer("An integer", metric=True),
        "number": number("A number"),
        "boolean": boolean("A boolean", priority=2),
        "time": time("A time"),
    }
    parameters = {
        "what": text("What to do", required=True),
        "a-number": number("A number", default=0.5),
        "flag": boolean("A boolean", default=False),
        "big": integer("A large integer", default=2**53 - 1),
        "left": text("A text that nobody gives"),
    }

    def rows(self, what, **told):
        return [REFUSED[what]] if what in REFUSED else getattr(self, what)(**told)

    def cells(self, a_number, flag, big, left):
        yield "é\0😀", big, a_number, flag, datetime(2026, 1, 2, 3, 4, 5, 999000, UTC)
        yield left or "nothing", 1 - 2**63, 3, True, -1
        yield NOTHING

    def get(self, **_):
        with get("shop", "down") as pod:
            yield pod.name(), len(pod.status().containers), None, pod.health().containers[0].state.name == "TERMINATED", None

    def missing(self, **_):
        try:
            get("shop", "nobody")
        except Err as error:
            yield {Error_NotFound: "not-found"}[type(error.value)], None, None, None, None
        get("shop", "nobody")

    def early(self, **_):
        # More often than lists may be open at once.
        for round in range(20):
            for pod in pods(namespace="shop", field_selector="metadata.name!=bare"):
                yield pod.name(), round, None, None, None
                break

    def log(self, **_):
        print("to standard output")
        print("to standard error", file=sys.stderr)
        if abs(clock.time() - 1e9) > 1e10:
            raise ValueError("there is a clock")
        yield from ()

    def throws(self, **_):
        yield NOTHING
        raise IndexError("a reason")

    def short(self, **_):
        yield ("too few",)

    def invalid(self, **_):
        for _ in pods(namespace=".."):
            pass
        yield from ()
