//! An API server that ends while a run goes on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use podlens::{ApiServer, Client, Config, Grant, Run, RunOptions, Runtime};
use podlens_tests::cluster::{Cluster, Mount, Namespace, Options};
use tokio::task::JoinSet;

use crate::arrange::{HELD_PAGES, Held, eventually, held_pods, in_pod, names, reader, requests_when, tiny_pod};

fn arrange() -> (Cluster, Namespace, Mount, Vec<String>) {
    let cluster = Cluster::start(&Options { audit_log: true, ..Options::default() });
    let (namespace, mount) = reader(&cluster, "restart");
    let expected = held_pods(&cluster, &namespace);
    (cluster, namespace, mount, expected)
}

/// The connection is dead and the run does not know yet. What its next request meets is a lost connection, which is tried again.
#[test]
fn a_run_outlives_a_restart_of_the_api_server() {
    let (cluster, namespace, mount, expected) = arrange();
    for stop in [Cluster::kill_api_server, Cluster::terminate_api_server] {
        let before = requests_when(&cluster, &namespace, 0).len();
        let run = Held::start(in_pod(&cluster, &mount), &namespace);
        requests_when(&cluster, &namespace, before + HELD_PAGES);
        stop(&cluster);
        cluster.start_api_server();
        let done = run.finish();
        assert_eq!((done.code, done.stderr.as_str()), (0, ""));
        assert_eq!(names(&done.stdout), expected);
    }
}

/// While nothing listens, a run that has had an answer waits for its deadline: this server is there, and comes back.
#[test]
fn an_api_server_that_is_gone_is_waited_for() {
    let (cluster, namespace, mount, expected) = arrange();
    let run = Held::start(in_pod(&cluster, &mount), &namespace);
    requests_when(&cluster, &namespace, HELD_PAGES);
    cluster.kill_api_server();
    // Longer than all attempts that a server which answers badly is given.
    thread::sleep(Duration::from_secs(5));
    cluster.start_api_server();
    let done = run.finish();
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert_eq!(names(&done.stdout), expected);
}

const RESTARTS: usize = 20;
const READS: usize = 10_000;
const READERS: usize = 8;

/// Lists again and again while the API server is restarted, by turns as a crash and as an upgrade would, and loses no read.
#[test]
fn no_read_is_lost_in_twenty_restarts() {
    let cluster = Cluster::start(&Options::default());
    let (namespace, mount) = reader(&cluster, "load");
    for name in ["web-0", "web-1"] {
        cluster.create_pod(&namespace, tiny_pod(name));
    }
    let address = format!("https://{}", cluster.address());
    let client = Client::new(Config::service_account(&address, mount.path()).expect("it is a mount")).expect("it is usable");
    let load = Arc::new(Load { begun: AtomicUsize::new(0), lost: Mutex::new(Vec::new()) });
    thread::scope(|scope| {
        let reading = scope.spawn(|| load.go_through(client, &namespace));
        for restart in 1..=RESTARTS {
            let due = restart * READS / (RESTARTS + 1);
            eventually("the load goes on", || (load.begun.load(Ordering::Relaxed) >= due).then_some(()));
            if restart % 2 == 0 {
                cluster.kill_api_server()
            } else {
                cluster.terminate_api_server()
            }
            cluster.start_api_server();
        }
        reading.join().expect("it does not panic");
    });
    let lost = load.lost.lock().expect("nobody panics");
    assert_eq!(lost.len(), 0, "of {READS} reads: {lost:#?}");
}

struct Load {
    begun: AtomicUsize,
    lost: Mutex<Vec<String>>,
}

impl Load {
    /// [`READS`] runs of a query that lists a namespace's two pods, by [`READERS`] at once.
    #[tokio::main(flavor = "current_thread")]
    async fn go_through(self: &Arc<Self>, client: Client, namespace: &str) {
        let component = std::fs::read(podlens_tests::guests::DESCRIBES_EVERYTHING).expect("the build script made it");
        let query = Runtime::new().expect("this machine runs WebAssembly").load(component).await.expect("it is a query");
        let source = Arc::new(ApiServer::new(client));
        let mut options = RunOptions::default();
        options.grant = Grant::nothing().namespace(namespace.parse().expect("it is a name"));
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            let (load, query, source, options) = (Arc::clone(self), query.clone(), Arc::clone(&source), options.clone());
            readers.spawn(async move {
                while load.begun.fetch_add(1, Ordering::Relaxed) < READS {
                    load.read(query.run(Arc::clone(&source) as _, options.clone())).await;
                }
            });
        }
        while let Some(reader) = readers.join_next().await {
            reader.expect("it does not panic");
        }
    }

    async fn read(&self, mut run: Run) {
        let mut rows = 0;
        while run.next_row().await.is_some() {
            rows += 1;
        }
        match run.finish().await.result {
            Ok(()) if rows == 2 => {}
            result => self.lost.lock().expect("nobody panics").push(format!("{rows} rows, {result:?}")),
        }
    }
}
