"""The namespace and name of each pod. The smallest query: one loop over `pods`."""

from podlens import Query, pods, text


class WitWorld(Query):
    title = "Pod names"
    summary = "The namespace and name of each pod"
    columns = {"namespace": text("The pod's namespace"), "name": text("The pod's name")}

    def rows(self):
        for pod in pods():
            yield pod.namespace(), pod.name()
