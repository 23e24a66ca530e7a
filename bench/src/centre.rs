//! A busy contact centre: agents who take one call after the other, as two all-events clients see them. One of the two also
//! asks for things on behalf of the agents.

use crate::capture::{Capture, Connection, Side};
use anyhow::Result;
use cti_dissector::encode::{Draft, EncodeError, Value};
use cti_dissector::protocol::ProtocolVersion;
use fastrand::Rng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4};

const AGENTS: u32 = 200;
const VERSION: ProtocolVersion = ProtocolVersion(24);
const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 5), 42027);

/// A message put together field by field; the first error is kept until the end.
pub struct Text(Result<Draft, EncodeError>);

impl Text {
    /// An empty message.
    pub fn new(name: &str) -> Self {
        Self(Draft::new(name, VERSION))
    }

    /// Gives a field a value.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0 = self.0.and_then(|mut draft| {
            draft.set(field, &value.into())?;
            Ok(draft)
        });
        self
    }

    /// The bytes on the wire.
    pub fn bytes(self) -> Result<Vec<u8>> {
        Ok(self.0?.encode()?)
    }

    fn named(self, name: &str, value: &str) -> Self {
        let variable = Value::NamedVariable {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        self.with("NamedVariable", variable)
    }
}

/// Expanded call variables beside the account.
const EXPANDED: &[(&str, &str)] = &[
    ("user.journey", "ivr/main/language/billing/verify/agent"),
    ("user.sentiment", "neutral"),
    ("user.screenpop", "crm?case=90210&tab=history&origin=cti"),
    ("user.campaign", "autumn-2026"),
    ("user.survey", "offered; accepted; language=en"),
    (
        "user.microapp.media_server",
        "http://media.example/en-us/app",
    ),
];

/// A call and the agent who takes it.
#[derive(Debug, Clone)]
struct Call {
    id: u32,
    agent: u32,
    peripheral: u32,
    caller: String,
    variables: Vec<String>,
    account: String,
    /// How many expanded call variables the routing script sets.
    expanded: usize,
}

impl Call {
    fn new(rng: &mut Rng, id: u32, agent: u32, peripheral: u32) -> Self {
        // Texts of 21 to 40 bytes, the usual and the most that a call variable holds.
        let words = [
            "gold customer since 2011",
            "billing",
            "renewal of contract 90210-4711",
            "callback requested",
            "Spanish, verified by PIN",
            "outage area 7, north",
            "second contact this week",
            "web form: change of address",
            "delivery 2026-11-24, morning",
            "invoice 2026-10 disputed",
            "queued 34 s in sales-emea",
        ];
        let variables = (0..10)
            .map(|_| {
                let word = rng.choice(words).unwrap_or("none");
                format!("{word:17} {:04}", rng.u32(0..10_000))
            })
            .collect();
        Self {
            id,
            agent,
            peripheral,
            caller: format!("555{:07}", rng.u32(0..10_000_000)),
            variables,
            account: format!("C-{:08}", rng.u32(0..100_000_000)),
            expanded: rng.usize(1..=EXPANDED.len()),
        }
    }

    fn extension(&self) -> String {
        format!("{}", 20_000 + self.agent)
    }

    fn agent_id(&self) -> String {
        format!("{}", 1000 + self.agent)
    }

    fn event(&self, name: &str) -> Text {
        Text::new(name)
            .with("PeripheralID", i64::from(self.peripheral))
            .with("PeripheralType", "ENTERPRISE_AGENT")
            .with("ConnectionCallID", i64::from(self.id))
            .with("ConnectionDeviceID", self.extension())
    }

    /// All call variables and expanded call variables.
    fn data(&self, mut text: Text) -> Text {
        for (number, value) in (1..).zip(&self.variables) {
            text = text.with(&format!("CallVariable{number}"), value.as_str());
        }
        text = text.named("user.account", &self.account);
        for (name, value) in EXPANDED.iter().take(self.expanded) {
            text = text.named(name, value);
        }
        text
    }

    fn announced(&self) -> Text {
        let text = Text::new("AGENT_PRE_CALL_EVENT")
            .with("AgentInstrument", self.extension())
            .with("RouterCallKeyDay", 154_601)
            .with("RouterCallKeyCallID", i64::from(self.id & 0xffff))
            .with("RouterCallKeySequenceNumber", 0)
            .with("ANI", self.caller.as_str())
            .with("DialedNumber", "8005550199");
        self.data(text)
    }

    fn begin(&self) -> Text {
        let text = self
            .event("BEGIN_CALL_EVENT")
            .with("CallType", "PREROUTE_ACD_IN")
            .with("ANI", self.caller.as_str())
            .with("DNIS", "8005550199")
            .with("DialedNumber", "8005550199")
            .with("CallerEnteredDigits", "4711")
            .with("RouterCallKeyDay", 154_601)
            .with("RouterCallKeyCallID", i64::from(self.id & 0xffff))
            .with("RouterCallKeySequenceNumber", 0);
        self.data(text)
    }

    fn delivered(&self) -> Text {
        let text = self
            .event("CALL_DELIVERED_EVENT")
            .with("LocalConnectionState", "ALERTING")
            .with("EventCause", "CEC_NEW_CALL")
            .with("AlertingDeviceType", "AGENT_DEVICE")
            .with("CallingDeviceType", "EXTERNAL")
            .with("CalledDeviceType", "AGENT_DEVICE")
            .with("SkillGroupNumber", 28_401)
            .with("SkillGroupID", 5034)
            .with("AlertingDeviceID", self.extension())
            .with("CallingDeviceID", self.caller.as_str())
            .with("CalledDeviceID", self.extension())
            .with("ANI", self.caller.as_str())
            .with("DNIS", "8005550199")
            .with("DialedNumber", "8005550199");
        self.data(text)
    }

    fn update(&self) -> Text {
        let text = self
            .event("CALL_DATA_UPDATE_EVENT")
            .with("NewConnectionCallID", i64::from(self.id))
            .with("NewConnectionDeviceID", self.extension())
            .with("CallType", "PREROUTE_ACD_IN");
        self.data(text)
    }

    fn agent_state(&self, state: &str) -> Text {
        Text::new("AGENT_STATE_EVENT")
            .with("PeripheralID", i64::from(self.peripheral))
            .with("PeripheralType", "ENTERPRISE_AGENT")
            .with("AgentState", state)
            .with("SkillGroupState", state)
            .with("SkillGroupNumber", 28_401)
            .with("SkillGroupID", 5034)
            .with("ICMAgentID", i64::from(5000 + self.agent))
            .with("AgentID", self.agent_id())
            .with("AgentExtension", self.extension())
            .with("AgentInstrument", self.extension())
            .with("CTIClientSignature", "Finesse")
    }

    fn request(&self, name: &str, invoke: u32, connection: &str) -> Text {
        Text::new(name)
            .with("InvokeID", i64::from(invoke))
            .with("PeripheralID", i64::from(self.peripheral))
            .with(&format!("{connection}ConnectionCallID"), i64::from(self.id))
            .with(&format!("{connection}ConnectionDeviceID"), self.extension())
            .with("AgentInstrument", self.extension())
    }
}

/// What happens to a call, in order. Each step takes the time given until the next one (milliseconds, at most).
const STEPS: &[(Step, u64)] = &[
    (Step::Arrives, 6_000),
    (Step::Answered, 30_000),
    (Step::Updated, 40_000),
    (Step::Updated, 30_000),
    (Step::Held, 30_000),
    (Step::Retrieved, 60_000),
    (Step::Updated, 20_000),
    (Step::Updated, 20_000),
    (Step::Over, 15_000),
    (Step::Ready, 30_000),
];

#[derive(Debug, Clone, Copy)]
enum Step {
    Arrives,
    Answered,
    Updated,
    Held,
    Retrieved,
    Over,
    Ready,
}

/// How a run of the same day differs from the first one, for comparing.
#[derive(Debug, Clone, Copy)]
pub struct Rerun {
    /// Calls, requests and ports have other names, and everything comes a little earlier or later.
    pub renamed: bool,
    /// Every so many events that the first client gets, one is left out; 0: none.
    pub leave_out: u64,
    /// It ends after so many events; 0: when the capture is as large as it was to be.
    pub events: u64,
    /// Which day: another number is another day altogether.
    pub day: u64,
    /// PeripheralID, which nearly all messages hold.
    pub peripheral: u32,
}

impl Default for Rerun {
    fn default() -> Self {
        Self {
            renamed: false,
            leave_out: 0,
            events: 0,
            day: 7,
            peripheral: 5000,
        }
    }
}

/// The two clients.
struct Centre<'a, W> {
    capture: &'a mut Capture<W>,
    finesse: Connection,
    observer: Connection,
    invoke: u32,
    rerun: Rerun,
    events: u64,
}

impl<W: Write> Centre<'_, W> {
    fn event(&mut self, text: Text) -> Result<()> {
        let bytes = text.bytes()?;
        self.events += 1;
        let left_out = self.rerun.leave_out > 0 && self.events.is_multiple_of(self.rerun.leave_out);
        if !left_out {
            self.capture.send(&mut self.finesse, Side::Server, &bytes)?;
        }
        self.capture.wait(if self.rerun.renamed { 95 } else { 80 });
        self.capture.send(&mut self.observer, Side::Server, &bytes)
    }

    /// A request of the first client and its confirmation.
    fn ask(&mut self, request: impl FnOnce(u32) -> Text, confirmation: &str) -> Result<()> {
        self.invoke += 1;
        let request = request(self.invoke).bytes()?;
        self.capture
            .send(&mut self.finesse, Side::Client, &request)?;
        self.capture.wait(6_000);
        let confirmation = Text::new(confirmation).with("InvokeID", i64::from(self.invoke));
        let bytes = confirmation.bytes()?;
        self.capture.send(&mut self.finesse, Side::Server, &bytes)?;
        self.capture.wait(1_000);
        Ok(())
    }

    fn step(&mut self, step: Step, call: &Call) -> Result<()> {
        match step {
            Step::Arrives => {
                self.event(call.agent_state("RESERVED"))?;
                self.event(call.announced())?;
                self.event(call.begin())?;
                self.event(call.delivered())?;
                self.event(call.update())
            }
            Step::Answered => {
                self.ask(
                    |i| call.request("ANSWER_CALL_REQ", i, ""),
                    "ANSWER_CALL_CONF",
                )?;
                let established = call
                    .event("CALL_ESTABLISHED_EVENT")
                    .with("LocalConnectionState", "CONNECT")
                    .with("AnsweringDeviceType", "AGENT_DEVICE")
                    .with("CallingDeviceType", "EXTERNAL")
                    .with("CalledDeviceType", "AGENT_DEVICE")
                    .with("AnsweringDeviceID", call.extension())
                    .with("CallingDeviceID", call.caller.as_str())
                    .with("CalledDeviceID", call.extension());
                self.event(established)?;
                self.event(call.update())?;
                self.event(call.agent_state("TALKING"))
            }
            Step::Updated => {
                self.ask(
                    |i| {
                        let request = Text::new("SET_CALL_DATA_REQ")
                            .with("InvokeID", i64::from(i))
                            .with("PeripheralID", i64::from(call.peripheral))
                            .with("ConnectionCallID", i64::from(call.id))
                            .with("ConnectionDeviceID", call.extension());
                        call.data(request)
                    },
                    "SET_CALL_DATA_CONF",
                )?;
                self.event(call.update())
            }
            Step::Held => {
                self.ask(|i| call.request("HOLD_CALL_REQ", i, ""), "HOLD_CALL_CONF")?;
                let held = call
                    .event("CALL_HELD_EVENT")
                    .with("LocalConnectionState", "HOLD")
                    .with("HoldingDeviceType", "AGENT_DEVICE")
                    .with("HoldingDeviceID", call.extension());
                self.event(held)?;
                self.event(call.update())
            }
            Step::Retrieved => {
                let request = |i| call.request("RETRIEVE_CALL_REQ", i, "Held");
                self.ask(request, "RETRIEVE_CALL_CONF")?;
                let retrieved = call
                    .event("CALL_RETRIEVED_EVENT")
                    .with("LocalConnectionState", "CONNECT")
                    .with("RetrievingDeviceType", "AGENT_DEVICE")
                    .with("RetrievingDeviceID", call.extension());
                self.event(retrieved)?;
                self.event(call.update())
            }
            Step::Over => {
                for (device, kind) in [
                    (call.caller.clone(), "EXTERNAL"),
                    (call.extension(), "AGENT_DEVICE"),
                ] {
                    let cleared = call
                        .event("CALL_CONNECTION_CLEARED_EVENT")
                        .with("LocalConnectionState", "NULL")
                        .with("ReleasingDeviceType", kind)
                        .with("ReleasingDeviceID", device);
                    self.event(cleared)?;
                }
                for _ in 0..2 {
                    self.event(call.update())?;
                }
                self.event(call.agent_state("WORK_READY"))?;
                self.event(call.event("END_CALL_EVENT"))
            }
            Step::Ready => {
                let request = |i| {
                    Text::new("SET_AGENT_STATE_REQ")
                        .with("InvokeID", i64::from(i))
                        .with("PeripheralID", i64::from(call.peripheral))
                        .with("AgentState", "AVAILABLE")
                        .with("AgentInstrument", call.extension())
                        .with("AgentID", call.agent_id())
                };
                self.ask(request, "SET_AGENT_STATE_CONF")?;
                self.event(call.agent_state("AVAILABLE"))
            }
        }
    }

    fn open(&mut self) -> Result<()> {
        for (name, connection) in [
            ("Finesse", &mut self.finesse),
            ("Observer", &mut self.observer),
        ] {
            self.capture.open(connection)?;
            let [open, granted] = opening(name, VERSION)?;
            self.capture.send(connection, Side::Client, &open)?;
            self.capture.wait(4_000);
            self.capture.send(connection, Side::Server, &granted)?;
        }
        Ok(())
    }
}

/// OPEN_REQ of an all-events client and its confirmation.
pub fn opening(client: &str, version: ProtocolVersion) -> Result<[Vec<u8>; 2]> {
    let services = 0x16;
    let open = Text::new("OPEN_REQ")
        .with("InvokeID", 1)
        .with("VersionNumber", i64::from(version.0))
        .with("IdleTimeout", 120)
        .with("ServicesRequested", services)
        .with("CallMsgMask", 0xffff_ffff)
        .with("AgentStateMask", 0x3fff)
        .with("ClientID", client)
        .with("ClientPassword", "")
        .with("ClientSignature", client);
    let granted = Text::new("OPEN_CONF")
        .with("InvokeID", 1)
        .with("ServicesGranted", services)
        .with("PeripheralOnline", 1);
    Ok([open.bytes()?, granted.bytes()?])
}

/// Fills the capture with the agents' calls.
pub fn busy<W: Write>(capture: &mut Capture<W>, rerun: Rerun) -> Result<()> {
    let (first_id, first_invoke, port) = if rerun.renamed {
        (33_000_000, 700, 61_007)
    } else {
        (16_777_300, 1, 50_412)
    };
    let client = |host, port| SocketAddrV4::new(Ipv4Addr::new(10, 0, 1, host), port);
    let mut centre = Centre {
        capture,
        finesse: Connection::new(client(10, port), SERVER, (1_000, 90_000)),
        observer: Connection::new(client(20, 50_977), SERVER, (5_000, 4_294_900_000)),
        invoke: first_invoke,
        rerun,
        events: 0,
    };
    let mut rng = Rng::with_seed(rerun.day);
    centre.open()?;
    let mut clock = 0;
    let mut calls: Vec<Call> = (0..AGENTS)
        .map(|agent| Call::new(&mut rng, first_id + agent, agent, rerun.peripheral))
        .collect();
    let mut next_id = first_id + AGENTS;
    let mut turns: BinaryHeap<_> = (0..calls.len())
        .map(|index| Reverse((rng.u64(0..60_000), index, 0_usize)))
        .collect();
    while let Some(Reverse((due, index, step))) = turns.pop()
        && !centre.capture.is_full()
        && (rerun.events == 0 || centre.events < rerun.events)
    {
        if due > clock {
            centre.capture.wait((due - clock) * 1000);
            clock = due;
        }
        let (Some(call), Some((what, longest))) = (calls.get_mut(index), STEPS.get(step)) else {
            continue;
        };
        centre.step(*what, call)?;
        let following = (step + 1) % STEPS.len();
        if following == 0 {
            *call = Call::new(&mut rng, next_id, call.agent, rerun.peripheral);
            next_id += 1;
        }
        turns.push(Reverse((due + rng.u64(1_000..=*longest), index, following)));
    }
    Ok(())
}
