//! What a shell, kubectl and `man` are told of the command line.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use podlens_tests::program;

use crate::arrange::Place;

#[test]
fn bash_completes_subcommands_queries_and_formats() {
    let script = program::run(program::command().args(["completions", "bash"]));
    assert_eq!((script.code, script.stderr.as_str()), (0, ""));
    let place = Place::empty();
    let file = place.write("podlens.bash", script.stdout);
    for (words, expected) in [
        ("podlens insp", "inspect"),
        ("podlens run resta", "restarts"),
        ("podlens inspect pod-n", "pod-names"),
        ("podlens rbac unrea", "unready"),
        ("podlens run restarts --no-h", "--no-headers"),
        ("podlens completions zs", "zsh"),
        // Not a query: files are bash's own default.
        ("podlens run ./mi", ""),
    ] {
        let test = format!(
            "source {}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _podlens podlens \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; echo \"${{COMPREPLY[*]}}\"; complete -p podlens",
            file.display()
        );
        let done = Command::new("bash").args(["--norc", "-c", &test]).output().expect("bash is there");
        let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
        let (completed, how) = stdout.split_once('\n').unwrap_or_default();
        assert_eq!(completed, expected, "{words}: {}", String::from_utf8_lossy(&done.stderr));
        assert!(how.contains("-o default"), "{how}");
    }
}

#[test]
fn each_shell_has_a_script() {
    for (shell, start) in
        [("bash", "_podlens()"), ("zsh", "#compdef podlens"), ("fish", "#"), ("powershell", "\n"), ("elvish", "\n")]
    {
        let done = program::run(program::command().args(["completions", shell]));
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{shell}");
        assert!(done.stdout.starts_with(start) && done.stdout.contains("cluster-info"), "{shell}: {}", done.stdout);
    }
}

/// The binary under another name, in a folder of the test's.
fn named(place: &Place, name: &str) -> Command {
    let path: PathBuf = place.path().join(name);
    if !path.exists() {
        symlink(program::podlens(), &path).expect("a link can be made");
    }
    let mut command = Command::new(path);
    command.env_clear().env("PODLENS_CACHE_DIR", "");
    command
}

#[test]
fn a_plugin_of_kubectl_says_how_it_is_typed() {
    let place = Place::empty();
    let help = program::run(named(&place, "kubectl-podlens").args(["run", "--help"]));
    assert!(help.stdout.contains("\nUsage: kubectl podlens run [OPTIONS] <COMPONENT>\n"), "{}", help.stdout);
    let examples = program::run(named(&place, "kubectl-podlens").arg("--help")).stdout;
    assert!(examples.contains("  kubectl podlens demo ") && !examples.contains("  podlens "), "{examples}");
    let wrong = program::run(named(&place, "kubectl-podlens").arg("run"));
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("\nUsage: kubectl podlens run <COMPONENT>\n"), "{}", wrong.stderr);
}

#[test]
fn kubectl_is_told_what_completes_a_word() {
    let place = Place::empty();
    for (words, expected) in [
        (&["inspect", "restar"][..], "restarts\tContainers that were restarted, and how they ended before\n:0\n"),
        (&["insp"], "inspect\tShow what a query is, can reach and was built by; or list those that come with podlens\n:4\n"),
        (&["run", "./mine"], ":0\n"),
    ] {
        let done = program::run(named(&place, "kubectl_complete-podlens").args(words));
        assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (0, expected, ""));
    }
}

#[test]
fn each_subcommand_has_a_manual_page() {
    let place = Place::empty();
    let folder = place.path().join("man/man1");
    let done = program::run(program::command().arg("man").arg(&folder));
    assert_eq!((done.code, done.stdout.as_str(), done.stderr.as_str()), (0, "", ""));
    let names: BTreeSet<_> = fs::read_dir(&folder)
        .expect("it was made")
        .map(|entry| entry.expect("it can be read").file_name().into_string().expect("names are ASCII"))
        .collect();
    for name in ["podlens.1", "podlens-run.1", "podlens-inspect.1", "podlens-config-view.1"] {
        assert!(names.contains(name), "{names:?}");
    }
    let page = fs::read_to_string(folder.join("podlens-rbac.1")).expect("it was made");
    for piece in
        [".TH podlens-rbac 1", ".SH EXAMPLES\n.nf\n", "podlens rbac restarts", ".SH \"EXIT CODES\"\n.nf\n", "\\fBpodlens rbac\\fR"]
    {
        assert!(page.contains(piece), "{piece}: {page}");
    }
    let printed = program::run(program::command().arg("man"));
    assert_eq!(printed.stdout, fs::read_to_string(folder.join("podlens.1")).expect("it was made"));

    place.write("file", "");
    let refused = program::run(program::command().arg("man").arg(place.path().join("file")));
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.starts_with("error: the manual pages cannot be written to `"), "{}", refused.stderr);
}
