//! kubectl's JSONPath over rows: what `-o jsonpath=`, `-o jsonpath-as-json=` and `-o custom-columns=` are written in.
//!
//! It is not the JSONPath of RFC 9535: a template has text and loops around its paths, `$` and `@` are both the value at hand, a
//! key may be missing, and filters compare as Go's templates do. What holds is `util/jsonpath` of k8s.io/client-go v0.37.2; the
//! differential tests ask it. `parse.rs` reads a template, `evaluate.rs` follows it, `value.rs` is what it is followed through,
//! and `print.rs` is the output format.

mod evaluate;
mod parse;
mod print;
mod quote;
mod value;

use std::fmt;
use std::str::FromStr;

pub(super) use print::JsonPath;
pub(super) use value::{Record, Value};

/// A template: text, paths, and loops around both.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template(Vec<Block>);

/// A path alone, without braces: of a column of `custom-columns`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Path(Vec<Step>);

/// One part of a template.
#[derive(Clone, Debug, PartialEq)]
enum Block {
    /// What stands outside of braces.
    Text(String),
    /// `{.items[*].name}`.
    Path(Path),
    /// `{range .items[*]}…{end}`.
    Range { over: Path, body: Vec<Block> },
}

/// One step of a path: what it makes of the values so far.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// A value of the template itself, whatever came before.
    Literal(Literal),
    /// `.name`: a key's value.
    Field(String),
    /// `.*`: all values of an object or a list.
    Wildcard,
    /// `..`: the value and all lists and objects in it.
    Descent,
    /// `[0]`, `[1:-1]`, `[*]`: some of a list.
    Slice(Slice),
    /// `[?(@.restarts>3)]`: those of a list that pass.
    Filter(Filter),
    /// `['name','node']`: the values of several paths.
    Union(Vec<Path>),
}

#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
}

/// Positions in a list. A negative one counts from the end.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Slice {
    start: Option<i64>,
    end: End,
    step: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// `[2]`: one only.
    OneOnly,
    /// `[1:]`.
    Last,
    /// `[1:3]`: before this position.
    Before(i64),
}

#[derive(Clone, Debug, PartialEq)]
struct Filter {
    left: Path,
    /// Nothing for one that asks whether `left` is there.
    comparison: Option<(Operator, Path)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Why a template cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TemplateError(String);

impl TemplateError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        if text.is_empty() {
            return Err(TemplateError("expected a template, such as `{.items[*].name}`".into()));
        }
        parse::template(text).map(Self)
    }
}

impl Path {
    /// Reads a path as kubectl's flags take it: `.name`, `name`, `{.name}` or `{name}`.
    pub(super) fn relaxed(text: &str) -> Result<Self, TemplateError> {
        parse::path(&format!("{{.{}}}", undressed(text)?))
    }
}

/// The path without its braces and its first dot: `RelaxedJSONPathExpression` in `pkg/cmd/get/customcolumn.go` of k8s.io/kubectl
/// v0.37.2.
pub(super) fn undressed(text: &str) -> Result<&str, TemplateError> {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    if inner.is_empty() || inner.contains(['{', '}']) {
        let shown = crate::text::excerpt(text);
        return Err(TemplateError(format!("`{shown}` is not a path; expected such as `.name`, `name` or `{{.name}}`")));
    }
    Ok(inner.strip_prefix('.').filter(|rest| !rest.is_empty()).unwrap_or(inner))
}

impl std::error::Error for TemplateError {}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
