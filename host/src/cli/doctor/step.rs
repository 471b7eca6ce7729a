//! The steps, and what was found at each: words for people and machines alike.

use serde::Serialize;

use super::reason::Reason;
use crate::cli::shell::{self, Unprintable};
use crate::output::style::Mark;
use crate::text::visible;

/// The steps from a configuration to an answer, in their order. A later one needs what the earlier ones found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Configuration = 1,
    Address,
    Dns,
    Tcp,
    Tls,
    Anonymous,
    Credentials,
    Identity,
    Access,
    Version,
}

/// What was found at one step.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) step: Step,
    pub(super) mark: Mark,
    /// Where the step failed.
    pub(super) reason: Option<Reason>,
    /// One line: what is so, or what is wrong.
    pub(super) summary: String,
    pub(super) facts: Vec<Fact>,
    pub(super) fix: Option<Fix>,
}

/// Something that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
}

/// What to do about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Fix {
    /// A sentence.
    pub(super) text: String,
    /// Lines for a shell, in this order.
    pub(super) commands: Vec<String>,
    /// YAML: for `apply` if that is something, else for the pod's manifest.
    pub(super) yaml: Option<String>,
    /// The command that takes objects.
    #[serde(skip)]
    pub(super) apply: Option<String>,
}

impl Step {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Address => "address",
            Self::Dns => "DNS",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Anonymous => "anonymous",
            Self::Credentials => "credentials",
            Self::Identity => "identity",
            Self::Access => "access",
            Self::Version => "version",
        }
    }

    pub(super) fn number(self) -> u8 {
        self as u8
    }

    /// The exit code where this is the first step that failed: beyond those of the other subcommands.
    pub(super) fn exit_code(self) -> u8 {
        10 + self.number()
    }

    pub(super) fn good(self, summary: impl Into<String>) -> Finding {
        self.found(Mark::Good, summary)
    }

    pub(super) fn bad(self, reason: Reason, summary: impl Into<String>) -> Finding {
        Finding { reason: Some(reason), ..self.found(Mark::Bad, summary) }
    }

    pub(super) fn doubt(self, summary: impl Into<String>) -> Finding {
        self.found(Mark::Doubt, summary)
    }

    /// Not looked into, and why.
    pub(super) fn open(self, summary: impl Into<String>) -> Finding {
        self.found(Mark::Open, summary)
    }

    fn found(self, mark: Mark, summary: impl Into<String>) -> Finding {
        // Much of it is others' words: whatever is told is visible.
        Finding { step: self, mark, reason: None, summary: visible(&summary.into()), facts: Vec::new(), fix: None }
    }
}

impl Finding {
    pub(super) fn fact(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.facts.push(Fact::new(name, value));
        self
    }

    pub(super) fn facts(mut self, facts: impl IntoIterator<Item = Fact>) -> Self {
        self.facts.extend(facts);
        self
    }

    pub(super) fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    pub(super) fn is_bad(&self) -> bool {
        self.mark == Mark::Bad
    }
}

impl Fact {
    pub(super) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: visible(&name.into()), value: visible(&value.into()) }
    }
}

impl Fix {
    pub(super) fn say(text: impl Into<String>) -> Self {
        Self { text: visible(&text.into()), ..Self::default() }
    }

    /// With one more command. Where one cannot be printed there is none at all: half of a remedy is none.
    pub(super) fn run(mut self, command: Result<String, Unprintable>) -> Self {
        const NONE: &str = "; there is no command to paste, since ";
        match command {
            Ok(_) if self.text.contains(NONE) => {}
            Ok(command) => self.commands.push(command),
            Err(why) => {
                if !self.text.contains(NONE) {
                    self.text = format!("{}{NONE}{why}", self.text.trim_end_matches([':', ',']));
                }
                self.commands.clear();
            }
        }
        self
    }

    /// With something for the pod's manifest.
    pub(super) fn write(mut self, yaml: impl Into<String>) -> Self {
        self.yaml = Some(yaml.into());
        self
    }

    /// With objects, for kubectl with these flags.
    pub(super) fn apply(self, objects: String, flags: &[String]) -> Self {
        let words = ["kubectl", "apply"].into_iter().chain(flags.iter().map(String::as_str)).chain(["-f", "-"]);
        Self { apply: shell::command(words).ok(), ..self.write(objects) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_leaves_words() {
        let fix = Fix::say("do this:").run(Ok("a".to_owned())).run(shell::word("b\u{202e}")).run(Ok("c".to_owned()));
        assert_eq!(fix.commands, [""; 0]);
        assert_eq!(fix.text, r"do this; there is no command to paste, since `b\u{202e}` has characters that cannot be seen");
        assert_eq!(Step::Dns.good("a\u{1b}").fact("b\n", "c\u{9b}").facts, [Fact::new(r"b\u{a}", r"c\u{9b}")]);
    }
}
