//! Runs this program under valgrind's callgrind, and reads the counts that it writes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use seccompiler::{SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch};

/// Instructions for one of each piece of work, by its name. `argument` makes this program do the pieces, which calls the function
/// `boundary` before and after each, and prints how often it did which.
pub(crate) fn count(argument: &str, boundary: &str) -> Result<BTreeMap<String, u64>, String> {
    hide_vdso()?;
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder can be made: {error}"))?;
    let files = folder.path().join("counts");
    let program = std::env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--dump-before={boundary}"))
        .arg(format!("--callgrind-out-file={}", files.display()))
        .arg(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start `valgrind`: {error}\ninstall it, for example by `apt-get install valgrind`"))?;
    if !output.status.success() {
        return Err(format!("the pieces of work under valgrind ended with {}", output.status));
    }
    let done = String::from_utf8_lossy(&output.stdout).into_owned();
    done.lines().enumerate().map(|(index, line)| one(&files, index, line)).collect()
}

/// The count for the piece of work that was done as this one from 0, and of which the program says `line`.
fn one(files: &Path, index: usize, line: &str) -> Result<(String, u64), String> {
    let (times, name) = line.split_once(' ').ok_or_else(|| format!("`{line}` is not a piece of work"))?;
    let times: u64 = times.parse().map_err(|_| format!("`{times}` is not a number of pieces"))?;
    // Files are numbered from 1, and of each two the first has what came before the piece.
    let total = total(&files.with_extension((2 * index + 2).to_string()))?;
    Ok((name.to_owned(), total / times))
}

/// All instructions of one file of callgrind's.
fn total(file: &Path) -> Result<u64, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("callgrind wrote no count: {}: {error}", file.display()))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.and_then(|total| total.trim().parse().ok()).ok_or_else(|| format!("callgrind wrote no total: {}", file.display()))
}

/// Has the kernel refuse, to this process and those it starts, to tell where the vDSO lies.
///
/// Valgrind takes the vDSO away, and out of the auxiliary vector. But rustix asks the kernel for that vector past valgrind, and reads
/// where nothing is any more (rustix issue 1559). Refused, as by kernels before 6.4, it reads what valgrind shows it.
fn hide_vdso() -> Result<(), String> {
    /// Of x86-64: `arch/x86/entry/syscalls/syscall_64.tbl`.
    const PRCTL: i64 = 157;
    /// `include/uapi/linux/prctl.h`
    const PR_GET_AUXV: u64 = 0x4155_5856;
    /// `EINVAL`, which is what kernels say that do not have it.
    const INVALID: u32 = 22;
    let filter = || -> Result<(), seccompiler::Error> {
        let asks = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, PR_GET_AUXV)?;
        let rules = [(PRCTL, vec![SeccompRule::new(vec![asks])?])].into();
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(INVALID), TargetArch::x86_64)?;
        let program: seccompiler::BpfProgram = filter.try_into()?;
        seccompiler::apply_filter(&program)
    };
    filter().map_err(|error| format!("cannot set a seccomp filter, which valgrind needs here: {error}"))
}
