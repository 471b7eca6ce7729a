import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.apis.CoreV1Api;
import io.kubernetes.client.openapi.models.V1ContainerStatus;
import io.kubernetes.client.openapi.models.V1Pod;
import io.kubernetes.client.openapi.models.V1PodList;
import io.kubernetes.client.util.Config;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.FileDescriptor;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Lists pods as a Java program does that cares about memory: the official client in pages, each dropped when its lines are printed.
 *
 * <pre>Pods names|restarts [NAMESPACE]</pre>
 */
public final class Pods {
  /** Pods of one page, as every competitor asks for. */
  private static final int PAGE_SIZE = 500;

  private final CoreV1Api api;
  private final String task;
  private final String namespace;
  private final PrintStream out;

  private Pods(CoreV1Api api, String[] arguments, PrintStream out) {
    this.api = api;
    this.task = arguments.length > 0 ? arguments[0] : "";
    this.namespace = arguments.length > 1 ? arguments[1] : null;
    this.out = out;
  }

  public static void main(String[] arguments) throws Exception {
    // `System.out` writes each line by itself.
    FileOutputStream stdout = new FileOutputStream(FileDescriptor.out);
    try (PrintStream out = new PrintStream(new BufferedOutputStream(stdout, 1 << 16), false, StandardCharsets.UTF_8)) {
      // Of the file that `KUBECONFIG` names.
      new Pods(new CoreV1Api(Config.defaultClient()), arguments, out).list();
      if (out.checkError()) {
        throw new java.io.IOException("standard output cannot be written");
      }
    }
    // The client's threads would keep the process for a minute.
    System.exit(0);
  }

  private void list() throws ApiException {
    String token = null;
    do {
      V1PodList page = page(token);
      for (V1Pod pod : page.getItems()) {
        print(pod);
      }
      token = page.getMetadata().getContinue();
    } while (token != null && !token.isEmpty());
  }

  private V1PodList page(String token) throws ApiException {
    if (namespace == null) {
      return api.listPodForAllNamespaces().limit(PAGE_SIZE)._continue(token).execute();
    }
    return api.listNamespacedPod(namespace).limit(PAGE_SIZE)._continue(token).execute();
  }

  private void print(V1Pod pod) {
    String name = pod.getMetadata().getNamespace() + " " + pod.getMetadata().getName();
    switch (task) {
      case "names" -> out.print(name + "\n");
      case "restarts" -> printRestarts(pod, name);
      default -> throw new IllegalArgumentException("the task is `" + task + "`; it can be `names` or `restarts`");
    }
  }

  private void printRestarts(V1Pod pod, String name) {
    if (pod.getStatus() == null || pod.getStatus().getContainerStatuses() == null) {
      return;
    }
    for (V1ContainerStatus container : pod.getStatus().getContainerStatuses()) {
      if (container.getRestartCount() > 0) {
        out.print(name + " " + container.getName() + " " + container.getRestartCount() + "\n");
      }
    }
  }
}
