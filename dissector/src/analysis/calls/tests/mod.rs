//! The book of calls on constructed messages.

mod bounds;
mod events;
mod ids;
mod joins;
mod lost;
mod requests;

use super::*;
use crate::correlate::{Exchange, Outcome as Ending, OutcomeKind, Part};
use crate::limits;
use crate::testing::Messages;
use crate::time::Timestamp;

const SECOND: i64 = 1_000_000_000;

/// A capture in the making.
struct Bench {
    book: Book,
    messages: Messages,
}

impl Bench {
    fn new(stories: bool) -> Self {
        let mut book = Book::default();
        book.options = CallOptions {
            stories,
            in_order: true,
        };
        let mut messages = Messages::new(24);
        messages.now = 1_000 * SECOND;
        Self { book, messages }
    }

    fn wait(&mut self, seconds: i64) -> &mut Self {
        self.messages.now += seconds * SECOND;
        self
    }

    /// A message of a session, one millisecond after the one before: its name, and fields as NAME=VALUE.
    fn say(&mut self, session: u32, text: &str) -> &mut Self {
        let book = &mut self.book;
        let mut settled = None;
        self.messages.say(session, text, |seen| {
            book.message(seen);
            settled = seen.info.answers.map(|answer| {
                let own = Part {
                    no: seen.info.no,
                    number: seen.info.number,
                    message: seen.info.message,
                    time: seen.info.time,
                };
                (answer.request, own, answer.kind)
            });
        });
        if let Some((request, answer, kind)) = settled {
            self.settle(request, Some(answer), kind);
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
            time: Timestamp::from_nanos(self.messages.now),
        });
        self.messages.asked = None;
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
