//! Label selectors: parsed once, joined as terms, rendered canonically, and evaluated on what the server returns.
//!
//! Grammar: k8s.io/apimachinery `pkg/labels/selector.go`. A selector is a conjunction of requirements, so two selectors
//! are joined by joining their requirements, never by joining text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::SelectorError;
use super::name::is_subdomain;
use crate::text::excerpt;

/// Longest selector text that is read, in bytes. Arbitrary; bounds the length of the request's URL.
const MAX_BYTES: usize = 4096;
/// Most requirements of one selector. Arbitrary; bounds the work for each pod.
const MAX_REQUIREMENTS: usize = 32;
/// Most values of one `in` or `notin`. Arbitrary, as above.
const MAX_VALUES: usize = 64;
/// Longest name part of a label's key, and longest label value, in bytes (apimachinery `validation.go`).
const LABEL_MAX_BYTES: usize = 63;

/// A condition on a pod's labels; the empty selector has no condition and matches every pod.
///
/// ```
/// use podlens::LabelSelector;
/// let selector = LabelSelector::parse("app=web, tier in (a,b), !canary").unwrap();
/// assert_eq!(selector.to_string(), "app=web,tier in (a,b),!canary");
/// assert!(LabelSelector::parse("app=web=1").is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Operator {
    Exists,
    DoesNotExist,
    Equals(String),
    NotEquals(String),
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    GreaterThan(i64),
    LessThan(i64),
}

impl LabelSelector {
    /// Reads kubectl's syntax: `key`, `!key`, `key=value`, `key==value`, `key!=value`, `key in (a,b)`, `key notin (a,b)`,
    /// `key>1`, `key<1`, joined by commas. Empty text is the empty selector.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        if text.len() > MAX_BYTES {
            return Err(SelectorError::new(format!("label selector has {} bytes: at most {MAX_BYTES} are read", text.len())));
        }
        let mut parser = Parser { text, rest: text };
        let selector = parser.selector()?;
        if selector.requirements.len() > MAX_REQUIREMENTS {
            return Err(SelectorError::new(format!(
                "label selector has {} conditions: at most {MAX_REQUIREMENTS} are read",
                selector.requirements.len()
            )));
        }
        Ok(selector)
    }

    /// The selector that demands what both demand.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut requirements = self.requirements.clone();
        for requirement in &other.requirements {
            if !requirements.contains(requirement) {
                requirements.push(requirement.clone());
            }
        }
        Self { requirements }
    }

    /// Whether the selector has no condition.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether a pod with these labels matches. As on the server, `!=` and `notin` match a pod that lacks the key.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }
}

impl Requirement {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.operator {
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Equals(wanted) => value == Some(wanted),
            Operator::NotEquals(unwanted) => value != Some(unwanted),
            Operator::In(wanted) => value.is_some_and(|value| wanted.contains(value)),
            Operator::NotIn(unwanted) => value.is_none_or(|value| !unwanted.contains(value)),
            Operator::GreaterThan(bound) => number().is_some_and(|value| value > *bound),
            Operator::LessThan(bound) => number().is_some_and(|value| value < *bound),
        }
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Requirement { key, operator }) in self.requirements.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            let list = |values: &BTreeSet<String>| values.iter().map(String::as_str).collect::<Vec<_>>().join(",");
            match operator {
                Operator::Exists => write!(f, "{key}")?,
                Operator::DoesNotExist => write!(f, "!{key}")?,
                Operator::Equals(value) => write!(f, "{key}={value}")?,
                Operator::NotEquals(value) => write!(f, "{key}!={value}")?,
                Operator::In(values) => write!(f, "{key} in ({})", list(values))?,
                Operator::NotIn(values) => write!(f, "{key} notin ({})", list(values))?,
                Operator::GreaterThan(bound) => write!(f, "{key}>{bound}")?,
                Operator::LessThan(bound) => write!(f, "{key}<{bound}")?,
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for LabelSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        Self::parse(text)
    }
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
}

/// The lexical elements: words, and the operators and punctuation that end them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    End,
    Word(&'a str),
    Symbol(&'static str),
}

impl<'a> Parser<'a> {
    fn selector(&mut self) -> Result<LabelSelector, SelectorError> {
        let mut requirements = Vec::new();
        if self.peek() == Token::End {
            return Ok(LabelSelector { requirements });
        }
        loop {
            requirements.push(self.requirement()?);
            match self.next() {
                Token::End => return Ok(LabelSelector { requirements }),
                Token::Symbol(",") => {}
                found => return Err(self.unexpected(found, "`,` or the end")),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        let negated = self.peek() == Token::Symbol("!");
        if negated {
            self.next();
        }
        let key = match self.next() {
            Token::Word(word) => label_key(word)?,
            found => return Err(self.unexpected(found, "a label key")),
        };
        if negated {
            return Ok(Requirement { key, operator: Operator::DoesNotExist });
        }
        let operator = match self.peek() {
            Token::End | Token::Symbol(",") => return Ok(Requirement { key, operator: Operator::Exists }),
            _ => self.next(),
        };
        let operator = match operator {
            Token::Symbol("=" | "==") => Operator::Equals(self.value()?),
            Token::Symbol("!=") => Operator::NotEquals(self.value()?),
            Token::Symbol(">") => Operator::GreaterThan(self.integer()?),
            Token::Symbol("<") => Operator::LessThan(self.integer()?),
            Token::Word("in") => Operator::In(self.values()?),
            Token::Word("notin") => Operator::NotIn(self.values()?),
            found => return Err(self.unexpected(found, "`=`, `==`, `!=`, `in`, `notin`, `>` or `<`")),
        };
        Ok(Requirement { key, operator })
    }

    /// The value after `=`; it may be empty.
    fn value(&mut self) -> Result<String, SelectorError> {
        match self.peek() {
            Token::End | Token::Symbol(",") => Ok(String::new()),
            Token::Word(word) => {
                self.next();
                label_value(word)
            }
            found @ Token::Symbol(_) => Err(self.unexpected(found, "a label value")),
        }
    }

    /// The value after `<` or `>`: a label's value, too, so that it has no sign.
    fn integer(&mut self) -> Result<i64, SelectorError> {
        match self.next() {
            Token::Word(word) => label_value(word)?
                .parse()
                .map_err(|_| SelectorError::new(format!("`{}` in the label selector is not a whole number", excerpt(word)))),
            found => Err(self.unexpected(found, "a whole number")),
        }
    }

    /// `(a,b)`; an empty element is the empty value.
    fn values(&mut self) -> Result<BTreeSet<String>, SelectorError> {
        match self.next() {
            Token::Symbol("(") => {}
            found => return Err(self.unexpected(found, "`(`")),
        }
        let mut values = BTreeSet::new();
        let mut count = 0;
        loop {
            let value = match self.peek() {
                Token::Word(word) => {
                    self.next();
                    label_value(word)?
                }
                Token::Symbol("," | ")") => String::new(),
                found => return Err(self.unexpected(found, "a label value, `,` or `)`")),
            };
            values.insert(value);
            count += 1;
            if count > MAX_VALUES {
                return Err(SelectorError::new(format!(
                    "label selector lists more than {MAX_VALUES} values for one key: at most {MAX_VALUES} are read"
                )));
            }
            match self.next() {
                Token::Symbol(",") => {}
                Token::Symbol(")") => return Ok(values),
                found => return Err(self.unexpected(found, "`,` or `)`")),
            }
        }
    }

    fn peek(&self) -> Token<'a> {
        self.lex().0
    }

    fn next(&mut self) -> Token<'a> {
        let (token, rest) = self.lex();
        self.rest = rest;
        token
    }

    fn lex(&self) -> (Token<'a>, &'a str) {
        const SYMBOLS: [&str; 9] = ["==", "!=", "=", "!", ",", "(", ")", ">", "<"];
        let rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if rest.is_empty() {
            return (Token::End, rest);
        }
        for symbol in SYMBOLS {
            if let Some(after) = rest.strip_prefix(symbol) {
                return (Token::Symbol(symbol), after);
            }
        }
        let end = rest.find(|c: char| " \t\r\n=!,()><".contains(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        (Token::Word(word), after)
    }

    fn unexpected(&self, found: Token<'_>, expected: &str) -> SelectorError {
        let found = match found {
            Token::End => "the end".to_owned(),
            Token::Word(word) => format!("`{}`", excerpt(word)),
            Token::Symbol(symbol) => format!("`{symbol}`"),
        };
        SelectorError::new(format!("label selector `{}` has {found} where {expected} is expected", excerpt(self.text)))
    }
}

/// `[prefix/]name`: an RFC 1123 subdomain, and a qualified name of at most 63 bytes.
fn label_key(key: &str) -> Result<String, SelectorError> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    if !name.is_empty() && is_value(name) && prefix.is_none_or(is_subdomain) {
        Ok(key.to_owned())
    } else {
        Err(SelectorError::new(format!(
            "`{}` in the label selector is not a label key: `name` or `prefix/name`, the name 1 to {LABEL_MAX_BYTES} of A-Z, a-z, \
             0-9, `-`, `_` and `.`, beginning and ending with a letter or digit, the prefix a DNS subdomain",
            excerpt(key)
        )))
    }
}

fn label_value(value: &str) -> Result<String, SelectorError> {
    if is_value(value) {
        Ok(value.to_owned())
    } else {
        Err(SelectorError::new(format!(
            "`{}` in the label selector is not a label value: empty, or at most {LABEL_MAX_BYTES} of A-Z, a-z, 0-9, `-`, `_` and \
             `.`, beginning and ending with a letter or digit",
            excerpt(value)
        )))
    }
}

/// `(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?`, at most 63 bytes.
fn is_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= LABEL_MAX_BYTES
        && bytes.first().is_none_or(u8::is_ascii_alphanumeric)
        && bytes.last().is_none_or(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_selectors_render_canonically() {
        for (text, canonical) in [
            ("", ""),
            ("  ", ""),
            ("a", "a"),
            ("!a", "!a"),
            ("! a", "!a"),
            ("a=b", "a=b"),
            ("a==b", "a=b"),
            ("a = b , c != d", "a=b,c!=d"),
            ("a=", "a="),
            ("a=,b", "a=,b"),
            ("a!=", "a!="),
            ("a in (c, b,b)", "a in (b,c)"),
            ("a in ()", "a in ()"),
            ("a notin (x,)", "a notin (,x)"),
            ("example.com/app.kubernetes_io=V-1", "example.com/app.kubernetes_io=V-1"),
            ("a>1,b<2", "a>1,b<2"),
            ("in in (in)", "in in (in)"),
            ("a\n=\tb", "a=b"),
        ] {
            let selector = LabelSelector::parse(text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
            assert_eq!(selector.to_string(), canonical, "{text:?}");
            assert_eq!(LabelSelector::parse(canonical).as_ref(), Ok(&selector), "{text:?} does not round-trip");
        }
    }

    #[test]
    fn bad_selectors_name_the_token() {
        for (text, named) in [
            (",", "`,`"),
            ("a,", "the end"),
            (",a", "`,`"),
            ("a=b=c", "`=`"),
            ("a b", "`b`"),
            ("a in b", "`b`"),
            ("a in (b", "the end"),
            ("a in (b c)", "`c`"),
            ("a=(b)", "`(`"),
            ("!a=b", "`=`"),
            ("a>b", "`b`"),
            ("a>-1", "`-1`"),
            ("a<+1", "`+1`"),
            ("a>", "the end"),
            ("-a", "`-a`"),
            ("a=-b", "`-b`"),
            ("/a", "`/a`"),
            ("A.B/x", "`A.B/x`"),
            ("a/b/c", "`a/b/c`"),
            ("a=b&limit=1", "`b&limit`"),
            ("a=é", "`é`"),
        ] {
            let error = LabelSelector::parse(text).expect_err(text).to_string();
            assert!(error.contains(named), "{text:?}: {error}");
        }
        let (long_value, many_values) = (format!("a={}", "b".repeat(64)), format!("a in ({})", ["b"; 65].join(",")));
        for too_much in [long_value, many_values, "a,".repeat(3000), ["a"; 33].join(",")] {
            LabelSelector::parse(&too_much).unwrap_err();
        }
    }

    #[test]
    fn matching_is_the_servers() {
        let labels: BTreeMap<_, _> = [("app", "web"), ("n", "5"), ("empty", "")].map(|(k, v)| (k.into(), v.into())).into();
        for (text, expected) in [
            ("", true),
            ("app=web", true),
            ("app=db", false),
            ("app!=db", true),
            ("missing!=x", true),
            ("missing notin (x)", true),
            ("missing in (x)", false),
            ("app in (web,db)", true),
            ("app notin (web)", false),
            ("app", true),
            ("!app", false),
            ("!missing", true),
            ("empty=", true),
            ("missing=", false),
            ("n>4,n<6", true),
            ("n>5", false),
            ("app>1", false),
            ("missing<1", false),
        ] {
            assert_eq!(LabelSelector::parse(text).expect(text).matches(&labels), expected, "{text}");
        }
    }

    #[test]
    fn joining_keeps_every_requirement_once() {
        let parse = |text| LabelSelector::parse(text).expect(text);
        assert_eq!(parse("a=1,b").and(&parse("b,a=2")).to_string(), "a=1,b,a=2");
    }
}
