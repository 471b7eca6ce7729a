//! Who asks: connections that send the next request when the last is answered, or at a pace of their own, and what they were told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use podlens_tests::serving::Connection;
use tokio::task::JoinSet;

use crate::machine::as_f64;

/// How long one answer may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(90);

/// What is asked, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) to: SocketAddr,
    pub(crate) target: String,
    pub(crate) token: String,
    /// From one request to the next; `None` asks as soon as the last is answered.
    pub(crate) pace: Option<Duration>,
}

/// Answers, and how long each took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Of those with status 200.
    latencies: Vec<Duration>,
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Requests that were sent, or could not be, and have no answer.
    pub(crate) lost: u64,
    pub(crate) elapsed: Duration,
    /// What the first of other statuses said.
    pub(crate) said: BTreeMap<u16, String>,
}

impl Seen {
    pub(crate) fn answered(&self) -> u64 {
        self.statuses.values().sum()
    }

    pub(crate) fn with_status(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    /// Answers with status 200 in a second.
    pub(crate) fn per_second(&self) -> f64 {
        as_f64(self.with_status(200)) / self.elapsed.as_secs_f64()
    }

    /// The latency that this part of the good answers, in percent, did not exceed; in milliseconds.
    pub(crate) fn percentile(&mut self, percent: usize) -> f64 {
        self.latencies.sort_unstable();
        let index = (self.latencies.len() * percent).div_ceil(100).saturating_sub(1);
        self.latencies.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    }

    fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.lost += other.lost;
        for (status, said) in other.said {
            self.said.entry(status).or_insert(said);
        }
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
    }
}

impl Asker {
    /// Asks until `until`, or so many times.
    async fn ask(self, until: Instant, most: u64) -> Seen {
        let mut seen = Seen::default();
        let mut connection = None;
        let mut asked = 0;
        while Instant::now() < until && asked < most {
            asked += 1;
            let began = Instant::now();
            let exchange = async {
                let mut open = match connection.take() {
                    Some(open) => open,
                    None => Connection::open(self.to).await?,
                };
                let answer = open.ask("GET", &self.target, &self.token, b"").await?;
                Ok::<_, std::io::Error>((open, answer))
            };
            match tokio::time::timeout(PATIENCE, exchange).await {
                Ok(Ok((open, answer))) => {
                    if answer.status == 200 {
                        seen.latencies.push(began.elapsed());
                    } else {
                        seen.said.entry(answer.status).or_insert_with(|| String::from_utf8_lossy(&answer.body).trim().to_owned());
                    }
                    *seen.statuses.entry(answer.status).or_default() += 1;
                    connection = Some(open).filter(|_| answer.header("connection") != Some("close"));
                }
                Ok(Err(_)) | Err(_) => seen.lost += 1,
            }
            if let Some(rest) = self.pace.and_then(|pace| pace.checked_sub(began.elapsed())) {
                tokio::time::sleep(rest).await;
            }
        }
        seen
    }
}

/// All of them at the same time, for so long, or so many times each.
pub(crate) async fn ask(askers: Vec<Asker>, how_long: Duration, most: u64) -> Seen {
    let began = Instant::now();
    let mut asking = JoinSet::new();
    for asker in askers {
        asking.spawn(asker.ask(began + how_long, most));
    }
    let mut seen = Seen::default();
    while let Some(one) = asking.join_next().await {
        seen.add(one.expect("asking does not panic"));
    }
    seen.elapsed = began.elapsed();
    seen
}

/// Each with one request, when all have connected.
pub(crate) async fn ask_at_once(askers: Vec<Asker>) -> Seen {
    let began = Instant::now();
    let mut connections = Vec::new();
    for asker in askers {
        let connection = Connection::open(asker.to).await;
        connections.push((asker, connection));
    }
    let mut asking = JoinSet::new();
    for (asker, connection) in connections {
        asking.spawn(async move {
            let began = Instant::now();
            let asked = async { connection?.ask("GET", &asker.target, &asker.token, b"").await };
            (began, tokio::time::timeout(PATIENCE, asked).await, Instant::now())
        });
    }
    let mut seen = Seen::default();
    while let Some(one) = asking.join_next().await {
        match one.expect("asking does not panic") {
            (began, Ok(Ok(answer)), ended) => {
                if answer.status == 200 {
                    seen.latencies.push(ended - began);
                }
                *seen.statuses.entry(answer.status).or_default() += 1;
            }
            _ => seen.lost += 1,
        }
    }
    seen.elapsed = began.elapsed();
    seen
}
