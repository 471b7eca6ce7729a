//! What to do about it, in words and in lines that can be pasted: for this configuration, file and account, and not in general.
//!
//! A line that fails in its midst leaves everything as it was: what is to be written is there in full before anything is replaced.
//! It names nothing that an unknown server chose, and nothing that a person cannot see (`rbac/shell.rs`).

use std::path::Path;

use super::peer::Peer;
use super::step::Fix;
use super::told::Told;
use crate::cli::rbac::{Right, Subject};
use crate::cli::shell::{self, Unprintable};
use crate::config::{Authority, Entry, FileLook, Look, MOUNT, Origin, Pem, Proxy, Sourced};
use crate::kube::{Namespace, ServiceAccount};
use crate::text;

/// The pod's token, CA and namespace, as they are mounted if nobody decides otherwise (k8s.io/kubernetes
/// `plugin/pkg/admission/serviceaccount`, `TokenVolumeSource`).
const VOLUME: &str = "\
spec:
  containers:
  - name: CONTAINER
    volumeMounts:
    - name: kube-api-access
      mountPath: /var/run/secrets/kubernetes.io/serviceaccount
      readOnly: true
  volumes:
  - name: kube-api-access
    projected:
      sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3607
      - configMap:
          name: kube-root-ca.crt
          items:
          - key: ca.crt
            path: ca.crt
      - downwardAPI:
          items:
          - path: namespace
            fieldRef:
              fieldPath: metadata.namespace
";

/// Where an authority is written that has no place yet. Nobody has a file of this name.
const NEW_AUTHORITY: &str = "cluster-ca.crt.new";

/// Knows where each value came from, and so where it is to be changed.
pub(super) struct Remedies<'a> {
    pub(super) look: &'a Look,
    pub(super) told: &'a Told,
}

/// What a token's remedy depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenFault {
    Expired,
    Audience,
}

impl Remedies<'_> {
    /// The host's name has no address.
    pub(super) fn no_dns(&self, peer: &Peer) -> Fix {
        if let Some(proxy) = self.proxy_of(peer) {
            return Fix::say(format!("{}: is its name right, and does DNS work here?", way_through(proxy)));
        }
        let host = peer.host.as_str();
        match self.origin() {
            Some(Origin::Kubeconfig(entry)) => self.no_dns_for(entry, host),
            Some(Origin::Variable(variable)) => Fix::say(format!(
                "the kubelet sets `{variable}` to an IP address, so that no DNS is needed: take it out of the pod's `env`; or, \
                 from where kubectl works,"
            ))
            .run(
                self.kubectl(&["get", "service", "kubernetes", "--namespace=default", "-o", "jsonpath={.spec.clusterIP}"])
                    .map(|get| format!("ip=\"$({get})\" && test -n \"$ip\" && export {variable}=\"$ip\"")),
            ),
            Some(Origin::Option("dns-name")) => {
                Fix::say("does DNS work here? A pod with `hostNetwork: true` needs another `dnsPolicy`")
                    .write("spec:\n  dnsPolicy: ClusterFirstWithHostNet\n")
            }
            _ => Fix::say(format!(
                "is the name right, and does DNS work here? If it never does, give the address by IP, and the name as \
                 `--tls-server-name={host}`.{}",
                self.unused_proxy()
            )),
        }
    }

    fn no_dns_for(&self, entry: &Entry, host: &str) -> Fix {
        let is_pods = host == "kubernetes.default" || host.starts_with("kubernetes.default.");
        if let Some(variable) = self.unused_proxy_variable() {
            // A name that only the proxy can resolve is why such networks have one.
            return Fix::say(format!(
                "is the name right, and does DNS work here? The environment's `{variable}` is set, and podlens does not use it; \
                 if the API server is behind that proxy, say so where the address is:"
            ))
            .run(set_cluster(entry, &[]).map(|set| format!("{set} --proxy-url=\"${variable}\"")));
        }
        match &self.look.service_address {
            Some(address) if is_pods => {
                Fix::say("DNS does not work here, or does not know this name: use the pod's own address of the API server")
                    .run(set_cluster(entry, &[format!("--server={address}")]))
            }
            _ => {
                let server = format!("--server={}", self.at("IP"));
                let name = self.server_name().unwrap_or_else(|| host.to_owned());
                Fix::say(
                    "is the name right, and does DNS work here? If it never does, write the server's IP address in place of `IP`",
                )
                .run(set_cluster(entry, &[server, format!("--tls-server-name={name}")]))
            }
        }
    }

    /// No address of the host gives a connection.
    pub(super) fn no_connection(&self, peer: &Peer, refused: bool) -> Fix {
        let text = match (self.proxy_of(peer), refused) {
            (Some(proxy), _) => format!("{}: is that right, and does it run? When it does,", way_through(proxy)),
            (None, true) => format!(
                "the API server is down, or this is not its address (it is from {}); nothing in here can start it, so wait until \
                 it is back.{}",
                self.told_origin(),
                self.unused_proxy()
            ),
            (None, false) => format!(
                "is this its address (it is from {}), and does a firewall or a NetworkPolicy let you reach it?{} When it does,",
                self.told_origin(),
                self.unused_proxy()
            ),
        };
        Fix::say(text).run(self.told.wait())
    }

    /// The proxy was reached, and leads nowhere.
    pub(super) fn no_tunnel(&self) -> Fix {
        match self.proxy() {
            Some(proxy) => Fix::say(format!("{}: it has to let you through to the API server's address", way_through(proxy))),
            None => Fix::say("the proxy has to let you through"),
        }
    }

    /// What is there speaks no TLS, or not to us.
    pub(super) fn no_tls(&self) -> Fix {
        let text = "is the port right? An API server's is usually 6443, or 443 in a pod; and does nothing between end TLS?";
        Fix::say(format!("{text} The address is from {}", self.told_origin()))
    }

    /// The server's certificate is issued by somebody else. `candidate` is a file with an authority that has issued it.
    pub(super) fn wrong_authority(&self, candidate: Option<&Path>) -> Fix {
        let from = "either this is another cluster's authority, or another server answers at this address";
        let reached = "from where kubectl reaches this cluster";
        let authority = self.authority();
        if let Some(path) = &self.told.options.certificate_authority {
            let fix = format!("{from}. If the address is right, give the cluster's own instead of `{}`", text::path(path));
            return match candidate {
                Some(candidate) => Fix::say(format!("{fix}: `--certificate-authority={}`", text::path(candidate))),
                None => Fix::say(format!("{fix}: {reached}, and then with `--certificate-authority={NEW_AUTHORITY}`"))
                    .run(self.fetch_authority()),
            };
        }
        match (self.origin(), authority) {
            (Some(Origin::Kubeconfig(entry)), _) => {
                let set = |path: &str| set_cluster(entry, &["--embed-certs".to_owned(), format!("--certificate-authority={path}")]);
                match candidate {
                    Some(candidate) => {
                        let text = format!("{from}; `{}` fits. If the address is right, take it", text::path(candidate));
                        Fix::say(text).run(set(&shell::path(candidate)))
                    }
                    None => Fix::say(format!("{from}. If the address is right, take the cluster's own authority, {reached}:"))
                        .run(self.fetch_authority().and_then(|fetch| Ok(format!("{fetch} && {}", set(NEW_AUTHORITY)?)))),
                }
            }
            (_, Some(Authority::Given(Pem::File(path)))) if is_ours(path) => match candidate {
                Some(candidate) => Fix::say(format!("{from}; `{}` fits, so", text::path(candidate))).run(shell::command([
                    "cp",
                    &shell::path(candidate),
                    &shell::path(path),
                ])),
                None => Fix::say(format!("{from}; every namespace has the cluster's own: {reached},")).run(
                    // Not into the file at once, which is emptied before kubectl fails.
                    self.get_authority().and_then(|get| {
                        Ok(format!("ca=\"$({get})\" && test -n \"$ca\" && printf '%s\\n' \"$ca\" > {}", word(path)?))
                    }),
                ),
            },
            (_, Some(Authority::Given(Pem::File(_)))) => volume(&format!("{from}; the kubelet would mount the cluster's own")),
            _ => Fix::say(format!(
                "{from}. If the address is right, give the cluster's own as `--certificate-authority={NEW_AUTHORITY}`, {reached}:"
            ))
            .run(self.fetch_authority()),
        }
    }

    /// Writes the cluster's own authority into a file of its own.
    fn fetch_authority(&self) -> Result<String, Unprintable> {
        Ok(format!("{} > {NEW_AUTHORITY} && test -s {NEW_AUTHORITY}", self.get_authority()?))
    }

    /// The cluster's own authority, got by somebody who trusts it already. From the address that was examined: the kubeconfig of
    /// another cluster then fails, instead of giving that one's.
    fn get_authority(&self) -> Result<String, Unprintable> {
        let namespace = self.look.config.as_ref().map_or("default", |config| config.namespace().as_str());
        let mut words = vec!["kubectl".to_owned(), "get".to_owned(), "configmap".to_owned(), "kube-root-ca.crt".to_owned()];
        words.push(format!("--namespace={namespace}"));
        words.extend(self.look.server().map(|server| format!("--server={}", server.value.as_str())));
        words.extend(self.server_name().map(|name| format!("--tls-server-name={name}")));
        words.extend(["-o".to_owned(), r"jsonpath={.data.ca\.crt}".to_owned()]);
        shell::command(words)
    }

    /// The certificate is in order, and for other names. `names` are those that an address can have, and `answering` is one of them
    /// at which something listens; both are to be used only where a configured authority vouches for them.
    pub(super) fn wrong_name(&self, names: &[&str], answering: Option<&str>) -> Fix {
        const ONLY_IF: &str = "only if you know this name to be your API server's";
        let is_vouched_for = matches!(self.authority(), Some(Authority::Given(_)));
        if let Some(name) = self.look.way.as_ref().and_then(|way| way.tls.as_ref().ok()?.server_name.as_ref()) {
            return Fix::say(format!("the name is from {}: it has to be one that the certificate is for, or none", name.origin));
        }
        match (self.origin(), answering.filter(|_| is_vouched_for)) {
            (Some(Origin::Variable(variable)), answering) => {
                let text = format!("`{variable}` is not what the kubelet sets it to: take it out of the pod's `env`");
                match answering {
                    Some(name) => Fix::say(format!("{text}; or, {ONLY_IF},"))
                        .run(shell::word(&format!("{variable}={name}")).map(|word| format!("export {word}"))),
                    None => Fix::say(text),
                }
            }
            (Some(Origin::Kubeconfig(entry)), Some(name)) => {
                Fix::say(format!("this host is not in the certificate: use one that is, {ONLY_IF}"))
                    .run(set_cluster(entry, &[format!("--server={}", self.at(name))]))
            }
            (Some(Origin::Kubeconfig(entry)), None) if is_vouched_for && !names.is_empty() => Fix::say(format!(
                "this host is not in the certificate. If the host is right, say what name it has there, {ONLY_IF}"
            ))
            .run(set_cluster(entry, &[format!("--tls-server-name={}", names[0])])),
            _ => Fix::say(format!(
                "either the address is wrong, or somebody else answers there: ask whoever runs the cluster (the address is from \
                 {})",
                self.told_origin()
            )),
        }
    }

    /// The token is of no use here.
    pub(super) fn token(&self, account: Option<&ServiceAccount>, pod: Option<&str>, fault: TokenFault) -> Fix {
        let Some(account) = account else { return Fix::say("get a new one from whoever issued it") };
        let (name, namespace) = (account.name(), format!("--namespace={}", account.namespace));
        let create = self.kubectl(&["create", "token", name, &namespace]);
        // Nothing is written before there is a token.
        let created = create.clone().map(|create| format!("t=\"$({create})\" && test -n \"$t\""));
        let Ok(config) = &self.look.config else { return Fix::say("get a new one").run(create) };
        let by = "as somebody who may create tokens there";
        match (&config.credentials.origin, config.credentials.value.file()) {
            (Origin::Kubeconfig(entry), None) => {
                let set = || {
                    let file = format!("--kubeconfig={}", entry.file.to_string_lossy());
                    shell::command(["kubectl", "config", "set-credentials", shell::name(&entry.name)?, &file])
                };
                Fix::say(format!("put a new one into the kubeconfig, {by}; it is good for an hour (`--duration` asks for more)"))
                    .run(created.and_then(|created| Ok(format!("{created} && {} --token=\"$t\"", set()?))))
            }
            (_, Some(path)) if FileLook::at(path) == FileLook::Renewed && fault == TokenFault::Audience => {
                volume("the pod's volume asks for a token for somebody else: leave its `audience` out")
            }
            (_, Some(path)) if FileLook::at(path) == FileLook::Renewed => self.new_pod(&account.namespace, pod),
            (_, Some(path)) if !is_ours(path) => volume("mount the whole volume, without `subPath`, so that the kubelet renews it"),
            (_, Some(path)) => Fix::say(format!(
                "nothing renews this file: write a new token, {by}, good for an hour; or have the kubelet mount one"
            ))
            .run(created.and_then(|created| Ok(format!("{created} && printf %s \"$t\" > {}", word(path)?)))),
            (_, None) => Fix::say("get a new one").run(create),
        }
    }

    fn new_pod(&self, namespace: &Namespace, pod: Option<&str>) -> Fix {
        let text = "the kubelet should have renewed it, and did not. A new pod gets a new one";
        // The names of pods and of accounts have the same grammar.
        let is_name = |name: &&str| ServiceAccount::new(namespace.clone(), name).is_some();
        let Some(pod) = pod.or(self.look.host_name.as_deref()).filter(is_name) else {
            return Fix::say(format!("{text}: delete this one, if something makes it again"));
        };
        let flags = self.told.user();
        let namespace = format!("--namespace={namespace}");
        let words = ["kubectl", "delete", "pod", pod, &namespace].into_iter().chain(flags.iter().map(String::as_str));
        Fix::say(format!("{text}. One of a Deployment, a StatefulSet or a Job comes back by itself; a bare pod does not:"))
            .run(shell::command(words))
    }

    /// Some of what queries need is not allowed.
    pub(super) fn no_access(&self, subject: &Subject, places: &[Option<&Namespace>]) -> Fix {
        if matches!(self.authority(), Some(Authority::Anybody(_))) {
            return Fix::say(
                "nobody knows who answers here, so nothing is made of whom it takes us for: verify the server's certificate, and look again",
            );
        }
        let flags = self.told.cluster();
        let mut fix = Fix::say(format!("give {subject} the right, as somebody who may:"));
        let mut objects = Vec::new();
        for namespace in places {
            let right = Right { subject, verbs: &["get", "list"], namespace: *namespace };
            for command in right.commands(&flags) {
                fix = fix.run(command);
            }
            objects.extend([right.role(), right.binding()]);
        }
        fix.apply(objects.join("---\n"), &flags)
    }

    fn origin(&self) -> Option<&Origin> {
        self.look.server().map(|server| &server.origin)
    }

    fn told_origin(&self) -> String {
        self.origin().map(ToString::to_string).unwrap_or_default()
    }

    fn authority(&self) -> Option<&Authority> {
        self.look.way.as_ref()?.tls.as_ref().ok().map(|tls| &tls.authority)
    }

    /// The name that the certificate has to be for, where it is not the address's.
    fn server_name(&self) -> Option<String> {
        let name = self.look.way.as_ref()?.tls.as_ref().ok()?.server_name.as_ref()?;
        Some(name.value.to_str().into_owned())
    }

    /// The address at another host.
    fn at(&self, host: &str) -> String {
        self.look.server().map(|server| server.value.at(host)).unwrap_or_default()
    }

    fn proxy(&self) -> Option<&Sourced<Proxy>> {
        self.look.way.as_ref()?.proxy.as_ref().ok()?.as_ref()
    }

    fn proxy_of(&self, peer: &Peer) -> Option<&Sourced<Proxy>> {
        self.proxy().filter(|_| peer.is_proxy)
    }

    /// A proxy that the network may need, and that only a variable names.
    pub(super) fn unused_proxy_variable(&self) -> Option<&'static str> {
        self.look.proxy_variable.filter(|_| self.proxy().is_none())
    }

    /// A sentence about it, after another.
    fn unused_proxy(&self) -> String {
        let Some(variable) = self.unused_proxy_variable() else { return String::new() };
        let what = match self.origin() {
            Some(Origin::Variable(_)) => "a pod reaches its own API server directly",
            _ => "if the API server is behind that proxy, name it as the `proxy-url` of the kubeconfig's cluster",
        };
        format!(" The environment's `{variable}` is set, and podlens does not use it: {what}.")
    }

    /// kubectl, on the cluster that is examined.
    fn kubectl(&self, words: &[&str]) -> Result<String, Unprintable> {
        let flags = self.told.cluster();
        shell::command(["kubectl"].iter().chain(words).copied().chain(flags.iter().map(String::as_str)))
    }
}

/// A change of the cluster's entry in its kubeconfig.
fn set_cluster(entry: &Entry, flags: &[String]) -> Result<String, Unprintable> {
    let file = format!("--kubeconfig={}", entry.file.to_string_lossy());
    let words = ["kubectl", "config", "set-cluster", shell::name(&entry.name)?, &file];
    shell::command(words.into_iter().chain(flags.iter().map(String::as_str)))
}

/// A file that a shell writes.
fn word(path: &Path) -> Result<String, Unprintable> {
    shell::word(&shell::path(path))
}

fn way_through(proxy: &Sourced<Proxy>) -> String {
    format!("the way to the API server goes through the proxy `{}`, the `proxy-url` of {}", proxy.value, proxy.origin)
}

fn volume(text: &str) -> Fix {
    Fix::say(format!("{text}. In the pod's manifest, with the container's name in place of `CONTAINER`:")).write(VOLUME)
}

/// Whether the file is one that can be written, and not part of a pod's mount.
fn is_ours(path: &Path) -> bool {
    FileLook::at(path) != FileLook::Renewed && !path.starts_with(MOUNT)
}
