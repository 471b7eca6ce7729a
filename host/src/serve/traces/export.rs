//! The way to the collector: a queue with an end, batches by a thread of the SDK's, and a request for each by the HTTP client.
//!
//! Nobody waits for the collector. What it does not take is dropped and counted, and the log is told when that begins and when it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanProcessor};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::client::{Naming, client_config, verifier};
use crate::config::{Collector, TlsSources};
use crate::error::{Error, Kind};
use crate::serve::metrics::{Metrics, SpanEnd};

/// The queue, in front of the SDK's, which is as long and so is never full: the SDK does not tell how much it has dropped.
#[derive(Debug)]
pub(super) struct Queue {
    batches: BatchSpanProcessor,
    /// How many wait, and how many may.
    waiting: Arc<AtomicUsize>,
    most: usize,
    metrics: Metrics,
}

impl Queue {
    /// Requests are sent on `io`.
    pub(super) fn new(collector: &Collector, metrics: Metrics, io: Handle) -> Result<Self, Error> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(http(collector)?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&collector.url)
            .build()
            .map_err(|error| Error::new(Kind::Configuration, "traces cannot be sent as the environment says").because(error))?;
        let waiting = Arc::new(AtomicUsize::new(0));
        let sender = Sender {
            exporter: Arc::new(exporter),
            url: collector.url.clone(),
            timeout: collector.timeout,
            waiting: Arc::clone(&waiting),
            is_failing: AtomicBool::new(false),
            metrics: metrics.clone(),
            io,
        };
        let config = BatchConfigBuilder::default().with_max_queue_size(collector.queue).build();
        let batches = BatchSpanProcessor::builder(sender).with_batch_config(config).build();
        Ok(Self { batches, waiting, most: collector.queue, metrics })
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let entered =
            self.waiting.try_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| (waiting < self.most).then_some(waiting + 1));
        match entered {
            Ok(_) => self.batches.on_end(span),
            Err(_) => self.metrics.spans_ended(SpanEnd::QueueFull, 1),
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Sends one batch after the other.
#[derive(Debug)]
struct Sender {
    exporter: Arc<SpanExporter>,
    url: String,
    timeout: Duration,
    waiting: Arc<AtomicUsize>,
    /// Whether the last batch was not taken, and the log has been told.
    is_failing: AtomicBool,
    metrics: Metrics,
    /// The SDK's thread knows no sockets.
    io: Handle,
}

impl opentelemetry_sdk::trace::SpanExporter for Sender {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        let (exporter, limit) = (Arc::clone(&self.exporter), self.timeout);
        let sent = self.io.spawn(async move { timeout(limit, exporter.export(batch)).await });
        let result = match sent.await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(OTelSdkError::Timeout(limit)),
            Err(_) => Err(OTelSdkError::AlreadyShutdown),
        };
        self.metrics.spans_ended(if result.is_ok() { SpanEnd::Exported } else { SpanEnd::Failed }, spans);
        match (&result, self.is_failing.swap(result.is_err(), Ordering::Relaxed)) {
            // Neither headers nor the collector's words are in it.
            (Err(error), false) => tracing::warn!("traces are dropped, since `{}` does not take them: {error}", self.url),
            (Ok(()), true) => tracing::info!("`{}` takes traces again", self.url),
            _ => {}
        }
        result
    }

    fn set_resource(&mut self, resource: &Resource) {
        // Nothing has been sent yet, so that nobody else has it.
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}

/// As for the API server: no proxy, no redirects, and authorities that are named or the platform's.
fn http(collector: &Collector) -> Result<reqwest::Client, Error> {
    let unusable = |error: rustls::Error| Error::new(Kind::Configuration, "cannot set up TLS for traces").because(error);
    let tls = match &collector.authority {
        Some(authority) => {
            let tls = TlsSources { authority: authority.clone(), server_name: None, identity: None }.load()?;
            let verifier = verifier(&tls.roots, &Naming::Address, &Arc::new(ring::default_provider())).map_err(unusable)?;
            client_config(&tls, &Naming::Address, verifier).map_err(unusable)?
        }
        // It is never used, and made without authorities, of which an image may have none.
        None => ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth(),
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(collector.authority.is_some())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .timeout(collector.timeout)
        .build()
        .map_err(|error| Error::new(Kind::Configuration, "cannot set up the HTTP client for traces").because(error))
}
