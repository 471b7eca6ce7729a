//! A scripted API server: TLS on loopback, a list of exchanges, and every way to misbehave that a real one does not offer.
//!
//! It speaks HTTP/1.1 with bytes that are written here, so that a test decides on each of them; HTTP/2 is the real lane's. It works with
//! threads of its own, for plain and async tests alike and for a program that runs beside the test.
//!
//! A request that the script does not expect is answered with a 500 and fails the test when the server is dropped; so does an exchange
//! that did not happen. Exchanges are expected in their order, over whichever connections.
//!
//! ```no_run
//! use podlens_tests::fake::{Answer, Fake, get};
//!
//! let fake = Fake::start([
//!     (get("/version"), Answer::status(503, "ServiceUnavailable", "starting").header("Retry-After", "1")),
//!     (get("/version"), Answer::json(200, r#"{"gitVersion":"v1.37.2"}"#)),
//! ]);
//! println!("{} is trusted by {}", fake.address(), fake.authority().pem());
//! // … the code under test …
//! assert_eq!(fake.seen()[0].header("accept"), Some("application/json"));
//! ```
//!
//! `script.rs` is what a test writes, `connection.rs` what happens on the wire, `authority.rs` the certificates.

mod authority;
mod connection;
mod script;
mod seen;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustls::ServerConfig;

pub use self::authority::{Authority, ClientCertificate, Serving};
use self::connection::Shared;
pub use self::script::{Answer, Expected, Opening, get, post};
pub use self::seen::Seen;

/// A running server. It stops when it is dropped, and then fails the test if anything was not as the script says.
pub struct Fake {
    address: SocketAddr,
    authority: Authority,
    certificate: String,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What a server is started with. Defaults: an authority of its own, a certificate that is in order, no client certificates, nothing
/// expected.
pub struct Builder {
    authority: Authority,
    serving: Serving,
    client_certificates: bool,
    port: u16,
    openings: Vec<Opening>,
    script: Vec<(Expected, Answer)>,
    always: Vec<(Expected, Answer)>,
}

impl Fake {
    /// A server that is in order, with this script.
    pub fn start(script: impl IntoIterator<Item = (Expected, Answer)>) -> Self {
        Self::builder().script(script).start()
    }

    /// A server that is not in order.
    pub fn builder() -> Builder {
        Builder {
            authority: Authority::new(),
            serving: Serving::InOrder,
            client_certificates: false,
            port: 0,
            openings: Vec::new(),
            script: Vec::new(),
            always: Vec::new(),
        }
    }

    /// `https://127.0.0.1:` and the port.
    pub fn address(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The port alone.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What the server's certificate is issued by, or should be.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The requests so far, those that were not expected included.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen()
    }

    /// Every byte that came over any connection so far, as it was on the wire.
    pub fn received(&self) -> Vec<u8> {
        self.shared.received()
    }

    /// The name that each client asked for in its handshake (SNI), of those handshakes that were completed.
    pub fn server_names(&self) -> Vec<Option<String>> {
        self.shared.server_names()
    }

    /// The server's own certificate, PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }

    /// Lets those answers that [`Answer::held`] waits for go on, now and from now on.
    pub fn release(&self) {
        self.shared.release();
    }

    /// Adds to the end of the script.
    pub fn expect(&self, expected: Expected, answer: Answer) {
        self.shared.expect(expected, answer);
    }
}

impl Builder {
    /// Takes the certificates from another server's authority.
    pub fn authority(mut self, authority: &Authority) -> Self {
        self.authority = authority.clone();
        self
    }

    /// What is wrong with the server's certificate.
    pub fn serving(mut self, serving: Serving) -> Self {
        self.serving = serving;
        self
    }

    /// Requires a client certificate of the authority.
    pub fn client_certificates(mut self) -> Self {
        self.client_certificates = true;
        self
    }

    /// Listens on the port that another server had, instead of one that the system chooses: a server that was started again.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// What happens to the first connections, one by one, in place of HTTP. Those after them are in order.
    pub fn openings(mut self, openings: impl IntoIterator<Item = Opening>) -> Self {
        self.openings.extend(openings);
        self
    }

    /// What is asked and answered, in this order.
    pub fn script(mut self, script: impl IntoIterator<Item = (Expected, Answer)>) -> Self {
        self.script.extend(script);
        self
    }

    /// An answer to any number of requests, at any time, that the script does not expect just then.
    pub fn always(mut self, expected: Expected, answer: Answer) -> Self {
        self.always.push((expected, answer));
        self
    }

    /// Listens.
    pub fn start(self) -> Fake {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).expect("loopback has this port free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (tls, certificate) = self.authority.server_config(self.serving, self.client_certificates);
        let tls = Arc::new(tls);
        let shared = Arc::new(Shared::new(self.openings, self.script, self.always));
        let acceptor = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || accept(&listener, &tls, &shared))
        };
        Fake { address, authority: self.authority, certificate, shared, acceptor: Some(acceptor) }
    }
}

fn accept(listener: &TcpListener, tls: &Arc<ServerConfig>, shared: &Arc<Shared>) {
    let mut handlers = Vec::new();
    for socket in listener.incoming() {
        if shared.is_stopped() {
            break;
        }
        let Ok(socket) = socket else { continue };
        let opening = shared.open(&socket);
        let (tls, shared) = (Arc::clone(tls), Arc::clone(shared));
        handlers.push(thread::spawn(move || connection::serve(socket, opening, &tls, &shared)));
    }
    for handler in handlers {
        // A panic there is a fault of this harness: it was printed, and the exchange is missing from the script.
        let _ = handler.join();
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.shared.stop();
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        let faults = self.shared.faults();
        if !faults.is_empty() && !thread::panicking() {
            panic!("not as the script says:\n{}", faults.join("\n"));
        }
    }
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Fake").field("address", &self.address).finish_non_exhaustive()
    }
}
