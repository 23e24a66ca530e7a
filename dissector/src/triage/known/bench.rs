//! Messages made for tests of what is known.

use super::Known;
use crate::encode::Value;
use crate::testing::Messages;

/// Gives messages to what is known, a millisecond apart.
pub(super) struct Bench {
    pub(super) known: Known,
    messages: Messages,
}

impl Default for Bench {
    fn default() -> Self {
        Self {
            known: Known::default(),
            messages: Messages::new(24),
        }
    }
}

impl Bench {
    /// The next message of a session.
    pub(super) fn say(&mut self, session: u32, name: &str, fields: &[(&str, Value)]) {
        let known = &mut self.known;
        self.messages
            .make(session, name, fields, |seen| known.message(seen));
    }
}
