//! Reads templates and paths. The order of the cases is that of `parser.go` of client-go, which has no grammar but its code.

use super::quote::unquote;
use super::{Block, End, Filter, Literal, Operator, Path, Slice, Step, TemplateError};
use crate::text::excerpt;

/// The most loops within each other: each is a call within a call. Arbitrary; an answer has three levels.
const MAX_OPEN_RANGES: usize = 16;

/// What stands between two braces.
#[derive(Default)]
struct Action {
    steps: Vec<Step>,
    keyword: Option<Keyword>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keyword {
    Range,
    End,
}

/// Reads a template.
pub(super) fn template(text: &str) -> Result<Vec<Block>, TemplateError> {
    let mut reader = Reader { text, position: 0 };
    // The template, and a list for each loop that is open.
    let mut open: Vec<(Path, Vec<Block>)> = vec![(Path::default(), Vec::new())];
    loop {
        let plain = reader.take_while(|character| character != '{');
        let action = if reader.next().is_some() { Some(reader.action()?) } else { None };
        // There is always the template itself.
        let Some((_, blocks)) = open.last_mut() else { break };
        if !plain.is_empty() {
            blocks.push(Block::Text(plain.to_owned()));
        }
        let Some(action) = action else { break };
        let path = Path(action.steps);
        match action.keyword {
            None => blocks.push(Block::Path(path)),
            Some(Keyword::Range) if open.len() > MAX_OPEN_RANGES => {
                return Err(error(format!("more than {MAX_OPEN_RANGES} `{{range}}` within each other")));
            }
            Some(Keyword::Range) => open.push((path, Vec::new())),
            Some(Keyword::End) if open.len() == 1 => return Err(error("`{end}` without a `{range}` before it")),
            Some(Keyword::End) => close(&mut open),
        }
    }
    // A loop that nobody closed ends with the template.
    while open.len() > 1 {
        close(&mut open);
    }
    Ok(open.pop().map(|(_, blocks)| blocks).unwrap_or_default())
}

/// Makes the innermost open loop a part of what is around it.
fn close(open: &mut Vec<(Path, Vec<Block>)>) {
    if let Some((over, body)) = open.pop()
        && let Some((_, blocks)) = open.last_mut()
    {
        blocks.push(Block::Range { over, body });
    }
}

/// Reads one path in braces that is all of `text`.
pub(super) fn path(text: &str) -> Result<Path, TemplateError> {
    let mut reader = Reader { text, position: 0 };
    reader.next();
    let action = reader.action()?;
    if !reader.rest().is_empty() {
        return Err(error(format!("`{}` follows the path; a `}}` of a key is written `\\}}`", excerpt(reader.rest()))));
    }
    match action.keyword {
        None => Ok(Path(action.steps)),
        Some(_) => Err(error("`range` and `end` stand in braces of their own")),
    }
}

/// A path that is a part of another.
fn inner(text: &str) -> Result<Path, TemplateError> {
    path(&format!("{{{text}}}"))
}

fn error(message: impl Into<String>) -> TemplateError {
    TemplateError(message.into())
}

struct Reader<'a> {
    text: &'a str,
    /// In bytes, at a character.
    position: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.position += character.len_utf8();
        Some(character)
    }

    /// Whether `prefix` comes next; then it is passed over.
    fn eat(&mut self, prefix: &str) -> bool {
        let eaten = self.rest().starts_with(prefix);
        if eaten {
            self.position += prefix.len();
        }
        eaten
    }

    fn take_while(&mut self, taken: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|character| !taken(character)).unwrap_or(rest.len());
        self.position += length;
        &rest[..length]
    }

    /// Reads up to the closing brace; the opening one has been read.
    fn action(&mut self) -> Result<Action, TemplateError> {
        let start = self.position;
        let mut action = Action::default();
        loop {
            if self.eat("}") {
                return Ok(action);
            }
            if self.eat("[?(") {
                action.steps.push(self.filter()?);
                continue;
            }
            if self.eat("..") {
                if action.steps.last() == Some(&Step::Descent) {
                    return Err(error("`..` after `..`"));
                }
                action.steps.push(Step::Descent);
                if self.peek().is_some_and(is_of_word) {
                    action.steps.push(self.field());
                }
                continue;
            }
            match self.peek() {
                None | Some('\r' | '\n') => {
                    return Err(error(format!("`{{{}` has no `}}`", excerpt(self.text[start..self.position].trim_end()))));
                }
                // `@` and `$` are the value at hand, where a path begins anyway.
                Some(' ' | '@' | '$') => self.position += 1,
                Some('[') => {
                    self.position += 1;
                    self.brackets(&mut action.steps)?;
                }
                Some(quote @ ('"' | '\'')) => action.steps.push(self.quoted(quote)?),
                Some('.') => {
                    self.position += 1;
                    action.steps.push(self.field());
                }
                Some('+' | '-' | '0'..='9') => action.steps.push(self.number()?),
                Some(character) if is_of_word(character) => self.word(&mut action)?,
                Some(character) => {
                    return Err(error(format!("`{}` is not expected in a path", excerpt(&character.to_string()))));
                }
            }
        }
    }

    /// `range`, `end`, `true` or `false`.
    fn word(&mut self, action: &mut Action) -> Result<(), TemplateError> {
        let keyword = match self.take_while(|character| !is_terminator(character)) {
            boolean @ ("true" | "false") => {
                action.steps.push(Step::Literal(Literal::Boolean(boolean == "true")));
                return Ok(());
            }
            "range" => Keyword::Range,
            "end" => Keyword::End,
            other => {
                let word = excerpt(other);
                return Err(error(format!("`{word}` is not known; expected `range`, `end` or a path such as `.{word}`")));
            }
        };
        if action.keyword.replace(keyword).is_some() {
            return Err(error("`range` and `end` stand in braces of their own"));
        }
        Ok(())
    }

    /// A key up to a terminator. A backslash takes the meaning from the character after it.
    fn field(&mut self) -> Step {
        let start = self.position;
        while let Some(character) = self.peek().filter(|character| !is_terminator(*character)) {
            self.next();
            if character == '\\' {
                self.next();
            }
        }
        match &self.text[start..self.position] {
            "*" => Step::Wildcard,
            name => Step::Field(name.replace('\\', "")),
        }
    }

    fn number(&mut self) -> Result<Step, TemplateError> {
        let start = self.position;
        if matches!(self.peek(), Some('+' | '-')) {
            self.next();
        }
        self.take_while(|character| character == '.' || character.is_ascii_digit());
        let text = &self.text[start..self.position];
        let literal = match (text.parse(), text.parse::<f64>()) {
            (Ok(integer), _) => Literal::Integer(integer),
            (_, Ok(number)) if number.is_finite() => Literal::Number(number),
            _ => return Err(error(format!("`{}` is not a number", excerpt(text)))),
        };
        Ok(Step::Literal(literal))
    }

    fn quoted(&mut self, quote: char) -> Result<Step, TemplateError> {
        let start = self.position;
        self.next();
        loop {
            // A backslash, be it escaped itself, as client-go has it.
            let is_escaped = self.text[..self.position].ends_with('\\');
            match self.next() {
                None | Some('\n') => {
                    let shown = excerpt(self.text[start..self.position].trim_end());
                    return Err(error(format!("`{shown}` has no {quote} at its end")));
                }
                Some(character) if character == quote && !is_escaped => break,
                Some(_) => {}
            }
        }
        let inside = &self.text[start + 1..self.position - 1];
        let unknown = || error(format!("`{}` has an escape that is not known; expected such as `\\n` or `\\t`", excerpt(inside)));
        let text = unquote(inside, quote).ok_or_else(unknown)?;
        Ok(Step::Literal(Literal::Text(text)))
    }

    /// What is between square brackets; the opening one has been read.
    fn brackets(&mut self, steps: &mut Vec<Step>) -> Result<(), TemplateError> {
        let text = self.take_while(|character| !matches!(character, ']' | '\n'));
        if !self.eat("]") {
            return Err(error(format!("`[{}` has no `]`", excerpt(text))));
        }
        if text.contains(',') {
            let paths = text.split(',').map(|part| inner(&format!("[{}]", part.trim_matches(' '))));
            steps.push(Step::Union(paths.collect::<Result<_, _>>()?));
            return Ok(());
        }
        let key = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        if let Some(key) = key.filter(|key| !key.contains('\'')) {
            // As if it were written with a dot: `['a.b']` is `.a.b`.
            steps.extend(inner(&format!(".{key}"))?.0);
            return Ok(());
        }
        steps.push(Step::Slice(slice(if text == "*" { ":" } else { text })?));
        Ok(())
    }

    /// A filter up to `)]`; `[?(` has been read.
    fn filter(&mut self) -> Result<Step, TemplateError> {
        let start = self.position;
        // The first quotation mark of the condition, and whether another one has closed it: a parenthesis between them is text.
        let mut quote = None;
        let mut closed = true;
        loop {
            let is_escaped = self.text[..self.position].ends_with('\\');
            match self.next() {
                None | Some('\n') => {
                    return Err(error(format!("`[?({}` has no `)]`", excerpt(self.text[start..self.position].trim_end()))));
                }
                Some(character @ ('"' | '\'')) if quote.is_none() => (quote, closed) = (Some(character), false),
                Some(character) if quote == Some(character) && !is_escaped => closed = true,
                Some(')') if closed => break,
                Some(_) => {}
            }
        }
        let condition = &self.text[start..self.position - 1];
        if !self.eat("]") {
            return Err(error(format!("expected `]` after `[?({})`", excerpt(condition))));
        }
        Ok(Step::Filter(filter(condition)?))
    }
}

/// A condition: a path, or two with an operator between them.
fn filter(condition: &str) -> Result<Filter, TemplateError> {
    let is_of_operator = |character: char| matches!(character, '!' | '<' | '>' | '=');
    let Some(at) = condition.find(is_of_operator) else {
        return Ok(Filter { left: inner(condition)?, comparison: None });
    };
    let (left, rest) = condition.split_at(at);
    let (operator, right) = rest.split_at(rest.find(|character| !is_of_operator(character)).unwrap_or(rest.len()));
    let operator = match operator {
        "==" => Operator::Equal,
        "!=" => Operator::NotEqual,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        other => {
            return Err(error(format!("`{}` compares nothing; expected `==`, `!=`, `<`, `<=`, `>` or `>=`", excerpt(other))));
        }
    };
    if left.trim().is_empty() || right.trim().is_empty() {
        return Err(error(format!("`{}` compares with nothing", excerpt(condition))));
    }
    Ok(Filter { left: inner(left)?, comparison: Some((operator, inner(right)?)) })
}

/// `START:END:STEP`, each of which may be left out.
fn slice(text: &str) -> Result<Slice, TemplateError> {
    let wrong = || error(format!("`[{}]` is no position; expected such as `[0]`, `[1:3]`, `[*]` or `['name']`", excerpt(text)));
    let position = |part: &str| match part.strip_prefix('+') {
        None => part.parse::<i64>().map_err(|_| wrong()),
        Some(_) => Err(wrong()),
    };
    let optional = |part: &str| if part.is_empty() { Ok(None) } else { position(part).map(Some) };
    let parts: Vec<&str> = text.split(':').collect();
    let (start, end, step) = match *parts.as_slice() {
        [start] => (start, End::OneOnly, ""),
        [start, ""] => (start, End::Last, ""),
        [start, end] => (start, End::Before(position(end)?), ""),
        [start, "", step] => (start, End::Last, step),
        [start, end, step] => (start, End::Before(position(end)?), step),
        _ => return Err(wrong()),
    };
    Ok(Slice { start: optional(start)?, end, step: optional(step)? })
}

fn is_of_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// Whether a key or a word ends before the character.
fn is_terminator(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}
