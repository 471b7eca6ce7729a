//! A list that takes time: pods come and go meanwhile, and etcd forgets.

use podlens_tests::cluster::{Cluster, Options};

use crate::arrange::{HELD_PAGES, Held, answer, cluster, held_pods, in_pod, names, reader, requests_when, tiny_pod};

#[test]
fn a_list_is_of_one_moment() {
    let cluster = cluster();
    let (namespace, mount) = reader(cluster, "moment");
    let expected = held_pods(cluster, &namespace);

    let run = Held::start(in_pod(cluster, &mount), &namespace);
    requests_when(cluster, &namespace, HELD_PAGES);
    let last = expected.last().expect("there are some");
    cluster.delete(&format!("/api/v1/namespaces/{namespace}/pods/{last}"));
    cluster.create_pod(&namespace, tiny_pod(&format!("{last}-later")));

    assert_eq!(names(&answer(run.finish())), expected);
}

#[test]
fn a_list_goes_on_after_a_compaction_and_says_so() {
    let cluster = Cluster::start(&Options { compaction: true, audit_log: true, ..Options::default() });
    let (namespace, mount) = reader(&cluster, "expiry");
    let expected = held_pods(&cluster, &namespace);

    let run = Held::start(in_pod(&cluster, &mount), &namespace);
    requests_when(&cluster, &namespace, HELD_PAGES);
    // What was listed so far is now of the past, which ends.
    cluster.create_pod("default", tiny_pod("later"));
    cluster.compact();

    let done = run.finish();
    let warning =
        "warning: the API server dropped the snapshot in the middle of the list: pods after that point are of a later moment\n";
    assert_eq!((done.code, done.stderr.as_str()), (0, warning));
    assert_eq!(names(&done.stdout), expected);

    let requests = requests_when(&cluster, &namespace, HELD_PAGES + 2);
    let codes: Vec<_> = requests.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [200, 200, 200, 200, 410, 200]);
    assert_ne!(requests[4].1, requests[5].1, "it goes on with the token that came with the 410");
}
