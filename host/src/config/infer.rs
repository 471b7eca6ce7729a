//! Which configuration: a kubeconfig where there is one, else the pod's service account.

use std::path::PathBuf;

use super::environment::{KUBECONFIG, PROXIES, SERVICE_ACCOUNT_DIR, SERVICE_HOST, SERVICE_PORT};
use super::kubeconfig::{self, Files};
use super::options::set;
use super::{Config, ConfigOptions, Environment, Unused, in_cluster};
use crate::error::{Error, Kind};
use crate::text::excerpt;

pub(crate) fn infer(environment: &dyn Environment, options: &ConfigOptions) -> Result<Config, Error> {
    let files = files(environment, options);
    let mut config = match kubeconfig::load(&files, options, environment)? {
        Some(mut config) => {
            let pod = [SERVICE_HOST, SERVICE_ACCOUNT_DIR].into_iter().find(|name| environment.non_empty(name).is_some());
            config.unused.extend(pod.map(Unused::Pod));
            config
        }
        None => without_kubeconfig(environment, options, &files)?,
    };
    if options.kubeconfig.is_some() && environment.non_empty(KUBECONFIG).is_some() {
        config.unused.push(Unused::KubeconfigVariable);
    }
    config.unused.extend(PROXIES.into_iter().find(|name| environment.non_empty(name).is_some()).map(Unused::ProxyVariable));
    Ok(config)
}

fn without_kubeconfig(environment: &dyn Environment, options: &ConfigOptions, files: &Files) -> Result<Config, Error> {
    if let Files::Explicit(path) = files {
        return Err(Error::new(Kind::Configuration, format!("the kubeconfig `{}` is empty", crate::text::path(path))));
    }
    for (list, name) in [("context", &options.context), ("cluster", &options.cluster), ("user", &options.user)] {
        if let Some(name) = set(name) {
            let message = format!("there is no {list} `{}`, since there is no kubeconfig", excerpt(name));
            return Err(Error::new(Kind::Configuration, message).hint(tried(environment, files).join("\n")));
        }
    }
    if is_in_cluster(environment, options) {
        return in_cluster::in_cluster(environment, options);
    }
    Err(Error::new(Kind::Configuration, "no kubeconfig, and not in a pod: there is no way to an API server")
        .hint(nothing_found(environment, files)))
}

/// Whether it is the pod's service account that [`infer`] takes, be it usable or not.
#[cfg(feature = "cli")]
pub(super) fn is_pods_turn(environment: &dyn Environment, options: &ConfigOptions) -> bool {
    let is_named = options.kubeconfig.is_some()
        || [&options.context, &options.cluster, &options.user].into_iter().any(|name| set(name).is_some());
    let has_kubeconfig = || !matches!(kubeconfig::load(&files(environment, options), options, environment), Ok(None));
    !is_named && is_in_cluster(environment, options) && !has_kubeconfig()
}

/// Whether anything says that this is a pod. What is missing then is told by `in_cluster`, more precisely.
fn is_in_cluster(environment: &dyn Environment, options: &ConfigOptions) -> bool {
    options.dns_name || [SERVICE_HOST, SERVICE_PORT, SERVICE_ACCOUNT_DIR].iter().any(|name| environment.non_empty(name).is_some())
}

/// The files that kubectl would read (client-go `NewDefaultClientConfigLoadingRules`): an empty entry and a repeated one are dropped,
/// and a `KUBECONFIG` of nothing but such entries still means that the home is not looked at.
pub(super) fn files(environment: &dyn Environment, options: &ConfigOptions) -> Files {
    if let Some(path) = &options.kubeconfig {
        return Files::Explicit(path.clone());
    }
    let mut paths: Vec<PathBuf> = Vec::new();
    match environment.non_empty(KUBECONFIG) {
        Some(list) => {
            for path in std::env::split_paths(&list) {
                if !path.as_os_str().is_empty() && !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        None => paths.extend(environment.home().map(|home| home.join(".kube").join("config"))),
    }
    Files::Found(paths)
}

fn nothing_found(environment: &dyn Environment, files: &Files) -> String {
    let mut lines = vec!["looked at:".to_owned()];
    lines.extend(tried(environment, files));
    lines.push(format!("the environment's `{SERVICE_HOST}` and `{SERVICE_PORT}`: not set, as they would be in a pod"));
    lines.push(format!("set `{KUBECONFIG}` or name a kubeconfig, or run in a pod with a service account"));
    lines.join("\n")
}

fn tried(environment: &dyn Environment, files: &Files) -> Vec<String> {
    let from = match environment.non_empty(KUBECONFIG) {
        Some(_) => format!(", from the environment's `{KUBECONFIG}`"),
        None => format!(", since the environment's `{KUBECONFIG}` is not set"),
    };
    if files.paths().is_empty() {
        return vec![format!("no kubeconfig at all{from}")];
    }
    let line = |path: &PathBuf| {
        let found = if path.exists() { "empty" } else { "missing" };
        format!("the kubeconfig `{}`{from}: {found}", crate::text::path(path))
    };
    files.paths().iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::environment::fixed::FixedEnvironment;
    use super::*;

    fn infer_from(variables: &[(&str, &str)], options: ConfigOptions) -> Result<Config, Error> {
        infer(&FixedEnvironment(variables), &options)
    }

    #[test]
    fn kubeconfigs_are_found_as_kubectl_finds_them() {
        let found = |variables: &[(&str, &str)]| files(&FixedEnvironment(variables), &ConfigOptions::default());
        let paths = |paths: &[&str]| Files::Found(paths.iter().map(PathBuf::from).collect());
        assert_eq!(found(&[("HOME", "/h")]), paths(&["/h/.kube/config"]));
        assert_eq!(found(&[("HOME", "/h"), (KUBECONFIG, "")]), paths(&["/h/.kube/config"]));
        assert_eq!(found(&[("HOME", "/h"), (KUBECONFIG, ":/b::/a:/b:")]), paths(&["/b", "/a"]));
        assert_eq!(found(&[("HOME", "/h"), (KUBECONFIG, ":")]), paths(&[]));
        assert_eq!(found(&[]), paths(&[]));
        let options = ConfigOptions { kubeconfig: Some("/x".into()), ..ConfigOptions::default() };
        assert_eq!(files(&FixedEnvironment(&[(KUBECONFIG, "/a")]), &options), Files::Explicit("/x".into()));
    }

    #[test]
    fn nothing_found_is_told_with_everything_that_was_tried() {
        let error = infer_from(&[("HOME", "/nowhere")], ConfigOptions::default()).unwrap_err();
        assert_eq!(error.to_string(), "no kubeconfig, and not in a pod: there is no way to an API server");
        assert_eq!(
            error.help(),
            Some(
                "looked at:\n\
                 the kubeconfig `/nowhere/.kube/config`, since the environment's `KUBECONFIG` is not set: missing\n\
                 the environment's `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`: not set, as they would be in a pod\n\
                 set `KUBECONFIG` or name a kubeconfig, or run in a pod with a service account"
            )
        );
    }

    #[test]
    fn a_broken_kubeconfig_is_an_error_even_in_a_pod() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, "users: [").unwrap();
        let path = path.to_str().unwrap();
        let pod = [(KUBECONFIG, path), (SERVICE_HOST, "10.0.0.1"), (SERVICE_PORT, "443")];
        let error = infer_from(&pod, ConfigOptions::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read the kubeconfig `{path}`"));
    }

    #[test]
    fn a_pod_is_asked_for_when_no_kubeconfig_says_anything() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        fs::write(&empty, "apiVersion: v1\nkind: Config\n").unwrap();
        let list = format!("/nowhere:{}", empty.display());
        let pod =
            [(KUBECONFIG, list.as_str()), (SERVICE_HOST, "10.0.0.1"), (SERVICE_PORT, "443"), (SERVICE_ACCOUNT_DIR, "/nowhere")];
        let error = infer_from(&pod, ConfigOptions::default()).unwrap_err();
        assert_eq!(error.to_string(), "the service account's token `/nowhere/token` is missing");

        let options = ConfigOptions { context: Some("dev".into()), ..ConfigOptions::default() };
        let error = infer_from(&pod, options).unwrap_err();
        assert_eq!(error.to_string(), "there is no context `dev`, since there is no kubeconfig");
    }

    #[test]
    fn a_named_kubeconfig_must_exist_and_say_something() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let named = |path: &Path| ConfigOptions { kubeconfig: Some(path.to_owned()), ..ConfigOptions::default() };
        let error = infer_from(&[], named(&path)).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read the kubeconfig `{}`", path.display()));
        fs::write(&path, "").unwrap();
        let error = infer_from(&[(SERVICE_HOST, "a")], named(&path)).unwrap_err();
        assert_eq!(error.to_string(), format!("the kubeconfig `{}` is empty", path.display()));
    }
}
