//! The `exec` of a user: checked always, as client-go does, and looked up only where it is to be run.

use std::ffi::OsStr;
use std::path::MAIN_SEPARATOR;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::document::{Cluster, Exec};
use super::select::Part;
use crate::config::exec::{AllowError, ExecPlugin, ExecVersion, Input, allowed};
use crate::config::options::set;
use crate::config::origin::Entry;
use crate::config::{Authority, Proxy, Server, TlsSources};
use crate::error::{Error, Kind};
use crate::text::{excerpt, push_visible_at_most};

/// The cluster's extension that is handed to plugins (client-go `clientcmd/client_config.go`, `clusterExtensionKey`).
const EXTENSION: &str = "client.authentication.k8s.io/exec";

/// Most characters of an `installHint` that are shown. Those of the large clouds' tools have some hundred; arbitrary.
const HINT_MAX_CHARACTERS: usize = 1024;

/// What a plugin is allowed and told by.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The commands that the caller allows.
    pub(super) allow: &'a [String],
    /// The environment's `PATH`.
    pub(super) path: Option<&'a OsStr>,
    pub(super) server: &'a Server,
    pub(super) tls: &'a TlsSources,
    pub(super) proxy: Option<&'a Proxy>,
    pub(super) cluster: &'a Part<'a, Cluster>,
}

/// An `exec` that says all that it has to.
pub(super) struct Checked<'a> {
    exec: &'a Exec,
    command: &'a str,
    version: ExecVersion,
    input: Input,
}

pub(super) fn check<'a>(exec: &'a Exec, entry: &Entry) -> Result<Checked<'a>, Error> {
    let wrong = |what: &str| Error::new(Kind::Configuration, format!("the `exec` of {entry} {what}"));
    let command = set(&exec.command).ok_or_else(|| wrong("has no `command`"))?;
    let version = set(&exec.api_version).and_then(ExecVersion::parse).ok_or_else(|| {
        wrong("has an `apiVersion` other than `client.authentication.k8s.io/v1` and `client.authentication.k8s.io/v1beta1`")
            .hint("older plugins' entries are brought up to date by the tool that wrote them")
    })?;
    let input = Input::parse(set(&exec.interactive_mode), version)
        .ok_or_else(|| wrong("needs an `interactiveMode`: `Never`, `IfAvailable` or `Always`"))?;
    let variables = exec.env.iter().flatten();
    if variables
        .clone()
        .any(|variable| variable.name.is_empty() || variable.name.contains(['=', '\0']) || variable.value.contains('\0'))
        || exec.args.iter().flatten().any(|argument| argument.contains('\0'))
    {
        return Err(wrong("has an `env` or an `args` that no program can be given"));
    }
    if let Some(variable) = exec.env.iter().flatten().find(|variable| chooses_code(&variable.name)) {
        let message = format!(
            "has the variable `{}` in its `env`, which would have the plugin run code from elsewhere",
            excerpt(&variable.name)
        );
        return Err(wrong(&message).hint("set it in the environment yourself if it is needed"));
    }
    Ok(Checked { exec, command, version, input })
}

/// Whether a variable of this name decides which code a program runs, by the loader or by the interpreter of a script: then the name of an
/// allowed program would say nothing. The list is of the usual ones: whoever allows a plugin trusts the kubeconfig with its variables.
fn chooses_code(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "PATH",
        "HOME",
        "IFS",
        "ENV",
        "BASH_ENV",
        "SHELLOPTS",
        "BASHOPTS",
        "PS4",
        "ZDOTDIR",
        "JAVA_TOOL_OPTIONS",
        "_JAVA_OPTIONS",
        "JDK_JAVA_OPTIONS",
        "CLASSPATH",
    ];
    const BEGINNINGS: [&str; 16] = [
        "LD_",
        "DYLD_",
        "PYTHON",
        "BASH_FUNC_",
        "GCONV_",
        "OPENSSL_",
        "NODE_",
        "PERL",
        "RUBY",
        "GEM_",
        "LUA_",
        "PHP",
        "DOTNET_",
        "COR_",
        "CORECLR_",
        "CLOUDSDK_PYTHON",
    ];
    NAMES.contains(&name) || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// The command as `--allow-exec` takes it: from wherever it is typed.
fn path_of(command: &str, entry: &Entry) -> String {
    match command.contains(MAIN_SEPARATOR) {
        true => std::path::absolute(entry.folder().join(command)).unwrap_or_default().display().to_string(),
        false => command.to_owned(),
    }
}

/// Whether a shell takes this text, which somebody else wrote, as one word and nothing more.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-')) && !text.starts_with('-')
}

impl Checked<'_> {
    /// The plugin, if the caller lets it be run.
    pub(super) fn allowed(self, entry: &Entry, context: Context<'_>) -> Result<ExecPlugin, Error> {
        let Self { exec, command, version, input } = self;
        let path = allowed(command, entry.folder(), context.allow, context.path).map_err(|error| {
            let shown = excerpt(command);
            let file = path_of(command, entry);
            let refused = Error::new(Kind::Configuration, format!("the credential plugin `{shown}` of {entry} is not run")).because(error);
            refused.hint(match (error, set(&exec.install_hint)) {
                (AllowError::NotNamed, _) => {
                    let allow = if is_plain(&file) { format!("`--allow-exec {file}`") } else { "`--allow-exec` with its name".to_owned() };
                    format!(
                        "kubectl would run it unasked; {allow} lets podlens do so, with the arguments and variables that the kubeconfig \
                         has for it: if you know where that is from"
                    )
                }
                (AllowError::NotFound, Some(hint)) => {
                    let mut text = "install it; the kubeconfig says how: ".to_owned();
                    push_visible_at_most(&mut text, hint, HINT_MAX_CHARACTERS);
                    text
                }
                (AllowError::NotFound, None) => "install it, or put its folder on the `PATH`".to_owned(),
            })
        })?;
        let cluster = if exec.provide_cluster_info.unwrap_or_default() { Some(context.info()?) } else { None };
        Ok(ExecPlugin {
            command: command.to_owned(),
            path,
            arguments: exec.args.clone().unwrap_or_default(),
            environment: exec.env.iter().flatten().map(|variable| (variable.name.clone(), variable.value.clone())).collect(),
            version,
            input,
            cluster,
        })
    }
}

impl Context<'_> {
    /// The cluster as a plugin is told of it (client-go `rest/exec.go`, `ConfigToExecCluster`).
    fn info(self) -> Result<Value, Error> {
        let mut info = json!({ "server": self.server.as_str() });
        if let Some(name) = &self.tls.server_name {
            info["tls-server-name"] = name.value.to_str().into();
        }
        match &self.tls.authority {
            Authority::Platform => {}
            Authority::Given(pem) => {
                info["certificate-authority-data"] = STANDARD.encode(pem.read("certificate authority")?).into();
            }
            Authority::Anybody(_) => info["insecure-skip-tls-verify"] = true.into(),
        }
        if let Some(proxy) = self.proxy {
            info["proxy-url"] = proxy.as_written().into();
        }
        if let Some((cluster, _)) = self.cluster {
            if cluster.disable_compression == Some(true) {
                info["disable-compression"] = true.into();
            }
            if let Some(extension) = cluster.extensions.iter().flatten().find(|extension| extension.name == EXTENSION) {
                info["config"] = extension.extension.clone();
            }
        }
        Ok(info)
    }
}
