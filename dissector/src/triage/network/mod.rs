//! What TCP shows: loss, time-outs, readers that do not read, connections that died in silence.

mod event;
mod flow;
#[cfg(test)]
mod tests;
mod tls;
mod track;
mod tracker;

pub use event::{Event, EventKind};
pub use tls::{TlsEnd, alert_name};
pub use tracker::Wire;

use super::pair::server_name;
use super::remembered::{Deferred, Remembered, between, span};
use super::{Code, Context, Detector, Sighting, Sightings};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

/// Windows closed for a while that are too many.
const CLOSED: usize = 3;

pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![
        Box::new(Paths),
        Box::new(Readers::default()),
        Box::new(Silence::default()),
        Box::new(Nagle::default()),
    ]
}

/// Words for one end of a connection.
fn end_name(event: &Event, end: SocketAddr) -> String {
    if end == event.server {
        server_name(end)
    } else {
        format!("client {}", end.ip())
    }
}

fn other_end(event: &Event, end: SocketAddr) -> SocketAddr {
    if end == event.server {
        event.client
    } else {
        event.server
    }
}

/// A sighting about a connection, and its session where there is one.
fn sighting(code: Code, event: &Event, text: String, around: &Context) -> Sighting {
    let sighting = Sighting::new(code, event.time, text).packet(event.packet);
    match around.session_between(event.client, event.server) {
        Some(facts) => sighting.session(facts.peers.session),
        None => sighting,
    }
}

/// Paths that lose segments.
#[derive(Debug)]
struct Paths;

impl Detector for Paths {
    fn wire(&mut self, event: &Event, around: &Context, out: &mut Sightings) {
        let thresholds = around.thresholds();
        match event.kind {
            EventKind::Loss {
                from,
                since,
                sent,
                again,
            } => {
                if u64::from(again) < thresholds.loss_least
                    || u64::from(again).saturating_mul(100)
                        <= u64::from(sent).saturating_mul(thresholds.loss_percent)
                {
                    return;
                }
                let text = format!(
                    "{again} of {sent} segments sent again within {}",
                    span(between(since, event.time))
                );
                let mut loss = sighting(Code::Loss, event, text, around).group(format!(
                    "from {} to {}",
                    end_name(event, from),
                    end_name(event, other_end(event, from))
                ));
                loss.time = since;
                out.push(loss);
            }
            EventKind::TimeOuts {
                from,
                since,
                again,
                bytes,
                largest,
                heard,
            } => {
                let path = format!(
                    "from {} to {}",
                    end_name(event, from),
                    end_name(event, other_end(event, from))
                );
                let (code, text) = if largest && heard {
                    (
                        Code::MtuBlackhole,
                        format!(
                            "a segment of {bytes} bytes sent again {again} times, while smaller ones passed"
                        ),
                    )
                } else {
                    (
                        Code::Loss,
                        format!(
                            "{bytes} bytes sent again {again} times in {} without being acknowledged",
                            span(between(since, event.time))
                        ),
                    )
                };
                let mut told = sighting(code, event, text, around).group(path);
                told.time = since;
                out.push(told);
            }
            _ => {}
        }
    }
}

/// Ends that do not read what they get.
#[derive(Debug, Default)]
struct Readers {
    /// Beginnings of closed windows, by reader.
    closed: Remembered<(SocketAddr, SocketAddr), VecDeque<Timestamp>>,
}

impl Detector for Readers {
    fn wire(&mut self, event: &Event, around: &Context, out: &mut Sightings) {
        let thresholds = around.thresholds();
        match event.kind {
            EventKind::WindowClosed { reader, since } => {
                let lasted = between(since, event.time);
                if lasted < thresholds.window_closed {
                    return;
                }
                let closed = self.closed.entry((event.client, reader));
                closed.push_back(since);
                while closed.len() > CLOSED {
                    closed.pop_front();
                }
                let long = lasted >= thresholds.window_closed_long;
                if !long && closed.len() < CLOSED {
                    return;
                }
                let text = if long {
                    format!("window closed for {}", span(lasted))
                } else {
                    format!(
                        "window closed for {}, the third time for more than {}",
                        span(lasted),
                        span(thresholds.window_closed)
                    )
                };
                let mut told = sighting(Code::SlowReader, event, text, around).group(format!(
                    "{} does not read what {} sends",
                    end_name(event, reader),
                    end_name(event, other_end(event, reader))
                ));
                told.time = since;
                out.push(told);
            }
            EventKind::Reset {
                from,
                reader_was_slow: true,
            } => {
                let reader = other_end(event, from);
                let known = self
                    .closed
                    .get(&(event.client, reader))
                    .is_some_and(|closed| !closed.is_empty());
                if !known {
                    return;
                }
                let text = format!("then RST by {}", end_name(event, from));
                out.push(
                    sighting(Code::SlowReader, event, text, around).group(format!(
                        "{} does not read what {} sends",
                        end_name(event, reader),
                        end_name(event, from)
                    )),
                );
            }
            _ => {}
        }
    }
}

/// A connection that was dead when it was used again.
#[derive(Debug)]
struct Dead {
    client: IpAddr,
    server: IpAddr,
    sighting: Sighting,
}

/// Connections that die in silence.
#[derive(Debug, Default)]
struct Silence {
    dead: Deferred<Dead>,
}

impl Detector for Silence {
    fn wire(&mut self, event: &Event, around: &Context, out: &mut Sightings) {
        match event.kind {
            EventKind::Dropped { from, idle, reset } => {
                let end = if reset {
                    "answered by RST"
                } else {
                    "not acknowledged"
                };
                let text = format!(
                    "silent for {} ({} s), then the next segment of {} was {end}",
                    span(idle),
                    idle.as_secs(),
                    end_name(event, from)
                );
                let group = format!(
                    "between client {} and {}",
                    event.client.ip(),
                    server_name(event.server)
                );
                let dead = Dead {
                    client: event.client.ip(),
                    server: event.server.ip(),
                    sighting: sighting(Code::SilentDrop, event, text, around).group(group),
                };
                // Without a new connection nothing tells that the host is still there.
                let _ = self.dead.push(dead);
            }
            EventKind::Accepted => {
                let within = around.thresholds().failover;
                let (client, server, time) = (event.client.ip(), event.server.ip(), event.time);
                self.dead.retain(|dead| {
                    let same = dead.client == client && dead.server == server;
                    let soon = time <= dead.sighting.time.after(within);
                    if same && soon {
                        out.push(dead.sighting.clone());
                    }
                    !same && soon
                });
            }
            _ => {}
        }
    }
}

/// Senders whose small messages wait for acknowledgements.
#[derive(Debug, Default)]
struct Nagle {
    held: Remembered<(SocketAddr, SocketAddr), VecDeque<Timestamp>>,
}

impl Detector for Nagle {
    fn wire(&mut self, event: &Event, around: &Context, out: &mut Sightings) {
        let EventKind::Nagle { from, held } = event.kind else {
            return;
        };
        let thresholds = around.thresholds();
        let times = self.held.entry((from, other_end(event, from)));
        times.push_back(event.time);
        while times
            .front()
            .is_some_and(|first| event.time > first.after(thresholds.nagle_window))
        {
            times.pop_front();
        }
        let count = u64::try_from(times.len()).unwrap_or(u64::MAX);
        if count < thresholds.nagle_least {
            return;
        }
        times.clear();
        let text = format!("messages wait up to {} for an acknowledgement", span(held));
        out.push(
            sighting(Code::NagleDelay, event, text, around).group(format!(
                "{} holds small messages back",
                end_name(event, from)
            )),
        );
    }
}
