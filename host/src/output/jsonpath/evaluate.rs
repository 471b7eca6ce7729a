//! Follows a template through the rows, as `jsonpath.go` of client-go does.

use std::cmp::Ordering;
use std::fmt;

use super::{Block, End, Filter, Literal, Operator, Path, Slice, Step, Template, Value};

/// Why a template came to no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum EvaluateError {
    /// Only a list has positions.
    NotAList(&'static str),
    OutOfBounds {
        index: i64,
        length: i64,
    },
    StartAfterEnd {
        start: i64,
        end: i64,
    },
    Step(i64),
    /// A side of a comparison has more than one value.
    Several,
    Incomparable(&'static str, &'static str),
}

impl Template {
    /// Hands to `print` what each part of the template comes to, in order: usually one value, for a path with `*` several, and none
    /// where a key is missing.
    pub(super) fn evaluate<'a>(&'a self, root: Value<'a>, print: &mut dyn FnMut(&[Value<'a>])) -> Result<(), EvaluateError> {
        walk(&self.0, &root, print)
    }
}

fn walk<'a>(blocks: &'a [Block], root: &Value<'a>, print: &mut dyn FnMut(&[Value<'a>])) -> Result<(), EvaluateError> {
    for block in blocks {
        match block {
            Block::Text(text) => print(&[Value::Literal(text)]),
            Block::Path(path) => print(&path.evaluate(vec![root.clone()])?),
            Block::Range { over, body } => {
                for value in over.evaluate(vec![root.clone()])? {
                    walk(body, &value, print)?;
                }
            }
        }
    }
    Ok(())
}

impl Path {
    /// The values that the path comes to from these.
    pub(in super::super) fn evaluate<'a>(&'a self, from: Vec<Value<'a>>) -> Result<Vec<Value<'a>>, EvaluateError> {
        self.0.iter().try_fold(from, |values, step| step.evaluate(&values))
    }
}

impl Step {
    fn evaluate<'a>(&'a self, values: &[Value<'a>]) -> Result<Vec<Value<'a>>, EvaluateError> {
        Ok(match self {
            // A text is there once, whatever came before; the others for each value.
            Self::Literal(Literal::Text(text)) => vec![Value::Literal(text)],
            Self::Literal(literal) => values.iter().map(|_| literal.value()).collect(),
            Self::Field(name) => values.iter().filter_map(|value| value.field(name)).collect(),
            Self::Wildcard => values.iter().flat_map(Value::children).collect(),
            Self::Descent => {
                let mut found = Vec::new();
                values.iter().for_each(|value| descend(value, &mut found));
                found
            }
            Self::Slice(slice) => flat(values, |value| slice.of(value))?,
            Self::Filter(filter) => flat(values, |value| filter.of(value))?,
            Self::Union(paths) => flat(paths, |path| path.evaluate(values.to_vec()))?,
        })
    }
}

impl Literal {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Literal(text),
            Self::Integer(integer) => Value::Integer(*integer),
            Self::Number(number) => Value::Number(*number),
            Self::Boolean(boolean) => Value::Boolean(*boolean),
        }
    }
}

/// What each of `from` gives, one after the other; or the first error.
fn flat<'a, 'f, T>(
    from: &'f [T],
    give: impl Fn(&'f T) -> Result<Vec<Value<'a>>, EvaluateError>,
) -> Result<Vec<Value<'a>>, EvaluateError> {
    let mut all = Vec::new();
    for each in from {
        all.extend(give(each)?);
    }
    Ok(all)
}

/// The value, if it has any in it, and those in turn.
fn descend<'a>(value: &Value<'a>, found: &mut Vec<Value<'a>>) {
    let children = value.children();
    if !children.is_empty() {
        found.push(value.clone());
        children.iter().for_each(|child| descend(child, found));
    }
}

impl Slice {
    fn of<'a>(&self, value: &Value<'a>) -> Result<Vec<Value<'a>>, EvaluateError> {
        let Value::Items(rows) = value else { return Err(EvaluateError::NotAList(value.kind())) };
        let length = i64::try_from(rows.rows.len()).unwrap_or(i64::MAX);
        let from_end = |position: i64| if position < 0 { position.saturating_add(length) } else { position };
        let start = from_end(self.start.unwrap_or(0));
        let end = match self.end {
            End::OneOnly => start.saturating_add(1),
            End::Last => length,
            End::Before(position) => from_end(position),
        };
        // As client-go, which looks at no bounds where nothing is selected.
        if start == end {
            return Ok(Vec::new());
        }
        if !(0..length).contains(&start) {
            return Err(EvaluateError::OutOfBounds { index: start, length });
        }
        if !(0..=length).contains(&end) {
            return Err(EvaluateError::OutOfBounds { index: end.saturating_sub(1), length });
        }
        if start > end {
            return Err(EvaluateError::StartAfterEnd { start, end });
        }
        let step = self.step.unwrap_or(1);
        let every = usize::try_from(step).ok().filter(|step| *step > 0).ok_or(EvaluateError::Step(step))?;
        // Both are within the list.
        let [start, end] = [start, end].map(|position| usize::try_from(position).unwrap_or(0));
        Ok(rows.records().map(Value::Row).take(end).skip(start).step_by(every).collect())
    }
}

impl Filter {
    fn of<'a>(&'a self, value: &Value<'a>) -> Result<Vec<Value<'a>>, EvaluateError> {
        let Value::Items(rows) = value else { return Err(EvaluateError::NotAList(value.kind())) };
        let mut passed = Vec::new();
        for row in rows.records().map(Value::Row) {
            if self.passes(&row)? {
                passed.push(row);
            }
        }
        Ok(passed)
    }

    fn passes<'a>(&'a self, row: &Value<'a>) -> Result<bool, EvaluateError> {
        let left = self.left.evaluate(vec![row.clone()])?;
        let Some((operator, right)) = &self.comparison else { return Ok(!left.is_empty()) };
        let Some(left) = only(left)? else { return Ok(false) };
        let Some(right) = only(right.evaluate(vec![row.clone()])?)? else { return Ok(false) };
        operator.holds(&left, &right)
    }
}

fn only(mut values: Vec<Value<'_>>) -> Result<Option<Value<'_>>, EvaluateError> {
    match values.len() {
        0 | 1 => Ok(values.pop()),
        _ => Err(EvaluateError::Several),
    }
}

impl Operator {
    fn holds(self, left: &Value<'_>, right: &Value<'_>) -> Result<bool, EvaluateError> {
        let incomparable = || EvaluateError::Incomparable(left.kind(), right.kind());
        let ordering = match (left, right) {
            (Value::Integer(left), Value::Integer(right)) => Some(left.cmp(right)),
            (Value::Number(left), Value::Number(right)) => left.partial_cmp(right),
            // Go's templates refuse these two.
            (Value::Integer(left), Value::Number(right)) => (*left as f64).partial_cmp(right),
            (Value::Number(left), Value::Integer(right)) => left.partial_cmp(&(*right as f64)),
            (Value::Boolean(left), Value::Boolean(right)) if matches!(self, Self::Equal | Self::NotEqual) => Some(left.cmp(right)),
            _ => match (left.text(), right.text()) {
                (Some(left), Some(right)) => Some(left.cmp(right)),
                _ => None,
            },
        };
        let ordering = ordering.ok_or_else(incomparable)?;
        Ok(match self {
            Self::Equal => ordering == Ordering::Equal,
            Self::NotEqual => ordering != Ordering::Equal,
            Self::Less => ordering == Ordering::Less,
            Self::LessOrEqual => ordering != Ordering::Greater,
            Self::Greater => ordering == Ordering::Greater,
            Self::GreaterOrEqual => ordering != Ordering::Less,
        })
    }
}

impl std::error::Error for EvaluateError {}

impl fmt::Display for EvaluateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAList(kind) => write!(f, "`[]` is for lists, and there is {kind}"),
            Self::OutOfBounds { index, length } => write!(f, "position {index} is not in a list of {length}"),
            Self::StartAfterEnd { start, end } => write!(f, "`[{start}:{end}]` starts after its end"),
            Self::Step(step) => write!(f, "a step of {step} leads nowhere, expected 1 or more"),
            Self::Several => f.write_str("a filter compares one value with one other, and a side has several"),
            Self::Incomparable(left, right) => write!(f, "a filter cannot compare {left} with {right} so"),
        }
    }
}
