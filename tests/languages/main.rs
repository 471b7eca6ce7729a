//! The languages lane: queries in JavaScript and Python are built by their own tools and answer as those in Rust do.
//!
//! It needs Node.js with npm and Python with venv and pip, and their package registries. `projects.rs` builds, once for all tests and
//! into a folder that later runs find again; `examples.rs` holds the examples against those in Rust, `sdk.rs` tries the SDKs, `new.rs`
//! follows a new user, `guides.rs` one who reads.

mod examples;
mod guides;
mod new;
mod pods;
mod projects;
mod run;
mod sdk;
