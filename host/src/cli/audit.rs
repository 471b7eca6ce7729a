//! `podlens audit verify`: whether the audit log of `podlens serve` is as it was written.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use tabwriter::TabWriter;

use super::exit::{self, Failure};
use crate::error::{Error, Kind};
use crate::serve::audit::Hash;
use crate::serve::audit::verify::{Summary, Verifier, VerifyError};
use crate::text;

const EXAMPLES: &str = "\
Examples:
  podlens audit verify audit.log                   is every line as it was written, and none missing?
  podlens audit verify audit.log.1 audit.log       of a log that was rotated, the oldest file first
  podlens audit verify audit.log --through HASH    and is the line still there that was the last then?";

const NOTES: &str = "\
Exit codes:
  0  the log is whole
  1  it is not, or cannot be read

What was cut off at the end leaves no trace in the log: keep the last hash that this prints where the
server's machine cannot write, and give it to --through later.";

#[derive(Debug, clap::Subcommand)]
pub(super) enum AuditCommand {
    /// Check that no line of an audit log was changed, removed or added
    Verify(VerifyArgs),
}

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = NOTES)]
pub(super) struct VerifyArgs {
    /// The files of one log, the oldest first
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Fail unless the log has the line with this hash
    #[arg(long, value_name = "HASH")]
    through: Option<Hash>,
}

pub(super) fn audit(command: AuditCommand) -> Result<ExitCode, Failure> {
    let AuditCommand::Verify(args) = command;
    let summary = verify(&args)?;
    exit::unless_broken_pipe(print(&summary, io::stdout().lock()))
}

fn verify(args: &VerifyArgs) -> Result<Summary, Error> {
    let mut verifier = Verifier::default();
    let mut found = args.through.is_none();
    for path in &args.files {
        let each = |hash| found |= args.through == Some(hash);
        let checked = File::open(path).map_err(VerifyError::Io).and_then(|file| verifier.file(BufReader::new(file), each));
        checked.map_err(|error| match error {
            VerifyError::Io(cause) => Error::new(Kind::Query, format!("cannot read `{}`", text::path(path))).because(cause),
            VerifyError::Broken(cause) => {
                Error::new(Kind::Query, format!("the audit log `{}` is not whole", text::path(path))).because(cause)
            }
        })?;
    }
    if found {
        return Ok(verifier.finish());
    }
    Err(Error::new(Kind::Query, "the audit log has no line with the hash that `--through` names")
        .hint("its end was cut off, another log is in its place, or the line is in a file that was not given"))
}

fn print(summary: &Summary, out: impl Write) -> io::Result<()> {
    let mut table = TabWriter::new(out).padding(3);
    let stages: Vec<_> = summary.stages.iter().map(|(stage, count)| format!("{count} {stage}")).collect();
    let stages = if stages.is_empty() { String::new() } else { format!(" ({})", stages.join(", ")) };
    writeln!(table, "records\t{}{stages}", summary.records)?;
    if let Some((first, last)) = summary.seq {
        writeln!(table, "numbers\t{first} to {last}")?;
    }
    if let Some((first, last)) = summary.time {
        writeln!(table, "time\t{first} to {last}")?;
    }
    if summary.lost > 0 {
        writeln!(table, "lost lines\t{}, which could not be written", summary.lost)?;
    }
    if summary.refusals_left_out > 0 {
        writeln!(table, "refusals not written\t{}, more than a second may have", summary.refusals_left_out)?;
    }
    if summary.torn > 0 {
        writeln!(table, "unfinished lines\t{}, left by a crash or a full disk", summary.torn)?;
    }
    if let Some(hash) = summary.continues {
        writeln!(table, "continues\t{hash}, which is in no file that was given")?;
    }
    if let Some(hash) = summary.last {
        writeln!(table, "last hash\t{hash}")?;
    }
    table.flush()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::serve::audit::{AuditLog, Caller, Destination, Event, RefusalReason, Refused, Subject};

    fn write(path: &Path, lines: usize) {
        // The one before has it for a moment longer.
        let log = (0..1000).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            AuditLog::open(&Destination::File(path.to_owned()), Box::new(|_, _| {})).ok()
        });
        let log = log.expect("it is free by now");
        let caller = Caller { subject: Subject::Anonymous, source: None, user_agent: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        for _ in 0..lines {
            let (reason, caller) = (RefusalReason::Rate, caller.clone());
            let refused = Event::Refused(Refused { reason, caller, tenant: None, query: None });
            runtime.block_on(log.record(refused).written()).unwrap();
        }
    }

    fn told(files: &[&Path], through: Option<Hash>) -> Result<String, Failure> {
        let files = files.iter().map(|path| path.to_path_buf()).collect();
        let summary = verify(&VerifyArgs { files, through })?;
        let mut text = Vec::new();
        print(&summary, &mut text).unwrap();
        Ok(String::from_utf8(text).unwrap())
    }

    #[test]
    fn a_log_is_summed_up() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("log");
        fs::write(&path, "").unwrap();
        assert_eq!(told(&[&path], None).unwrap(), "records   0\n");
        write(&path, 2);
        let text = told(&[&path], None).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..2], ["records     2 (2 Refused)", "numbers     1 to 2"]);
        assert!(lines[2].starts_with("time        2") && lines[3].starts_with("last hash   "), "{text}");
        assert_eq!(lines.len(), 4);
        let mut text = Vec::new();
        print(&Summary { lost: 3, ..Summary::default() }, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.lines().nth(1), Some("lost lines   3, which could not be written"));
    }

    #[test]
    fn a_log_that_was_cut_lacks_its_last_hash() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("log");
        write(&path, 1);
        let one = fs::read(&path).unwrap();
        write(&path, 1);
        let last = told(&[&path], None).unwrap().trim_end().rsplit(' ').next().unwrap().parse().unwrap();
        told(&[&path], Some(last)).unwrap();
        write(&path, 1);
        told(&[&path], Some(last)).unwrap();
        fs::write(&path, one).unwrap();
        told(&[&path], None).unwrap();
        let failure = told(&[&path], Some(last)).unwrap_err();
        assert_eq!((failure.code, failure.error.to_string().contains("`--through`")), (exit::ERROR, true));
    }

    #[test]
    fn what_is_broken_is_told_with_its_place() {
        let place = tempfile::tempdir().unwrap();
        let [path, other] = ["log", "other"].map(|name| place.path().join(name));
        write(&path, 1);
        write(&other, 1);
        for (files, cause) in [
            (&[&*path, &*path][..], "line 1 is broken: it does not follow the line before: lines were removed, added or moved"),
            (&[&*path, &*other], "line 1 is broken: it does not follow the line before: lines were removed, added or moved"),
        ] {
            let failure = told(files, None).unwrap_err();
            assert_eq!((failure.code, failure.error.source().unwrap().to_string().as_str()), (exit::ERROR, cause));
        }
        assert_eq!(told(&[&place.path().join("none")], None).unwrap_err().code, exit::ERROR);
    }
}
