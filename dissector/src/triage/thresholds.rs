//! The numbers that decide: one table, so that they can be read, documented and changed.

use std::time::Duration;

/// A threshold cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThresholdError {
    /// No threshold has this name.
    #[error("no threshold is called '{name}'{}", alike(.near))]
    Name {
        /// What was asked for.
        name: String,
        /// Names like it.
        near: Vec<&'static str>,
    },
    /// The value is no number, or no duration, as this threshold needs.
    #[error("'{value}' is no value for {name}, which is {kind}")]
    Value {
        /// The threshold.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it needs.
        kind: &'static str,
    },
}

/// Whether a number of things is as many as a threshold says.
pub(super) fn reaches(count: usize, threshold: u64) -> bool {
    u64::try_from(count).unwrap_or(u64::MAX) >= threshold
}

fn alike(names: &[&str]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("; did you mean {}?", names.join(", "))
    }
}

/// A value of a threshold, by what it is.
trait Threshold: Copy {
    const KIND: &'static str;
    fn read(text: &str) -> Option<Self>
    where
        Self: Sized;
    fn show(self) -> String;
}

impl Threshold for Duration {
    const KIND: &'static str = "a time span such as 5s, 500ms or 2m";

    fn read(text: &str) -> Option<Self> {
        let end = text
            .find(|c: char| c.is_ascii_alphabetic())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let seconds = match unit {
            "ms" => 0.001,
            "" | "s" => 1.0,
            "m" => 60.0,
            _ => return None,
        };
        Self::try_from_secs_f64(number.trim().parse::<f64>().ok()? * seconds).ok()
    }

    fn show(self) -> String {
        let millis = self.as_millis();
        if millis.is_multiple_of(1000) {
            format!("{}s", millis / 1000)
        } else {
            format!("{millis}ms")
        }
    }
}

impl Threshold for u64 {
    const KIND: &'static str = "a whole number";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(self) -> String {
        self.to_string()
    }
}

macro_rules! thresholds {
    ($($name:ident: $type:ty = $default:expr, $meaning:literal;)*) => {
        /// When something counts. The defaults are those of the documentation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Thresholds {
            $(#[doc = $meaning] pub $name: $type,)*
        }

        impl Default for Thresholds {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Thresholds {
            /// Name, value now and meaning of each.
            #[must_use]
            pub fn list(&self) -> Vec<(&'static str, String, &'static str)> {
                vec![$((stringify!($name), self.$name.show(), $meaning),)*]
            }

            /// Changes one by its name.
            ///
            /// # Errors
            /// When there is no such name, or the value is none for it.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), ThresholdError> {
                match name {
                    $(stringify!($name) => {
                        self.$name = <$type>::read(value).ok_or(ThresholdError::Value {
                            name: stringify!($name),
                            value: value.to_owned(),
                            kind: <$type>::KIND,
                        })?;
                        Ok(())
                    })*
                    _ => Err(ThresholdError::Name {
                        name: name.to_owned(),
                        near: crate::explain::suggest::nearest(name, [$(stringify!($name)),*].into_iter()),
                    }),
                }
            }
        }
    };
}

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

thresholds! {
    // All sections
    recovery: Duration = seconds(150), "After a lost session's client opens again, findings about order, duplicates and stuck states wait so long.";
    fold: Duration = seconds(60), "Effects so long after a cause that explains them are counted under it.";
    // Opening a session
    other_side: Duration = seconds(60), "A refusal is no trouble when the client is accepted by the other side within this time.";
    open_slow: Duration = seconds(5), "An OPEN_REQ that is not answered within this time is slow.";
    open_lost: Duration = seconds(30), "An OPEN_REQ that is not answered within this time is lost.";
    open_lost_many: Duration = seconds(60), "The same at a server with many clients.";
    many_clients: u64 = 500, "Sessions of a server that make it slow to open more.";
    loop_window: Duration = seconds(60), "A client that opens three times within this time, without a session that lasts as long, is in a loop.";
    // Life and end of a session
    heartbeat_slow: Duration = seconds(1), "A heartbeat is slow when its answer takes longer than this and ten times as long as usual.";
    heartbeat_window: Duration = minutes(10), "Three slow heartbeats within this time count.";
    silence: Duration = minutes(5), "A connection that was silent so long may have been forgotten on its way.";
    gone_window: Duration = seconds(2), "Sessions that a server ends within this time end together.";
    close_grace: Duration = seconds(5), "A reset so soon after CLOSE_REQ is the usual end.";
    // Side A, side B, maintenance
    failover: Duration = seconds(150), "A client that opens on the other side so long after it lost a session has failed over.";
    pingpong: Duration = minutes(15), "Three changes of side within this time are too many.";
    no_server: Duration = seconds(60), "A client that tries both sides for so long has no server.";
    standby_only: Duration = minutes(5), "A client that tries a standby server for so long does not know the other side.";
    dual_active: Duration = seconds(10), "Both sides may tell of one peripheral for so long.";
    takeover: Duration = seconds(30), "After a planned move was decided, the standby must take over within this time.";
    // PG, peripherals, phones, clocks
    snapshot: Duration = seconds(5), "SYSTEM_EVENTs so long after OPEN_CONF tell what is, not what changed.";
    flaps: u64 = 3, "A peripheral that comes back so often within flap_window is unstable.";
    flap_window: Duration = minutes(10), "Peripherals that go offline and online again and again are counted over this time.";
    controller_out: Duration = seconds(5), "A central controller that is back so soon is a warning only.";
    phone_back: Duration = seconds(60), "A phone that is back in service within this time is no trouble.";
    phones: u64 = 10, "So many phones out of service within phones_window have one cause.";
    phones_window: Duration = seconds(30), "Phones that go out of service are counted over this time.";
    clock_off: Duration = seconds(30), "A server's clock this far from the capture's is wrong, or the capture's is.";
    clock_step: Duration = seconds(3), "A clock that moves by more within a capture, or differs more from another server's, was set or is not kept.";
    // Agents
    login_retry: Duration = seconds(10), "A refused login is no trouble when the agent is logged in within this time.";
    login_tries: u64 = 3, "So many refused logins within login_window are an error.";
    login_window: Duration = minutes(5), "Refused logins are counted over this time.";
    state_effect: Duration = seconds(10), "A confirmed request for an agent state must show within this time.";
    own_request: Duration = seconds(10), "A change of state so soon after a client's request for it was asked for.";
    mass_agents: u64 = 5, "So many agents put out for one reason within mass_window have one cause.";
    mass_percent: u64 = 20, "So do this percentage of the agents seen, if they are at least mass_least.";
    mass_least: u64 = 3, "Fewer agents than this are never a mass.";
    mass_window: Duration = seconds(10), "Agents that are put out are counted over this time.";
    desktop_back: Duration = seconds(60), "A lost desktop that is back within this time is no trouble.";
    reserved: Duration = seconds(30), "An agent RESERVED for so long without a call is stuck.";
    reserved_long: Duration = seconds(60), "For so long, it is an error.";
    reserved_order: Duration = seconds(5), "A call delivered so long before its agent is RESERVED belongs to that.";
    announced: Duration = seconds(15), "An announced call must come, or be called off, within this time.";
    ring_repeats: u64 = 2, "So many unanswered calls of one agent are a warning.";
    rona_loop: Duration = minutes(10), "An unanswered call that is back at the same agent within this time goes round in circles.";
    rona_times: u64 = 2, "So many offers of one call to one agent do.";
    agent_flaps: u64 = 6, "So many changes between AVAILABLE and NOT_READY within agent_flap_window are too many.";
    agent_flap_window: Duration = seconds(60), "Changes of an agent are counted over this time.";
    two_hands: Duration = minutes(10), "Two clients that steer an agent in turn within this time are two desktops.";
    late_state: Duration = seconds(3), "A change of an agent told so long afterwards is late.";
    late_states: u64 = 5, "So many late changes within late_window are trouble.";
    late_window: Duration = minutes(5), "Late changes are counted over this time.";
    duplicates: u64 = 3, "The same change so often within duplicate_window, for one skill group and monitor, is a repeat.";
    duplicate_window: Duration = seconds(1), "Repeats are counted over this time.";
    // Requests, calls, data
    unanswered: u64 = 3, "So many unanswered requests of a session within unanswered_window are an error.";
    unanswered_window: Duration = minutes(5), "Unanswered requests are counted over this time.";
    slow: Duration = seconds(5), "An answer that takes longer is slow, whatever is usual.";
    slow_least: Duration = seconds(1), "An answer that takes longer may be slow, against what is usual.";
    slow_factor: u64 = 10, "It is, when it takes so many times the median of its kind of request.";
    slow_times: u64 = 3, "And when so many do.";
    failure_retry: Duration = seconds(5), "One failed control request is no trouble when the same succeeds within this time.";
    failure_percent: u64 = 5, "A failure of more than this percentage of one kind of request is an error.";
    failure_least: u64 = 20, "If there were at least so many of these requests.";
    duplicate_request: Duration = seconds(2), "The same request again within this time is a duplicate.";
    end_late: Duration = seconds(60), "END_CALL_EVENT must come within this time after all connections are cleared, after-call work aside.";
    call_long: Duration = minutes(240), "A call that goes on for so long has lost its end.";
    begin_late: Duration = seconds(10), "A BEGIN_CALL_EVENT so long behind another event of its call is late.";
    after_end: Duration = seconds(2), "Events of a call may follow its END_CALL_EVENT by this time.";
    transfer_event: Duration = seconds(5), "A confirmed transfer or conference must show within this time.";
    transfer_lost: Duration = seconds(2), "A caller who is gone so soon after a transfer was lost in it.";
    short_call: Duration = seconds(3), "A call that ends so soon after its answer may have had no audio.";
    short_calls: u64 = 3, "So many such calls at one phone are trouble.";
    media: Duration = seconds(3), "Media of an answered call must start within this time.";
    data_late: Duration = seconds(5), "Call data must come within this time after a call began.";
    contact: Duration = seconds(10), "A call whose caller had another call with data so long before belongs to that contact.";
    data_update: Duration = seconds(2), "Call data that were set must be told within this time.";
    ecc_bytes: u64 = 1_800, "Named variables of a message with so many bytes are near the limit of 2000.";
    // Network and capture
    window_closed: Duration = seconds(1), "A receive window closed for so long counts, three times.";
    window_closed_long: Duration = seconds(5), "A receive window closed for so long counts at once.";
    reset_of_slow: Duration = seconds(5), "A reset so soon after a window was closed may be meant for the slow reader.";
    loss_window: Duration = minutes(5), "Segments sent again are counted over this time.";
    loss_percent: u64 = 1, "More than this share of segments sent again is loss.";
    loss_least: u64 = 5, "Fewer segments sent again say nothing.";
    nagle_window: Duration = minutes(10), "Messages that wait for acknowledgements are counted over this time.";
    nagle_least: u64 = 5, "Fewer messages that wait say nothing.";
}
