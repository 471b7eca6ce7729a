//! The configuration of a pod: the API server's address from the environment, the rest from the service account's mount.
//!
//! Names and paths: k8s.io/client-go `rest/config.go` (`InClusterConfig`) and k8s.io/kubernetes
//! `plugin/pkg/admission/serviceaccount` (`TokenVolumeSource`), both v1.37.2 or its client-go. Unlike client-go, a CA that cannot be
//! used is an error and not a reason to trust the system's, no proxy is used, and the options hold here as they do for a kubeconfig
//! (client-go takes three of them and passes over the others).

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::environment::{POD_NAMESPACE, SERVICE_ACCOUNT_DIR, SERVICE_HOST, SERVICE_PORT};
use super::{Authority, Config, ConfigOptions, Credentials, Environment, Origin, Pem, Server, Sourced, file, kubeconfig};
use crate::error::{Error, Kind};
use crate::kube::Namespace;
use crate::text::excerpt;

/// Where the kubelet mounts a service account.
pub(crate) const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// The API server's Service by name, port 443 (k8s.io/kubernetes `pkg/controlplane`, service `kubernetes` of namespace `default`).
const DNS_ADDRESS: &str = "https://kubernetes.default.svc";

/// The folder to look for a service account in.
pub(super) fn folder(environment: &dyn Environment) -> PathBuf {
    environment.non_empty(SERVICE_ACCOUNT_DIR).map_or_else(|| MOUNT.into(), PathBuf::from)
}

pub(super) fn in_cluster(environment: &dyn Environment, options: &ConfigOptions) -> Result<Config, Error> {
    if let Some(option) = options.elsewhere() {
        let message = format!("`{option}` says where the API server is, and so does the pod");
        return Err(Error::new(Kind::Configuration, message));
    }
    let server = if options.dns_name {
        let server = Server::parse(DNS_ADDRESS).map_err(|error| error.into_error("the API server's DNS name"))?;
        Sourced::new(server, Origin::Option("dns-name"))
    } else {
        Sourced::new(server(environment)?, Origin::Variable(SERVICE_HOST))
    };
    let folder = folder(environment);
    let config = service_account(server, &folder, environment.text(POD_NAMESPACE)?, options)?;
    // Only of the kubelet's own mount: another folder is laid out by somebody who knows.
    if folder == Path::new(MOUNT) {
        for (name, what) in [("token", "it ends within an hour"), ("ca.crt", "the cluster's authority may change")] {
            let file = folder.join(name);
            let is_used = match name {
                "token" => config.credentials.origin == Origin::File(file.clone()),
                _ => matches!(&config.tls.authority, Authority::Given(Pem::File(path)) if *path == file),
            };
            if is_used && never_rotates(&file) {
                tracing::warn!(
                    "`{MOUNT}/{name}` is a file and not a link, as where it is mounted with `subPath`: the kubelet never renews it there, \
                     and {what}; mount the whole volume"
                );
            }
        }
    }
    Ok(config)
}

/// Whether the kubelet has no way to renew this file: it swaps the folder that its links lead through (k8s.io/kubernetes
/// `pkg/volume/util/atomic_writer.go`), and what is mounted with `subPath` is no link.
fn never_rotates(file: &Path) -> bool {
    fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file())
}

/// Everything but the address. `pod_namespace` comes before the mount's file, and an option before either.
pub(super) fn service_account(
    server: Sourced<Server>,
    folder: &Path,
    pod_namespace: Option<String>,
    options: &ConfigOptions,
) -> Result<Config, Error> {
    let (token_path, origin) = match &options.token_file {
        Some(path) => (path.clone(), Origin::Option("token-file")),
        None => (folder.join("token"), Origin::File(folder.join("token"))),
    };
    let credentials = Credentials::token_file(token_path.clone()).map_err(|error| explain_token(error, &token_path))?;
    let (mut tls, impersonation) = kubeconfig::of_options(options)?;
    if matches!(tls.authority, Authority::Platform) {
        tls.authority = Authority::Given(Pem::File(folder.join("ca.crt")));
    }
    tls.load()?;
    Ok(Config {
        server,
        namespace: namespace(folder, pod_namespace)?,
        tls,
        credentials: Sourced::new(credentials, origin),
        impersonation,
        proxy: None,
        request_timeout: options.request_timeout,
        unused: Vec::new(),
    })
}

/// The address by the environment.
pub(super) fn server(environment: &dyn Environment) -> Result<Server, Error> {
    let (Some(host), Some(port)) = (environment.text(SERVICE_HOST)?, environment.text(SERVICE_PORT)?) else {
        return Err(Error::new(
            Kind::Configuration,
            format!("the environment's `{SERVICE_HOST}` and `{SERVICE_PORT}` are needed in a pod, and not both are set"),
        )
        .hint("the kubelet sets them in every pod; outside a cluster use a kubeconfig"));
    };
    let invalid = |name: &str, value: &str, accepted: &str| {
        Error::new(Kind::Configuration, format!("the environment's `{name}` is `{}`, not {accepted}", excerpt(value)))
    };
    if !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err(invalid(SERVICE_PORT, &port, "a port from 1 to 65535"));
    }
    let address = match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(host)) => format!("https://[{host}]:{port}"),
        Ok(IpAddr::V4(host)) => format!("https://{host}:{port}"),
        Err(_) if is_dns_name(&host) => format!("https://{host}:{port}"),
        Err(_) => return Err(invalid(SERVICE_HOST, &host, "an IP address or a DNS name")),
    };
    Server::parse(&address).map_err(|error| error.into_error(&format!("the environment's `{SERVICE_HOST}`")))
}

/// Only characters that cannot turn a host into something else of a URL.
fn is_dns_name(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

fn namespace(folder: &Path, pod_namespace: Option<String>) -> Result<Sourced<Namespace>, Error> {
    let path = folder.join("namespace");
    let (name, origin) = match pod_namespace {
        Some(name) => (name, Origin::Variable(POD_NAMESPACE)),
        None => match file::read(&path) {
            Ok(bytes) => (String::from_utf8_lossy(&bytes).trim().to_owned(), Origin::File(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Sourced::new(Namespace::default(), Origin::Default));
            }
            Err(error) => {
                let message = format!("cannot read the namespace from `{}`", crate::text::path(&path));
                return Err(Error::new(Kind::Configuration, message).because(error));
            }
        },
    };
    match Namespace::parse(&name) {
        Ok(namespace) => Ok(Sourced::new(namespace, origin)),
        // Not shown: a file that was mounted in the wrong place may hold anything.
        Err(_) => Err(Error::new(Kind::Configuration, format!("the namespace from {origin} is not a namespace's name"))),
    }
}

fn explain_token(error: Error, path: &Path) -> Error {
    if path.try_exists().unwrap_or(true) {
        return error;
    }
    Error::new(Kind::Configuration, format!("the service account's token `{}` is missing", crate::text::path(path))).hint(
        "the pod or its service account may say `automountServiceAccountToken: false`; \
         a projected volume with a `serviceAccountToken` gives one, too",
    )
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::fs;

    use super::super::environment::fixed::FixedEnvironment;
    use super::*;

    fn mount() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let ca = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap().cert.pem();
        for (name, text) in [("token", "canary\n"), ("ca.crt", ca.as_str()), ("namespace", "shop\n")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn config(folder: &Path, variables: &[(&str, &str)]) -> Result<Config, Error> {
        let folder = folder.to_str().unwrap();
        let mut all = vec![(SERVICE_ACCOUNT_DIR, folder), (SERVICE_HOST, "10.96.0.1"), (SERVICE_PORT, "443")];
        // The first of a name is found.
        all.splice(0..0, variables.iter().copied());
        in_cluster(&FixedEnvironment(&all), &ConfigOptions::default())
    }

    #[test]
    fn address_token_ca_and_namespace_are_found() {
        let mount = mount();
        let config = config(mount.path(), &[]).unwrap();
        assert_eq!((config.address(), config.namespace().as_str()), ("https://10.96.0.1", "shop"));
        let path = mount.path().display();
        assert_eq!(
            format!("{config:?}"),
            format!(
                "Config {{ server: https://10.96.0.1 (from the environment's `KUBERNETES_SERVICE_HOST`), \
                 namespace: shop (from `{path}/namespace`), certificate authority: as configured (from `{path}/ca.crt`), \
                 credentials: bearer token from a file (from `{path}/token`) }}"
            )
        );
    }

    #[test]
    fn addresses_are_joined_and_checked() {
        let mount = mount();
        for (host, port, expected) in [
            ("10.96.0.1", "6443", Ok("https://10.96.0.1:6443")),
            ("fd00::1", "443", Ok("https://[fd00::1]")),
            ("api.example", "8443", Ok("https://api.example:8443")),
            (
                "fe80::1%eth0",
                "443",
                Err("the environment's `KUBERNETES_SERVICE_HOST` is `fe80::1%eth0`, not an IP address or a DNS name"),
            ),
            ("a/b?c#", "443", Err("the environment's `KUBERNETES_SERVICE_HOST` is `a/b?c#`, not an IP address or a DNS name")),
            ("a", "0", Err("the environment's `KUBERNETES_SERVICE_PORT` is `0`, not a port from 1 to 65535")),
            ("a", "tcp://", Err("the environment's `KUBERNETES_SERVICE_PORT` is `tcp://`, not a port from 1 to 65535")),
            (
                "",
                "443",
                Err(
                    "the environment's `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are needed in a pod, and not both are set",
                ),
            ),
            (
                "a",
                "",
                Err(
                    "the environment's `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are needed in a pod, and not both are set",
                ),
            ),
        ] {
            let config = config(mount.path(), &[(SERVICE_HOST, host), (SERVICE_PORT, port)]);
            let found = config.as_ref().map(Config::address).map_err(Error::to_string);
            assert_eq!(found, expected.map_err(str::to_owned));
        }
    }

    #[test]
    fn the_dns_name_needs_no_address_in_the_environment() {
        let mount = mount();
        let environment = [(SERVICE_ACCOUNT_DIR, mount.path().to_str().unwrap())];
        let options = ConfigOptions { dns_name: true, ..ConfigOptions::default() };
        assert_eq!(in_cluster(&FixedEnvironment(&environment), &options).unwrap().address(), "https://kubernetes.default.svc");
    }

    #[test]
    fn the_namespace_is_that_of_variable_then_file_then_default() {
        let mount = mount();
        assert_eq!(config(mount.path(), &[(POD_NAMESPACE, "other")]).unwrap().namespace().as_str(), "other");
        assert_eq!(config(mount.path(), &[(POD_NAMESPACE, "")]).unwrap().namespace().as_str(), "shop");
        assert_eq!(
            config(mount.path(), &[(POD_NAMESPACE, "..")]).unwrap_err().to_string(),
            "the namespace from the environment's `POD_NAMESPACE` is not a namespace's name"
        );
        fs::remove_file(mount.path().join("namespace")).unwrap();
        assert_eq!(config(mount.path(), &[]).unwrap().namespace().as_str(), "default");
    }

    #[test]
    fn the_options_hold_in_a_pod_too() {
        let mount = mount();
        let other = mount.path().join("other");
        fs::write(&other, "canary-2").unwrap();
        let folder = mount.path().to_str().unwrap();
        let environment = [(SERVICE_ACCOUNT_DIR, folder), (SERVICE_HOST, "10.96.0.1"), (SERVICE_PORT, "443")];
        let options = ConfigOptions {
            token_file: Some(other),
            tls_server_name: Some("kubernetes".into()),
            insecure_skip_tls_verify: true,
            impersonate_user: Some("jane".into()),
            ..ConfigOptions::default()
        };
        let told = format!("{:?}", in_cluster(&FixedEnvironment(&environment), &options).unwrap()).replace(folder, "@");
        for part in [
            "credentials: bearer token from the file `@/other` (from the option `token-file`)",
            "certificate authority: none: any certificate is accepted (from the option `insecure-skip-tls-verify`)",
            "TLS server name: kubernetes (from the option `tls-server-name`)",
            "impersonation: user `jane` (from the option `as`)",
        ] {
            assert!(told.contains(part), "{told}");
        }
    }

    #[test]
    fn a_token_that_is_no_link_is_never_renewed() {
        let mount = mount();
        let token = mount.path().join("token");
        assert!(never_rotates(&token));
        fs::rename(&token, mount.path().join("other")).unwrap();
        assert!(!never_rotates(&token));
        std::os::unix::fs::symlink("other", &token).unwrap();
        assert!(!never_rotates(&token));
    }

    #[test]
    fn a_bad_mount_is_told_at_the_start() {
        for (name, text, message, cause) in [
            ("token", None, "the service account's token `@/token` is missing", None),
            ("token", Some(""), "cannot use the token file `@/token`", Some("the token is empty")),
            ("token", Some("canary canary"), "cannot use the token file `@/token`", Some("the token has whitespace in it")),
            ("ca.crt", None, "cannot read the certificate authority `@/ca.crt`", Some("No such file or directory (os error 2)")),
            ("ca.crt", Some(""), "cannot use the certificate authority `@/ca.crt`", Some("it is empty")),
        ] {
            let mount = mount();
            let path = mount.path().join(name);
            match text {
                Some(text) => fs::write(path, text).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
            let error = config(mount.path(), &[]).unwrap_err();
            assert_eq!(error.to_string().replace(mount.path().to_str().unwrap(), "@"), message);
            assert_eq!(error.source().map(ToString::to_string).as_deref(), cause);
            assert!(error.is_configuration() && !format!("{error:?}").contains("canary"));
        }
    }
}
