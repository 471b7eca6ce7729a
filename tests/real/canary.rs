//! Credentials show up nowhere: not in an answer, not in an error, not in the log at its most talkative.

use std::process::Command;

use podlens_tests::canary::forms_of_token;
use podlens_tests::guests::{DESCRIBES_EVERYTHING, READS_WORLD};
use podlens_tests::program;

use crate::arrange::{cluster, in_pod, reader, tiny_pod, with_kubeconfig};

/// Runs `podlens`, and returns what it gave, after looking through it.
#[track_caller]
fn check(command: &mut Command, token: &str, arguments: &[&str], code: i32) {
    let done = program::run(command.env("PODLENS_LOG", "trace").env("RUST_BACKTRACE", "1").args(arguments));
    assert_eq!(done.code, code, "{}", done.stderr);
    assert!(done.stderr.contains("TRACE"), "the log is on: {}", done.stderr);
    for text in [&done.stdout, &done.stderr] {
        for form in forms_of_token(token) {
            assert!(!text.contains(&form), "{arguments:?} shows the token as `{form}`: {text}");
        }
    }
}

#[test]
fn a_token_shows_up_nowhere() {
    let cluster = cluster();
    let (namespace, mut mount) = reader(cluster, "canary");
    cluster.create_pod(&namespace, tiny_pod("web-0"));
    let token = std::fs::read_to_string(mount.path().join("token")).unwrap();
    let admin = cluster.admin_token();

    for (arguments, code) in [
        (&["cluster-info"][..], 0),
        (&["run", "pod-names", "-o", "json"], 0),
        (&["run", DESCRIBES_EVERYTHING, "-o", "json"], 0),
        (&["run", READS_WORLD], 0),
        // Refused: 403.
        (&["run", "pod-names", "-n", "kube-system"], 3),
        (&["run", "pod-names", "-A"], 3),
    ] {
        check(&mut in_pod(cluster, &mount), &token, arguments, code);
    }
    for arguments in [&["cluster-info"][..], &["run", "pod-names", "-A"]] {
        check(&mut with_kubeconfig(cluster.kubeconfig_path()), admin, arguments, 0);
    }

    // Unauthorized: 401. The API server quotes no token, but the client must not either.
    let (signed, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.forged-signature-of-the-canary");
    mount.rotate(&forged);
    for arguments in [&["cluster-info"][..], &["run", "pod-names"]] {
        check(&mut in_pod(cluster, &mount), &forged, arguments, 3);
    }

    // Not reached: another authority than the server's.
    mount.rotate(&token);
    let other = podlens_tests::fake::Authority::new();
    mount.rotate_ca(&other.pem());
    check(&mut in_pod(cluster, &mount), &token, &["run", "pod-names"], 4);
}
