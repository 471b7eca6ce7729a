//! Asks the API server now and then whether it is there.
//!
//! It is there if it answers, whether or not that can be put on record: a log that stands still is told of as itself, and not as an API server
//! that is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use uuid::Uuid;

use super::http::Health;
use super::runs::CallWitness;
use crate::client::{Acting, Client, Ending, Heard, Sent, Underway, Witness};
use crate::kube::Request;

/// Between two questions, and how long the API server may take to answer.
const INTERVAL: Duration = Duration::from_secs(15);
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks for as long as it is polled. `calls` puts on record what is asked.
pub(super) async fn probe(client: Client, calls: CallWitness, health: Arc<Health>) {
    let audit = calls.audit.clone();
    let answer = Arc::new(Answered { calls, health: Arc::clone(&health), is_good: AtomicBool::new(false) });
    let client = client.witnessed(answer.clone()).acting(Acting::Ourselves);
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Where nobody else puts anything on record, it is known by this that the log is well again: one that stood still is given an empty
        // line, and one that merely failed is tried.
        if audit.is_stalled() && audit.flush().await.is_err() {
            continue;
        }
        answer.is_good.store(false, Ordering::Relaxed);
        let is_there = match client.version(Instant::now() + TIMEOUT).await {
            Ok(_) => true,
            // It has answered, and that is not on record yet: whether the log stands still is known, and told, after this.
            Err(error) if error.is_unavailable() && answer.is_good.load(Ordering::Relaxed) => {
                let _ = audit.flush().await;
                true
            }
            Err(_) => false,
        };
        health.api_server.store(is_there, Ordering::Relaxed);
    }
}

/// Hears of the answer before it is put on record.
struct Answered {
    calls: CallWitness,
    health: Arc<Health>,
    is_good: AtomicBool,
}

impl Witness for Answered {
    fn begins(&self, request: &Request, audit_id: Uuid) -> Option<Underway> {
        self.calls.begins(request, audit_id)
    }

    fn ended(&self, sent: &Sent<'_>) -> Heard {
        let is_good = sent.ending == Ending::Answered(200);
        self.is_good.store(is_good, Ordering::Relaxed);
        if is_good {
            self.health.api_server.store(true, Ordering::Relaxed);
        }
        self.calls.ended(sent)
    }
}
