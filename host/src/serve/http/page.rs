//! What a browser shows: the queries that a tenant may run, a form for each, and a run's report. Neither needs a script.

use std::fmt::Write as _;

use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

use super::body::Body;
use super::problem::Problem;
use super::service::answer;
use crate::output::html::{escaped, hash};
use crate::query::{Parameter, ParameterType};
use crate::serve::policy::Tenant;
use crate::serve::queries::{Catalogue, Ready};

const STYLE: &str = include_str!("page.css");

/// `/`: what may be run.
pub(super) fn index(catalogue: &Catalogue, tenant: &Tenant) -> Response<Body> {
    let mut main = format!("<p class=\"summary\">What <b>{}</b> may run</p>\n", escaped(tenant.name.as_str()));
    let all = catalogue.all(tenant);
    if all.is_empty() {
        main.push_str("<p class=\"empty\">There is nothing: the policy names no query for this tenant.</p>\n");
    }
    for (name, ready) in &all {
        section(&mut main, name, ready);
    }
    page("Queries", &main)
}

fn section(main: &mut String, name: &str, ready: &Ready) {
    let shown = escaped(name);
    // Writing to a `String` cannot fail, here and below.
    let _ = writeln!(main, "<section id=\"{shown}\">\n<h2>{shown}</h2>");
    match ready {
        Err(_) => {
            let _ = writeln!(main, "<p class=\"problem\" role=\"alert\">{}</p>", escaped(&Problem::not_ready().detail));
        }
        Ok(loaded) => {
            let description = loaded.query.description();
            let _ = writeln!(
                main,
                "<p class=\"summary\">{}</p>\n<form method=\"get\" action=\"/v1/queries/{shown}/run\">",
                escaped(&description.summary)
            );
            for parameter in &description.parameters {
                field(main, name, parameter);
            }
            let _ = writeln!(main, "<p><button>Run</button> <a href=\"/v1/queries/{shown}\">What it is, as JSON</a></p>\n</form>");
        }
    }
    main.push_str("</section>\n");
}

fn field(main: &mut String, query: &str, parameter: &Parameter) {
    let Parameter { name, parameter_type, default, required, help, .. } = parameter;
    let (id, name) = (escaped(&format!("{query}-{name}")), escaped(name));
    let required = if *required { " required" } else { "" };
    let default = escaped(default.as_deref().unwrap_or_default());
    let input = match parameter_type {
        ParameterType::Boolean => format!(
            "<select id=\"{id}\" name=\"{name}\"{required}><option value=\"\">{}</option><option>true</option>\
             <option>false</option></select>",
            if default.is_empty() { "–" } else { &default }
        ),
        ParameterType::Integer => {
            format!("<input id=\"{id}\" name=\"{name}\" type=\"number\" step=\"1\" placeholder=\"{default}\"{required}>")
        }
        ParameterType::Number => {
            format!("<input id=\"{id}\" name=\"{name}\" type=\"number\" step=\"any\" placeholder=\"{default}\"{required}>")
        }
        ParameterType::Text => format!("<input id=\"{id}\" name=\"{name}\" placeholder=\"{default}\"{required}>"),
    };
    let _ = writeln!(main, "<p><label for=\"{id}\">{name}</label> {input} <small>{}</small></p>", escaped(help));
}

/// A run's report, for people.
pub(super) fn report(report: &Value) -> Response<Body> {
    let text = |name: &str| match &report[name] {
        Value::Null => "–".to_owned(),
        Value::String(text) => escaped(text),
        other => escaped(&other.to_string()),
    };
    let mut main = String::from("<table>\n");
    for (label, name) in [
        ("Query", "query"),
        ("Component", "digest"),
        ("Outcome", "outcome"),
        ("Limit that ended it", "limitReached"),
        ("Started", "started"),
        ("Took, ms", "elapsedMilliseconds"),
        ("Pods from", "source"),
        ("Observed at", "observedAt"),
        ("Resource version", "resourceVersion"),
    ] {
        let _ = writeln!(main, "<tr><th scope=\"row\">{label}</th><td>{}</td></tr>", text(name));
    }
    main.push_str("</table>\n<h2>Budget</h2>\n<table>\n<tr><th scope=\"col\">limit</th><th scope=\"col\">used</th><th scope=\"col\">of</th><th scope=\"col\">unit</th></tr>\n");
    for (name, limit) in report["limits"].as_object().into_iter().flatten() {
        let unit = limit["unit"].as_str().unwrap_or_default();
        let _ = writeln!(
            main,
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td></tr>",
            escaped(name),
            limit["used"],
            limit["limit"],
            escaped(unit)
        );
    }
    main.push_str("</table>\n");
    if let Some(problem) = report["problem"]["message"].as_str() {
        let _ = writeln!(main, "<p class=\"problem\" role=\"alert\">{}</p>", escaped(problem));
    }
    for warning in report["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let _ = writeln!(main, "<p class=\"problem\">{}</p>", escaped(warning));
    }
    main.push_str("<nav><a href=\"/\">All queries</a></nav>\n");
    page(&format!("Run {}", report["runID"].as_str().unwrap_or_default()), &main)
}

fn page(title: &str, main: &str) -> Response<Body> {
    let title = escaped(title);
    let page = format!(
        "<!doctype html>\n\
         <html lang=\"en\">\n\
         <head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title} – podlens</title>\n\
         <style>{STYLE}</style>\n\
         </head>\n\
         <body>\n\
         <main>\n\
         <h1>{title}</h1>\n\
         {main}</main>\n\
         </body>\n\
         </html>\n"
    );
    let mut response = answer(StatusCode::OK, "text/html; charset=utf-8", Body::whole(page));
    let policy =
        format!("default-src 'none'; style-src {}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", hash(STYLE));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}
