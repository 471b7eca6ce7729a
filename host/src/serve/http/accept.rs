//! In which form a client wants an answer's rows: the first that it names of those that there are.
//!
//! A quality other than zero is not read: browsers and Prometheus name first what they like best.

use hyper::HeaderMap;
use hyper::header::ACCEPT;

use crate::output::Format;

/// A form of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    JsonLines,
    Csv,
    Html,
    Prometheus,
}

impl Form {
    pub(super) const ALL: [Self; 5] = [Self::Json, Self::JsonLines, Self::Csv, Self::Html, Self::Prometheus];

    /// JSON where nothing is asked for; `None` where nothing of what is asked for is offered.
    pub(super) fn wanted(headers: &HeaderMap) -> Option<Self> {
        let mut clauses = headers
            .get_all(ACCEPT)
            .iter()
            .flat_map(|value| value.to_str().unwrap_or_default().split(','))
            .map(str::trim)
            .peekable();
        if clauses.peek().is_none() {
            return Some(Self::Json);
        }
        clauses.find_map(Self::of_clause)
    }

    fn of_clause(clause: &str) -> Option<Self> {
        let mut parts = clause.split(';').map(str::trim);
        let media_type = parts.next()?.to_ascii_lowercase();
        let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|quality| quality.parse() == Ok(0.0_f32)));
        if refused {
            return None;
        }
        match media_type.as_str() {
            "*/*" | "application/*" => Some(Self::Json),
            "application/x-ndjson" | "application/jsonlines" => Some(Self::JsonLines),
            "text/*" => Some(Self::Csv),
            known => Self::ALL.into_iter().find(|form| form.media_type() == known),
        }
    }

    pub(super) fn media_type(self) -> &'static str {
        let content_type = self.content_type();
        content_type.split_once(';').map_or(content_type, |(media_type, _)| media_type)
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonLines => "application/jsonl",
            // RFC 7111 section 5.1: what has headers says so.
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Html => "text/html; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    pub(super) fn format(self) -> Format {
        match self {
            Self::Json => Format::Json,
            Self::JsonLines => Format::JsonLines,
            Self::Csv => Format::Csv,
            Self::Html => Format::Html,
            Self::Prometheus => Format::Prometheus,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_is_offered_is_taken() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, expected) in [
            (&[][..], Some(Form::Json)),
            (&["*/*"], Some(Form::Json)),
            (&["application/json"], Some(Form::Json)),
            (&["Application/JSON; charset=utf-8"], Some(Form::Json)),
            (&["application/jsonl"], Some(Form::JsonLines)),
            (&["application/x-ndjson"], Some(Form::JsonLines)),
            (&["text/csv"], Some(Form::Csv)),
            (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], Some(Form::Html)),
            (&[prometheus], Some(Form::Prometheus)),
            (&["image/png", "text/csv"], Some(Form::Csv)),
            (&["application/json;q=0, text/csv"], Some(Form::Csv)),
            (&["image/png"], None),
            (&[""], None),
        ] {
            let headers: HeaderMap = accept.iter().map(|value| (ACCEPT, value.parse().unwrap())).collect();
            assert_eq!(Form::wanted(&headers), expected, "{accept:?}");
        }
    }
}
