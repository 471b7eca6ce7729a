//! The guides of `guest/guides`, followed from their first command to their last: the code that they show builds, and answers as they say.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use podlens_tests::program;

use crate::projects;

/// A guide, and the file that its code is put into.
const GUIDES: [(&str, &str); 3] = [("rust", "src/lib.rs"), ("javascript", "query.js"), ("python", "query.py")];

fn guide(language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/guides").join(language).with_extension("md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The content of each fenced block of this language.
fn blocks<'a>(guide: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    guide.split(&opening).skip(1).map(|rest| rest.split("```").next().expect("a split gives something")).collect()
}

/// What a guide shows after this command: the lines up to the next one.
fn shown(guide: &str, command: &str) -> String {
    let prompt = format!("$ {command}\n");
    let block = blocks(guide, "console").into_iter().rev().find(|block| block.contains(&prompt));
    let rest = block.and_then(|block| block.split_once(&prompt)).unwrap_or_else(|| panic!("no `{command}` in {guide}")).1;
    rest.lines().take_while(|line| !line.starts_with("$ ")).map(|line| format!("{line}\n")).collect()
}

/// `text` without its durations, and the spaces at the end of a line: `90s`, `(22 ms)`.
fn steady(text: &str) -> String {
    let line = |line: &str| {
        let line = match line.rsplit_once(" (") {
            Some((before, after)) if after.starts_with(|it: char| it.is_ascii_digit()) => before,
            _ => line,
        };
        let words = line.split(' ').map(|word| if is_an_age(word) { "AGE" } else { word });
        words.collect::<Vec<_>>().join(" ").trim_end().to_owned() + "\n"
    };
    text.lines().map(line).collect()
}

fn is_an_age(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit())
        && word.ends_with(['s', 'm', 'h', 'd'])
        && word.chars().all(|it| it.is_ascii_digit() || "smhdy".contains(it))
}

/// `podlens demo --serve`, until it is dropped.
struct Demo {
    child: Child,
    /// Held open, so that it never writes to a pipe that nobody reads.
    _stdout: BufReader<ChildStdout>,
    exports: Vec<(String, String)>,
}

impl Demo {
    fn serve() -> Self {
        let mut command = projects::podlens();
        let child = command.args(["demo", "--serve"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("podlens can be started");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut exports = Vec::new();
        let mut line = String::new();
        while !line.starts_with("podlens ") {
            line.clear();
            assert!(stdout.read_line(&mut line).expect("a pipe can be read") > 0, "it ends after {exports:?}");
            let export = line.trim_end().strip_prefix("export ").and_then(|line| line.split_once('='));
            exports.extend(export.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        Self { child, _stdout: stdout, exports }
    }

    /// `podlens` in a project, with the lines pasted that the demo printed.
    fn podlens(&self, project: &Path) -> Command {
        let mut command = projects::podlens();
        command.envs(self.exports.iter().map(|(name, value)| (name, value))).current_dir(project);
        command
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It has ended already, or ends now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A new project with the guide's code in it, built.
fn project(language: &str, file: &str) -> PathBuf {
    // Its own folder, since the name is the guide's in each language.
    let project = projects::new_in(&format!("guide/{language}"), "oom-kills", &["--lang", language]);
    let guide = guide(language);
    let [code] = blocks(&guide, language)[..] else { panic!("the guide for {language} has not one block of code") };
    fs::write(project.join(file), code).expect("the target folder can be written");
    projects::build_alone(&project);
    project
}

#[test]
fn each_guide_shows_what_happens() {
    let demo = Demo::serve();
    for (language, file) in GUIDES {
        let (guide, project) = (guide(language), project(language, file));
        let told = |command: &str| {
            let arguments = command.strip_prefix("podlens ").expect("it is one of podlens").split(' ');
            let done = program::run(demo.podlens(&project).args(arguments));
            assert_eq!(done.code, 0, "{language}: {command}: {}{}", done.stdout, done.stderr);
            (done.stdout, done.stderr)
        };
        let shows = |command: &str, printed: &str| {
            let (printed, shown) = (steady(printed), steady(&shown(&guide, command)));
            // `…` on a line of its own stands for the rest.
            match shown.strip_suffix("…\n") {
                Some(start) => assert!(printed.starts_with(start), "{language}: {command}: {printed}\nand not\n{shown}"),
                None => assert_eq!(printed, shown, "{language}: {command}"),
            }
        };
        let run = "podlens run oom-kills.wasm -A";
        shows(run, &told(run).0);
        let nothing = format!("{run} -p team=web");
        let (stdout, stderr) = told(&nothing);
        shows(&nothing, &(stdout + &stderr));
        let csv = "podlens run oom-kills.wasm -n shop -o csv";
        shows(csv, &told(csv).0);

        // A case of what the cluster says now, in place of the one that the project began with.
        fs::remove_dir_all(project.join("test/two-pods")).expect("the guide's first case is there");
        fs::create_dir(project.join("test/killed")).expect("the target folder can be written");
        let record = format!("{run} --record test/killed/recording.json");
        let echo = "description: Two pods of search were killed";
        assert!(guide.contains(&format!("$ {record}\n$ echo '{echo}' > test/killed/case.yaml\n")), "{language}");
        told(&record);
        fs::write(project.join("test/killed/case.yaml"), format!("{echo}\n")).expect("the target folder can be written");
        told("podlens test . --update");
        shows("podlens test .", &told("podlens test .").0);
    }
}

/// Numbers that were to be measured, and words that were to be written.
#[test]
fn no_guide_has_a_placeholder() {
    for (language, _) in GUIDES {
        let guide = guide(language);
        let is_placeholder = |word: &&str| {
            let letters = word.trim_end_matches(|it: char| it.is_ascii_digit());
            let is_numbered = letters.len() < word.len() && letters.len() > 2 && letters.chars().all(|it| it.is_ascii_uppercase());
            is_numbered || ["TODO", "TBD", "FIXME", "XXX"].contains(word)
        };
        let words = guide.split(|it: char| !it.is_ascii_alphanumeric());
        assert_eq!(words.filter(is_placeholder).collect::<Vec<_>>(), [""; 0], "{language}");
    }
}
