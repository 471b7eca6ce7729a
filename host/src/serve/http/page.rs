//! What a browser shows: the queries that a tenant may run, a form for each, a run's report, and why there is no answer. None of them needs
//! a script.

use std::fmt::Write as _;

use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

use super::accept::Form;
use super::body::Body;
use super::problem::Problem;
use super::service::answer;
use crate::output::amount;
use crate::output::html::{escaped, hash};
use crate::query::{Parameter, ParameterType};
use crate::serve::policy::Tenant;
use crate::serve::queries::{Catalogue, Ready};

const STYLE: &str = concat!(include_str!("../../output/html/base.css"), include_str!("page.css"));

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
    page(StatusCode::OK, "Queries", &main)
}

fn section(main: &mut String, name: &str, ready: &Ready) {
    let shown = escaped(name);
    // Writing to a `String` cannot fail, here and below.
    let _ = writeln!(main, "<section id=\"{shown}\">\n<h2>{shown}</h2>");
    match ready {
        Err(_) => {
            alert(main, &Problem::not_ready().detail);
        }
        Ok(loaded) => {
            let description = loaded.query.description();
            let _ = writeln!(
                main,
                "<p class=\"summary\">{}</p>\n<form aria-label=\"{shown}\" method=\"get\" action=\"/v1/queries/{shown}/run\">",
                escaped(&description.summary)
            );
            for parameter in &description.parameters {
                field(main, name, parameter);
            }
            let _ = writeln!(
                main,
                "<div class=\"actions\"><button>Run</button> <a href=\"/v1/queries/{shown}\">What it is, as JSON</a></div>\n</form>"
            );
        }
    }
    main.push_str("</section>\n");
}

fn field(main: &mut String, query: &str, parameter: &Parameter) {
    let Parameter { name, parameter_type, default, required, help, .. } = parameter;
    let (id, name) = (escaped(&format!("{query}-{name}")), escaped(name));
    let must = if *required { " required" } else { "" };
    let help = escaped(help) + if *required { " (required)" } else { "" };
    let default = default.as_deref().map(escaped).unwrap_or_default();
    let same = format!("id=\"{id}\" name=\"{name}\" aria-describedby=\"{id}-help\"{must}");
    let input = match parameter_type {
        ParameterType::Boolean => {
            let option = |value: &str| {
                let selected = if value == default { " selected" } else { "" };
                format!("<option{selected}>{value}</option>")
            };
            // One that has no default can be left open.
            let open = if default.is_empty() { "<option value=\"\">–</option>" } else { "" };
            format!("<select {same}>{open}{}{}</select>", option("true"), option("false"))
        }
        ParameterType::Integer => format!("<input {same} type=\"number\" step=\"1\" placeholder=\"{default}\">"),
        ParameterType::Number => format!("<input {same} type=\"number\" step=\"any\" placeholder=\"{default}\">"),
        ParameterType::Text => format!("<input {same} placeholder=\"{default}\">"),
    };
    let label = format!("<label for=\"{id}\">{name}</label>");
    let _ = writeln!(main, "<div class=\"field\">{label} {input} <small id=\"{id}-help\">{help}</small></div>");
}

/// A run's report, for people: what is not known of it has no line.
pub(super) fn report(report: &Value) -> Response<Body> {
    let text = |name: &str| report[name].as_str().map(escaped);
    let moment = |name: &str| report[name].as_str().map(time);
    let took = report["elapsedMilliseconds"].as_u64().map(|took| amount(took, "milliseconds"));
    let mut main = String::new();
    for told in told(report) {
        alert(&mut main, &told);
    }
    main.push_str("<table>\n");
    for (label, value) in [
        ("Outcome", text("outcome")),
        ("Limit that ended it", text("limitReached")),
        ("Started", moment("started")),
        ("Took", took),
        ("Pods from", text("source")),
        ("Observed", moment("observedAt")),
        ("Resource version", text("resourceVersion")),
        ("Component", text("digest")),
        ("Run", text("runID")),
    ] {
        if let Some(value) = value {
            let _ = writeln!(main, "<tr><th scope=\"row\">{label}</th><td>{value}</td></tr>");
        }
    }
    main.push_str(
        "</table>\n<h2>Budget</h2>\n<div class=\"wide\">\n<table>\n<thead><tr><th scope=\"col\">Limit</th>\
         <th scope=\"col\" class=\"number\">Used</th><th scope=\"col\" class=\"number\">Of</th></tr></thead>\n<tbody>\n",
    );
    for (name, limit) in report["limits"].as_object().into_iter().flatten() {
        let shown = |value: &Value| amount(value.as_u64().unwrap_or_default(), limit["unit"].as_str().unwrap_or_default());
        let bad = if report["limitReached"].as_str() == Some(name) { " bad" } else { "" };
        let _ = writeln!(
            main,
            "<tr><th scope=\"row\">{}</th><td class=\"number{bad}\">{}</td><td class=\"number\">{}</td></tr>",
            escaped(name),
            shown(&limit["used"]),
            shown(&limit["limit"])
        );
    }
    main.push_str("</tbody>\n</table>\n</div>\n");
    let query = report["query"].as_str().unwrap_or_default();
    links(&mut main, &[("Run it again", &format!("/#{query}")), ("All queries", "/")]);
    page(StatusCode::OK, &format!("A run of {query}"), &main)
}

/// What a report has in words: how the run failed, what was refused to it, and its warnings.
fn told(report: &Value) -> Vec<String> {
    let texts = |value: &Value| value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let problem = report["problem"]["message"].as_str().map(|message| {
        let causes: Vec<_> = texts(&report["problem"]["causes"]);
        [vec![message.to_owned()], causes].concat().join(": ")
    });
    let denied = report["denied"].as_str().map(str::to_owned);
    problem.into_iter().chain(denied).chain(texts(&report["warnings"])).collect()
}

/// Why there is no answer.
pub(super) fn problem(problem: &Problem) -> Response<Body> {
    let mut main = format!("<p class=\"summary\">{}, {}</p>\n", escaped(&problem.status.to_string()), problem.code);
    alert(&mut main, &problem.detail);
    if let Some(wait) = problem.wait_seconds() {
        let _ = writeln!(main, "<p class=\"detail\">It can be tried again in {wait} s.</p>");
    }
    let report = problem.run.map(|run| format!("/v1/runs/{run}"));
    let all = ("All queries", "/");
    match &report {
        Some(report) => links(&mut main, &[("The run's report", report), all]),
        None => links(&mut main, &[all]),
    }
    page(problem.status, "There is no answer", &main)
}

/// What is wrong, line by line: a query's last words are a backtrace.
fn alert(main: &mut String, told: &str) {
    let lines: Vec<_> = told.lines().map(escaped).collect();
    let _ = writeln!(main, "<p class=\"alert\">{}</p>", lines.join("\n"));
}

fn links(main: &mut String, links: &[(&str, &str)]) {
    main.push_str("<nav>\n");
    for (text, target) in links {
        let _ = writeln!(main, "<a href=\"{}\">{}</a>", escaped(target), escaped(text));
    }
    main.push_str("</nav>\n");
}

/// A moment, to the second; all of it is in the attribute.
fn time(moment: &str) -> String {
    let (whole, seconds) =
        (escaped(moment), moment.split_once('.').map_or(moment.to_owned(), |(seconds, _)| format!("{seconds}Z")));
    format!("<time datetime=\"{whole}\">{}</time>", escaped(&seconds))
}

/// A quantity as people read it.
fn amount(value: u64, unit: &str) -> String {
    match unit {
        "bytes" => amount::bytes(value),
        "milliseconds" => amount::milliseconds(value),
        _ => amount::count(value),
    }
}

fn page(status: StatusCode, title: &str, main: &str) -> Response<Body> {
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
    let mut response = answer(status, Form::Html.content_type(), Body::whole(page));
    let policy =
        format!("default-src 'none'; style-src {}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", hash(STYLE));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_of_their_units_and_times_to_the_second() {
        for (unit, expected) in [("count", "2,048"), ("bytes", "2 KiB"), ("milliseconds", "2 s")] {
            assert_eq!(amount(2048, unit), expected);
        }
        assert_eq!(time("2026-01-02T03:04:05.678Z"), "<time datetime=\"2026-01-02T03:04:05.678Z\">2026-01-02T03:04:05Z</time>");
        assert_eq!(time("2026-01-02T03:04:05Z"), "<time datetime=\"2026-01-02T03:04:05Z\">2026-01-02T03:04:05Z</time>");
    }
}
