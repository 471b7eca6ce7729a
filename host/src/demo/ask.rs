//! For tests: a request to the demo's API server without a connection.

use bytes::Bytes;
use hyper::header::AUTHORIZATION;
use hyper::{Request, Response};
use jiff::Timestamp;
use serde_json::Value;

use super::account::{Account, Tenant};
use super::answer::Answer;
use super::pods;
use super::respond::{State, respond};
use super::token::ISSUER;

/// Tokens that are easy to write: `shop-caller` is for the server that is called, the others are for the API server.
fn state() -> State {
    let mut state = State::new(pods::pods(Timestamp::UNIX_EPOCH));
    for (token, account) in [("podlens", Account::Podlens), ("default", Account::Default), ("server", Account::Server)] {
        state.accept(token.into(), account, ISSUER);
    }
    state.accept("shop-caller".into(), Account::Caller(Tenant::Shop), "podlens");
    state
}

/// `token`: empty for none.
pub(super) fn answer(method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    respond(&state(), &request.body(()).unwrap().into_parts().0, body.as_bytes())
}

pub(super) fn send(method: &str, path: &str, token: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
    match answer(method, path, token, headers, "") {
        Answer::Whole(response) => response,
        Answer::Watch(_) => panic!("{method} {path} is a watch"),
    }
}

/// The status and the body.
pub(super) fn post(path: &str, token: &str, body: &Value) -> (u16, Value) {
    match answer("POST", path, token, &[], &body.to_string()) {
        Answer::Whole(response) => (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap()),
        Answer::Watch(_) => panic!("{path} is a watch"),
    }
}
