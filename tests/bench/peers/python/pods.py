"""Lists pods as a Python program does that cares about memory: the official client in pages, each dropped when its lines are printed.

    pods.py names|restarts [NAMESPACE]
"""

import sys

from kubernetes import client, config

# Pods of one page, as every competitor asks for.
PAGE_SIZE = 500


def main(task, namespace=None):
    lines = {"names": names, "restarts": restarts}[task]
    # Of the file that `KUBECONFIG` names.
    config.load_kube_config()
    api = client.CoreV1Api()
    token = None
    while True:
        if namespace is None:
            page = api.list_pod_for_all_namespaces(limit=PAGE_SIZE, _continue=token)
        else:
            page = api.list_namespaced_pod(namespace, limit=PAGE_SIZE, _continue=token)
        for pod in page.items:
            sys.stdout.writelines(lines(pod))
        token = page.metadata._continue
        if not token:
            return


def names(pod):
    yield f"{pod.metadata.namespace} {pod.metadata.name}\n"


def restarts(pod):
    for container in pod.status.container_statuses or []:
        if container.restart_count > 0:
            yield f"{pod.metadata.namespace} {pod.metadata.name} {container.name} {container.restart_count}\n"


if __name__ == "__main__":
    main(*sys.argv[1:])
