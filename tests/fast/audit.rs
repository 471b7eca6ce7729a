//! `podlens audit verify`: a log that was written by hand, and what is said of it.

use std::path::Path;

use podlens_tests::program::{self, Done};

/// Made by another program, from the format as `host/src/serve/audit/mod.rs` tells it.
const LINES: [&str; 2] = [
    r#"{"schema":"podlens.dev/audit/v1","seq":1,"previous":"0000000000000000000000000000000000000000000000000000000000000000","time":"2026-11-27T16:00:00.250000Z","stage":"RunStarted","runID":"6a1b8f7e-3f0c-4f6e-9c55-5d2f4f0f9d11","tenant":"checkout","hash":"78012dae2d727959a7a89aeedef0ca82ae4c53aad5254317ae16fcdb2cf1d90f"}"#,
    r#"{"schema":"podlens.dev/audit/v1","seq":2,"previous":"78012dae2d727959a7a89aeedef0ca82ae4c53aad5254317ae16fcdb2cf1d90f","time":"2026-11-27T16:00:01.000000Z","stage":"RunComplete","runID":"6a1b8f7e-3f0c-4f6e-9c55-5d2f4f0f9d11","tenant":"checkout","outcome":"ok","hash":"6412e9d71cb1f57d294d0ff0aad2572d8213998a5513a85db1b3ec5d1c9e4b33"}"#,
];
const LAST_HASH: &str = "6412e9d71cb1f57d294d0ff0aad2572d8213998a5513a85db1b3ec5d1c9e4b33";

fn verify(path: &Path, arguments: &[&str]) -> Done {
    program::run(program::command().args(["audit", "verify"]).arg(path).args(arguments))
}

#[test]
fn a_log_is_checked_by_its_lines() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("audit.log");
    let write = |text: &str| std::fs::write(&path, text).expect("a file");
    write(&(LINES.join("\n") + "\n"));
    let told = "\
records     2 (1 RunComplete, 1 RunStarted)
numbers     1 to 2
time        2026-11-27T16:00:00.25Z to 2026-11-27T16:00:01Z
last hash   ";
    for arguments in [&[][..], &["--through", LAST_HASH]] {
        let done = verify(&path, arguments);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""));
        assert_eq!(done.stdout, format!("{told}{LAST_HASH}\n"));
    }

    write(&(LINES[0].to_owned() + "\n"));
    assert_eq!(verify(&path, &[]).code, 0);
    let done = verify(&path, &["--through", LAST_HASH]);
    assert_eq!((done.code, done.stdout.as_str()), (1, ""));
    assert!(
        done.stderr.starts_with("error: the audit log has no line with the hash that `--through` names\nhint: "),
        "{}",
        done.stderr
    );

    write(&(LINES.join("\n").replace("\"ok\"", "\"denied\"") + "\n"));
    let done = verify(&path, &[]);
    assert_eq!((done.code, done.stdout.as_str()), (1, ""));
    let told = format!(
        "error: the audit log `{}` is not whole\n  caused by: line 2 is broken: its hash is not that of its bytes: it was changed\n",
        path.display()
    );
    assert_eq!(done.stderr, told);

    assert_eq!(verify(&place.path().join("none"), &[]).code, 1);
    assert_eq!(verify(&path, &["--through", "abc"]).code, 2);
    assert_eq!(program::run(program::command().args(["audit", "verify"])).code, 2);
}
