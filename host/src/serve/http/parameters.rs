//! A query's arguments: from the query string of a GET, or the JSON object of a POST.

use hyper::HeaderMap;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::problem::Problem;
use crate::web::unescape;

/// Most of them, and most bytes of a name and of a value. A query has at most 64 parameters.
const MAX_ARGUMENTS: usize = 64;

/// What a run is told and asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Names and values, as `-p NAME=VALUE` takes them.
    pub(super) arguments: Vec<(String, String)>,
    /// Whether what is kept is not good enough.
    pub(super) fresh: bool,
}

/// Of a GET: `?min=3&team=checkout`.
pub(super) fn of_query(query: Option<&str>, headers: &HeaderMap) -> Result<Asked, Problem> {
    let mut arguments = Vec::new();
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        arguments.push((decoded(name)?, decoded(value)?));
        if arguments.len() > MAX_ARGUMENTS {
            return Err(Problem::bad_request(format!("there are more than {MAX_ARGUMENTS} parameters")));
        }
    }
    // A form of a page sends every field; an empty one is one that was not filled in.
    arguments.retain(|(_, value)| !value.is_empty());
    Ok(Asked { arguments, fresh: wants_fresh(headers) })
}

/// A POST has its arguments in its body: ones beside it would be left out in silence.
pub(super) fn none_in_query(query: Option<&str>) -> Result<(), Problem> {
    match query.unwrap_or_default() {
        "" => Ok(()),
        _ => Err(Problem::bad_request("a POST has its parameters in its body, and not in the query string")),
    }
}

/// Of a POST: `{"parameters": {"min": 3}, "fresh": true}`.
pub(super) fn of_body(body: &[u8], headers: &HeaderMap) -> Result<Asked, Problem> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Problem::unsupported_media_type("send `Content-Type: application/json`"));
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        parameters: Pairs,
        #[serde(default)]
        fresh: bool,
    }
    let wrong = |why: &str| {
        Problem::bad_request(format!("the body is not what is taken, such as `{{\"parameters\": {{\"min\": 3}}}}`: {why}"))
    };
    // A struct may also be read from an array, whose values have no names.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(wrong("it is no object"));
    }
    let Body { parameters: Pairs(pairs), fresh } = serde_json::from_slice(body).map_err(|error| wrong(&error.to_string()))?;
    Ok(Asked { arguments: pairs, fresh: fresh || wants_fresh(headers) })
}

/// RFC 9111 section 5.2.1.4: what is kept is not to be used without asking.
fn wants_fresh(headers: &HeaderMap) -> bool {
    let directives = headers.get_all(CACHE_CONTROL).iter().flat_map(|value| value.to_str().unwrap_or_default().split(','));
    directives.map(str::trim).any(|directive| directive.eq_ignore_ascii_case("no-cache"))
}

/// An object of texts, numbers and booleans, each name once.
#[derive(Debug, Default)]
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of parameters")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs: Vec<(String, String)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    let value = match value {
                        Value::String(text) => text,
                        Value::Number(number) => number.to_string(),
                        Value::Bool(boolean) => boolean.to_string(),
                        _ => return Err(A::Error::custom("a parameter is a text, a number or a boolean")),
                    };
                    if pairs.len() == MAX_ARGUMENTS {
                        return Err(A::Error::custom(format_args!("there are more than {MAX_ARGUMENTS} parameters")));
                    }
                    if pairs.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("a parameter is given twice"));
                    }
                    pairs.push((name, value));
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

fn decoded(text: &str) -> Result<String, Problem> {
    unescape(text).ok_or_else(|| Problem::bad_request("the query string is not percent-encoded UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_query_string_has_names_and_values() {
        let none = HeaderMap::new();
        let read = |query: &str| of_query(Some(query), &none).map(|asked| asked.arguments);
        assert_eq!(of_query(None, &none).unwrap(), Asked::default());
        assert_eq!(read("min=3&team=check+out%20%C3%A9&&empty=").unwrap(), pairs(&[("min", "3"), ("team", "check out é")]));
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff", "%c3=1"] {
            read(bad).unwrap_err();
        }
        read(&"a=1&".repeat(MAX_ARGUMENTS + 1)).unwrap_err();
    }

    #[test]
    fn a_body_is_an_object_of_simple_values() {
        let json: HeaderMap = [(CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap())].into_iter().collect();
        let read = |body: &str| of_body(body.as_bytes(), &json);
        let asked = read(r#"{"parameters":{"min":3,"all":true,"team":"a"},"fresh":true}"#).unwrap();
        assert_eq!(asked, Asked { arguments: pairs(&[("min", "3"), ("all", "true"), ("team", "a")]), fresh: true });
        assert_eq!(read("{}").unwrap(), Asked::default());
        for bad in [
            "",
            "[]",
            r#"{"parameter":{}}"#,
            r#"{"parameters":{"a":null}}"#,
            r#"{"parameters":{"a":[1]}}"#,
            r#"{"parameters":{"a":1,"a":2}}"#,
            r#"{"fresh":1}"#,
            r"{} {}",
        ] {
            read(bad).unwrap_err();
        }
        of_body(b"{}", &HeaderMap::new()).unwrap_err();
    }

    #[test]
    fn who_wants_it_fresh_says_no_cache() {
        for (value, expected) in [("no-cache", true), ("max-age=0, No-Cache", true), ("max-age=0", false), ("no-cache-x", false)] {
            let headers: HeaderMap = [(CACHE_CONTROL, value.parse().unwrap())].into_iter().collect();
            assert_eq!(of_query(None, &headers).unwrap().fresh, expected, "{value}");
        }
    }
}
