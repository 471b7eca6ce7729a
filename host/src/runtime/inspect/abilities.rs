//! What a query's imports amount to, in words that need no WIT.

use std::fmt;

use super::{Import, Listed};

/// What a query can ever do, by what it imports. Each of these is still subject to the grant and the limits of a run.
///
/// Its `Display` is a sentence without its subject: `can list pods; cannot …`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Abilities {
    /// List pods.
    pub list: bool,
    /// Get a pod by name.
    pub get: bool,
    /// Read whole objects, where the grant allows it.
    pub objects: bool,
    /// Answer with rows.
    pub rows: bool,
    /// Print log lines.
    pub log: bool,
    /// Tell the time.
    pub clock: bool,
    /// Draw random numbers.
    pub random: bool,
}

impl Abilities {
    pub(super) fn of(imports: &Listed<Import>) -> Self {
        let mut abilities = Self::default();
        for import in &imports.items {
            let has = |function: &str| import.functions.items.iter().any(|name| name == function);
            match import.name.split('@').next().unwrap_or_default() {
                "podlens:query/pods" => {
                    abilities.list |= has("list");
                    abilities.get |= has("get");
                    abilities.objects |= has("[method]pod.object");
                }
                "podlens:query/rows" => abilities.rows |= has("emit"),
                "wasi:cli/stdout" => abilities.log |= has("get-stdout"),
                "wasi:cli/stderr" => abilities.log |= has("get-stderr"),
                "wasi:clocks/wall-clock" | "wasi:clocks/monotonic-clock" => abilities.clock |= has("now"),
                "wasi:random/random" | "wasi:random/insecure" | "wasi:random/insecure-seed" => {
                    abilities.random |= !import.functions.items.is_empty();
                }
                _ => {}
            }
        }
        abilities
    }
}

impl fmt::Display for Abilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (self.list, "list pods"),
            (self.get, "get a pod by name"),
            (self.objects, "read whole objects where that is granted"),
            (self.rows, "answer with rows"),
            (self.log, "print log lines"),
            (self.clock, "tell the time"),
            (self.random, "draw random numbers"),
        ];
        let of = |able| words.iter().filter(move |(can, _)| *can == able).map(|(_, words)| *words).collect::<Vec<_>>();
        let (can, cannot) = (of(true), of(false));
        if !can.is_empty() {
            write!(f, "can {}; ", joined(&can, "and"))?;
        }
        if !cannot.is_empty() {
            write!(f, "cannot {}; ", joined(&cannot, "or"))?;
        }
        f.write_str("no network, no files, no environment, nothing else of the cluster")
    }
}

fn joined(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [rest @ .., word] => format!("{} {last} {word}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_tells_what_can_and_cannot_be() {
        let rest = "no network, no files, no environment, nothing else of the cluster";
        assert_eq!(
            Abilities { list: true, rows: true, log: true, ..Abilities::default() }.to_string(),
            format!(
                "can list pods, answer with rows and print log lines; cannot get a pod by name, read whole objects where that is \
                 granted, tell the time or draw random numbers; {rest}"
            )
        );
        let all = Abilities { list: true, get: true, objects: true, rows: true, log: true, clock: true, random: true };
        assert!(!all.to_string().contains("cannot") && all.to_string().ends_with(rest));
        assert!(Abilities::default().to_string().starts_with("cannot list pods, "));
    }
}
