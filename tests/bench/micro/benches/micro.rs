//! How long small pieces of work take: `cargo bench --package podlens-micro`, with part of a name for some of them.
//!
//! Host and guest share one thread here, as nowhere else, so that each number is all the work there is. Read them beside
//! `page/copy and scan`, which is what this machine takes to look at each byte of the page once.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use podlens::{CompileCache, PodSource, Runtime, RuntimeOptions};
use podlens_micro::page;
use podlens_micro::source::OnePage;
use podlens_micro::works::{SETS, Work, Works, component, executor, pooled};

fn runtime() -> Runtime {
    Runtime::new().expect("this machine runs WebAssembly")
}

/// A page of 500 pods, without a guest.
fn pages(criterion: &mut Criterion) {
    let body = page::encoded();
    let mut group = criterion.benchmark_group("page");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("copy and scan", |bencher| {
        bencher.iter(|| body.to_vec().iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)));
    });
    group.bench_function("decode", |bencher| bencher.iter(|| podlens::bench::decode_page(&body).expect("it is a page")));
    group.finish();
}

/// A run that lists that page and reads each pod once. `read`: the pods were decoded before; `decode, read`: they are decoded in the run.
fn crossings(criterion: &mut Criterion) {
    let works = Works::new(&runtime());
    let body = page::encoded();
    let sources: [(&str, Arc<dyn PodSource>); 2] =
        [("read", Arc::new(OnePage::decoded(&body))), ("decode, read", Arc::new(OnePage::Encoded(body)))];
    let mut group = criterion.benchmark_group("cross a page");
    group.throughput(Throughput::Elements(page::PODS as u64));
    for (name, source) in sources {
        for (set, accessors) in SETS {
            group
                .bench_function(format!("{name}: {set}"), |bencher| bencher.iter(|| works.run(&source, Work::reads(accessors, 1))));
        }
    }
    group.finish();
}

/// One call of the host, by runs with ever more of them, and a run without any.
fn calls(criterion: &mut Criterion) {
    let works = Works::new(&runtime());
    let source: Arc<dyn PodSource> = Arc::new(OnePage::decoded(&page::of(1)));
    let took = |work: Work| -> Duration {
        let started = Instant::now();
        works.run(&source, work);
        started.elapsed()
    };
    let mut group = criterion.benchmark_group("call");
    group.bench_function("pod.name", |bencher| bencher.iter_custom(|times| took(Work::reads("name", times))));
    group.bench_function("rows.emit", |bencher| bencher.iter_custom(|times| took(Work::emits(times))));
    group.finish();
    criterion.bench_function("run that returns at once", |bencher| bencher.iter(|| works.run(&source, Work::default())));
}

/// An instance of a component that is loaded, in a store of its own, until both are dropped.
fn instances(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("instantiate");
    for (name, runtime) in [("on demand", runtime()), ("from the pool", pooled())] {
        let works = Works::new(&runtime);
        group.bench_function(name, |bencher| bencher.iter(|| works.instantiate()));
    }
    group.finish();
}

/// From a component's bytes to a query that can be run.
fn loads(criterion: &mut Criterion) {
    let bytes = component();
    let executor = executor();
    let mut group = criterion.benchmark_group("load");
    group.sample_size(20);
    let mut load = |name: &str, runtime: &Runtime| {
        group.bench_function(name, |bencher| {
            let load = |bytes: Vec<u8>| black_box(executor.block_on(runtime.load(bytes)).expect("it is a query"));
            bencher.iter_batched(|| bytes.clone(), load, BatchSize::LargeInput);
        });
    };
    load("compile", &runtime());
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let mut options = RuntimeOptions::default();
    options.cache = Some(CompileCache::open(folder.path()).expect("the temporary folder can be used"));
    load("from the cache", &Runtime::with_options(options).expect("this machine runs WebAssembly"));
    group.finish();
}

criterion_group!(benches, pages, crossings, calls, instances, loads);
criterion_main!(benches);
