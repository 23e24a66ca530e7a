//! What counts as a difference: by the protocol's tables, and by what the user asked for.

use crate::protocol::{self, IdentityClass, MessageType, WireType};

/// Values that differ by no more than this count as equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// A difference in the field's own unit.
    Absolute(f64),
    /// A difference in percent of the larger one.
    Percent(f64),
}

impl Tolerance {
    /// From `3` or `5%`; `None` for what is neither, or negative.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (number, percent) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), true),
            None => (text, false),
        };
        let number: f64 = number.parse().ok()?;
        if !number.is_finite() || number < 0.0 {
            return None;
        }
        Some(if percent {
            Self::Percent(number)
        } else {
            Self::Absolute(number)
        })
    }

    /// Whether two numbers count as equal.
    #[must_use]
    pub fn allows(self, old: i64, new: i64) -> bool {
        let apart = old.abs_diff(new);
        let largest = old.unsigned_abs().max(new.unsigned_abs());
        match self {
            Self::Absolute(most) => to_float(apart) <= most,
            Self::Percent(most) => to_float(apart) * 100.0 <= most * to_float(largest),
        }
    }
}

/// Near enough for a tolerance; exact below 2^53.
fn to_float(number: u64) -> f64 {
    let high = u32::try_from(number >> 32).unwrap_or(u32::MAX);
    let low = u32::try_from(number & 0xFFFF_FFFF).unwrap_or(u32::MAX);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// Names fields: `ANI`, `CallVariable*`, `user.account`, or with a message type before a full stop: `AGENT_STATE_EVENT.MRDID`.
/// `*` stands for any letters; upper and lower case are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPattern {
    given: String,
    /// In small letters.
    small: String,
}

impl FieldPattern {
    /// A pattern. Any text is one.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let given = text.trim().to_owned();
        let small = given.to_ascii_lowercase();
        Self { given, small }
    }

    /// The pattern as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// Whether it names this field of this message.
    #[must_use]
    pub fn matches(&self, message: &str, field: &str) -> bool {
        let field = field.to_ascii_lowercase();
        let of_type = || {
            let (of, name) = self.small.split_once('.')?;
            Some(glob(of, &message.to_ascii_lowercase()) && glob(name, &field))
        };
        glob(&self.small, &field) || of_type().unwrap_or(false)
    }
}

/// Whether a text is what a pattern says, in which `*` stands for anything. Takes time in proportion to both lengths.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    let mut rest = rest;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// When answers count as slower.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatencyRules {
    /// The median must have grown by this factor.
    pub factor: f64,
    /// Answers of a type that each side must have.
    pub least: usize,
    /// How likely the difference may be mere chance, over all request types together.
    pub chance: f64,
    /// Growth of the median below which nothing is told (nanoseconds).
    pub floor: i64,
}

impl Default for LatencyRules {
    fn default() -> Self {
        Self {
            factor: 2.0,
            least: 8,
            chance: 0.001,
            floor: 1_000_000,
        }
    }
}

/// What counts as a difference.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Fields that are not compared.
    pub ignore: Vec<FieldPattern>,
    /// Fields of which only the presence is compared.
    pub varies: Vec<FieldPattern>,
    /// Fields that name things by names that each run gives anew.
    pub identity: Vec<FieldPattern>,
    /// Agents and their devices may have other names, one for one.
    pub other_agents: bool,
    /// What numbers may differ by: the first pattern that names a field counts.
    pub tolerances: Vec<(FieldPattern, Tolerance)>,
    /// When answers count as slower; `None`: latencies are not compared.
    pub latency: Option<LatencyRules>,
    /// Any change of order is a difference.
    pub strict_order: bool,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    /// By its value.
    Value,
    /// Not at all.
    Ignored,
    /// By its presence.
    Varies,
    /// By the thing that it names: an index into [`classes`], or beyond them one of the user's.
    Identity(u8),
}

/// The classes of the protocol's tables.
pub(super) fn classes() -> &'static [IdentityClass] {
    protocol::comparison().identities
}

/// The class of calls, whose names begin and end with messages.
pub(super) fn call_class() -> Option<u8> {
    let class = classes().iter().position(|class| class.begins.is_some())?;
    u8::try_from(class).ok()
}

/// The class of the identities that the user named.
pub(super) fn own_class() -> u8 {
    u8::try_from(classes().len()).unwrap_or(u8::MAX)
}

impl Rules {
    /// How a field of a message is compared.
    pub(super) fn treatment(
        &self,
        message: &str,
        field: &str,
        wire: Option<WireType>,
    ) -> Treatment {
        let any = |patterns: &[FieldPattern]| patterns.iter().any(|p| p.matches(message, field));
        if any(&self.ignore) {
            return Treatment::Ignored;
        }
        if any(&self.varies) {
            return Treatment::Varies;
        }
        let tables = protocol::comparison();
        if any(&self.identity) || self.other_agents && tables.agents.contains(&field) {
            return Treatment::Identity(own_class());
        }
        if tables.varying.contains(&field)
            || wire.is_some_and(|wire| tables.varying_types.contains(&wire))
        {
            return Treatment::Varies;
        }
        let class = (0u8..).zip(tables.identities);
        class
            .into_iter()
            .find(|(_, class)| class.fields.contains(&field))
            .map_or(Treatment::Value, |(index, _)| Treatment::Identity(index))
    }

    /// By how much a number may differ.
    pub(super) fn tolerance(&self, message: &str, field: &str) -> Option<Tolerance> {
        self.tolerances
            .iter()
            .find(|(pattern, _)| pattern.matches(message, field))
            .map(|(_, tolerance)| *tolerance)
    }
}

/// Bits of the lines of order that a message type belongs to.
pub(super) fn lines(number: MessageType) -> u8 {
    let lines = protocol::comparison().lines.iter();
    lines.zip(0u32..8).fold(0, |bits, (line, index)| {
        if line.messages.contains(&number) {
            bits | 1 << index
        } else {
            bits
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_fields_of_all_or_some_messages() {
        let matches = |pattern: &str, message: &str, field: &str| {
            FieldPattern::new(pattern).matches(message, field)
        };
        assert!(matches("ANI", "BEGIN_CALL_EVENT", "ANI"));
        assert!(matches("ani", "BEGIN_CALL_EVENT", "ANI"));
        assert!(!matches("ANI", "BEGIN_CALL_EVENT", "ANI_II"));
        assert!(matches(
            "CallVariable*",
            "BEGIN_CALL_EVENT",
            "CallVariable10"
        ));
        assert!(matches("user.account", "BEGIN_CALL_EVENT", "user.account"));
        assert!(matches(
            "BEGIN_*.user.*",
            "BEGIN_CALL_EVENT",
            "user.account"
        ));
        assert!(matches("*_CALL_EVENT.ANI", "BEGIN_CALL_EVENT", "ANI"));
        assert!(!matches("END_CALL_EVENT.ANI", "BEGIN_CALL_EVENT", "ANI"));
        assert!(matches("a*b*c", "", "a-b-b-c"));
        assert!(!matches("a*b*c", "", "a-c-b"));
        assert!(!matches("ab*b", "", "ab"));
    }

    #[test]
    fn tolerances_are_absolute_or_relative() {
        let allows = |text: &str, old, new| Tolerance::parse(text).unwrap().allows(old, new);
        assert!(allows("2", 10, 12) && allows("2", 12, 10) && !allows("2", 10, 13));
        assert!(allows("10%", 100, 110) && !allows("10 %", 100, 120));
        assert!(allows("0%", -1, -1) && !allows("0%", 0, -1));
        assert!(!allows("5", i64::MIN, i64::MAX));
        for bad in ["", "x", "-1", "%", "inf", "nan"] {
            assert_eq!(Tolerance::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_differs_from_run_to_run_is_known() {
        let rules = Rules::default();
        let treatment = |field| rules.treatment("BEGIN_CALL_EVENT", field, None);
        assert_eq!(treatment("ANI"), Treatment::Value);
        assert_eq!(treatment("RouterCallKeyDay"), Treatment::Varies);
        let class = |field| match treatment(field) {
            Treatment::Identity(index) => classes()[usize::from(index)].name,
            _ => "",
        };
        assert_eq!(class("ConnectionCallID"), "call");
        assert_eq!(class("InvokeID"), "invoke");
        assert_eq!(class("RouterCallKeyCallID"), "router_call");
        let time = rules.treatment("X", "ICMCentralControllerTime", Some(WireType::Time));
        assert_eq!(time, Treatment::Varies);
    }
}
