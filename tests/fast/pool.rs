//! Runs out of a pool: more of them than it has places.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use podlens::{Grant, Limit, Limits, Query, Run, RunOptions, Runtime, RuntimeOptions};

use crate::guests;
use crate::support::{Answer, Source, pod};

const PLACES: u32 = 2;

async fn query() -> Query {
    let mut options = RuntimeOptions::default();
    options.pool = NonZeroU32::new(PLACES);
    let runtime = Runtime::with_options(options).expect("this machine runs WebAssembly");
    runtime.load(std::fs::read(guests::ASKS).expect("the build made it")).await.expect("it is a query")
}

fn start(query: &Query, source: &Source, wall: Duration) -> Run {
    let mut options = RunOptions::default();
    options.grant = Grant::all_namespaces();
    options.limits = Limits::default().with(Limit::WallTime, u64::try_from(wall.as_millis()).expect("it is short"));
    query.run(Arc::new(source.clone()), options)
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn more_runs_than_places_all_get_their_answer() {
    let query = query().await;
    let source = Source::of((0..700).map(|index| pod("shop", &format!("web-{index:03}"))));
    let runs: Vec<_> = (0..20).map(|_| start(&query, &source, LONG)).collect();
    for mut run in runs {
        let mut rows = 0;
        while run.next_row().await.is_some() {
            rows += 1;
        }
        run.finish().await.result.expect("it has a place in the end");
        assert_eq!(rows, 700);
    }
}

#[tokio::test]
async fn waiting_for_a_place_is_charged_and_a_run_that_is_dropped_gives_its_own_back() {
    let query = query().await;
    let never = Source::default().answers(Answer::Never);
    let mut holders: Vec<_> = (0..PLACES).map(|_| start(&query, &never, LONG)).collect();
    never.until_waiting(PLACES as usize).await;

    let pods = Source::of([pod("shop", "web-0")]);
    let outcome = start(&query, &pods, Duration::from_millis(200)).finish().await;
    assert_eq!(outcome.result.expect_err("there is no place").limit(), Some("timeout"));
    assert_eq!(pods.requests(), 0);

    holders.pop();
    start(&query, &pods, LONG).finish().await.result.expect("there is a place again");
}
