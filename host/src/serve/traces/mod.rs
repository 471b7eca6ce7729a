//! Traces of requests and runs, for a collector that speaks OTLP over HTTP, where the server's owner names one.
//!
//! A [`Span`] is what the rest of the server knows of it: it begins, something is done within it, it ends. `span.rs` has it, `request.rs` those
//! of requests and runs, `call.rs` those of the API server's calls. `sampler.rs` says which are kept, `export.rs` how they get to the collector.
//!
//! Where nobody takes traces there is no span: nothing is allocated, and no request carries a header for it. A span never has what a pod
//! holds, a pod's name, a parameter's value, a token, or an error's words; what a caller chose is in it only where the policy knows it.

mod call;
mod export;
mod request;
mod sampler;
mod span;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, Key, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;

use crate::config::{Collector, Server};
use crate::error::Error;
use crate::serve::metrics::Metrics;
use export::Queue;
use sampler::Sampler;

pub(crate) use span::Span;

/// How long the end of the server waits for the collector to take what is left.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

const NAME: &str = "podlens";

/// Begins spans, where somebody takes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traces(Option<Arc<Maker>>);

#[derive(Debug)]
struct Maker {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    /// Which the calls are to.
    api_server: [KeyValue; 2],
    /// Whether requests come by TLS.
    is_tls: bool,
}

impl Traces {
    /// Sends them to `collector`, if there is one. Nothing is asked of it yet.
    pub(crate) fn start(
        collector: Option<&Collector>,
        api_server: &Server,
        is_tls: bool,
        metrics: &Metrics,
    ) -> Result<Self, Error> {
        let Some(collector) = collector else { return Ok(Self::default()) };
        let queue = Queue::new(collector, metrics.clone(), Handle::current())?;
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::of_environment())
            .with_resource(resource())
            .with_span_processor(queue)
            .build();
        let scope = InstrumentationScope::builder(NAME).with_version(env!("CARGO_PKG_VERSION")).build();
        let tracer = provider.tracer_with_scope(scope);
        let url = api_server.url("", &[]);
        let port = i64::from(url.port_or_known_default().unwrap_or_default());
        let api_server = [KeyValue::new("server.address", api_server.host().to_owned()), KeyValue::new("server.port", port)];
        Ok(Self(Some(Arc::new(Maker { provider, tracer, api_server, is_tls }))))
    }

    /// Sends what is left, for a moment. Spans that begin from now on are none.
    pub(crate) async fn end(&self) {
        let Some(maker) = &self.0 else { return };
        let provider = maker.provider.clone();
        let sent = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT)).await;
        if !matches!(sent, Ok(Ok(()))) {
            tracing::warn!("not all traces were sent before the end");
        }
    }
}

/// What the environment says of us, and our name and version where it does not.
fn resource() -> Resource {
    let told = Resource::builder().build();
    let is_named = |key: &'static str| {
        let value = told.get(&Key::from_static_str(key));
        // The SDK makes one up, as the specification wants it.
        value.is_some_and(|value| !value.as_str().starts_with("unknown_service"))
    };
    let ours = [("service.name", NAME), ("service.version", env!("CARGO_PKG_VERSION"))];
    let added = ours.into_iter().filter(|(key, _)| !is_named(key)).map(|(key, value)| KeyValue::new(key, value));
    Resource::builder().with_attributes(added).build()
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
