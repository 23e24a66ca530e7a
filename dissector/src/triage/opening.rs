//! Sessions that are refused: by which status, and what became of the client.

use super::pair::{is_other_side, server_name};
use super::remembered::{Deferred, between, span};
use super::words::{status_label, status_name};
use super::{Code, Context, Detector, Opened, Sighting, Sightings};
use crate::correlate::{Exchange, OutcomeKind};
use crate::finding::Severity;
use crate::protocol::{self, types};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// E_CTI_INVALID_VERSION.
const VERSION: u32 = 1;
/// E_CTI_DEVICE_IN_USE.
const IN_USE: u32 = 10;
/// E_CTI_SERVER_IN_MAINTENANCE_MODE.
const MAINTENANCE: u32 = 110;
/// IdleTimeout of clients that state none, as far as a stale session is concerned.
const USUAL_IDLE_TIMEOUT: u32 = 120;

/// What these tables need.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![
        Box::new(Refusals::default()),
        Box::new(super::opens::Slow),
        Box::new(super::opens::Loops::default()),
        Box::new(super::opens::Replaced::default()),
        Box::new(super::grants::Grants::default()),
        Box::new(super::grants::Degraded::default()),
        Box::new(super::grants::Secrets::default()),
        Box::new(super::tls::Tls),
        Box::new(super::connecting::Connecting::default()),
    ]
}

/// A refusal that waits to be weighed by what the client does next.
#[derive(Debug)]
struct Refusal {
    sighting: Sighting,
    status: u32,
    session: u32,
    host: IpAddr,
    server: SocketAddr,
    opened: Option<Opened>,
}

/// A client that is sent away by a standby server again and again.
#[derive(Debug)]
struct Probing {
    first: Timestamp,
    last: Timestamp,
    times: u32,
    sighting: Sighting,
}

/// OPEN_REQ refused by the server.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    waiting: Deferred<Refusal>,
    standby: BTreeMap<(IpAddr, SocketAddr), Probing>,
}

impl Detector for Refusals {
    fn exchange(&mut self, exchange: &Exchange, around: &Context, out: &mut Sightings) {
        let (Some(request), OutcomeKind::Failed) = (&exchange.request, exchange.outcome.kind)
        else {
            return;
        };
        let (Some(failure), Some(facts)) = (
            exchange
                .outcome
                .failure
                .filter(|_| request.number == types::OPEN_REQ),
            around.session(exchange.session),
        ) else {
            return;
        };
        let status = failure.code;
        let opened = facts
            .opened
            .clone()
            .filter(|opened| opened.no == request.no);
        let code = code_of(status);
        let text = match opened.as_ref().and_then(|o| fields_at_fault(status, o)) {
            Some(fields) => format!("status {}: {fields}", status_name(status)),
            None => format!("status {}", status_name(status)),
        };
        let group = format!(
            "{} refused by {}: {}",
            facts.client_name(),
            facts.server_name(),
            status_label(status).unwrap_or("status unknown"),
        );
        let mut sighting =
            Sighting::of_part(code, exchange.session, request, around, text).group(group);
        if let Some(agent) = opened.as_ref().and_then(|o| o.agent.clone()) {
            sighting = sighting.agent(agent);
        }
        if let Some(hint) = protocol::hint_for_status(status) {
            sighting = sighting.hint(hint);
        }
        if is_standby(status) {
            self.sent_away((facts.client_host(), facts.peers.server), &sighting);
        }
        let refusal = Refusal {
            sighting,
            status,
            session: exchange.session,
            host: facts.client_host(),
            server: facts.peers.server,
            opened,
        };
        if let Some(oldest) = self.waiting.push(refusal) {
            out.push(weigh(oldest, around));
        }
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        for refusal in self.waiting.take() {
            out.push(weigh(refusal, around));
        }
        for ((host, server), probing) in std::mem::take(&mut self.standby) {
            let tried_other = around.sessions_of(host).any(|facts| {
                is_other_side(facts.peers.server, server)
                    && facts.first >= probing.first
                    && facts.first <= probing.last
            });
            let lasted = between(probing.first, probing.last);
            if tried_other || lasted < around.thresholds().standby_only {
                continue;
            }
            let mut sighting = probing.sighting;
            sighting.code = Code::StandbyRefused;
            sighting.severity = Code::StandbyRefused.severity();
            sighting.text = format!(
                "sent away by {} {} times in {}, and the other side was not tried",
                server_name(server),
                probing.times,
                span(lasted)
            );
            sighting.group = sighting.text.clone();
            out.push(sighting);
        }
    }
}

impl Refusals {
    fn sent_away(&mut self, key: (IpAddr, SocketAddr), sighting: &Sighting) {
        if self.standby.len() >= crate::limits::MAX_DEFERRED && !self.standby.contains_key(&key) {
            self.standby.pop_first();
        }
        let probing = self.standby.entry(key).or_insert_with(|| Probing {
            first: sighting.time,
            last: sighting.time,
            times: 0,
            sighting: sighting.clone(),
        });
        probing.times += 1;
        probing.last = sighting.time;
    }
}

const fn is_standby(status: u32) -> bool {
    matches!(status, 15 | 92 | 107)
}

const fn code_of(status: u32) -> Code {
    match status {
        36 => Code::OpenBadCredentials,
        VERSION => Code::OpenVersionRejected,
        IN_USE | 32 => Code::OpenDeviceConflict,
        6 | 7 | 18..=22 | 25 | 95 | 108 | 109 => Code::OpenBadRequest,
        _ => Code::OpenRefused,
    }
}

/// The field that a status is about, its value, and what is allowed.
fn fields_at_fault(status: u32, opened: &Opened) -> Option<String> {
    let mask = |name: &str, table: &str, value: u32| {
        let unknown = protocol::value_table(table).map_or(0, |table| table.unknown_bits(value));
        let bits = if unknown == 0 {
            "all its bits are known to version 25, not all to older releases".to_owned()
        } else {
            format!("bits 0x{unknown:08X} are in no table")
        };
        format!("{name} is 0x{value:08X}; {bits}")
    };
    let text = match status {
        VERSION => {
            let number = opened.version?;
            let release =
                protocol::version(protocol::ProtocolVersion(number)).and_then(|v| v.release);
            let release = release
                .map(|r| format!(", that of release {r}"))
                .unwrap_or_default();
            format!("VersionNumber is {number}{release}")
        }
        6 => {
            let given = [
                ("AgentExtension", &opened.extension),
                ("AgentID", &opened.agent),
                ("AgentInstrument", &opened.instrument),
            ];
            let given: Vec<&str> = given
                .iter()
                .filter_map(|(name, value)| value.as_ref().map(|_| *name))
                .collect();
            let given = if given.is_empty() {
                "none".to_owned()
            } else {
                given.join(", ")
            };
            format!(
                "ServicesRequested is 0x{:08X}; of AgentExtension, AgentID and AgentInstrument it gives {given}, and client events need one",
                opened.services
            )
        }
        7 => match opened.peripheral {
            Some(peripheral) => format!("PeripheralID is {peripheral}; it must be one of this PG"),
            None => "PeripheralID is not given; client events need one".to_owned(),
        },
        IN_USE | 32 => {
            let show = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            format!(
                "extension {}, agent {}, instrument {}",
                show(&opened.extension),
                show(&opened.agent),
                show(&opened.instrument)
            )
        }
        18 => format!("IdleTimeout is {}; 20 s is the least", opened.idle_timeout?),
        19 => mask("ServicesRequested", "CTIServiceMask", opened.services),
        20 => mask("CallMsgMask", "CallMsgMask", opened.call_mask?),
        21 => mask("AgentStateMask", "AgentStateMask", opened.agent_mask?),
        22 => "Reserved1 to Reserved3 must be 0".to_owned(),
        25 => format!("the fixed part does not suit version {}", opened.version?),
        95 => mask("ConfigMsgMask", "ConfigMsgMask", opened.config_mask?),
        108 | 109 => {
            let id = opened.unique_instance.as_deref().unwrap_or("empty");
            format!("UniqueInstanceID is {id}; it must be given, and each client's own")
        }
        _ => return None,
    };
    Some(text)
}

/// How bad a refusal is, by what the client did next.
fn weigh(refusal: Refusal, around: &Context) -> Sighting {
    let Refusal {
        mut sighting,
        status,
        session,
        host,
        server,
        opened,
    } = refusal;
    let time = sighting.time;
    let accepted = |within: Duration, suits: &dyn Fn(&super::SessionFacts) -> bool| {
        around.sessions_of(host).any(|facts| {
            let granted = facts.granted.as_ref().map(|granted| granted.time);
            let in_time = granted.is_some_and(|at| at >= time && at <= time.after(within));
            in_time && is_same_client(facts, opened.as_ref()) && suits(facts)
        })
    };
    let within = around.thresholds().other_side;
    if is_standby(status) {
        if accepted(within, &|facts| is_other_side(facts.peers.server, server)) {
            sighting.severity = Severity::Info;
            sighting
                .text
                .push_str("; the other side accepted the client");
        }
    } else if status == MAINTENANCE {
        if around.handover(time) {
            sighting.severity = Severity::Info;
            sighting.text.push_str("; a planned move was under way");
        }
    } else if status == VERSION {
        let asked = opened.as_ref().and_then(|opened| opened.version);
        let lower = accepted(within, &|facts| {
            let version = facts.opened.as_ref().and_then(|opened| opened.version);
            version < asked
        });
        if lower {
            sighting.severity = Severity::Info;
            sighting
                .text
                .push_str("; the client was accepted with a lower version");
        }
    } else if status == IN_USE {
        let idle = opened.as_ref().and_then(|opened| opened.idle_timeout);
        let idle = Duration::from_secs(u64::from(idle.unwrap_or(USUAL_IDLE_TIMEOUT)));
        if accepted(idle, &|facts| facts.peers.session > session) {
            sighting.severity = Severity::Warn;
            sighting
                .text
                .push_str("; accepted within the IdleTimeout: a stale session was in the way");
        }
    }
    sighting
}

/// Whether a session was opened with the same identity.
fn is_same_client(facts: &super::SessionFacts, opened: Option<&Opened>) -> bool {
    let (Some(one), Some(two)) = (&facts.opened, opened) else {
        return true;
    };
    one.client_id == two.client_id && one.agent == two.agent && one.extension == two.extension
}
