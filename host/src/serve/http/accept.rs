//! In which form a client wants an answer's rows: of those that there are the one that it likes best (RFC 9110 section 12.5.1).

use std::cmp::Reverse;

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
        let values = headers.get_all(ACCEPT).iter().map(|value| value.to_str().unwrap_or_default());
        let clauses: Vec<_> = values.flat_map(|value| value.split(',')).map(Clause::of).collect();
        if clauses.is_empty() {
            return Some(Self::Json);
        }
        // What is said of a form is said by the clause that is most about it, and among such by the first.
        let said = |form: Self| {
            let about =
                clauses.iter().enumerate().filter_map(|(at, clause)| Some((clause.names(form)?, Reverse(at), clause.quality)));
            let (_, Reverse(at), quality) = about.max_by_key(|(exactness, at, _)| (*exactness, *at))?;
            Some((form, quality, at)).filter(|_| quality > 0.0)
        };
        // The one that is liked best, or was named first, or is the most ordinary.
        let wanted = Self::ALL.into_iter().filter_map(said);
        wanted.min_by(|(_, a, at_a), (_, b, at_b)| b.total_cmp(a).then(at_a.cmp(at_b))).map(|(form, ..)| form)
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

/// A part of what a client accepts.
struct Clause {
    media_type: String,
    /// How much it is liked: 0 is not at all.
    quality: f32,
}

impl Clause {
    fn of(written: &str) -> Self {
        let mut parts = written.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        // What cannot be read is as if it were not there.
        Self { media_type, quality: quality.and_then(|quality| quality.parse().ok()).unwrap_or(1.0) }
    }

    /// How exactly it is about a form, if it is.
    fn names(&self, form: Form) -> Option<u8> {
        let media_type = form.media_type();
        let is_alias = matches!(self.media_type.as_str(), "application/x-ndjson" | "application/jsonlines");
        match self.media_type.strip_suffix("/*") {
            Some("*") => Some(0),
            Some(kind) => (media_type.split('/').next() == Some(kind)).then_some(1),
            None => (media_type == self.media_type || (is_alias && form == Form::JsonLines)).then_some(2),
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
            (&["application/json;q=0, */*"], Some(Form::JsonLines)),
            (&["text/html;q=0.1, text/csv;q=0.9"], Some(Form::Csv)),
            (&["text/csv;q=0.5", "text/html;q=0.5"], Some(Form::Csv)),
            (&["*/*;q=0.1, text/csv;q=0.2"], Some(Form::Csv)),
            (&["*/*;q=0"], None),
            (&["text/csv;q=nan"], None),
            (&["text/csv;q=much"], Some(Form::Csv)),
            (&["text/*"], Some(Form::Csv)),
            (&["text/*, text/csv;q=0"], Some(Form::Html)),
            (&["application/*"], Some(Form::Json)),
            (&["application/*;q=0, */*"], Some(Form::Csv)),
            (&["application/json;q=0.5, */*"], Some(Form::JsonLines)),
            (&["application/x-ndjson;q=0, */*, application/json;q=0"], Some(Form::Csv)),
            (&["image/png"], None),
            (&[""], None),
        ] {
            let headers: HeaderMap = accept.iter().map(|value| (ACCEPT, value.parse().unwrap())).collect();
            assert_eq!(Form::wanted(&headers), expected, "{accept:?}");
        }
    }
}
