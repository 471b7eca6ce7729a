//! Steps 3 and 4: from a host's name to a connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::peer::Peer;
use super::reason::Reason;
use super::remedy::Remedies;
use super::step::{Fact, Finding, Step};

/// How long a look-up may take. The resolver of most systems gives up after 10 s itself (resolv.conf(5): two attempts of 5 s).
const LOOKUP_PATIENCE: Duration = Duration::from_secs(12);
/// How long a connection may take, as in the client.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// Most addresses of a name that are tried, one after the other. Arbitrary: a person waits for it.
const MAX_ADDRESSES: usize = 4;

/// The addresses of a host.
pub(super) async fn resolve(peer: &Peer, remedies: &Remedies<'_>) -> (Finding, Vec<SocketAddr>) {
    let Peer { host, port, is_proxy } = peer;
    if let Ok(address) = host.parse::<IpAddr>() {
        return (Step::Dns.open(format!("not needed: `{host}` is an address")), vec![SocketAddr::new(address, *port)]);
    }
    let looked_up = tokio::time::timeout(LOOKUP_PATIENCE, tokio::net::lookup_host((host.as_str(), *port))).await;
    let failure = match looked_up {
        Ok(Ok(found)) => {
            let mut addresses: Vec<_> = found.collect();
            addresses.dedup();
            if !addresses.is_empty() {
                let list: Vec<_> = addresses.iter().take(MAX_ADDRESSES).map(|address| address.ip().to_string()).collect();
                return (Step::Dns.good(format!("`{host}` is {}", list.join(", "))), addresses);
            }
            "no address".to_owned()
        }
        // The resolver's own words tell a name that is not there from a name server that is not there.
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", LOOKUP_PATIENCE.as_secs()),
    };
    let whose = if *is_proxy { "the proxy's name" } else { "the name" };
    let proxy = remedies.unused_proxy_variable().filter(|_| !*is_proxy);
    let besides = proxy.map_or(String::new(), |variable| format!("; `{variable}` is set, and podlens does not use it"));
    let summary = format!("{whose} `{host}` cannot be resolved{besides}");
    let finding = Step::Dns.bad(Reason::Dns, summary).fact("the resolver says", failure);
    (finding.facts(name_servers()).fix(remedies.no_dns(peer)), Vec::new())
}

/// Whom the system asks, where that is told in the usual place.
fn name_servers() -> Option<Fact> {
    let path = "/etc/resolv.conf";
    let text = std::fs::read_to_string(path).ok()?;
    let servers: Vec<_> = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")).map(str::trim).take(3).collect();
    let servers = if servers.is_empty() { "none".to_owned() } else { crate::text::excerpt(&servers.join(", ")) };
    Some(Fact::new(format!("name servers of `{path}`"), servers))
}

/// A connection to the first address that gives one.
pub(super) async fn connect(peer: &Peer, addresses: &[SocketAddr], remedies: &Remedies<'_>) -> (Finding, Option<TcpStream>) {
    let mut facts = Vec::new();
    let mut last = None;
    for address in addresses.iter().take(MAX_ADDRESSES) {
        let started = Instant::now();
        let error = match tokio::time::timeout(CONNECT_PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let finding = Step::Tcp.good(format!("connected to {address} in {} ms", started.elapsed().as_millis()));
                return (finding.facts(facts), Some(stream));
            }
            Ok(Err(error)) => error.kind(),
            Err(_) => io::ErrorKind::TimedOut,
        };
        facts.push(Fact::new(address.to_string(), why(error)));
        last = Some(error);
    }
    let (reason, failed) = match last {
        Some(io::ErrorKind::ConnectionRefused) => (Reason::Refused, "nothing listens there: connection refused"),
        Some(io::ErrorKind::TimedOut) => (Reason::Timeout, "nothing answers there"),
        _ => (Reason::NoConnection, "no connection"),
    };
    let whose = if peer.is_proxy { "the proxy " } else { "" };
    let finding = Step::Tcp.bad(reason, format!("{whose}`{}`: {failed}", peer.address()));
    // What is already in the summary needs no fact.
    let facts = if facts.len() > 1 || reason == Reason::NoConnection { facts } else { Vec::new() };
    (finding.facts(facts).fix(remedies.no_connection(peer, reason == Reason::Refused)), None)
}

fn why(error: io::ErrorKind) -> String {
    match error {
        io::ErrorKind::TimedOut => format!("no answer within {} s", CONNECT_PATIENCE.as_secs()),
        kind => kind.to_string(),
    }
}
