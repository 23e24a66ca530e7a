//! The two sides of a duplex pair, and planned moves from one to the other.

use super::PairSide;
use crate::limits;
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

/// Ports from one instance to the next; the secured port of an instance lies within.
const INSTANCE_STEP: u16 = 40;
/// Ports from side A to side B.
const SIDE_STEP: u16 = 1000;
/// First port of side A.
const FIRST: u16 = 42027;

/// Whether one server is the other side of another one. By their ports where these tell, else by being two.
#[must_use]
pub fn is_other_side(one: SocketAddr, other: SocketAddr) -> bool {
    match (place(one.port()), place(other.port())) {
        (Some((side, instance)), Some((other_side, other_instance))) => {
            side != other_side && instance == other_instance
        }
        _ => one != other,
    }
}

/// Side and instance of a conventional port.
fn place(port: u16) -> Option<(PairSide, u16)> {
    let side = PairSide::of_port(port)?;
    let from_first = match side {
        PairSide::A => port.checked_sub(FIRST)?,
        PairSide::B => port.checked_sub(FIRST + SIDE_STEP)?,
    };
    Some((side, from_first / INSTANCE_STEP))
}

/// Words for a server: "side A (10.0.0.5)", or its address where the port tells no side.
#[must_use]
pub fn server_name(server: SocketAddr) -> String {
    PairSide::of_port(server.port()).map_or_else(
        || format!("server {server}"),
        |side| format!("side {} ({})", side.name(), server.ip()),
    )
}

/// A planned move takes no longer than that, from the question to the last connection closed.
const LONGEST: Duration = Duration::from_secs(120);

/// Times at which a planned move from one side to the other was under way.
#[derive(Debug, Default)]
pub(super) struct Handovers {
    /// Beginning and end of each, the latest ones.
    spans: VecDeque<(Timestamp, Timestamp)>,
}

impl Handovers {
    /// The active server asks, or the standby says that it takes over.
    pub(super) fn begins(&mut self, time: Timestamp) {
        if let Some((from, until)) = self.spans.back_mut()
            && time >= *from
            && time <= *until
        {
            *until = (*until).max(time.after(LONGEST));
            return;
        }
        if self.spans.len() >= limits::MAX_HANDOVERS {
            self.spans.pop_front();
        }
        self.spans.push_back((time, time.after(LONGEST)));
    }

    /// It was called off.
    pub(super) fn cancelled(&mut self, time: Timestamp) {
        if let Some((_, until)) = self.spans.back_mut() {
            *until = (*until).min(time);
        }
    }

    pub(super) fn under_way(&self, time: Timestamp) -> bool {
        self.spans
            .iter()
            .any(|(from, until)| time >= *from && time <= *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> SocketAddr {
        address.parse().unwrap()
    }

    #[test]
    fn sides_belong_together_by_instance() {
        let pair = |one, other| is_other_side(at(one), at(other));
        assert!(pair("10.0.0.5:42027", "10.0.0.6:43027"));
        assert!(pair("10.0.0.5:42027", "10.0.0.5:43030"));
        assert!(!pair("10.0.0.5:42027", "10.0.0.6:42027"));
        assert!(!pair("10.0.0.5:42027", "10.0.0.6:43067"));
        assert!(pair("10.0.0.5:5000", "10.0.0.6:5000"));
        assert!(!pair("10.0.0.5:5000", "10.0.0.5:5000"));
    }

    #[test]
    fn a_move_that_is_called_off_is_over() {
        let time = Timestamp::from_seconds;
        let mut handovers = Handovers::default();
        handovers.begins(time(100));
        assert!(handovers.under_way(time(101)) && !handovers.under_way(time(99)));
        handovers.cancelled(time(105));
        assert!(!handovers.under_way(time(106)));
    }
}
