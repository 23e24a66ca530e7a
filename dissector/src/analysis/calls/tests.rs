//! The book of calls on constructed messages.

use super::*;
use crate::correlate::{Answer, Exchange, Outcome as Ending, OutcomeKind, Part};
use crate::decode::Decoder;
use crate::encode::{Draft, Value};
use crate::limits;
use crate::protocol::ProtocolVersion;
use crate::record::{Direction, MessageInfo, Packets, Peers};
use crate::session::VersionSource;
use crate::time::Timestamp;

const SECOND: i64 = 1_000_000_000;

/// A capture in the making.
struct Bench {
    book: Book,
    decoder: Decoder,
    now: i64,
    no: u64,
    version: u32,
    /// The request that is to be answered next.
    asked: Option<Part>,
}

impl Bench {
    fn new(stories: bool) -> Self {
        let mut book = Book::default();
        book.options = CallOptions {
            stories,
            in_order: true,
        };
        Self {
            book,
            decoder: Decoder::new(),
            now: 1_000 * SECOND,
            no: 0,
            version: 24,
            asked: None,
        }
    }

    fn wait(&mut self, seconds: i64) -> &mut Self {
        self.now += seconds * SECOND;
        self
    }

    /// A message of a session, one millisecond after the one before: its name, and fields as NAME=VALUE.
    fn say(&mut self, session: u32, text: &str) -> &mut Self {
        self.now += 1_000_000;
        self.no += 1;
        let mut words = text.split_whitespace();
        let name = words.next().unwrap();
        let version = ProtocolVersion(self.version);
        let mut draft = Draft::new(name, version).unwrap();
        for word in words {
            let (field, value) = word.split_once('=').unwrap();
            if let Some((_, variable)) = field.split_once("user.") {
                let value = Value::NamedVariable {
                    name: format!("user.{variable}"),
                    value: value.to_owned(),
                };
                draft.set("NamedVariable", &value).unwrap();
            } else {
                draft.set(field, &value.into()).unwrap();
            }
        }
        let bytes = draft.encode().unwrap();
        let message = crate::protocol::message_by_name(name).unwrap();
        let time = Timestamp::from_nanos(self.now);
        let part = Part {
            no: self.no,
            number: message.number,
            message: Some(message),
            time,
        };
        let asks = message.kind == Kind::Request;
        let answers = self.asked.filter(|_| !asks && message.kind != Kind::Event);
        let failed = message.failure.is_some();
        let info = MessageInfo {
            no: self.no,
            time,
            peers: Peers {
                session,
                client: "10.0.1.10:50412".parse().unwrap(),
                server: "10.0.0.5:42027".parse().unwrap(),
            },
            direction: if asks {
                Direction::ClientToServer
            } else {
                Direction::ServerToClient
            },
            packets: Packets::default(),
            version,
            version_source: VersionSource::Stated,
            number: message.number,
            message: Some(message),
            answers: answers.map(|request| Answer {
                request,
                latency: time.nanos_since(request.time),
                kind: if failed {
                    OutcomeKind::Failed
                } else {
                    OutcomeKind::Confirmed
                },
                failure: None,
            }),
            outcome: None,
            findings: Vec::new(),
            first_of_session: false,
        };
        let view = self.decoder.decode_as(&bytes, info.version, Some(message));
        assert_eq!(view.findings(), [], "{text}");
        self.book.message(&Seen {
            info: &info,
            view: &view,
            selected: true,
        });
        self.book.expire(time);
        if asks {
            self.asked = Some(part);
        } else if let Some(request) = answers {
            self.settle(request, Some(part), info.answers.unwrap().kind);
        }
        self
    }

    /// What became of a request is certain.
    fn settle(&mut self, request: Part, answer: Option<Part>, kind: OutcomeKind) {
        self.book.exchange(&Exchange {
            session: 1,
            asked: Direction::ClientToServer,
            invoke_id: 1,
            request: Some(request),
            outcome: Ending {
                kind,
                answer,
                latency: None,
                failure: None,
            },
            time: Timestamp::from_nanos(self.now),
        });
        self.asked = None;
    }

    fn end(&mut self) -> Vec<Call> {
        self.book.finish();
        std::mem::take(&mut self.book.ready)
    }

    /// The only call there is.
    fn call(&mut self) -> Call {
        let mut calls = self.end();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }

    // --- steps that come again and again

    fn begin(&mut self, session: u32, id: u32, device: u32, more: &str) -> &mut Self {
        self.say(
            session,
            &format!("BEGIN_CALL_EVENT PeripheralID=5000 ConnectionCallID={id} ConnectionDeviceID={device} {more}"),
        )
    }

    fn rings(&mut self, session: u32, id: u32, device: u32, from: u32) -> &mut Self {
        let kind = if from > 1_000_000 { 75 } else { 76 };
        self.say(
            session,
            &format!(
                "CALL_DELIVERED_EVENT PeripheralID=5000 ConnectionCallID={id} LocalConnectionState=ALERTING ConnectionDeviceID={device} \
                 AlertingDeviceType=76 AlertingDeviceID={device} CallingDeviceType={kind} CallingDeviceID={from}"
            ),
        )
    }

    fn answers(&mut self, session: u32, id: u32, device: u32, from: u32) -> &mut Self {
        self.say(
            session,
            &format!(
                "CALL_ESTABLISHED_EVENT PeripheralID=5000 ConnectionCallID={id} LocalConnectionState=CONNECT ConnectionDeviceID={device} \
                 AnsweringDeviceType=76 AnsweringDeviceID={device} CallingDeviceID={from}"
            ),
        )
    }

    fn leaves(&mut self, session: u32, id: u32, device: u32) -> &mut Self {
        self.say(
            session,
            &format!(
                "CALL_CONNECTION_CLEARED_EVENT PeripheralID=5000 ConnectionCallID={id} LocalConnectionState=NULL ConnectionDeviceID={device} \
                 ReleasingDeviceID={device}"
            ),
        )
    }

    fn clears(&mut self, session: u32, id: u32) -> &mut Self {
        self.say(
            session,
            &format!(
                "CALL_CLEARED_EVENT PeripheralID=5000 ConnectionCallID={id} LocalConnectionState=NULL ConnectionDeviceID=20101"
            ),
        )
    }

    fn ends(&mut self, session: u32, id: u32, device: u32) -> &mut Self {
        self.say(
            session,
            &format!(
                "END_CALL_EVENT PeripheralID=5000 ConnectionCallID={id} ConnectionDeviceID={device}"
            ),
        )
    }

    fn holds(&mut self, session: u32, id: u32, device: u32) -> &mut Self {
        self.say(
            session,
            &format!(
                "CALL_HELD_EVENT PeripheralID=5000 ConnectionCallID={id} LocalConnectionState=HOLD ConnectionDeviceID={device} \
                 HoldingDeviceID={device}"
            ),
        )
    }

    /// A whole call, as one session sees it.
    fn whole(&mut self, session: u32, id: u32, ani: u32) -> &mut Self {
        self.begin(session, id, 20101, &format!("ANI={ani}"))
            .rings(session, id, 20101, ani)
            .wait(4)
            .answers(session, id, 20101, ani)
            .wait(10)
            .leaves(session, id, ani)
            .clears(session, id)
            .ends(session, id, 20101)
    }
}

fn ids(call: &Call) -> Vec<u32> {
    call.ids.iter().map(|id| id.id).collect()
}

fn seconds(nanos: i64) -> i64 {
    (nanos + SECOND / 2) / SECOND
}

fn party<'a>(call: &'a Call, device: &str) -> &'a Party {
    let mut parties = call.parties.iter();
    parties.find(|p| p.device == device).unwrap()
}

#[test]
fn a_call_is_told_with_its_times_and_who_hung_up() {
    let call = Bench::new(true).whole(1, 7, 5_550_142).call();
    assert_eq!(ids(&call), [7]);
    assert_eq!(call.outcome, Outcome::Answered);
    assert_eq!(
        (seconds(call.times.ring), seconds(call.times.talk)),
        (4, 10)
    );
    assert_eq!(call.features.len(), 0, "{:?}", call.features);
    let ended_by = call.ended_by.map(|i| &call.parties[i]);
    assert_eq!(
        ended_by.map(|p| (&*p.device, p.caller)),
        Some(("5550142", true))
    );
    assert_eq!(call.parties[0].device, "5550142", "the caller comes first");
    let names: Vec<&str> = call.steps.iter().map(|s| s.name).collect();
    assert_eq!(names.len(), 6);
    assert_eq!((names[0], names[5]), ("BEGIN_CALL_EVENT", "END_CALL_EVENT"));
}

#[test]
fn an_event_of_several_sessions_is_one_step_that_names_all_messages() {
    let mut bench = Bench::new(true);
    for message in [
        "BEGIN_CALL_EVENT PeripheralID=5000 ConnectionCallID=7 ConnectionDeviceID=20101 ANI=5550142",
        "CALL_DELIVERED_EVENT PeripheralID=5000 ConnectionCallID=7 LocalConnectionState=ALERTING ConnectionDeviceID=20101 \
         AlertingDeviceID=20101 CallingDeviceID=5550142",
        "CALL_DATA_UPDATE_EVENT PeripheralID=5000 ConnectionCallID=7 NewConnectionCallID=7 ConnectionDeviceID=20101 \
         NewConnectionDeviceID=20101 CallVariable1=gold",
        "CALL_ESTABLISHED_EVENT PeripheralID=5000 ConnectionCallID=7 LocalConnectionState=CONNECT ConnectionDeviceID=20101 \
         AnsweringDeviceID=20101 CallingDeviceID=5550142",
        "END_CALL_EVENT PeripheralID=5000 ConnectionCallID=7 ConnectionDeviceID=20101",
    ] {
        bench.version = 24;
        bench.say(1, message);
        // The other session was opened with an older version, so that the same event has other bytes.
        bench.version = 13;
        bench.say(2, &format!("{message} MonitorID=5"));
    }
    let call = bench.call();
    assert_eq!(call.messages, 10);
    assert_eq!(call.steps.len(), 5, "{:?}", call.steps);
    for (step, first) in call.steps.iter().zip([1, 3, 5, 7, 9]) {
        let told: Vec<(u64, u32)> = step.sightings.iter().map(|s| (s.no, s.session)).collect();
        assert_eq!(told, [(first, 1), (first + 1, 2)], "{}", step.name);
    }
}

#[test]
fn a_late_copy_of_an_event_changes_nothing_that_came_after_it() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .answers(1, 7, 20101, 5_550_142)
        .holds(1, 7, 20101)
        .say(
            1,
            "CALL_RETRIEVED_EVENT PeripheralID=5000 ConnectionCallID=7 LocalConnectionState=CONNECT ConnectionDeviceID=20101 RetrievingDeviceID=20101",
        )
        .holds(2, 7, 20101)
        .wait(5)
        .leaves(1, 7, 20101)
        .clears(1, 7)
        .ends(1, 7, 20101);
    let call = bench.call();
    assert_eq!(seconds(call.times.talk), 5);
    assert_eq!(seconds(call.times.hold), 0);
    let held = call.steps.iter().filter(|s| s.name == "CALL_HELD_EVENT");
    assert_eq!(held.map(|s| s.sightings.len()).collect::<Vec<_>>(), [2]);
}

#[test]
fn one_session_that_says_the_same_twice_means_it_twice() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .answers(1, 7, 20101, 5_550_142);
    for _ in 0..2 {
        bench.holds(1, 7, 20101).say(
            1,
            "CALL_RETRIEVED_EVENT PeripheralID=5000 ConnectionCallID=7 LocalConnectionState=CONNECT ConnectionDeviceID=20101 RetrievingDeviceID=20101",
        );
    }
    let call = bench.call();
    let held = call.steps.iter().filter(|s| s.name == "CALL_HELD_EVENT");
    assert_eq!(held.count(), 2);
}

#[test]
fn copies_of_one_event_for_each_party_and_each_monitor_are_one_step() {
    let mut bench = Bench::new(true);
    let event = "CALL_DELIVERED_EVENT PeripheralID=5000 ConnectionCallID=7 AlertingDeviceID=20102 CallingDeviceID=20101";
    bench
        .begin(1, 7, 20101, "")
        .say(
            1,
            &format!("{event} LocalConnectionState=INITIATE ConnectionDeviceID=20101"),
        )
        .say(
            1,
            &format!("{event} LocalConnectionState=ALERTING ConnectionDeviceID=20102"),
        )
        .say(
            1,
            &format!("{event} LocalConnectionState=ALERTING ConnectionDeviceID=20102 MonitorID=3"),
        );
    let call = bench.call();
    assert_eq!(call.steps.len(), 2);
    assert_eq!(call.steps[1].sightings.len(), 3);
}

#[test]
fn a_call_id_that_begins_again_is_another_call() {
    let mut bench = Bench::new(false);
    bench.whole(1, 7, 5_550_142).wait(1).whole(1, 7, 5_550_142);
    let calls = bench.end();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|c| c.outcome == Outcome::Answered));
    assert_eq!((calls[0].no, calls[1].no), (1, 2));
    assert_eq!(calls[0].last_message + 1, calls[1].first_message);
}

#[test]
fn a_call_id_given_again_ends_the_call_whose_end_was_missed() {
    let mut bench = Bench::new(false);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .answers(1, 7, 20101, 5_550_142)
        .wait(100)
        .whole(1, 7, 5_550_199);
    let calls = bench.end();
    assert_eq!(calls.len(), 2);
    assert!(calls[0].features.contains(&Feature::EndUnseen));
    assert_eq!(seconds(calls[0].times.talk), 0, "nobody knows how long");
    assert!(!calls[1].features.contains(&Feature::EndUnseen));
}

#[test]
fn consultation_holds_the_call_and_transfer_makes_one_story_of_both() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .wait(2)
        .answers(1, 7, 20101, 5_550_142)
        .wait(10)
        .say(
            1,
            "CONSULTATION_CALL_REQ InvokeID=1 PeripheralID=5000 ActiveConnectionCallID=7 ActiveConnectionDeviceID=20101 \
             DialedNumber=20102 AgentInstrument=20101",
        )
        .holds(1, 7, 20101)
        .say(1, "CONSULTATION_CALL_CONF InvokeID=1 NewConnectionCallID=8 NewConnectionDeviceID=20101")
        .begin(1, 8, 20101, "ANI=20101 CallType=CONSULT")
        .rings(1, 8, 20102, 20101)
        .wait(3)
        .answers(1, 8, 20102, 20101)
        .wait(5)
        .say(
            1,
            "CALL_TRANSFERRED_EVENT PeripheralID=5000 PrimaryCallID=7 SecondaryCallID=8 EventCause=CEC_TRANSFER PrimaryDeviceID=20101 \
             SecondaryDeviceID=20102 TransferringDeviceID=20101 TransferredDeviceID=20102 \
             ConnectedPartyCallID=7 ConnectedPartyDeviceIDType=0 ConnectedPartyDeviceID=5550142 \
             ConnectedPartyCallID=7 ConnectedPartyDeviceIDType=0 ConnectedPartyDeviceID=20102",
        )
        .ends(1, 8, 20101)
        .wait(7)
        .leaves(1, 7, 20102)
        .clears(1, 7)
        .ends(1, 7, 20102);
    let call = bench.call();
    assert_eq!(ids(&call), [7, 8]);
    assert_eq!((call.transfers, call.conferences), (1, 0));
    assert!(call.features.contains(&Feature::Consulted));
    assert_eq!(seconds(call.times.talk), 17, "before and after");
    assert_eq!(seconds(call.times.hold), 8, "while it was consulted about");
    assert_eq!(
        seconds(call.times.ring),
        2,
        "what rang in consultation does not count"
    );
    assert_eq!(seconds(party(&call, "20102").talk), 12);
    assert_eq!(seconds(party(&call, "20101").talk), 15);
    let by = call.ended_by.map(|i| &*call.parties[i].device);
    assert_eq!(by, Some("20102"));
}

#[test]
fn the_surviving_id_is_that_of_the_parties_even_if_it_is_a_third_one() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .answers(1, 7, 20101, 5_550_142)
        .holds(1, 7, 20101)
        .begin(1, 8, 20101, "ANI=20101 CallType=CONSULT")
        .rings(1, 8, 20102, 20101)
        .answers(1, 8, 20102, 20101)
        .say(
            1,
            "CALL_CONFERENCED_EVENT PeripheralID=5000 PrimaryCallID=7 SecondaryCallID=8 EventCause=CEC_KEY_CONFERENCE PrimaryDeviceID=20101 \
             SecondaryDeviceID=20101 ControllerDeviceID=20101 AddedPartyDeviceID=20102 \
             ConnectedPartyCallID=9 ConnectedPartyDeviceIDType=0 ConnectedPartyDeviceID=5550142 \
             ConnectedPartyCallID=9 ConnectedPartyDeviceIDType=0 ConnectedPartyDeviceID=20101 \
             ConnectedPartyCallID=9 ConnectedPartyDeviceIDType=0 ConnectedPartyDeviceID=20102",
        )
        .ends(1, 7, 20101)
        .ends(1, 8, 20101)
        .wait(6)
        .leaves(1, 9, 20102)
        .wait(4)
        .leaves(1, 9, 5_550_142)
        .clears(1, 9)
        .ends(1, 9, 20101);
    let call = bench.call();
    let mut all = ids(&call);
    all.sort_unstable();
    assert_eq!(all, [7, 8, 9]);
    assert_eq!(call.conferences, 1);
    assert_eq!(seconds(call.times.talk), 10);
    assert_eq!(seconds(party(&call, "20102").talk), 6);
    let by = call.ended_by.map(|i| &*call.parties[i].device);
    assert_eq!(
        by,
        Some("5550142"),
        "who leaves a conference of three does not end it"
    );
}

#[test]
fn an_unanswered_call_that_comes_to_another_agent_is_the_same_contact() {
    let key = "RouterCallKeyDay=154601 RouterCallKeyCallID=2034";
    let mut bench = Bench::new(false);
    bench
        .say(1, &format!("AGENT_PRE_CALL_EVENT AgentInstrument=20101 {key} RouterCallKeySequenceNumber=0"))
        .begin(1, 7, 20101, &format!("ANI=5550142 {key}"))
        .rings(1, 7, 20101, 5_550_142)
        .wait(12)
        .say(
            1,
            "CALL_CONNECTION_CLEARED_EVENT PeripheralID=5000 ConnectionCallID=7 EventCause=CEC_REDIRECTED ConnectionDeviceID=20101 \
             ReleasingDeviceID=20101",
        )
        .ends(1, 7, 20101)
        .begin(1, 8, 20102, &format!("ANI=5550142 {key}"))
        .rings(1, 8, 20102, 5_550_142)
        .wait(3)
        .answers(1, 8, 20102, 5_550_142)
        .wait(20)
        .leaves(1, 8, 5_550_142)
        .clears(1, 8)
        .ends(1, 8, 20102);
    let call = bench.call();
    assert_eq!(ids(&call), [7, 8]);
    assert_eq!(call.outcome, Outcome::Answered);
    assert_eq!(
        call.features.iter().copied().collect::<Vec<_>>(),
        [Feature::Redirected]
    );
    assert_eq!(
        (seconds(call.times.ring), seconds(call.times.talk)),
        (15, 20)
    );
    assert_eq!(
        call.cause, None,
        "the cause of the first leg is not that of the end"
    );
}

#[test]
fn keys_and_ids_that_are_null_join_nothing() {
    let mut bench = Bench::new(false);
    for id in [7, 8] {
        bench.begin(
            1,
            id,
            20101,
            "RouterCallKeyDay=0 RouterCallKeyCallID=0 CallReferenceID=",
        );
    }
    bench.say(
        1,
        "CALL_CLEARED_EVENT PeripheralID=5000 ConnectionCallID=0xFFFFFFFF ConnectionDeviceID=20101",
    );
    bench.say(
        1,
        "CALL_DATA_UPDATE_EVENT PeripheralID=5000 ConnectionCallID=7 NewConnectionCallID=0xFFFFFFFF ConnectionDeviceID=20101 NewConnectionDeviceID=20101",
    );
    let calls = bench.end();
    assert_eq!(calls.iter().map(ids).collect::<Vec<_>>(), [[7], [8]]);
}

#[test]
fn each_peripheral_has_call_ids_of_its_own() {
    let mut bench = Bench::new(false);
    bench.begin(1, 7, 20101, "").say(
        1,
        "BEGIN_CALL_EVENT PeripheralID=5001 ConnectionCallID=7 ConnectionDeviceID=9031",
    );
    assert_eq!(bench.end().len(), 2);
}

#[test]
fn a_call_goes_on_in_the_session_after_a_lost_one() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .answers(1, 7, 20101, 5_550_142)
        .wait(10);
    bench.book.session_ended(1);
    bench
        .wait(5)
        .begin(2, 7, 20101, "ANI=5550142")
        .say(
            2,
            "CALL_ESTABLISHED_EVENT PeripheralID=5000 ConnectionCallID=7 EventCause=CEC_CALL_PARTY_UPDATE_IND ConnectionDeviceID=20101 \
             AnsweringDeviceID=20101 CallingDeviceID=5550142",
        )
        .wait(10)
        .leaves(2, 7, 5_550_142)
        .clears(2, 7)
        .ends(2, 7, 20101);
    let call = bench.call();
    assert!(call.features.contains(&Feature::Recovered));
    assert_eq!(seconds(call.times.talk), 25);
    assert_eq!(call.sessions.iter().copied().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn after_a_lost_session_another_caller_under_the_same_id_is_another_call() {
    let mut bench = Bench::new(false);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .answers(1, 7, 20101, 5_550_142);
    bench.book.session_ended(1);
    bench.wait(60).begin(2, 7, 20101, "ANI=5550199");
    assert_eq!(bench.end().len(), 2);
}

#[test]
fn what_an_offline_peripheral_ends_may_go_on() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .answers(1, 7, 20101, 5_550_142)
        .say(
            1,
            "SYSTEM_EVENT SystemEventID=PERIPHERAL_OFFLINE SystemEventArg1=5000",
        )
        .ends(1, 7, 20101)
        .wait(30)
        .say(
            1,
            "SYSTEM_EVENT SystemEventID=PERIPHERAL_ONLINE SystemEventArg1=5000",
        )
        .begin(1, 7, 20101, "ANI=5550142")
        .leaves(1, 7, 20101)
        .clears(1, 7)
        .ends(1, 7, 20101);
    let call = bench.call();
    assert!(call.features.contains(&Feature::Recovered));
    let noted = call
        .steps
        .iter()
        .filter(|s| s.notes.iter().any(|n| n.contains("offline")));
    assert_eq!(noted.count(), 1);
}

#[test]
fn a_renamed_call_keeps_its_parties_and_its_story() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .answers(1, 7, 20101, 5_550_142)
        .wait(5)
        .say(
            1,
            "CALL_DATA_UPDATE_EVENT PeripheralID=5000 ConnectionCallID=7 NewConnectionCallID=70 ConnectionDeviceID=20101 \
             NewConnectionDeviceID=20101 CallVariable1=gold",
        )
        .wait(5)
        .leaves(1, 70, 5_550_142)
        .clears(1, 70)
        .ends(1, 70, 20101);
    let call = bench.call();
    assert_eq!(ids(&call), [7, 70]);
    assert_eq!(seconds(call.times.talk), 10);
    assert!(
        !call.features.contains(&Feature::EndUnseen),
        "{:?}",
        call.features
    );
    assert!(!call.features.contains(&Feature::BeganBefore));
}

#[test]
fn call_data_have_a_history() {
    let mut bench = Bench::new(true);
    let update = "CALL_DATA_UPDATE_EVENT PeripheralID=5000 ConnectionCallID=7 NewConnectionCallID=7 ConnectionDeviceID=20101 \
                  NewConnectionDeviceID=20101";
    bench
        .begin(
            1,
            7,
            20101,
            "ANI=5550142 CallVariable1=gold user.a=1 user.b=2",
        )
        .say(1, &format!("{update} CallVariable1=silver"))
        .say(1, &format!("{update} user.a=9"))
        .say(1, &format!("{update} PeripheralType=21 user.c=3"));
    let call = bench.call();
    let last = |name: &str| call.variables.get(name).map(String::as_str);
    assert_eq!(last("CallVariable1"), Some("silver"));
    assert_eq!(last("user.a"), Some("9"));
    assert_eq!(
        last("user.b"),
        None,
        "an update has all ECC variables or none"
    );
    assert_eq!(
        last("user.c"),
        Some("3"),
        "but for Unified CCX, which sends the changed ones"
    );
    let changed: Vec<&str> = call.changed.iter().map(String::as_str).collect();
    assert_eq!(changed, ["CallVariable1", "user.a", "user.b", "user.c"]);
    let first = &call.steps[1].settings[0];
    assert_eq!(
        (first.value.as_deref(), first.was.as_deref()),
        (Some("silver"), Some("gold"))
    );
}

#[test]
fn a_request_that_fails_is_told_with_its_call_and_one_about_no_call_makes_none() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .say(1, "ANSWER_CALL_REQ InvokeID=1 PeripheralID=5000 ConnectionCallID=7 ConnectionDeviceID=20101 AgentInstrument=20101")
        .say(1, "CONTROL_FAILURE_CONF InvokeID=1 FailureCode=CF_NO_CALL_TO_ANSWER")
        .say(1, "ANSWER_CALL_REQ InvokeID=2 PeripheralID=5000 ConnectionCallID=99 ConnectionDeviceID=20101 AgentInstrument=20101")
        .say(1, "CONTROL_FAILURE_CONF InvokeID=2 FailureCode=CF_INVALID_CSTA_CALL_IDENTIFIER")
        .say(1, "HOLD_CALL_REQ InvokeID=3 PeripheralID=5000 ConnectionCallID=7 ConnectionDeviceID=20101 AgentInstrument=20101");
    let request = bench.asked.unwrap();
    bench.settle(request, None, OutcomeKind::Unanswered);
    let call = bench.call();
    let failed: Vec<(&str, OutcomeKind)> = call
        .failed_requests
        .iter()
        .map(|f| (f.name, f.kind))
        .collect();
    assert_eq!(
        failed,
        [
            ("ANSWER_CALL_REQ", OutcomeKind::Failed),
            ("HOLD_CALL_REQ", OutcomeKind::Unanswered)
        ]
    );
    assert_eq!(call.failed_request_count, 2);
}

#[test]
fn a_call_that_a_client_makes_begins_with_its_request() {
    let mut bench = Bench::new(true);
    bench
        .say(1, "MAKE_CALL_REQ InvokeID=1 PeripheralID=5000 AgentInstrument=20101 DialedNumber=95550199")
        .say(1, "MAKE_CALL_CONF InvokeID=1 NewConnectionCallID=7 NewConnectionDeviceID=20101")
        .begin(1, 7, 20101, "ANI=20101 CallType=OUT");
    let call = bench.call();
    assert_eq!((call.first_message, call.messages), (1, 3));
    let names: Vec<&str> = call.steps.iter().map(|s| s.name).collect();
    assert_eq!(
        names,
        ["MAKE_CALL_REQ", "MAKE_CALL_CONF", "BEGIN_CALL_EVENT"]
    );
    let answered = call.steps[0].answered.as_ref().unwrap();
    assert_eq!((answered.no, answered.failed()), (Some(2), false));
}

#[test]
fn a_consult_call_begun_at_the_phone_belongs_to_the_call_that_is_held() {
    let mut bench = Bench::new(false);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .answers(1, 7, 20101, 5_550_142)
        .holds(1, 7, 20101)
        .begin(1, 8, 20101, "ANI=20101 CallType=CONSULT");
    assert_eq!(ids(&bench.call()), [7, 8]);
}

#[test]
fn finished_calls_leave_and_what_is_kept_does_not_grow() {
    let mut bench = Bench::new(true);
    let (mut told, mut most) = (0, 0);
    for id in 0..20_000 {
        bench
            .begin(1, id, 20101, "ANI=5550142 CallVariable1=gold")
            .ends(1, id, 20101);
        told += bench.book.ready.len();
        bench.book.ready.clear();
        most = most.max(bench.book.calls.len());
    }
    // Each pair of messages takes two milliseconds: 20,000 calls take 40 seconds, within the grace.
    assert_eq!(told, 20_000 - limits::MAX_CALLS);
    assert_eq!(most, limits::MAX_CALLS);
    bench.wait(121).begin(1, 1_000_000, 20101, "");
    assert_eq!(bench.book.calls.len(), 1, "after the grace all are gone");
    assert_eq!(bench.book.tables(), [1, 0, 0, 0, 1, 0]);
    assert!(bench.book.reached.told_early > 0);
}

#[test]
fn a_flood_under_one_key_does_not_become_one_call() {
    let mut bench = Bench::new(true);
    for id in 0..1_000 {
        bench.begin(
            1,
            id,
            20101,
            "RouterCallKeyDay=154601 RouterCallKeyCallID=2034",
        );
    }
    assert!(bench.book.reached.not_joined > 0);
    let calls = bench.end();
    assert!(calls.iter().all(|c| c.ids.len() <= limits::MAX_CALL_LEGS));
    assert_eq!(calls.iter().map(|c| c.ids.len()).sum::<usize>(), 1_000);
}

#[test]
fn call_data_and_stories_are_bounded() {
    let mut bench = Bench::new(true);
    let value = "x".repeat(200);
    bench.begin(1, 7, 20101, "");
    for index in 0..6_000 {
        bench.say(
            1,
            &format!(
                "CALL_DATA_UPDATE_EVENT PeripheralID=5000 PeripheralType=21 ConnectionCallID=7 NewConnectionCallID=7 ConnectionDeviceID=20101 \
                 NewConnectionDeviceID=20101 user.v{index}={value}"
            ),
        );
    }
    let call = bench.call();
    let bytes: usize = call.variables.iter().map(|(n, v)| n.len() + v.len()).sum();
    assert!(bytes <= limits::MAX_CALL_DATA, "{bytes}");
    assert_eq!(call.steps.len(), limits::MAX_CALL_STEPS);
    assert_eq!(call.steps_left_out, 6_001 - 4_096);
}

#[test]
fn a_name_finds_a_call_by_any_of_its_ids() {
    let mut bench = Bench::new(false);
    bench
        .begin(1, 16_777_301, 20101, "ANI=5550142 RouterCallKeyDay=154601 RouterCallKeyCallID=2034")
        .say(
            1,
            "CALL_DATA_UPDATE_EVENT PeripheralID=5000 ConnectionCallID=16777301 NewConnectionCallID=70 ConnectionDeviceID=20101 \
             NewConnectionDeviceID=20101",
        );
    let call = bench.call();
    for name in ["16777301", "0x1000055", "70", "5550142", "154601/2034"] {
        assert!(call.goes_by(name), "{name}");
    }
    for name in ["1677730", "2034", "555", "20101", ""] {
        assert!(!call.goes_by(name), "{name}");
    }
}

#[test]
fn stories_are_kept_only_of_calls_that_go_by_the_name_asked_for_and_numbers_stay() {
    let mut bench = Bench::new(true);
    bench.book.only = Some("8".to_owned());
    bench.begin(1, 6, 20101, "ANI=5550142").wait(1);
    bench.whole(1, 7, 5_550_142).wait(1).whole(1, 8, 5_550_142);
    let calls = bench.end();
    let told: Vec<(u64, Vec<u32>, bool)> = calls
        .iter()
        .map(|c| (c.no, ids(c), c.steps.is_empty()))
        .collect();
    let expected = [(1, vec![6], true), (2, vec![7], true), (3, vec![8], false)];
    assert_eq!(told, expected);
}
