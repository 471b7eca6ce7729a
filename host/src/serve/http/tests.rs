//! The description of the API, held against the API.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::accept::Form;
use super::problem::CODES;
use super::route::Route;
use crate::serve::outcome::Outcome;
use crate::serve::policy::QueryName;

fn described() -> Value {
    serde_json::from_str(include_str!("openapi.json")).unwrap()
}

/// What a path item has besides methods.
const OF_ALL_METHODS: &str = "parameters";

/// One of each. A route that is missing here does not compile.
fn routes() -> Vec<(Route, &'static str)> {
    let name = || QueryName::parse("restarts").unwrap();
    let all = [
        Route::Page,
        Route::OpenApi,
        Route::Queries,
        Route::Query(name()),
        Route::Run(name()),
        Route::RunReport(Uuid::from_u128(0x6a1b_8f7e_3f0c_4f6e_9c55_5d2f_4f0f_9d11)),
    ];
    let path = |route: &Route| match route {
        Route::Page => "/",
        Route::OpenApi => "/openapi.json",
        Route::Queries => "/v1/queries",
        Route::Query(_) => "/v1/queries/{name}",
        Route::Run(_) => "/v1/queries/{name}/run",
        Route::RunReport(_) => "/v1/runs/{id}",
    };
    all.into_iter().map(|route| (route.clone(), path(&route))).collect()
}

#[test]
fn each_route_and_method_is_described_and_no_other() {
    let document = described();
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| -> BTreeSet<String> {
        item.as_object().unwrap().keys().filter(|name| *name != OF_ALL_METHODS).map(|name| name.to_uppercase()).collect()
    };
    let described: BTreeMap<&str, _> = paths.iter().map(|(path, item)| (path.as_str(), methods(item))).collect();
    let served: BTreeMap<&str, BTreeSet<_>> =
        routes().iter().map(|(route, path)| (*path, route.methods().iter().map(ToString::to_string).collect())).collect();
    assert_eq!(described, served);
    // The examples of the names in them are of that route.
    let example = |name: &str| document["components"]["parameters"][name]["example"].as_str().unwrap().to_owned();
    for (route, path) in routes() {
        let path = path.replace("{name}", &example("Name")).replace("{id}", &example("Run"));
        assert_eq!(Route::of(&path), Some(route), "{path}");
    }
}

#[test]
fn each_problem_is_described_and_shown_and_no_other() {
    let document = described();
    let texts = |value: &Value| value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let schemas = &document["components"]["schemas"];
    assert_eq!(texts(&schemas["ProblemCode"]["enum"]), CODES);

    let mut shown = BTreeSet::new();
    for (name, response) in document["components"]["responses"].as_object().unwrap() {
        let examples = response["content"]["application/problem+json"]["examples"].as_object().unwrap();
        for (code, example) in examples {
            let problem = &example["value"];
            assert_eq!(
                (&problem["code"], &problem["type"]),
                (&code.as_str().into(), &format!("urn:podlens:problem:{code}").into())
            );
            assert!(response["description"].as_str().unwrap().contains(&format!("`{code}`")), "{name}: {code}");
            let status = hyper::StatusCode::from_u16(u16::try_from(problem["status"].as_u64().unwrap()).unwrap()).unwrap();
            assert_eq!(problem["title"].as_str(), status.canonical_reason(), "{name}: {code}");
            shown.insert(code.clone());
            // What has to be tried again says when.
            let retries = response["headers"].get("Retry-After").is_some();
            assert_eq!(retries, matches!(status.as_u16(), 429 | 503), "{name}");
        }
    }
    assert_eq!(shown, CODES.iter().map(|code| (*code).to_owned()).collect());
}

#[test]
fn each_status_is_that_of_its_problem() {
    let document = described();
    let components = &document["components"];
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(name, _)| *name != OF_ALL_METHODS) {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let Some(reference) = response["$ref"].as_str() else {
                    assert!(status.starts_with('2'), "{method} {path}: {status}");
                    continue;
                };
                let name = reference.strip_prefix("#/components/responses/").unwrap();
                let examples =
                    components["responses"][name]["content"]["application/problem+json"]["examples"].as_object().unwrap();
                for example in examples.values() {
                    assert_eq!(example["value"]["status"].to_string(), *status, "{method} {path}: {name}");
                }
            }
        }
    }
}

#[test]
fn what_is_referred_to_is_there() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = described();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    // And what is there is referred to, but for the one answer that any path gives, and for how a caller is known.
    for (kind, components) in document["components"].as_object().unwrap().iter().filter(|(kind, _)| *kind != "securitySchemes") {
        for name in components.as_object().unwrap().keys().filter(|name| *name != "MethodNotAllowed") {
            assert!(found.contains(&format!("#/components/{kind}/{name}")), "{kind}: {name}");
        }
    }
}

#[test]
fn words_that_are_closed_are_described_as_they_are() {
    let document = described();
    let report = &document["components"]["schemas"]["Report"]["properties"];
    let words = |value: &Value| value["enum"].as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let outcomes: BTreeSet<String> = words(&report["outcome"]);
    assert_eq!(outcomes, Outcome::ALL.iter().map(|outcome| outcome.name().to_owned()).collect());
    let forms: BTreeSet<_> = Form::ALL.iter().map(|form| form.media_type().to_owned()).collect();
    for method in ["get", "post"] {
        let content = &document["paths"]["/v1/queries/{name}/run"][method]["responses"]["200"]["content"];
        let described: BTreeSet<_> = content.as_object().unwrap().keys().cloned().collect();
        assert_eq!(described, forms);
    }
}
