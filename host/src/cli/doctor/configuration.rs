//! Steps 1 and 2: what the configuration is, where it is from, and which address it gives.

use super::reason::Reason;
use super::step::{Fact, Finding, Fix, Step};
use crate::config::{FileLook, Look, PodLook};
use crate::error::Error;
use crate::text;

/// Which configuration, and whether it can be used.
pub(super) fn configuration(look: &Look) -> Finding {
    match (&look.config, &look.pod) {
        (Ok(config), pod) => {
            let facts = config.settings().into_iter().filter(|setting| setting.name != "server");
            let facts: Vec<_> =
                facts.map(|setting| Fact::new(setting.name, format!("{} (from {})", setting.value, setting.origin))).collect();
            match pod {
                Some(pod) => usable_mount(pod).facts(facts),
                None => Step::Configuration.good(format!("from {}", config.server.origin)).facts(facts),
            }
        }
        (Err(error), Some(pod)) => unusable_mount(pod, error),
        (Err(error), None) => failed(if look.is_nothing { Reason::NoConfiguration } else { Reason::BadConfiguration }, error),
    }
}

fn usable_mount(pod: &PodLook) -> Finding {
    let folder = text::path(&pod.folder);
    let is_plain = pod.files.iter().any(|(name, file)| *name == "token" && *file == FileLook::Plain);
    if !is_plain {
        return Step::Configuration.good(format!("the pod's service account, in `{folder}`"));
    }
    Step::Configuration
        .doubt(format!("the service account in `{folder}`, whose token nobody renews: it is a file, and no link through `..data`"))
        .fix(Fix::say(
            "a copy of a token expires and is not renewed, and neither is what is mounted with `subPath`: mount the whole volume, without \
             `subPath`",
        ))
}

fn unusable_mount(pod: &PodLook, error: &Error) -> Finding {
    let finding = match pod.files[0] {
        ("token", FileLook::Missing) => no_token(pod),
        _ => failed(Reason::BadConfiguration, error),
    };
    let file = |(name, file): (&str, FileLook)| {
        let what = match file {
            FileLook::Missing => "missing",
            FileLook::Renewed => "a link, which the kubelet renews",
            FileLook::Plain => "a file, which nobody renews",
        };
        Fact::new(text::path(&pod.folder.join(name)), what)
    };
    finding.facts(pod.files.map(file))
}

fn no_token(pod: &PodLook) -> Finding {
    let folder = text::path(&pod.folder);
    let (message, by) = match (pod.folder.exists(), pod.folder_variable) {
        (true, _) => (format!("the service account's folder `{folder}` has no `token`"), String::new()),
        (false, None) => (format!("no service account is mounted: there is no `{folder}`"), String::new()),
        (false, Some(variable)) => (
            format!("no service account is mounted: there is no `{folder}`, which the environment's `{variable}` names"),
            format!(" (and `unset {variable}` if it names the wrong folder)"),
        ),
    };
    Step::Configuration.bad(Reason::NoMount, message).fix(
        Fix::say(format!(
            "the pod, or its service account, says `automountServiceAccountToken: false`: say otherwise in the pod's manifest (in \
             a Deployment's, below `spec.template`), and start it again{by}"
        ))
        .write("spec:\n  automountServiceAccountToken: true\n"),
    )
}

/// An error of the configuration, which says itself what to do.
fn failed(reason: Reason, error: &Error) -> Finding {
    let mut finding = Step::Configuration.bad(reason, error.to_string());
    for cause in error.causes() {
        finding = finding.fact("because", cause.to_string());
    }
    match error.help() {
        Some(help) => {
            let mut lines = help.lines();
            let text = lines.next_back().unwrap_or_default();
            finding.facts(lines.map(|line| Fact::new("", line))).fix(Fix::say(text))
        }
        None => finding.fix(Fix::say("correct it there, or name another configuration by `--kubeconfig` or `--context`")),
    }
}

/// Which address, and how it is reached.
pub(super) fn address(look: &Look) -> Finding {
    let server = match (look.server(), &look.pod) {
        (Some(server), _) => server,
        (None, Some(PodLook { server: Some(Err(error)), .. })) => {
            let finding = Step::Address.bad(Reason::BadAddress, error.to_string());
            return finding.fix(Fix::say("the kubelet sets both variables to what is right: take them out of the pod's `env`"));
        }
        (None, Some(PodLook { server: None, .. })) => {
            let text = "the environment has no `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`";
            return Step::Address.bad(Reason::NoAddress, text).fix(Fix::say(
                "the kubelet sets them in every pod: something emptied the environment, such as `env -i`, `sudo` or an init system",
            ));
        }
        (None, _) => return Step::Address.open("not known without a configuration"),
    };
    let told = format!("{}, from {}", server.value.as_str(), server.origin);
    let proxy = look.way.as_ref().and_then(|way| way.proxy.as_ref().ok()?.as_ref());
    match (proxy, look.proxy_variable) {
        (Some(proxy), _) => Step::Address.good(told).fact("proxy", format!("{}, from {}", proxy.value, proxy.origin)),
        (None, Some(variable)) => Step::Address
            .doubt(told)
            .fact(format!("`{variable}` is set"), "podlens does not use it, and connects directly; kubectl and others may use it"),
        (None, None) => Step::Address.good(told),
    }
}
