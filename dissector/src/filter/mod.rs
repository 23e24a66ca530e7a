//! Filter expressions: which messages to show, in one line such as `name == AGENT_STATE_EVENT && AgentID == "1001"`.
//!
//! What can be written, and what it means, stands in the guide. Here is how it works: the `lexer` cuts the text, the `parser` makes an
//! expression of it, `compile` and `fields` resolve its names (`names`) and values (`values`) and check their types, which gives a tree of
//! checks (`node`, `check`). `evaluate` answers it for one message. What the message's type alone decides (`verdict`), and what can be
//! told by bytes that are not there, is answered without decoding.
//!
//! Evaluating takes no memory. A regular expression keeps a cache, whose size is bounded.

mod ast;
mod check;
mod compile;
mod error;
mod evaluate;
mod fields;
mod lexer;
mod names;
mod node;
mod parser;
mod values;
mod verdict;

#[cfg(test)]
mod tests;

pub use error::{FilterError, FilterErrorKind};
pub(crate) use names::names as field_names;

use crate::decode::Decoder;
use crate::record::MessageInfo;
use crate::time::Timestamp;
use ast::Expr;
use check::Moment;
use evaluate::Lazy;
use jiff::tz::TimeZone;
use node::{Check, Node};
use std::fmt;
use verdict::{Verdict, Verdicts};

/// What an expression needs to know besides its text.
#[derive(Debug, Clone)]
pub struct Options {
    /// Fields that are masked in output may be compared. Otherwise that is an error, so that no filter can tell what output hides.
    pub show_secrets: bool,
    /// The zone of times without an offset.
    pub zone: TimeZone,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            show_secrets: false,
            zone: TimeZone::UTC,
        }
    }
}

/// A compiled expression.
#[derive(Clone)]
pub struct Filter {
    expr: Expr,
    root: Node,
    verdicts: Verdicts,
    zone: TimeZone,
    asks_for_outcomes: bool,
}

impl Filter {
    /// Compiles an expression, with secrets masked and times in UTC.
    ///
    /// # Errors
    /// When it makes no sense: the error says what is wrong, where, and what was probably meant.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::with_options(text, &Options::default())
    }

    /// Compiles an expression.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn with_options(text: &str, options: &Options) -> Result<Self, FilterError> {
        let compiled = parser::parse(text).and_then(|expr| {
            let root = compile::compile(&expr, options)?;
            Ok((expr, root))
        });
        let (expr, mut root) = compiled.map_err(|fault| fault.of(text))?;
        let verdicts = Verdicts::of(&root);
        let mut about_outcomes = false;
        root.each(&mut |check| about_outcomes |= check.is_about_outcomes());
        let asks_for_outcomes = about_outcomes && verdicts.depend_on_requests();
        Ok(Self {
            expr,
            root,
            verdicts,
            zone: options.zone.clone(),
            asks_for_outcomes,
        })
    }

    /// Tells when the capture starts. A time of day in the expression is on that day, in the zone of the options; without this it is on
    /// the first day of 1970.
    pub fn starts_at(&mut self, start: Timestamp) {
        let zone = &self.zone;
        self.root.each(&mut |check| {
            if let Check::Time(test) = check {
                for moment in test.moments() {
                    if let Moment::OfDay(time, at) = moment {
                        *at = values::on_day(*time, start, zone);
                    }
                }
            }
        });
    }

    /// Whether the answer for a request can depend on what becomes of it, so that requests must be held back until that is known (see
    /// [`conversation::Options::hold_requests`](crate::conversation::Options::hold_requests)).
    #[must_use]
    pub const fn asks_for_outcomes(&self) -> bool {
        self.asks_for_outcomes
    }

    /// Whether a message passes. `bytes` are the message's, header included. The decoder is used only when the header and the
    /// conversation do not decide.
    #[must_use]
    pub fn matches(&self, info: &MessageInfo, bytes: &[u8], decoder: &mut Decoder) -> bool {
        match self.verdicts.get(info.message) {
            Verdict::Never => false,
            Verdict::Always => true,
            Verdict::Perhaps => Lazy::new(info, bytes, decoder).passes(&self.root),
        }
    }
}

/// The expression in one way of writing; compiling that gives the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.to_string()).finish()
    }
}
