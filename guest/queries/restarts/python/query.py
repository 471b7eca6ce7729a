"""Containers that were restarted, and how they ended before.

Shows a parameter, a metric, columns for wide output only, and a column of time.
"""

from wit_world.imports.pods import ContainerState_Terminated

from podlens import Query, integer, pods, text, time


class WitWorld(Query):
    title = "Restarts"
    summary = "Containers that were restarted, and how they ended before"
    columns = {
        "namespace": text("The pod's namespace"),
        "name": text("The pod's name"),
        "container": text("The container's name"),
        "restarts": integer("How often it was restarted", metric=True),
        "lastReason": text("Why it ended the last time, such as OOMKilled"),
        "exitCode": integer("The exit status of its process the last time"),
        "lastEnd": time("When it ended the last time"),
        "image": text("The image it runs", priority=1),
        "lastMessage": text("What it left as termination message", priority=1),
    }
    parameters = {"min": integer("The least number of restarts", default=1)}

    def rows(self, min):
        for pod in pods():
            for container in pod.status().containers:
                if container.restarts < min:
                    continue
                # One that is down at this moment has its last end in its state.
                match container.state:
                    case ContainerState_Terminated(last):
                        pass
                    case _:
                        last = container.last_termination
                end = (last.reason, last.exit_code, last.finished) if last else (None, None, None)
                message = last.message if last else None
                yield pod.namespace(), pod.name(), container.name, container.restarts, *end, container.image, message
