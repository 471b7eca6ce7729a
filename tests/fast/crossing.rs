//! What crosses between host and guest arrives as it was: every field of a pod, pod_with, every type of argument and cell.

use std::collections::BTreeMap;

use podlens::kube::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
    EphemeralContainer, HostPath, ObjectMeta, OwnerReference, Pod, PodCondition, PodIp, PodSpec, PodStatus, Probe, Quantity,
    ResourceRequirements, SecurityContext, Time, Volume, VolumeSource,
};
use podlens::{Limit, ReadPod};

use crate::arrange::check_golden;
use crate::guests;
use crate::support::{Ran, Scenario, Source, pod, pod_with};

/// A pod with a value of its own in every field. All fields are named, so that a new one does not compile before it is here.
fn full() -> Pod {
    let text = |text: &str| text.to_owned();
    let texts = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| (text(key), text(value))).collect::<BTreeMap<_, _>>();
    let time = |seconds| Some(Time { seconds });
    let quantities = |pairs: &[(&str, &str)]| -> BTreeMap<_, _> {
        pairs.iter().map(|(resource, quantity)| (text(resource), Quantity { text: text(quantity) })).collect()
    };
    let container = |name: &str| Container {
        name: text(name),
        image: format!("registry.example/{name}:1"),
        resources: ResourceRequirements {
            limits: quantities(&[("memory", "64Mi"), ("cpu", "250m")]),
            requests: quantities(&[("cpu", "100m")]),
        },
        liveness_probe: Some(Probe {}),
        readiness_probe: None,
        startup_probe: Some(Probe {}),
        security_context: SecurityContext { privileged: false },
        restart_policy: None,
    };
    let terminated = |exit_code, signal| ContainerStateTerminated {
        exit_code,
        signal,
        reason: text("OOMKilled"),
        message: text("its last words"),
        started_at: time(301),
        finished_at: time(302),
    };
    let nowhere = || ContainerState { waiting: None, running: None, terminated: None };
    let status = |name: &str, state| ContainerStatus {
        name: text(name),
        state,
        last_state: ContainerState { terminated: Some(terminated(137, 9)), ..nowhere() },
        ready: true,
        restart_count: 3,
        image: format!("registry.example/{name}@pulled"),
        image_id: format!("sha256:{name}"),
    };
    let waiting = ContainerStateWaiting { reason: text("CrashLoopBackOff"), message: text("back-off 5m0s") };
    let running = ContainerState { running: Some(ContainerStateRunning { started_at: time(303) }), ..nowhere() };
    Pod {
        metadata: ObjectMeta {
            name: text("web-0"),
            namespace: text("shop"),
            uid: text("5f0c-uid"),
            resource_version: text("never seen by a guest"),
            creation_timestamp: time(101),
            deletion_timestamp: time(102),
            labels: texts(&[("app", "web"), ("team.example/name", "größer")]),
            annotations: texts(&[("note", "日本 \u{202e}🦀\0\r\n")]),
            owner_references: vec![
                OwnerReference {
                    kind: text("ReplicaSet"),
                    name: text("web"),
                    uid: text("owner-uid"),
                    api_version: text("apps/v1"),
                    controller: true,
                },
                OwnerReference {
                    kind: text("Job"),
                    name: text("once"),
                    uid: text("job-uid"),
                    api_version: text("batch/v1"),
                    controller: false,
                },
            ],
        },
        spec: PodSpec {
            volumes: vec![
                Volume { name: text("host"), source: VolumeSource { host_path: Some(HostPath { path: text("/var/log") }) } },
                Volume { name: text("other"), source: VolumeSource { host_path: None } },
            ],
            containers: vec![Container {
                readiness_probe: Some(Probe {}),
                startup_probe: None,
                liveness_probe: None,
                security_context: SecurityContext { privileged: true },
                ..container("app")
            }],
            restart_policy: text("OnFailure"),
            service_account_name: text("web-account"),
            node_name: text("node-1"),
            host_network: true,
            host_pid: false,
            host_ipc: true,
            scheduler_name: text("my-scheduler"),
            init_containers: vec![container("init"), Container { restart_policy: Some(text("Always")), ..container("sidecar") }],
            priority_class_name: text("high"),
            priority: Some(-5),
            runtime_class_name: Some(text("gvisor")),
            ephemeral_containers: vec![EphemeralContainer { common: container("debug") }],
        },
        status: PodStatus {
            phase: text("Running"),
            conditions: vec![
                PodCondition {
                    kind: text("Ready"),
                    status: text("False"),
                    last_transition_time: time(201),
                    reason: text("ContainersNotReady"),
                    message: text("containers with unready status"),
                },
                PodCondition {
                    kind: text("PodScheduled"),
                    status: text("True"),
                    last_transition_time: None,
                    reason: text(""),
                    message: text(""),
                },
                PodCondition {
                    kind: text("example.com/gate"),
                    status: text("Unknown"),
                    last_transition_time: time(-62_135_596_800),
                    reason: text(""),
                    message: text(""),
                },
            ],
            message: text("a sentence"),
            reason: text("Evicted"),
            host_ip: text("192.0.2.1"),
            pod_ip: text("198.51.100.1"),
            start_time: time(202),
            container_statuses: vec![status("app", ContainerState { waiting: Some(waiting), ..nowhere() })],
            qos_class: text("Burstable"),
            init_container_statuses: vec![
                status("init", ContainerState { terminated: Some(terminated(0, 0)), ..nowhere() }),
                status("sidecar", running),
            ],
            nominated_node_name: text("node-2"),
            pod_ips: vec![PodIp { ip: text("198.51.100.1") }, PodIp { ip: text("2001:db8::1") }],
            ephemeral_container_statuses: vec![ContainerStatus { last_state: nowhere(), ..status("debug", nowhere()) }],
        },
    }
}

async fn described(pod: ReadPod) -> Ran {
    let ran = Scenario::guest(guests::DESCRIBES_EVERYTHING).await.source(&Source::of([pod])).run().await;
    assert_eq!(ran.told(), "success");
    ran
}

#[tokio::test]
async fn every_field_of_a_pod_crosses() {
    let ran = described(ReadPod::new(&full())).await;
    check_golden("crossing-full", &(ran.rows.join("\n") + "\n"));
}

#[tokio::test]
async fn what_a_pod_does_not_have_is_none() {
    let ran = described(pod("shop", "bare")).await;
    check_golden("crossing-bare", &(ran.rows.join("\n") + "\n"));
}

#[tokio::test]
async fn the_first_address_stands_for_a_list_that_is_missing() {
    let read = pod_with("shop", "old", |pod| pod.status.pod_ip = "198.51.100.1".into());
    let ran = described(read).await;
    assert!(ran.rows[0].contains("pod-ips: [\n        \"198.51.100.1\",\n    ],"), "{}", ran.rows[0]);
}

/// In the pod with everything two of them are alike.
#[tokio::test]
async fn flags_of_a_pod_are_not_mixed_up() {
    let with = |change: fn(&mut PodSpec)| pod_with("shop", "web-0", |pod| change(&mut pod.spec));
    for (read, flags) in [
        (with(|spec| spec.host_network = true), ["true", "false", "false"]),
        (with(|spec| spec.host_pid = true), ["false", "true", "false"]),
        (with(|spec| spec.host_ipc = true), ["false", "false", "true"]),
    ] {
        let [network, pid, ipc] = flags;
        let ran = described(read).await;
        let expected = format!("host-network: {network},\n    host-pid: {pid},\n    host-ipc: {ipc},");
        assert!(ran.rows[0].contains(&expected), "{}", ran.rows[0]);
    }
}

#[tokio::test]
async fn phases_cross_by_name_and_others_are_unknown() {
    for (phase, seen) in [
        ("Pending", "Pending"),
        ("Running", "Running"),
        ("Succeeded", "Succeeded"),
        ("Failed", "Failed"),
        ("Unknown", "Unknown"),
        ("", "Unknown"),
        ("running", "Unknown"),
    ] {
        let read = pod_with("shop", "web-0", |pod| pod.status.phase = phase.into());
        let ran = described(read).await;
        assert!(ran.rows[0].contains(&format!("phase: Phase::{seen},")), "{phase}: {}", ran.rows[0]);
    }
}

#[tokio::test]
async fn arguments_and_cells_cross_in_every_type() {
    for (arguments, row) in [
        (&[][..], "none | none | none | none"),
        (&[("text", ""), ("integer", "0"), ("number", "0"), ("boolean", "false")], " | 0 | 0.0 | false"),
        (
            &[("text", "日本 \u{202e}🦀\0\n"), ("integer", "9223372036854775807"), ("number", "-0.1"), ("boolean", "true")],
            "日本 \u{202e}🦀\0\n | 9223372036854775807 | -0.1 | true",
        ),
        (
            &[("integer", "-9223372036854775808"), ("number", "1.7976931348623157e308")],
            "none | -9223372036854775808 | 1.7976931348623157e308 | none",
        ),
        (&[("number", "5e-324")], "none | none | 5e-324 | none"),
    ] {
        let ran = Scenario::guest(guests::ECHO_ARGUMENTS).await.arguments(arguments).run().await;
        assert_eq!((ran.told().as_str(), &ran.rows[..]), ("success", &[row.to_owned()][..]));
    }
}

#[tokio::test]
async fn a_long_list_crosses_whole_and_in_order_whatever_its_pages() {
    let names: Vec<_> = (0..1201).map(|index| format!("web-{index:04}")).collect();
    for page_pods in [1, 7, 500, 501, 2000] {
        let source = Source::of(names.iter().map(|name| pod("shop", name))).page_pods(page_pods);
        let ran = Scenario::guest(guests::ASKS).await.source(&source).run().await;
        assert_eq!(ran.told(), "success");
        assert!(ran.rows.iter().map(|row| row.strip_prefix("shop | ")).eq(names.iter().map(|name| Some(name.as_str()))));
        assert_eq!(ran.report.used(Limit::Pods), 1201);
    }
}

/// What one run leaves behind, another does not find.
#[tokio::test]
async fn runs_of_one_query_are_independent() {
    let source = Source::of([pod("shop", "web-0")]);
    let scenario = async || Scenario::guest(guests::ASKS).await.source(&source);
    let (one, other) = (scenario().await, scenario().await);
    let (one, other) = tokio::join!(one.run(), other.run());
    let after = scenario().await.run().await;
    for ran in [&one, &other, &after] {
        assert_eq!((ran.told().as_str(), &ran.rows[..]), ("success", &["shop | web-0".to_owned()][..]));
        for limit in [Limit::HostCalls, Limit::Memory, Limit::Requests, Limit::Pods, Limit::ResponseBytes, Limit::OutputBytes] {
            assert_eq!(ran.report.used(limit), one.report.used(limit), "{}", limit.name());
        }
    }
}
