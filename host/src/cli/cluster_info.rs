//! `podlens cluster-info`: where the API server is, what it is, and who we are to it.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use tabwriter::TabWriter;
use tokio::time::Instant;

use super::connect::{ConnectArgs, connect};
use super::exit::{self, Failure};
use crate::text::visible_at_most;

/// How long each answer may take. Arbitrary: a person waits for it.
const PATIENCE: Duration = Duration::from_secs(15);

/// Most characters of a value that the API server gives. Arbitrary: very many groups.
const MAX_CHARACTERS: usize = 4096;

pub(super) async fn cluster_info(args: ConnectArgs) -> Result<ExitCode, Failure> {
    let client = connect(args)?;
    let mut lines: Vec<_> =
        client.config().settings().into_iter().map(|setting| (setting.name.to_owned(), setting.value, setting.origin)).collect();

    // The version is told to anyone; who we are only to someone. What is known is printed before the failure.
    let version = client.version(Instant::now() + PATIENCE).await;
    if let Ok(version) = &version {
        lines.push(("version".into(), shown(&version.git_version), shown(&version.platform)));
    }
    let review = client.self_subject_review(Instant::now() + PATIENCE).await;
    if let Ok(review) = &review {
        lines.push(("user".into(), shown(&review.username), "says the API server".into()));
        lines.push(("groups".into(), shown(&review.groups.join(", ")), String::new()));
    }

    let printed = exit::unless_broken_pipe(print(&lines));
    version?;
    review?;
    printed
}

/// The API server's words, which are not to move the cursor.
fn shown(text: &str) -> String {
    visible_at_most(text, MAX_CHARACTERS)
}

fn print(lines: &[(String, String, String)]) -> io::Result<()> {
    let mut table = TabWriter::new(io::stdout().lock()).padding(3);
    for (name, value, note) in lines {
        let note = if note.is_empty() { String::new() } else { format!("({note})") };
        writeln!(table, "{}", format!("{name}\t{value}\t{note}").trim_end())?;
    }
    table.flush()
}
