//! An API server that ends while a run goes on.

use podlens_tests::cluster::{Cluster, Mount, Namespace, Options};

use crate::arrange::{HELD_PAGES, Held, held_pods, in_pod, names, reader, requests_when};

fn arrange() -> (Cluster, Namespace, Mount, Vec<String>) {
    let cluster = Cluster::start(&Options { audit_log: true, ..Options::default() });
    let (namespace, mount) = reader(&cluster, "restart");
    let expected = held_pods(&cluster, &namespace);
    (cluster, namespace, mount, expected)
}

/// The connection is dead and the run does not know yet. What its next request meets is a lost connection, which is tried again.
#[test]
fn a_run_outlives_a_restart_of_the_api_server() {
    let (cluster, namespace, mount, expected) = arrange();
    for stop in [Cluster::kill_api_server, Cluster::terminate_api_server] {
        let before = requests_when(&cluster, &namespace, 0).len();
        let run = Held::start(in_pod(&cluster, &mount), &namespace);
        requests_when(&cluster, &namespace, before + HELD_PAGES);
        stop(&cluster);
        cluster.start_api_server();
        let done = run.finish();
        assert_eq!((done.code, done.stderr.as_str()), (0, ""));
        assert_eq!(names(&done.stdout), expected);
    }
}

/// While nothing listens, waiting is left to the caller: the run ends at once, and says that its answer is not whole.
#[test]
fn an_api_server_that_is_gone_is_told_at_once() {
    let (cluster, namespace, mount, _) = arrange();
    let run = Held::start(in_pod(&cluster, &mount), &namespace);
    requests_when(&cluster, &namespace, HELD_PAGES);
    cluster.kill_api_server();
    let done = run.finish();
    assert_eq!(done.code, 4);
    assert!(done.stderr.contains("warning: the answer is not complete\n"), "{}", done.stderr);
    assert!(done.stderr.contains("caused by: connection refused\n"), "{}", done.stderr);
}
