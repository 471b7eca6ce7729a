//! Kubeconfigs: what `podlens config view` makes of each case, and what client-go does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use podlens_tests::program;
use reqwest::Url;
use serde_json::{Value, json};

use crate::cases::{Case, cases, fixtures};
use crate::go;

/// The resolved values by name, or what is wrong, as a class that both sides' messages fall into.
type Outcome = Result<BTreeMap<&'static str, String>, Vec<String>>;

/// Words of client-go's messages (v0.37.2) and of podlens', and what both are about. The first that fits.
const CLASSES: &[(&str, &str)] = &[
    ("error loading config file", "file"),
    ("cannot read the kubeconfig", "file"),
    ("stat /", "file"),
    ("the kubeconfig `", "file"),
    ("is not base64", "file"),
    ("no server", "server"),
    ("proxy-url", "proxy"),
    ("context was not found", "context"),
    ("context \"", "context"),
    ("has no context `", "context"),
    ("there is no context `", "context"),
    ("cluster \"", "cluster"),
    ("has no cluster `", "cluster"),
    ("auth info \"", "user"),
    ("has no user `", "user"),
    ("insecure flag", "insecure"),
    ("`insecure-skip-tls-verify` and a certificate authority are both set", "insecure"),
    ("certificate-authority", "authority"),
    ("root certificates", "authority"),
    ("certificate authority", "authority"),
    ("client-cert", "certificate"),
    ("client-key", "certificate"),
    ("private key", "certificate"),
    ("find any PEM data", "certificate"),
    ("find certificate PEM", "certificate"),
    ("find PEM block", "certificate"),
    ("client certificate", "certificate"),
    ("client key", "certificate"),
    ("more than one authentication method", "methods"),
    ("username/password or bearer token", "methods"),
    ("a token and a user with a password", "methods"),
    ("exec", "exec"),
    ("interactiveMode", "exec"),
    ("Auth Provider", "auth-provider"),
    ("authProvider", "auth-provider"),
    ("auth-provider", "auth-provider"),
    ("without impersonating", "impersonation"),
    ("cannot impersonate", "impersonation"),
    ("token", "token"),
    // Of client-go: the others name what they could not read.
    ("open /", "token"),
    ("is a directory", "token"),
    ("`server` of", "server"),
    ("host must be a URL", "server"),
    ("parse \"", "server"),
    ("no configuration has been provided", "nothing"),
    ("no kubeconfig", "nothing"),
    ("no `current-context`", "nothing"),
    ("there is no cluster", "nothing"),
    ("names no cluster", "nothing"),
];

fn class(message: &str) -> String {
    let found = CLASSES.iter().find(|(words, _)| message.contains(words));
    found.map_or_else(|| format!("unknown: {message}"), |(_, class)| (*class).to_owned())
}

#[test]
fn kubeconfigs_are_resolved_as_by_client_go() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let root = folder.path();
    fixtures(root);
    let cases = cases(root);
    assert!(cases.len() >= 200, "{} cases", cases.len());
    for case in &cases {
        for (name, text) in &case.files {
            let file = root.join(name);
            fs::create_dir_all(file.parent().expect("it is in the folder")).expect("the folder is writable");
            fs::write(file, text).expect("the folder is writable");
        }
    }
    let theirs = client_go(root, &cases);
    let mut wrong = Vec::new();
    for (case, theirs) in cases.iter().zip(theirs) {
        let ours = podlens(root, case);
        let same = match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => ours == theirs,
            // client-go tells all that it finds; podlens the first.
            (Err(ours), Err(theirs)) => ours.iter().all(|class| theirs.contains(class)),
            _ => false,
        };
        match (same, case.differs) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(why)) => wrong.push(format!("{}: is the same, and listed as different: {why}", case.name)),
            (false, None) => wrong.push(format!("{}:\n  podlens   {ours:?}\n  client-go {theirs:?}", case.name)),
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn list(root: &Path, case: &Case) -> String {
    case.kubeconfig.iter().map(|name| root.join(name).display().to_string()).collect::<Vec<_>>().join(":")
}

fn client_go(root: &Path, cases: &[Case]) -> Vec<Outcome> {
    let line = |case: &Case| {
        let flags: BTreeMap<_, _> = case.flags.iter().map(|(name, value)| (*name, value.as_str())).collect();
        json!({ "Kubeconfig": list(root, case), "Home": root.join("home"), "Flags": flags, "Groups": case.groups }).to_string()
            + "\n"
    };
    let lines = go::run("kubeconfig", cases.iter().map(line).collect());
    assert_eq!(lines.len(), cases.len());
    lines.iter().map(|line| outcome_of_client_go(&serde_json::from_str(line).expect("it writes JSON"))).collect()
}

fn outcome_of_client_go(outcome: &Value) -> Outcome {
    let text = |name: &str| outcome[name].as_str().unwrap_or_default().to_owned();
    if let Some(errors) = outcome["Errors"].as_array() {
        return Err(errors.iter().map(|error| class(error.as_str().unwrap_or_default())).collect());
    }
    let words = |name: &str| -> Vec<String> {
        let list = outcome[name].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|word| format!("`{}`", word.as_str().unwrap_or_default())).collect()
    };
    let mut user = text("User");
    if !user.is_empty() {
        user = format!("user `{user}`");
        if !text("UID").is_empty() {
            user += &format!(", uid `{}`", text("UID"));
        }
        if !words("Groups").is_empty() {
            user += &format!(", groups {}", words("Groups").join(", "));
        }
        for key in outcome["Extra"].as_object().into_iter().flat_map(|extra| extra.keys()) {
            user += &format!(", extra `{key}`");
        }
    }
    let server = Url::parse(&text("Server")).map_or_else(|_| text("Server"), |url| url.to_string());
    Ok(BTreeMap::from([
        ("server", server.trim_end_matches('/').to_owned()),
        ("namespace", text("Namespace")),
        ("certificate authority", normal(&text("Authority"))),
        ("client certificate", normal(&text("Certificate"))),
        ("credentials", text("Credentials").split(' ').map(normal).collect::<Vec<_>>().join(" ")),
        ("TLS server name", text("ServerName")),
        ("proxy", text("Proxy").replace("me:xxxxx@", "").trim_end_matches('/').to_owned()),
        ("impersonation", user),
    ]))
}

/// A path without detours, where it is one.
fn normal(text: &str) -> String {
    if text.starts_with('/')
        && let Ok(path) = fs::canonicalize(text)
    {
        path.display().to_string()
    } else {
        text.to_owned()
    }
}

fn podlens(root: &Path, case: &Case) -> Outcome {
    let mut command = program::command();
    command.args(["config", "view", "-o", "json"]).env("HOME", root.join("home")).env("KUBECONFIG", list(root, case));
    for command_name in case.allow_exec {
        // Relative to the kubeconfig there, and to the working directory here.
        let name = command_name.strip_prefix("./").map(|name| root.join(name).display().to_string());
        command.args(["--allow-exec", name.as_deref().unwrap_or(command_name)]);
    }
    for (name, value) in &case.flags {
        command.arg(match *name {
            "insecure-skip-tls-verify" => "--insecure-skip-tls-verify".to_owned(),
            name => format!("--{name}={value}"),
        });
    }
    for group in &case.groups {
        command.arg(format!("--as-group={group}"));
    }
    let done = program::run(&mut command);
    assert!(!format!("{}{}", done.stdout, done.stderr).contains("canary"), "{}: {done:?}", case.name);
    if done.code != 0 {
        assert_eq!((done.code, done.stdout.as_str()), (4, ""), "{}: {}", case.name, done.stderr);
        let told: Vec<_> = done.stderr.lines().filter(|line| !line.starts_with("hint: ")).collect();
        return Err(vec![class(&told.join(" "))]);
    }
    let view: Value = serde_json::from_str(&done.stdout).expect("it is JSON");
    let settings = view["settings"].as_array().expect("it is a list");
    let field = |name: &str, field: &str| {
        let setting = settings.iter().find(|setting| setting["name"] == name);
        setting.and_then(|setting| setting[field].as_str()).unwrap_or_default().to_owned()
    };
    // `FILE`, or `FIELD-data` of an entry.
    let source = |from: &str| match from.split('`').nth(1) {
        Some(data) if data.ends_with("-data") => "data".to_owned(),
        Some(file) => normal(file),
        None => String::new(),
    };
    let authority = match field("certificate authority", "value").as_str() {
        "none: any certificate is accepted" => "anybody".to_owned(),
        "the platform's" => String::new(),
        _ => source(&field("certificate authority", "from")),
    };
    let credentials = match field("credentials", "value").as_str() {
        "none" => String::new(),
        "bearer token" => "token".to_owned(),
        "user and password" => "basic".to_owned(),
        other => {
            let (kind, name) = other.split_once(" `").expect("it names a file or a plugin");
            let kind = if kind == "credential plugin" { "exec" } else { "file" };
            let name = name.trim_end_matches('`');
            // A command with a slash starts at the kubeconfig's folder.
            format!("{kind} {}", if name.starts_with("./") { normal(&root.join(name).display().to_string()) } else { normal(name) })
        }
    };
    Ok(BTreeMap::from([
        ("server", field("server", "value")),
        ("namespace", field("namespace", "value")),
        ("certificate authority", authority),
        ("client certificate", source(&field("client certificate", "from"))),
        ("credentials", credentials),
        ("TLS server name", field("TLS server name", "value")),
        ("proxy", field("proxy", "value")),
        ("impersonation", field("impersonation", "value")),
    ]))
}
