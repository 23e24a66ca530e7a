//! Sessions over TLS: that they are, that they fail, and that one end speaks it alone.

use super::network::{Event, EventKind, alert_name};
use super::pair::server_name;
use super::{Code, Context, Detector, Sighting, Sightings};
use crate::finding;
use crate::record::Notice;
use std::net::SocketAddr;

/// What can be said of TLS without reading it.
#[derive(Debug, Default)]
pub(super) struct Tls;

impl Detector for Tls {
    fn notice(&mut self, notice: &Notice, around: &Context, out: &mut Sightings) {
        if notice.code != finding::Code::EncryptedSession {
            return;
        }
        let Some(facts) = notice.session.and_then(|session| around.session(session)) else {
            return;
        };
        let time = notice.time.unwrap_or(around.now());
        out.push(
            Sighting::new(
                Code::TlsSession,
                time,
                format!(
                    "{} to {}",
                    facts.peers.client,
                    server_name(facts.peers.server)
                ),
            )
            .session(facts.peers.session)
            .group(format!(
                "sessions with {} over TLS",
                server_name(facts.peers.server)
            )),
        );
    }

    fn wire(&mut self, event: &Event, around: &Context, out: &mut Sightings) {
        let (code, text) = match &event.kind {
            EventKind::TlsFailed(end) => {
                let text = match (end.alert, end.answered, end.by_client) {
                    (Some((alert, by_client)), ..) => format!(
                        "{} sent alert {alert} ({})",
                        if by_client {
                            "the client"
                        } else {
                            "the server"
                        },
                        alert_name(alert)
                    ),
                    (None, false, false) => {
                        "the server ended the connection without an answer".to_owned()
                    }
                    (None, false, true) => "the client gave up without an answer".to_owned(),
                    (None, true, true) => "the client broke off the handshake".to_owned(),
                    (None, true, false) => "the server broke off the handshake".to_owned(),
                };
                (Code::TlsFailed, text)
            }
            EventKind::TlsMixup { client_secured } => {
                let text = if *client_secured {
                    "the client began with TLS, the server does not speak it"
                } else {
                    "the client began with a plain OPEN_REQ, the server expects TLS"
                };
                (Code::TlsPortMixup, text.to_owned())
            }
            _ => return,
        };
        let group = format!("{} to {}: {text}", event.client.ip(), at_port(event.server));
        let sighting = Sighting::new(code, event.time, text)
            .packet(event.packet)
            .group(group);
        let session = around.session_between(event.client, event.server);
        out.push(match session {
            Some(facts) => sighting.session(facts.peers.session),
            None => sighting,
        });
    }
}

fn at_port(server: SocketAddr) -> String {
    format!("{}, port {}", server_name(server), server.port())
}
