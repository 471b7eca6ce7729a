use podlens_guest::pods::{Condition, ContainerKind, ContainerStatus, Phase, Termination, Waiting};

use super::*;

#[test]
fn the_most_telling_reason_wins() {
    let mut status = Status {
        phase: Phase::Pending,
        reason: None,
        message: None,
        started: None,
        qos_class: None,
        host_ip: None,
        pod_ips: vec![],
        nominated_node: None,
        conditions: vec![],
        containers: vec![],
    };
    let reason = |status: &Status| why(status.clone()).0;
    assert_eq!(reason(&status), "Pending");

    status.conditions = vec![condition(true, "Placed"), condition(false, "Unschedulable")];
    assert_eq!(reason(&status), "Unschedulable");

    let waiting = Waiting { reason: Some("ImagePullBackOff".to_owned()), message: None };
    status.containers = vec![ended(0, "Completed"), container(ContainerState::Waiting(waiting))];
    assert_eq!(reason(&status), "ImagePullBackOff");

    status.containers = vec![ended(137, "OOMKilled")];
    assert_eq!(reason(&status), "OOMKilled");

    status.reason = Some("Evicted".to_owned());
    assert_eq!(reason(&status), "Evicted");
}

fn condition(holds: bool, reason: &str) -> Condition {
    Condition {
        type_: "PodScheduled".to_owned(),
        status: if holds { ConditionStatus::True } else { ConditionStatus::False },
        reason: Some(reason.to_owned()),
        message: None,
        last_transition: None,
    }
}

fn ended(exit_code: i32, reason: &str) -> ContainerStatus {
    container(ContainerState::Terminated(Termination {
        exit_code,
        signal: None,
        reason: Some(reason.to_owned()),
        message: None,
        started: None,
        finished: None,
    }))
}

fn container(state: ContainerState) -> ContainerStatus {
    ContainerStatus {
        name: "web".to_owned(),
        kind: ContainerKind::App,
        image: "web:1".to_owned(),
        image_id: String::new(),
        ready: false,
        restarts: 0,
        state,
        last_termination: None,
    }
}
