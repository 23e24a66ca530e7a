//! TCP connections to CTI Servers that do not come to be, and clients that find no server at all.

use super::network::{Event, EventKind};
use super::opens::is_in_vain;
use super::pair::{is_other_side, server_name};
use super::remembered::{Deferred, Remembered, between, span};
use super::{Code, Context, Detector, Sighting, Sightings};
use crate::analysis::Seen;
use crate::correlate::Exchange;
use crate::finding::Severity;
use crate::protocol::types;
use crate::session::Content;
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// Servers that a client may try; further ones tell nothing new.
const SERVERS: usize = 16;

/// A client host that gets nowhere.
#[derive(Debug)]
struct Island {
    first: Timestamp,
    servers: BTreeSet<SocketAddr>,
    tries: u32,
    told: bool,
}

/// Connections refused, and clients without any server.
#[derive(Debug, Default)]
pub(super) struct Connecting {
    refused: Deferred<(Sighting, IpAddr, SocketAddr)>,
    islands: Remembered<IpAddr, Island>,
}

impl Connecting {
    /// A client got nowhere at a server.
    fn failed(
        &mut self,
        host: IpAddr,
        server: SocketAddr,
        time: Timestamp,
        around: &Context,
        out: &mut Sightings,
    ) {
        // A client that has a session elsewhere is no island.
        if around
            .sessions_of(host)
            .any(|facts| facts.is_open() && facts.granted.is_some())
        {
            self.islands.remove(&host);
            return;
        }
        if self.islands.get(&host).is_none() {
            let island = Island {
                first: time,
                servers: BTreeSet::new(),
                tries: 0,
                told: false,
            };
            self.islands.insert(host, island);
        }
        let Some(island) = self.islands.get_mut(&host) else {
            return;
        };
        island.tries += 1;
        if island.servers.len() < SERVERS {
            island.servers.insert(server);
        }
        let lasted = between(island.first, time);
        let both = island.servers.iter().any(|one| is_other_side(*one, server));
        if island.told || !both || lasted < around.thresholds().no_server {
            return;
        }
        island.told = true;
        let names: Vec<String> = island
            .servers
            .iter()
            .map(|server| server_name(*server))
            .collect();
        let text = format!(
            "client {host} tried {} {} times in {} and was not accepted",
            names.join(" and "),
            island.tries,
            span(lasted)
        );
        out.push(Sighting::new(Code::NoServer, island.first, text.clone()).group(text));
    }
}

impl Detector for Connecting {
    fn wire(&mut self, event: &Event, around: &Context, out: &mut Sightings) {
        let text = match event.kind {
            EventKind::Refused => "SYN answered by RST".to_owned(),
            EventKind::NoAnswer { tries } => format!("SYN sent {tries} times without an answer"),
            _ => return,
        };
        let (host, server) = (event.client.ip(), event.server);
        let group = format!(
            "client {host} cannot connect to {}, port {}",
            server_name(server),
            server.port()
        );
        let sighting = Sighting::new(Code::TcpRefused, event.time, text)
            .packet(event.packet)
            .group(group);
        if let Some((oldest, host, server)) = self.refused.push((sighting, host, server)) {
            out.push(weigh(oldest, host, server, around));
        }
        self.failed(host, server, event.time, around, out);
    }

    fn exchange(&mut self, exchange: &Exchange, around: &Context, out: &mut Sightings) {
        let is_open = exchange
            .request
            .as_ref()
            .is_some_and(|r| r.number == types::OPEN_REQ);
        if let Some(facts) = around.session(exchange.session)
            && is_open
            && is_in_vain(exchange, facts, around)
        {
            self.failed(
                facts.client_host(),
                facts.peers.server,
                exchange.time,
                around,
                out,
            );
        }
    }

    fn message(&mut self, seen: &Seen<'_>, _: &Context, _: &mut Sightings) {
        if seen.is(types::OPEN_CONF) {
            self.islands.remove(&seen.info.peers.client.ip());
        }
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        for (sighting, host, server) in self.refused.take() {
            out.push(weigh(sighting, host, server, around));
        }
    }
}

/// A refusal is no trouble when the other side takes the client.
fn weigh(mut sighting: Sighting, host: IpAddr, server: SocketAddr, around: &Context) -> Sighting {
    let (from, until) = (
        sighting.time,
        sighting.time.after(around.thresholds().other_side),
    );
    let accepted = around.sessions_of(host).any(|facts| {
        let at = match facts.content {
            Content::Encrypted => Some(facts.first),
            _ => facts.granted.as_ref().map(|granted| granted.time),
        };
        is_other_side(facts.peers.server, server) && at.is_some_and(|at| at >= from && at <= until)
    });
    if accepted {
        sighting.severity = Severity::Info;
        sighting
            .text
            .push_str("; the other side accepted the client");
    }
    sighting
}
