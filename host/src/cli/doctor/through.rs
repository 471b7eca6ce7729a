//! A connection through the proxy that a kubeconfig names: the wish to be connected (RFC 9110, section 9.3.6), and the answer.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::peer::Peer;
use crate::config::Proxy;

/// Most bytes of the proxy's answer before the connection begins. Arbitrary: a status and some headers.
const HEAD_MAX_BYTES: usize = 16 << 10;

/// Where the proxy itself is, and the value of `Proxy-Authorization` if it wants one. `None`: one like this is not looked into
/// here.
pub(super) fn peer(proxy: &Proxy) -> Option<(Peer, Option<String>)> {
    let url = reqwest::Url::parse(&proxy.url()).ok()?;
    if url.scheme() != "http" {
        return None;
    }
    // Escapes would have to be undone; a password rarely has any.
    if url.username().contains('%') || url.password().is_some_and(|password| password.contains('%')) {
        return None;
    }
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    let credentials = (!url.username().is_empty() || url.password().is_some())
        .then(|| format!("Basic {}", STANDARD.encode(format!("{}:{}", url.username(), url.password().unwrap_or_default()))));
    Some((Peer { host, port: url.port_or_known_default().unwrap_or(80), is_proxy: true }, credentials))
}

/// How long the proxy may take to be connected with the server, which is as far from it as from anybody else.
const PATIENCE: Duration = Duration::from_secs(10);

/// Has the proxy connect to the server. The error is for people.
pub(super) async fn connect(stream: &mut TcpStream, server: &Peer, credentials: Option<&str>) -> Result<(), String> {
    let connected = tokio::time::timeout(PATIENCE, ask(stream, server, credentials)).await;
    connected.unwrap_or_else(|_| Err(format!("the proxy gives no answer within {} s", PATIENCE.as_secs())))
}

async fn ask(stream: &mut TcpStream, server: &Peer, credentials: Option<&str>) -> Result<(), String> {
    let target = server.address();
    let credentials = credentials.map(|value| format!("Proxy-Authorization: {value}\r\n")).unwrap_or_default();
    let wish = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{credentials}\r\n");
    let lost = |error: std::io::Error| format!("the proxy ended the connection: {}", error.kind());
    stream.write_all(wish.as_bytes()).await.map_err(lost)?;
    // Byte by byte: what comes after the head is the server's.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD_MAX_BYTES {
            return Err("the proxy's answer has no end".to_owned());
        }
        head.push(stream.read_u8().await.map_err(lost)?);
    }
    let line = String::from_utf8_lossy(&head);
    let line = line.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some(code) if code.starts_with('2') => Ok(()),
        // The code alone: a proxy may repeat what it was sent, the password included.
        Some(code) if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()) => Err(format!("the proxy answers {code}")),
        _ => Err("the proxy answers, and not as a proxy does".to_owned()),
    }
}
