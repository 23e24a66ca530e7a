//! Times and durations as people read them.

use super::pen::{Pen, Sign};
use crate::time::{NANOS_PER_SECOND, Timestamp};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// How the time of a line is written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TimeMode {
    /// Time of day in a time zone; a line of its own tells the date.
    Absolute(TimeZone),
    /// Seconds since this time.
    Relative(Timestamp),
    /// Seconds since the line before.
    Delta,
    /// Seconds since 1970-01-01 00:00 UTC.
    Epoch,
}

const SECONDS_PER_DAY: i64 = 86_400;

/// Remembers the zone's offset at the last second asked for: looking it up costs more than all the digits.
#[derive(Debug, Default)]
pub(in crate::render) struct Clock {
    last: Option<(i64, i64)>,
}

impl Clock {
    /// Seconds since the epoch moved by the zone's offset from UTC.
    fn local(&mut self, zone: &TimeZone, second: i64) -> i64 {
        if let Some((of, local)) = self.last
            && of == second
        {
            return local;
        }
        let offset = jiff::Timestamp::from_second(second)
            .map_or(0, |t| i64::from(zone.to_offset(t).seconds()));
        let local = second.saturating_add(offset);
        self.last = Some((second, local));
        local
    }

    /// Number of the local day.
    pub fn day(&mut self, zone: &TimeZone, time: Timestamp) -> i64 {
        let second = time.nanos().div_euclid(NANOS_PER_SECOND);
        self.local(zone, second).div_euclid(SECONDS_PER_DAY)
    }

    /// Writes a time of day in whole seconds; with `fine`, tenths as well.
    pub fn short(&mut self, pen: &mut Pen<'_>, zone: &TimeZone, time: Timestamp, fine: bool) {
        let second = time.nanos().div_euclid(NANOS_PER_SECOND);
        time_of_day(pen, self.local(zone, second).rem_euclid(SECONDS_PER_DAY));
        if fine {
            let tenth = time.nanos().rem_euclid(NANOS_PER_SECOND) / (NANOS_PER_SECOND / 10);
            pen.put(".");
            pen.digits(tenth.unsigned_abs(), 1);
        }
    }

    /// Writes a time; `previous` is that of the line before.
    pub fn write(
        &mut self,
        pen: &mut Pen<'_>,
        mode: &TimeMode,
        time: Timestamp,
        previous: Option<Timestamp>,
    ) {
        match mode {
            TimeMode::Absolute(zone) => {
                let second = time.nanos().div_euclid(NANOS_PER_SECOND);
                let local = self.local(zone, second).rem_euclid(SECONDS_PER_DAY);
                time_of_day(pen, local);
                pen.put(".");
                pen.digits(
                    (time.nanos().rem_euclid(NANOS_PER_SECOND) / 1000).unsigned_abs(),
                    6,
                );
            }
            TimeMode::Relative(first) => seconds(pen, time.nanos_since(*first), 5, false),
            TimeMode::Delta => {
                let nanos = previous.map_or(0, |p| time.nanos_since(p));
                seconds(pen, nanos, 5, true);
            }
            TimeMode::Epoch => seconds(pen, time.nanos(), 10, false),
        }
    }
}

/// Columns that a time takes, where it has its usual size.
pub(in crate::render) const fn width(mode: &TimeMode) -> usize {
    match mode {
        TimeMode::Absolute(_) => 15,
        TimeMode::Relative(_) | TimeMode::Delta => 12,
        TimeMode::Epoch => 17,
    }
}

fn time_of_day(pen: &mut Pen<'_>, second: i64) {
    let second = second.unsigned_abs();
    pen.digits(second / 3600, 2);
    pen.put(":");
    pen.digits(second / 60 % 60, 2);
    pen.put(":");
    pen.digits(second % 60, 2);
}

/// Seconds with six decimals, aligned to the right; `whole` columns stand before the point.
fn seconds(pen: &mut Pen<'_>, nanos: i64, whole: usize, plus: bool) {
    let micros = nanos.unsigned_abs() / 1000;
    let digits = (micros / 1_000_000)
        .checked_ilog10()
        .map_or(1, |l| usize::try_from(l).unwrap_or(0) + 1);
    let sign = if nanos < 0 {
        "-"
    } else if plus {
        "+"
    } else {
        ""
    };
    pen.spaces(whole.saturating_sub(digits + sign.len()));
    pen.put(sign);
    pen.number(micros / 1_000_000);
    pen.put(".");
    pen.digits(micros % 1_000_000, 6);
}

/// The date of a day that is counted from 1970-01-01.
pub(in crate::render) fn date(pen: &mut Pen<'_>, day: i64) {
    let date = i32::try_from(day)
        .ok()
        .and_then(|d| jiff::Span::new().try_days(d).ok())
        .and_then(|span| Date::constant(1970, 1, 1).checked_add(span).ok());
    let Some(date) = date else {
        pen.put("day ");
        pen.signed(day);
        return;
    };
    pen.digits(u64::from(date.year().unsigned_abs()), 4);
    pen.put("-");
    pen.digits(u64::from(date.month().unsigned_abs()), 2);
    pen.put("-");
    pen.digits(u64::from(date.day().unsigned_abs()), 2);
}

/// RFC 3339 in UTC, with as many decimals as asked for (0 or 9).
pub(in crate::render) fn rfc_3339(pen: &mut Pen<'_>, second: i64, nanos: Option<u64>) {
    date(pen, second.div_euclid(SECONDS_PER_DAY));
    pen.put("T");
    time_of_day(pen, second.rem_euclid(SECONDS_PER_DAY));
    if let Some(nanos) = nanos {
        pen.put(".");
        pen.digits(nanos, 9);
    }
    pen.put("Z");
}

/// The time of a message in full.
pub(in crate::render) fn full(pen: &mut Pen<'_>, time: Timestamp) {
    rfc_3339(
        pen,
        time.nanos().div_euclid(NANOS_PER_SECOND),
        Some(time.nanos().rem_euclid(NANOS_PER_SECOND).unsigned_abs()),
    );
}

/// A duration in two or three digits and its unit.
pub(in crate::render) fn duration(pen: &mut Pen<'_>, nanos: i64) {
    if nanos < 0 {
        pen.put("-");
    }
    let nanos = nanos.unsigned_abs();
    let tenths = |unit: u64| (nanos.saturating_add(unit / 20)) / (unit / 10);
    let decimal = |pen: &mut Pen<'_>, tenths: u64, unit: &str| {
        pen.number(tenths / 10);
        pen.put(".");
        pen.digits(tenths % 10, 1);
        pen.put(unit);
    };
    let pair = |pen: &mut Pen<'_>, high: u64, unit: &str, low: u64, small: &str| {
        pen.number(high);
        pen.put(unit);
        pen.digits(low, 2);
        pen.put(small);
    };
    let second = nanos.saturating_add(500_000_000) / 1_000_000_000;
    if nanos > 0 && nanos < 1_000 {
        pen.number(nanos);
        pen.put("ns");
    } else if nanos < 999_500 {
        pen.number((nanos + 500) / 1_000);
        pen.sign(Sign::Micro);
        pen.put("s");
    } else if tenths(1_000_000) < 10_000 {
        decimal(pen, tenths(1_000_000), "ms");
    } else if tenths(1_000_000_000) < 600 {
        decimal(pen, tenths(1_000_000_000), "s");
    } else if second < 3_600 {
        pair(pen, second / 60, "m", second % 60, "s");
    } else if second < 86_400 {
        pair(pen, second / 3_600, "h", second / 60 % 60, "m");
    } else {
        pair(pen, second / 86_400, "d", second / 3_600 % 24, "h");
    }
}
