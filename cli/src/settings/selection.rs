//! Which messages are asked for.

use anyhow::{Context as _, ensure};
use cti_dissector::Timestamp;
use cti_dissector::filter::{self, Filter};
use cti_dissector::select::{Criteria, TypeFilter};
use jiff::tz::TimeZone;

use crate::args::SelectArgs;
use crate::values::{Moment, TypeSelection};

/// Which messages to show: those that meet every condition given.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Numbers of sessions; all when empty.
    pub sessions: Vec<u32>,
    /// Message types.
    pub types: TypeSelection,
    /// Call IDs; all when empty.
    pub calls: Vec<u32>,
    /// Agents; all when empty.
    pub agents: Vec<String>,
    /// Not before this.
    pub from: Option<TimeBound>,
    /// Not after this (the bound itself passes).
    pub to: Option<TimeBound>,
    /// Without heartbeats.
    pub no_heartbeats: bool,
    /// Only what failed.
    pub only_failures: bool,
    /// Only what passes this.
    pub filter: Option<Filter>,
}

impl Selection {
    /// Whether it depends on what becomes of requests, so that they must be held back until that is known.
    pub fn asks_for_outcomes(&self) -> bool {
        self.only_failures || self.filter.as_ref().is_some_and(Filter::asks_for_outcomes)
    }

    /// Whether sessions are chosen by number, and nothing else is asked.
    pub fn names_sessions_only(&self) -> bool {
        let sessions = Self {
            sessions: Vec::new(),
            ..self.clone()
        };
        !self.sessions.is_empty() && sessions.is_empty()
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.criteria(Timestamp::default()).is_empty()
    }

    /// The same for a capture whose first packet came at `start`.
    pub fn criteria(&self, start: Timestamp) -> Criteria {
        let wanted = self.types.clone();
        let types: Option<TypeFilter> = if wanted.is_empty() {
            None
        } else {
            Some(Box::new(move |number, message| {
                wanted.accepts(number, message)
            }))
        };
        let mut filter = self.filter.clone();
        if let Some(filter) = &mut filter {
            filter.starts_at(start);
        }
        Criteria {
            sessions: self.sessions.iter().copied().collect(),
            types,
            calls: self.calls.clone(),
            agents: self.agents.clone(),
            from: self.from.as_ref().map(|b| b.resolve(start)),
            to: self.to.as_ref().map(|b| b.resolve(start)),
            no_heartbeats: self.no_heartbeats,
            only_failures: self.only_failures,
            filter,
        }
    }
}

/// An end of the span of time to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeBound {
    /// A point in time.
    At(Timestamp),
    /// A time of day in a time zone, on the day on which the capture starts there.
    OfDay(jiff::civil::Time, TimeZone),
}

impl TimeBound {
    /// The point in time for a capture whose first packet came at `start`.
    pub fn resolve(&self, start: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => *time,
            Self::OfDay(time, zone) => {
                let start =
                    jiff::Timestamp::from_nanosecond(start.nanos().into()).unwrap_or_default();
                let day = zone.to_datetime(start).date();
                zone.to_timestamp(day.to_datetime(*time))
                    .map_or(Timestamp::default(), to_capture_time)
            }
        }
    }
}

impl Selection {
    pub(super) fn new(
        args: SelectArgs,
        zone: &TimeZone,
        show_secrets: bool,
    ) -> anyhow::Result<Self> {
        let bound = |moment: Option<Moment>, name| {
            moment
                .map(|m| {
                    time_bound(m, zone)
                        .with_context(|| format!("invalid value for '{name} <TIME>'"))
                })
                .transpose()
        };
        let from = bound(args.from, "--from")?;
        let to = bound(args.to, "--to")?;
        let reversed = match (&from, &to) {
            (Some(TimeBound::At(from)), Some(TimeBound::At(to))) => from > to,
            (Some(TimeBound::OfDay(from, _)), Some(TimeBound::OfDay(to, _))) => from > to,
            _ => false,
        };
        ensure!(
            !reversed,
            "--from is later than --to; nothing can be between them"
        );
        let filter = filter_of(args.filter, zone, show_secrets)
            .context("invalid value for '--filter <EXPR>'")?;
        Ok(Self {
            sessions: args.sessions,
            types: TypeSelection::new(args.types),
            calls: args.calls,
            agents: args.agents,
            from,
            to,
            no_heartbeats: args.no_heartbeats,
            only_failures: args.only_failures,
            filter,
        })
    }
}

pub(super) fn time_bound(moment: Moment, zone: &TimeZone) -> anyhow::Result<TimeBound> {
    Ok(match moment {
        Moment::Instant(instant) => TimeBound::At(to_capture_time(instant)),
        Moment::Civil(civil) => TimeBound::At(to_capture_time(zone.to_timestamp(civil)?)),
        Moment::OfDay(time) => TimeBound::OfDay(time, zone.clone()),
    })
}

/// Saturates beyond the years 1677 to 2262.
pub(super) fn to_capture_time(instant: jiff::Timestamp) -> Timestamp {
    let nanos = instant.as_nanosecond();
    let limit = if nanos < 0 { i64::MIN } else { i64::MAX };
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(limit))
}

/// A filter expression, compiled.
pub(super) fn filter_of(
    text: Option<String>,
    zone: &TimeZone,
    show_secrets: bool,
) -> anyhow::Result<Option<Filter>> {
    let options = filter::Options {
        show_secrets,
        zone: zone.clone(),
    };
    Ok(text
        .map(|text| Filter::with_options(&text, &options))
        .transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_on_the_day_of_the_first_packet() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let bound = TimeBound::OfDay(jiff::civil::time(1, 30, 0, 0), zone);
        let at = |text: &str| to_capture_time(text.parse().unwrap());
        assert_eq!(
            bound.resolve(at("2026-11-23T23:00:00Z")),
            at("2026-11-23T23:30:00Z")
        );
        assert_eq!(
            bound.resolve(at("2026-11-23T12:00:00Z")),
            at("2026-11-22T23:30:00Z")
        );
    }
}
