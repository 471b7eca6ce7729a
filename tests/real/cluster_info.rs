//! `podlens cluster-info`.

use podlens_tests::program;

use crate::arrange::{answer, cluster, in_pod, with_kubeconfig};

/// The lines of an answer, each without the blanks that align it.
fn lines(answer: &str) -> Vec<String> {
    answer
        .lines()
        .map(|line| line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" | "))
        .collect()
}

#[test]
fn cluster_info_tells_server_version_and_user() {
    let cluster = cluster();
    let (server, platform) = (format!("https://{}", cluster.address()), cluster.get("/version")["platform"].clone());
    let platform = platform.as_str().expect("the API server tells its platform");
    let namespace = cluster.namespace("info");
    let mount = cluster.mount(&namespace, "default");
    let file = |name: &str| mount.path().join(name).display().to_string();

    // It needs no right at all.
    let in_pod = answer(program::run(in_pod(cluster, &mount).arg("cluster-info")));
    assert_eq!(
        lines(&in_pod),
        [
            format!("server | {server} | (the environment's `KUBERNETES_SERVICE_HOST`)"),
            format!("namespace | {namespace} | (`{}`)", file("namespace")),
            format!("certificate authority | as configured | (`{}`)", file("ca.crt")),
            format!("credentials | bearer token from a file | (`{}`)", file("token")),
            format!("version | v1.37.2 | ({platform})"),
            format!("user | system:serviceaccount:{namespace}:default | (says the API server)"),
            format!("groups | system:serviceaccounts, system:serviceaccounts:{namespace}, system:authenticated"),
        ]
    );

    let admin = answer(program::run(with_kubeconfig(cluster.kubeconfig_path()).arg("cluster-info")));
    let admin = lines(&admin);
    assert!(admin[0].starts_with(&format!("server | {server} | ")), "{admin:?}");
    assert_eq!(
        admin[4..],
        [
            format!("version | v1.37.2 | ({platform})"),
            "user | admin | (says the API server)".to_owned(),
            "groups | system:masters, system:authenticated".to_owned(),
        ]
    );
}

#[test]
fn cluster_info_tells_what_it_knows_before_it_fails() {
    let cluster = cluster();
    let mut mount = cluster.mount("default", "default");
    mount.rotate("forged");
    let done = program::run(in_pod(cluster, &mount).arg("cluster-info"));
    assert_eq!(done.code, 3);
    let told = lines(&done.stdout);
    assert!(told.iter().any(|line| line.starts_with("server | https://")), "{told:?}");
    assert!(!told.iter().any(|line| line.starts_with("user")), "{told:?}");
    assert!(done.stderr.contains("401 Unauthorized"), "{}", done.stderr);
}
