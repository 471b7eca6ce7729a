//! The manifests, judged by the API server: all fields known, no warning, and pods that are admitted where the rules are strictest.

use std::path::Path;

use jiff::SignedDuration;
use podlens_tests::cluster::{Cluster, Options};
use podlens_tests::program;
use serde_json::{Value, json};

use super::{HOST, apply, deployed, rendered, tenant_pieces};
use crate::arrange::{answer, eventually, kubectl};
use crate::deploy::deploy;

/// Has the API server judge manifests; all of them, and without a word besides.
#[track_caller]
fn accepted(cluster: &Cluster, manifests: &str) {
    let told = answer(apply(cluster, manifests, &["--dry-run=server"]));
    let objects = manifests.lines().filter(|line| line.starts_with("kind: ")).count();
    assert!(objects > 0 && told.lines().count() == objects, "{told}");
    assert!(told.lines().all(|line| line.ends_with(" (server dry run)")), "{told}");
}

#[test]
fn everything_is_accepted_without_a_warning() {
    let cluster = deployed();
    for components in [&[][..], &["legacy-impersonation"]] {
        for folder in ["base", "examples/overlay"] {
            accepted(cluster, &rendered(cluster, folder, components));
        }
    }
    for components in [&[][..], &["legacy-impersonation"]] {
        accepted(cluster, &tenant_pieces(cluster, "shop", components));
    }
}

/// In a cluster of its own: an API that comes while another test lists all that there are would be in the way.
#[test]
fn monitoring_is_accepted_where_there_is_the_prometheus_operator() {
    let cluster = Cluster::start(&Options::default());
    answer(kubectl(&cluster, [Path::new("apply"), Path::new("-f"), &deploy("serve/base/namespace.yaml")]));
    accept_service_monitors(&cluster);
    for folder in ["base", "examples/overlay"] {
        accepted(&cluster, &rendered(&cluster, folder, &["monitoring", "legacy-impersonation"]));
    }
}

/// Of the Prometheus operator's API as much as the manifest uses: the names of its fields (its API reference, version v1), and nothing else.
/// The API server knows what is not in here, and the test would fail by it.
fn accept_service_monitors(cluster: &Cluster) {
    let text = json!({ "type": "string" });
    let endpoint = json!({
        "type": "object",
        "properties": { "port": text, "path": text, "scheme": text, "interval": text, "scrapeTimeout": text },
    });
    let selector = json!({ "type": "object", "properties": {
        "matchLabels": { "type": "object", "additionalProperties": text },
    }});
    let spec = json!({
        "type": "object",
        "required": ["selector", "endpoints"],
        "properties": { "selector": selector, "endpoints": { "type": "array", "items": endpoint } },
    });
    cluster.post(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        &json!({
            "metadata": { "name": "servicemonitors.monitoring.coreos.com" },
            "spec": {
                "group": "monitoring.coreos.com",
                "scope": "Namespaced",
                "names": { "kind": "ServiceMonitor", "plural": "servicemonitors" },
                "versions": [{
                    "name": "v1", "served": true, "storage": true,
                    "schema": { "openAPIV3Schema": { "type": "object", "properties": { "spec": spec } } },
                }],
            },
        }),
    );
    eventually("the API of service monitors", || {
        let path = "/apis/monitoring.coreos.com/v1/servicemonitors";
        (cluster.request_as(cluster.admin_token(), "GET", path).status == 200).then_some(())
    });
}

/// The Deployment's template.
fn template(cluster: &Cluster) -> Value {
    cluster.get(&format!("/apis/apps/v1/namespaces/{HOST}/deployments/podlens"))["spec"]["template"].clone()
}

/// What the API server says to a pod of this template: the status code and the complaint.
fn admitted(cluster: &Cluster, template: &Value) -> (u16, String) {
    let mut pod = template.clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["name"] = "podlens-probe".into();
    let path = format!("/api/v1/namespaces/{HOST}/pods?dryRun=All&fieldValidation=Strict");
    let answer = cluster.request_impersonating(cluster.admin_token(), None, "POST", &path, Some(&pod));
    (answer.status, answer.message().to_owned())
}

/// A change to a pod, and what is said of it.
type Laxity = (fn(&mut Value), &'static str);

#[test]
fn its_pods_are_restricted_and_the_namespace_admits_no_others() {
    let cluster = deployed();
    let good = template(cluster);
    assert_eq!(admitted(cluster, &good), (201, String::new()));
    let lax: [Laxity; 5] = [
        (|spec| spec["securityContext"]["runAsNonRoot"] = false.into(), "runAsNonRoot != true"),
        (|spec| spec["securityContext"]["seccompProfile"] = Value::Null, "seccompProfile"),
        (|spec| spec["containers"][0]["securityContext"]["capabilities"] = Value::Null, "unrestricted capabilities"),
        (
            |spec| spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = true.into(),
            "allowPrivilegeEscalation != false",
        ),
        (|spec| spec["hostNetwork"] = true.into(), "host namespaces"),
    ];
    for (loosen, complaint) in lax {
        let mut template = good.clone();
        loosen(&mut template["spec"]);
        let (status, message) = admitted(cluster, &template);
        assert!(status == 403 && message.contains(complaint), "{complaint}: {status} {message}");
    }
}

#[test]
fn its_pods_can_change_one_folder_and_have_one_token() {
    let spec = &template(deployed())["spec"];
    let container = &spec["containers"][0];
    assert_eq!(spec["containers"].as_array().map(Vec::len), Some(1));
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    let mounts = container["volumeMounts"].as_array().expect("there are some");
    let writable: Vec<_> = mounts.iter().filter(|mount| mount["readOnly"] != true).map(|mount| &mount["mountPath"]).collect();
    let cache = container["env"].as_array().and_then(|all| all.iter().find(|variable| variable["name"] == "PODLENS_CACHE_DIR"));
    assert_eq!(writable, [&cache.expect("it is set")["value"]]);

    assert_eq!(spec["automountServiceAccountToken"], false);
    let volumes = spec["volumes"].as_array().expect("there are some");
    let sources: Vec<_> = volumes.iter().filter_map(|volume| volume["projected"]["sources"].as_array()).flatten().collect();
    let tokens: Vec<_> = sources.iter().filter_map(|source| source.get("serviceAccountToken")).collect();
    assert_eq!(tokens, [&json!({ "path": "token", "expirationSeconds": 600 })]);
}

#[test]
fn two_replicas_are_held_and_each_has_the_time_to_end_that_it_takes() {
    let cluster = deployed();
    let scaler = cluster.get(&format!("/apis/autoscaling/v2/namespaces/{HOST}/horizontalpodautoscalers/podlens"));
    assert_eq!((&scaler["spec"]["minReplicas"], &scaler["spec"]["scaleTargetRef"]["name"]), (&json!(2), &json!("podlens")));
    let budget = cluster.get(&format!("/apis/policy/v1/namespaces/{HOST}/poddisruptionbudgets/podlens"));
    let template = template(cluster);
    assert_eq!(budget["spec"]["selector"]["matchLabels"], template["metadata"]["labels"]);
    assert_eq!(budget["spec"]["maxUnavailable"], 1);

    let arguments = template["spec"]["containers"][0]["args"].as_array().expect("it has arguments");
    let duration = |flag: &str| -> SignedDuration {
        let given = arguments.iter().find_map(|argument| argument.as_str()?.strip_prefix(flag));
        given.expect("it is given").parse().expect("it is a duration")
    };
    let needed = duration("--shutdown-delay=") + duration("--shutdown-grace=");
    let given = template["spec"]["terminationGracePeriodSeconds"].as_i64().expect("it is set");
    assert!(SignedDuration::from_secs(given) > needed, "{given} s for {needed:?}");
}

#[test]
fn the_policies_are_in_order() {
    for file in ["serve/base/policy.yaml", "serve/examples/overlay/policy.yaml"] {
        let done = program::run(program::command().args(["policy", "check"]).arg(deploy(file)));
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{file}");
    }
    // And the server gets just these bytes.
    let cluster = deployed();
    let written = std::fs::read_to_string(deploy("serve/base/policy.yaml")).expect("it is in the repository");
    let map = cluster.get(&format!("/api/v1/namespaces/{HOST}/configmaps/podlens-policy"));
    assert_eq!(map["data"], json!({ "policy.yaml": written }));
}

#[test]
fn what_callers_may_reach_is_what_there_is() {
    let cluster = deployed();
    let ports = template(cluster)["spec"]["containers"][0]["ports"].clone();
    let names: Vec<_> = ports.as_array().expect("it has ports").iter().map(|port| port["name"].clone()).collect();
    assert_eq!(names, ["https", "health"]);
    let service = cluster.get(&format!("/api/v1/namespaces/{HOST}/services/podlens"));
    assert_eq!(service["spec"]["ports"][0]["targetPort"], "https");
    assert_eq!(service["spec"]["selector"], template(cluster)["metadata"]["labels"]);
    let policies = answer(kubectl(
        cluster,
        ["get", "networkpolicies", "-n", HOST, "-o", "jsonpath={.items[*].spec.ingress[*].ports[*].port}"],
    ));
    assert_eq!(policies, "https");
}
