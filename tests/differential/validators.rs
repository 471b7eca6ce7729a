//! Names and label selectors: what podlens takes and what apimachinery takes, over random strings.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use podlens::{LabelSelector, Namespace, PodName};

use crate::go;

/// How many strings of each of three kinds: a million in all.
const STRINGS: usize = 333_334;

/// Random numbers that are the same each time (Marsaglia's xorshift64*): a failure can be looked at again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("it is below a usize")
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// Mostly short, and now and then about as long as is allowed.
    fn length(&mut self) -> usize {
        match self.below(20) {
            0 => 61 + self.below(5),
            1 => 250 + self.below(6),
            _ => self.below(9),
        }
    }
}

const LETTERS: &[&str] = &["a", "b", "z", "0", "9", "-", "."];
const ODD: &[&str] = &["A", "_", "/", "%", "%2e", " ", "\n", "\0", "é", "\u{301}", "\u{202e}", "..", "*", "'", "\u{7f}", "٣", "ａ"];

fn name(random: &mut Random) -> String {
    let mut name: String = (0..random.length()).map(|_| random.pick(LETTERS)).collect();
    if random.below(4) == 0 {
        let at = random.below(name.len() + 1);
        name.insert_str(at, random.pick(ODD));
    }
    name
}

const TOKENS: &[&str] = &[
    "a",
    "b",
    "app",
    "x/y",
    "example.org/app",
    "a-b",
    "A_b.c",
    "1",
    "42",
    "-1",
    "9223372036854775808",
    "=",
    "==",
    "!=",
    "!",
    "in",
    "notin",
    "In",
    "exists",
    "(",
    ")",
    "()",
    ",",
    ",,",
    "<",
    ">",
    ">=",
    " ",
    "  ",
    "\t",
    "(a,b)",
    "(a)",
    "(a,)",
    "a,b",
    "/",
    "a/",
    "/a",
    "-",
    "é",
    "\n",
    "\0",
    "\"",
    "'",
    "\\",
    "%2c",
    "=a",
    "=!",
    "a=b",
    "a!=b",
    "a in (b)",
    "a notin (b,c)",
    "!a",
    "a>1",
    "a<x",
];

/// A few words of the grammar, in any order: one in three is a selector.
fn selector(random: &mut Random) -> String {
    let mut text = String::new();
    match random.below(3) {
        0 => {
            for _ in 0..random.below(9) {
                text += random.pick(TOKENS);
            }
        }
        1 => {
            for number in 0..=random.below(4) {
                let comma = if number == 0 { "" } else { random.pick(&[",", ", ", " , ", ","]) };
                text += comma;
                text += &requirement(random);
            }
        }
        _ => {
            text = requirement(random);
            let mut at = random.below(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            text.insert_str(at, random.pick(TOKENS));
        }
    }
    text
}

fn requirement(random: &mut Random) -> String {
    let key = match random.below(6) {
        0 => name(random),
        1 => format!("{}/{}", name(random), name(random)),
        _ => random.pick(&["app", "tier", "example.org/x", "in", "notin", "a.b_c-d"]).to_owned(),
    };
    let value = |random: &mut Random| {
        if random.below(5) == 0 { name(random) } else { random.pick(&["web", "", "x", "in", "1"]).to_owned() }
    };
    let space = random.pick(&["", " ", ""]);
    match random.below(7) {
        0 => key,
        1 => format!("!{space}{key}"),
        2 => {
            format!("{key}{space}{}{space}{}", random.pick(&["<", ">"]), random.pick(&["1", "-5", "x", "", "9999999999999999999"]))
        }
        3 | 4 => format!("{key}{space}{}{space}{}", random.pick(&["=", "==", "!="]), value(random)),
        _ => {
            let values: Vec<_> = (0..=random.below(3)).map(|_| value(random)).collect();
            format!("{key} {} ({})", random.pick(&["in", "notin"]), values.join(random.pick(&[",", ", ", " ,"])))
        }
    }
}

/// What both sides say of `texts`: whether podlens takes it, and Go's letter.
fn ask(kind: &str, texts: &[String], take: impl Fn(&str) -> Option<String>) -> Vec<(bool, u8)> {
    let mut questions = String::new();
    let mut taken = Vec::with_capacity(texts.len());
    for text in texts {
        write!(questions, "{kind}\t{}", STANDARD.encode(text)).expect("a string takes everything");
        let rendered = take(text);
        taken.push(rendered.is_some());
        if let Some(rendered) = rendered {
            write!(questions, "\t{}", STANDARD.encode(rendered)).expect("a string takes everything");
        }
        questions.push('\n');
    }
    let answers = go::run("validators", questions).concat();
    assert_eq!(answers.len(), texts.len());
    taken.into_iter().zip(answers.into_bytes()).collect()
}

fn check_equal(kind: &str, take: impl Fn(&str) -> Option<String>) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let texts: Vec<_> = (0..STRINGS).map(|_| name(&mut random)).collect();
    let mut both = 0;
    for (text, (taken, answer)) in texts.iter().zip(ask(kind, &texts, take)) {
        assert_eq!(taken, answer == b't', "{kind} {text:?}: apimachinery says {:?}", char::from(answer));
        both += usize::from(taken);
    }
    assert!(both > STRINGS / 10 && both < STRINGS * 9 / 10, "{both} of {STRINGS} were taken: this compares little");
}

#[test]
fn namespaces_are_those_of_kubernetes() {
    check_equal("namespace", |text| Namespace::parse(text).ok().map(|name| name.to_string()));
}

#[test]
fn pod_names_are_those_of_kubernetes() {
    check_equal("pod", |text| PodName::parse(text).ok().map(|name| name.to_string()));
}

/// podlens may refuse what Kubernetes takes, and never the other way round; what it takes means the same when it is sent.
#[test]
fn label_selectors_are_within_those_of_kubernetes() {
    let mut random = Random(0xd1b5_4a32_d192_ed03);
    let texts: Vec<_> = (0..STRINGS).map(|_| selector(&mut random)).collect();
    let answers = ask("selector", &texts, |text| LabelSelector::parse(text).ok().map(|selector| selector.to_string()));
    let (mut both, mut ours_refuses) = (0, Vec::new());
    for (text, (taken, answer)) in texts.iter().zip(answers) {
        match (taken, answer) {
            (true, b't') => both += 1,
            (false, b'r') => {}
            (false, _) => ours_refuses.push(text),
            (true, answer) => panic!("selector {text:?}: apimachinery says {:?}", char::from(answer)),
        }
    }
    assert!(both > STRINGS / 10, "{both} of {STRINGS} were taken: this compares little");
    // apimachinery reads a selector up to a NUL and takes the rest for nothing.
    ours_refuses.retain(|text| !text.contains('\0'));
    // No other is known that podlens refuses without need, within its own bounds on length and number.
    assert!(ours_refuses.is_empty(), "{} are refused without need, such as {:?}", ours_refuses.len(), ours_refuses[0]);
}
