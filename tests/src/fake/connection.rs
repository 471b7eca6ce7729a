//! What happens on the wire, and what all connections share: the script and what was seen.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::script::Delivery;
use super::{Answer, Expected, Opening, Seen};

type Tls = StreamOwned<ServerConnection, Recorded>;

/// What the connections of a server share.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    stopped: bool,
    released: bool,
    sockets: Vec<TcpStream>,
    openings: VecDeque<Opening>,
    script: VecDeque<(Expected, Answer)>,
    always: Vec<(Expected, Answer)>,
    seen: Vec<Seen>,
    /// All bytes that came, of all connections.
    received: Vec<u8>,
    server_names: Vec<Option<String>>,
    unexpected: Vec<String>,
}

/// A socket, and a note of every byte that is read from it.
struct Recorded {
    socket: TcpStream,
    shared: Arc<Shared>,
}

impl io::Read for Recorded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.socket.read(buffer)?;
        self.shared.state().received.extend_from_slice(&buffer[..length]);
        Ok(length)
    }
}

impl Write for Recorded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl Shared {
    pub(super) fn new(openings: Vec<Opening>, script: Vec<(Expected, Answer)>, always: Vec<(Expected, Answer)>) -> Self {
        let state = State {
            stopped: false,
            released: false,
            sockets: Vec::new(),
            openings: openings.into(),
            script: script.into(),
            always,
            seen: Vec::new(),
            received: Vec::new(),
            server_names: Vec::new(),
            unexpected: Vec::new(),
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a new connection, and tells what is to happen on it.
    pub(super) fn open(&self, socket: &TcpStream) -> Option<Opening> {
        let mut state = self.state();
        state.sockets.push(socket.try_clone().expect("a socket can be duplicated"));
        state.openings.pop_front()
    }

    pub(super) fn expect(&self, expected: Expected, answer: Answer) {
        self.state().script.push_back((expected, answer));
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    pub(super) fn received(&self) -> Vec<u8> {
        self.state().received.clone()
    }

    pub(super) fn server_names(&self) -> Vec<Option<String>> {
        self.state().server_names.clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.state().sockets.len()
    }

    pub(super) fn release(&self) {
        self.state().released = true;
        self.changed.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Ends every connection and every wait.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        for socket in &state.sockets {
            // It may be closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
        self.changed.notify_all();
    }

    /// What was not as the script says.
    pub(super) fn faults(&self) -> Vec<String> {
        let state = self.state();
        let missing = state.script.iter().map(|(expected, _)| format!("expected, and never came: {expected:?}"));
        let openings = state.openings.iter().map(|opening| format!("no connection came for: {opening:?}"));
        state.unexpected.iter().cloned().chain(missing).chain(openings).collect()
    }

    fn answer(&self, seen: Seen) -> Answer {
        let mut state = self.state();
        let next_fits = state.script.front().is_some_and(|(expected, _)| expected.is(&seen));
        let answer = if next_fits {
            state.script.pop_front().map(|(_, answer)| answer)
        } else {
            state.always.iter().find(|(expected, _)| expected.is(&seen)).map(|(_, answer)| answer.clone())
        };
        let answer = answer.unwrap_or_else(|| {
            let next = state.script.front().map(|(expected, _)| format!("{expected:?}")).unwrap_or("nothing".to_owned());
            let fault = format!("came, and was not expected: {} {} {:?}; expected: {next}", seen.method, seen.path, seen.query);
            state.unexpected.push(fault);
            Answer::text(500, "the script does not expect this request")
        });
        state.seen.push(seen);
        answer
    }

    /// Waits until `done`, the end of the server, or the end of `timeout`. `false` at the end of the server.
    fn wait(&self, timeout: Option<Duration>, done: impl Fn(&State) -> bool) -> bool {
        let end = timeout.map(|timeout| Instant::now() + timeout);
        let mut state = self.state();
        while !state.stopped && !done(&state) {
            state = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return true,
                Some(left) => self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        !state.stopped
    }
}

/// Serves one connection to its end. The client's end of it is none of the server's faults.
pub(super) fn serve(socket: TcpStream, opening: Option<Opening>, tls: &Arc<ServerConfig>, shared: &Arc<Shared>) {
    let _ = match opening {
        Some(Opening::Close) => Ok(()),
        Some(Opening::Hang) => {
            shared.wait(None, |_| false);
            Ok(())
        }
        Some(Opening::PlainHttp) => plain_http(&socket, shared),
        Some(Opening::GoAway) => go_away(&socket, tls, shared),
        None => https(&socket, tls, shared),
    };
    // `Shared` has a duplicate: closing this one alone ends nothing.
    let _ = socket.shutdown(Shutdown::Both);
}

fn accept(socket: &TcpStream, tls: &ServerConfig, protocol: &[u8], shared: &Arc<Shared>) -> io::Result<Tls> {
    socket.set_nodelay(true)?;
    let mut config = tls.clone();
    config.alpn_protocols = vec![protocol.to_vec()];
    let connection = ServerConnection::new(Arc::new(config)).map_err(io::Error::other)?;
    let socket = Recorded { socket: socket.try_clone()?, shared: Arc::clone(shared) };
    Ok(StreamOwned::new(connection, socket))
}

fn https(socket: &TcpStream, tls: &ServerConfig, shared: &Arc<Shared>) -> io::Result<()> {
    let mut stream = accept(socket, tls, b"http/1.1", shared)?;
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    shared.state().server_names.push(stream.conn.server_name().map(str::to_owned));
    while let Some(seen) = Seen::read(&mut stream)? {
        let answer = shared.answer(seen);
        if answer.is_held() && !shared.wait(None, |state| state.released) {
            return Ok(());
        }
        if !deliver(&mut stream, &answer, shared)? {
            return Ok(());
        }
        if !answer.keeps_alive() {
            stream.conn.send_close_notify();
            return stream.flush();
        }
    }
    Ok(())
}

/// `false` when the connection is to end without a further word.
fn deliver(stream: &mut Tls, answer: &Answer, shared: &Shared) -> io::Result<bool> {
    let bytes = answer.bytes();
    let mut send = |bytes: &[u8]| {
        stream.write_all(bytes)?;
        stream.flush()
    };
    match answer.delivery {
        Delivery::Whole => send(&bytes).map(|()| true),
        Delivery::CutAfter(length) => send(&bytes[..length.min(bytes.len())]).map(|()| false),
        Delivery::HangAfter(length) => {
            send(&bytes[..length.min(bytes.len())])?;
            shared.wait(None, |_| false);
            Ok(false)
        }
        Delivery::Drip(pause) => {
            let (head, body) = bytes.split_at(answer.head_length());
            send(head)?;
            for byte in body {
                if !shared.wait(Some(pause), |_| false) {
                    return Ok(false);
                }
                send(std::slice::from_ref(byte))?;
            }
            Ok(true)
        }
        Delivery::Times(times) => {
            let body = answer.framed_body();
            send(&bytes[..answer.head_length()])?;
            for _ in 0..times {
                send(&body)?;
            }
            send(answer.end()).map(|()| true)
        }
    }
}

fn plain_http(mut socket: &TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    // Something of the client's first message, so that closing does not reset the connection under the answer.
    let mut hello = [0; 4096];
    let _ = Recorded { socket: socket.try_clone()?, shared: Arc::clone(shared) }.read(&mut hello)?;
    socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// RFC 9113, sections 6.5 and 6.8: an empty SETTINGS, and a GOAWAY for which not even stream 1 was processed.
fn go_away(socket: &TcpStream, tls: &ServerConfig, shared: &Arc<Shared>) -> io::Result<()> {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GOAWAY: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const HEADERS: u8 = 1;
    let mut stream = accept(socket, tls, b"h2", shared)?;
    stream.write_all(&SETTINGS)?;
    stream.flush()?;
    let mut preface = [0; 24];
    stream.read_exact(&mut preface)?;
    loop {
        let mut frame = [0; 9];
        stream.read_exact(&mut frame)?;
        let length = u32::from_be_bytes([0, frame[0], frame[1], frame[2]]);
        io::copy(&mut io::Read::take(&mut stream, length.into()), &mut io::sink())?;
        if frame[3] == HEADERS {
            stream.write_all(&GOAWAY)?;
            stream.conn.send_close_notify();
            return stream.flush();
        }
    }
}
