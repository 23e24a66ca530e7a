//! A report on the CTI Server traffic of a capture: one HTML page that needs nothing else, for people who do not have the program.
//!
//! [`Collector`] is an analysis that gathers what the page shows of sessions and messages; with the results of the other analyses it makes a
//! [`Report`], and [`Report::page`] the page. [`Differences`] is another page, of what differs between two runs. Nothing here opens a file or reads a clock: the same capture gives the same page.
//!
//! Text of a capture is hostile. Everything passes `shown`, which makes control characters and such visible, on its way into a template,
//! and the templates escape markup. The messages are packed, so that no text of theirs stands in the page as it is; the script puts it there
//! as text. The page's own policy forbids all other scripts and styles, and every request to a network.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)
)]

mod agents;
mod axis;
mod calls;
mod collect;
mod differences;
mod findings;
mod latencies;
pub mod limits;
mod messages;
mod packed;
mod page;
mod policy;
mod sessions;
mod shown;
mod table;

pub use calls::CallSheets;
pub use collect::{Collected, Collector};
pub use differences::Differences;
pub use page::{Report, Scope};
