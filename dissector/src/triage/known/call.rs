//! One call: its connections, and the sessions that show it.

use crate::analysis::Seen;
use crate::protocol::{MessageType, types};
use crate::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Connections of a call that are followed.
const LEGS: usize = 16;
/// Sessions and monitors that are followed for one call.
const VIEWS: usize = 8;
/// Latest events of a call that copies are compared with.
const RECENT: usize = 8;
/// How far the copy of an event in another session may be behind.
const LAG: Duration = Duration::from_secs(5);

/// LCS_NULL.
pub(in crate::triage) const CLEARED: u32 = 0;
/// LCS_INITIATE.
const INITIATED: u32 = 1;
/// LCS_ALERTING.
pub(in crate::triage) const ALERTING: u32 = 2;
/// LCS_CONNECT.
pub(in crate::triage) const CONNECTED: u32 = 3;
/// LCS_HOLD.
const HELD: u32 = 4;
/// LCS_FAIL.
pub(in crate::triage) const FAILED: u32 = 6;

/// One device on a call.
#[derive(Debug, Clone)]
pub(in crate::triage) struct Leg {
    /// ConnectionDeviceID, which may be anything.
    pub connection: String,
    /// The phone: the device that rings, answers or holds.
    pub phone: Option<String>,
    /// LocalConnectionState by what happened.
    pub state: u32,
    /// Since when it is in that state.
    pub since: Timestamp,
    /// When it answered.
    pub established: Option<Timestamp>,
}

/// A call as one session shows it, under one monitor.
#[derive(Debug, Clone)]
pub(in crate::triage) struct View {
    /// The session.
    pub session: u32,
    /// MonitorID.
    pub monitor: u32,
    /// Its first event since it was not known or had ended: time and number.
    pub first: (Timestamp, u64),
    /// Its BEGIN_CALL_EVENT.
    pub begun: Option<Timestamp>,
    /// Its END_CALL_EVENT: time, and connection if it names one.
    pub ended: Option<(Timestamp, Option<String>)>,
}

/// A call.
#[derive(Debug, Clone)]
pub(in crate::triage) struct Call {
    /// Counts all calls, so that two with the same number are told apart.
    pub serial: u64,
    /// Its last event.
    pub last: Timestamp,
    /// PeripheralType, 0 when not told.
    pub peripheral_type: u32,
    /// CallType.
    pub call_type: Option<u32>,
    /// ANI.
    pub caller: Option<String>,
    /// RouterCallKeyDay and RouterCallKeyCallID.
    pub router_key: Option<(u32, u32)>,
    /// Call variables or named variables were there.
    pub has_data: bool,
    /// Its connections.
    pub legs: Vec<Leg>,
    /// When all connections were cleared.
    pub cleared: Option<Timestamp>,
    /// It went on under another number or was joined to another call.
    pub joined: bool,
    /// The sessions that show it.
    pub views: Vec<View>,
    recent: VecDeque<Told>,
}

#[derive(Debug, Clone)]
struct Told {
    number: MessageType,
    connection: String,
    local_state: u32,
    session: u32,
    monitor: u32,
    time: Timestamp,
}

impl Call {
    pub(super) fn new(serial: u64, time: Timestamp) -> Self {
        Self {
            serial,
            last: time,
            peripheral_type: 0,
            call_type: None,
            caller: None,
            router_key: None,
            has_data: false,
            legs: Vec::new(),
            cleared: None,
            joined: false,
            views: Vec::new(),
            recent: VecDeque::new(),
        }
    }

    /// The connection of a device: by the connection's name or by the phone.
    pub(in crate::triage) fn leg(&self, device: &str) -> Option<&Leg> {
        let by_connection = self.legs.iter().find(|l| l.connection == device);
        by_connection.or_else(|| {
            let mut legs = self.legs.iter();
            legs.find(|l| l.phone.as_deref() == Some(device))
        })
    }

    /// Whether no session shows it any more.
    pub(in crate::triage) fn is_over(&self) -> bool {
        self.views.iter().all(|v| v.ended.is_some()) && !self.views.is_empty()
    }

    /// The call as a session shows it under a monitor.
    pub(in crate::triage) fn view(&self, session: u32, monitor: u32) -> Option<&View> {
        let mut views = self.views.iter();
        views.find(|v| v.session == session && v.monitor == monitor)
    }

    fn leg_mut(
        &mut self,
        connection: &str,
        phone: Option<&str>,
        time: Timestamp,
    ) -> Option<&mut Leg> {
        let place = self.legs.iter().position(|l| {
            l.connection == connection || (phone.is_some() && l.phone.as_deref() == phone)
        });
        let place = match place {
            Some(place) => place,
            None if self.legs.len() >= LEGS => return None,
            None => {
                self.legs.push(Leg {
                    connection: connection.to_owned(),
                    phone: None,
                    state: u32::MAX,
                    since: time,
                    established: None,
                });
                self.legs.len() - 1
            }
        };
        let leg = self.legs.get_mut(place)?;
        if phone.is_some() {
            leg.phone = phone.map(str::to_owned);
        }
        Some(leg)
    }

    pub(super) fn set(
        &mut self,
        connection: &str,
        phone: Option<&str>,
        state: u32,
        time: Timestamp,
    ) {
        if connection.is_empty() && phone.is_none() {
            return;
        }
        let connection = if connection.is_empty() {
            phone.unwrap_or_default()
        } else {
            connection
        };
        let Some(leg) = self.leg_mut(connection, phone, time) else {
            return;
        };
        if leg.state != state {
            (leg.state, leg.since) = (state, time);
        }
        if state == CONNECTED && leg.established.is_none() {
            leg.established = Some(time);
        }
    }
}

/// Where a message says something of a call.
pub(super) struct Place {
    pub(super) session: u32,
    pub(super) monitor: u32,
    pub(super) time: Timestamp,
    pub(super) no: u64,
}

impl Call {
    /// Whether another session or monitor told the same before.
    pub(super) fn is_copy(
        &mut self,
        number: MessageType,
        connection: Option<&str>,
        seen: &Seen<'_>,
        place: &Place,
    ) -> bool {
        let connection = connection.unwrap_or_default();
        let local_state = seen.raw("LocalConnectionState").unwrap_or_default();
        let is_same = |told: &Told| {
            told.number == number
                && told.connection == connection
                && told.local_state == local_state
        };
        let here = |t: &Told| t.session == place.session && t.monitor == place.monitor;
        let mut recent = self.recent.iter().rev();
        let last = recent.find(|told| is_same(told));
        let copy = last.is_some_and(|t| !here(t) && place.time <= t.time.after(LAG));
        if copy {
            return true;
        }
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Told {
            number,
            connection: connection.to_owned(),
            local_state,
            session: place.session,
            monitor: place.monitor,
            time: place.time,
        });
        false
    }

    pub(super) fn note_view(
        &mut self,
        number: MessageType,
        connection: Option<&str>,
        place: &Place,
    ) {
        let at = self
            .views
            .iter()
            .position(|v| v.session == place.session && v.monitor == place.monitor);
        let at = at.unwrap_or_else(|| {
            if self.views.len() >= VIEWS {
                self.views.remove(0);
            }
            self.views.push(View {
                session: place.session,
                monitor: place.monitor,
                first: (place.time, place.no),
                begun: None,
                ended: None,
            });
            self.views.len() - 1
        });
        let Some(view) = self.views.get_mut(at) else {
            return;
        };
        match number {
            types::BEGIN_CALL_EVENT => {
                if view.ended.take().is_some() {
                    view.first = (place.time, place.no);
                }
                view.begun = Some(place.time);
            }
            types::END_CALL_EVENT => {
                let connection = connection.filter(|c| !c.is_empty()).map(str::to_owned);
                view.ended = Some((place.time, connection));
            }
            _ => {}
        }
    }

    pub(super) fn note_data(&mut self, seen: &Seen<'_>) {
        if let Some(kind) = seen.number("CallType") {
            self.call_type = Some(kind);
        }
        if let Some(caller) = super::text(seen, "ANI") {
            self.caller = Some(caller);
        }
        let key = seen
            .number("RouterCallKeyDay")
            .zip(seen.number("RouterCallKeyCallID"));
        if let Some(key) = key.filter(|key| *key != (0, 0)) {
            self.router_key = Some(key);
        }
        // What the capture cut off may have been data.
        self.has_data |= carries_data(seen) || seen.view.missing() > 0;
    }

    /// Moves the connections; returns the phone that the event is about.
    pub(super) fn apply(
        &mut self,
        number: MessageType,
        connection: Option<&str>,
        seen: &Seen<'_>,
    ) -> Option<String> {
        let time = seen.info.time;
        let connection = connection.unwrap_or_default();
        let local = seen.number("LocalConnectionState");
        let phone = |name: &str| super::text(seen, name);
        match number {
            types::CALL_DELIVERED_EVENT => {
                let alerting = phone("AlertingDeviceID");
                // At the caller's end the event is about somebody else's phone.
                if local.is_none_or(|state| state == ALERTING) {
                    self.set(connection, alerting.as_deref(), ALERTING, time);
                } else if let Some(state) = local {
                    self.set(connection, None, state, time);
                    if let Some(alerting) = &alerting {
                        self.set(alerting, Some(alerting), ALERTING, time);
                    }
                }
                alerting
            }
            types::CALL_ESTABLISHED_EVENT => {
                let answering = phone("AnsweringDeviceID");
                let own = answering.as_deref().filter(|a| {
                    let leg = self.leg(connection).and_then(|l| l.phone.as_deref());
                    leg.is_none_or(|phone| phone == *a) || connection.is_empty()
                });
                let own = own.map(str::to_owned);
                self.set(connection, own.as_deref(), CONNECTED, time);
                // The other end is connected with it.
                let calling = phone("CallingDeviceID");
                let leg = calling.as_deref().and_then(|calling| self.leg(calling));
                if let Some(leg) = leg.filter(|l| matches!(l.state, INITIATED | ALERTING))
                    && leg.connection != connection
                {
                    let calling = leg.connection.clone();
                    self.set(&calling, None, CONNECTED, time);
                }
                if own.is_none()
                    && let Some(answering) = &answering
                {
                    self.set(answering, Some(answering), CONNECTED, time);
                }
                answering
            }
            types::CALL_HELD_EVENT => {
                let holding = phone("HoldingDeviceID");
                self.set(connection, holding.as_deref(), HELD, time);
                holding
            }
            types::CALL_RETRIEVED_EVENT => {
                let retrieving = phone("RetrievingDeviceID");
                self.set(connection, retrieving.as_deref(), CONNECTED, time);
                retrieving
            }
            types::CALL_SERVICE_INITIATED_EVENT | types::CALL_ORIGINATED_EVENT => {
                self.set(connection, None, INITIATED, time);
                None
            }
            types::CALL_FAILED_EVENT => {
                self.set(connection, None, FAILED, time);
                phone("FailingDeviceID")
            }
            types::CALL_CONNECTION_CLEARED_EVENT | types::CALL_DIVERTED_EVENT => {
                self.set(connection, None, CLEARED, time);
                if self.legs.len() > 1 && self.legs.iter().all(|l| l.state == CLEARED) {
                    self.cleared = self.cleared.or(Some(time));
                }
                None
            }
            types::CALL_CLEARED_EVENT => {
                for leg in &mut self.legs {
                    if leg.state != CLEARED {
                        (leg.state, leg.since) = (CLEARED, time);
                    }
                }
                self.cleared = self.cleared.or(Some(time));
                None
            }
            _ => None,
        }
    }
}

/// Whether a message carries call variables or named variables.
pub(in crate::triage) fn carries_data(seen: &Seen<'_>) -> bool {
    seen.view.floating().any(|field| match field.name() {
        Some("NamedVariable" | "NamedArray") => true,
        Some(name) => name.starts_with("CallVariable") && field.raw().iter().any(|b| *b != 0),
        None => false,
    })
}
