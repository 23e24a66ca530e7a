//! How long answers take and what fails, as the page shows it: a row for each type of request, latencies on a scale of powers of ten.

use crate::limits::{MAX_FAILURES, MAX_REQUEST_TYPES, MAX_TYPES};
use crate::messages::Packed;
use crate::sessions::Count;
use crate::shown::{Style, grouped};
use crate::table::Table;
use cti_dissector::analysis::Statistics;
use cti_dissector::analysis::stats::{BANDS, Latencies, RequestKey, Responses};
use cti_dissector::render::statistics::Section;
use std::time::Duration;

/// Requests and answers.
pub(crate) struct Requests {
    pub rows: Vec<Row>,
    pub more: usize,
    pub marks: Vec<Mark>,
    /// All answered requests by how long it took.
    pub bands: Vec<Band>,
    pub failures: Table,
    pub types: Table,
    pub without_request: Option<String>,
}

/// A type of request.
pub(crate) struct Row {
    pub name: String,
    pub asked_by: &'static str,
    pub requests: String,
    /// Median, 90th and 99th percentile, longest.
    pub latencies: [String; 4],
    /// Failed, without an answer, answered late.
    pub faults: [Count; 3],
    pub chart: Option<Chart>,
}

/// Where the latencies of a type lie (percent of the width).
pub(crate) struct Chart {
    pub min: String,
    pub max: String,
    pub median: String,
    pub p99: String,
    /// From the median to the 90th percentile.
    pub width: String,
    pub title: String,
}

/// A mark of the scale.
pub(crate) struct Mark {
    pub at: String,
    pub text: String,
}

/// Answers that took about so long.
pub(crate) struct Band {
    pub name: String,
    pub count: String,
    /// Percent of the height.
    pub height: String,
    pub top: String,
    pub left: String,
    pub middle: String,
}

/// A logarithmic scale over whole powers of ten.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn new(shortest: i64, longest: i64) -> Self {
        let low = log(shortest).floor();
        let high = log(longest).ceil();
        Self {
            low,
            high: high.max(low + 1.0),
        }
    }

    fn at(&self, nanos: i64) -> f64 {
        let share = (log(nanos) - self.low) / (self.high - self.low);
        share.clamp(0.0, 1.0) * 100.0
    }

    fn marks(&self, style: &Style) -> Vec<Mark> {
        let mut nanos: i64 = 1_000;
        let mut marks = Vec::new();
        // From a microsecond to what fits into the number.
        while log(nanos) <= self.high {
            if log(nanos) >= self.low {
                marks.push(Mark {
                    at: percent(self.at(nanos)),
                    text: plain(&style.duration(nanos)),
                });
            }
            match nanos.checked_mul(10) {
                Some(next) => nanos = next,
                None => break,
            }
        }
        marks
    }
}

/// The power of ten of a span, in seconds. Below a microsecond all is the same.
fn log(nanos: i64) -> f64 {
    let nanos = u64::try_from(nanos).unwrap_or(0).max(1_000);
    // 1e3 has no exact logarithm to base ten in every library; what is off by the last bit must not move a mark.
    let log = Duration::from_nanos(nanos).as_secs_f64().log10();
    (log * 1e9).round() / 1e9
}

fn percent(share: f64) -> String {
    format!("{share:.2}%")
}

/// A whole number without its decimal.
fn plain(duration: &str) -> String {
    duration.replace(".0", "")
}

impl Requests {
    pub fn new(of: &Statistics, style: &Style, messages: &Packed) -> Self {
        let mut responses: Vec<(&RequestKey, &Responses)> = of.responses.iter().collect();
        responses.sort_by(|a, b| b.1.requests.made.cmp(&a.1.requests.made).then(a.0.cmp(b.0)));
        let latencies = || responses.iter().map(|(_, r)| &r.latencies);
        let ends = latencies()
            .filter_map(Latencies::min)
            .min()
            .zip(latencies().filter_map(Latencies::max).max());
        let scale = ends.map(|(shortest, longest)| Scale::new(shortest, longest));
        let rows = responses.iter().take(MAX_REQUEST_TYPES);
        let table = |section: Section, without: &[&str], most| {
            let rows = section.rows(of, None);
            Table::new(section.columns(), &rows, without, most, style, messages)
        };
        Self {
            rows: rows
                .map(|(key, responses)| Row::new(key, responses, scale.as_ref(), style))
                .collect(),
            more: responses.len().saturating_sub(MAX_REQUEST_TYPES),
            marks: scale.map_or_else(Vec::new, |scale| scale.marks(style)),
            bands: bands(of, style),
            failures: table(Section::Failures, &[], MAX_FAILURES),
            types: table(Section::Type, &[""], MAX_TYPES),
            without_request: (of.answers_without_request > 0)
                .then(|| grouped(of.answers_without_request)),
        }
    }
}

impl Row {
    fn new(key: &RequestKey, responses: &Responses, scale: Option<&Scale>, style: &Style) -> Self {
        let latencies = &responses.latencies;
        let shown = |nanos: Option<i64>| match nanos {
            Some(nanos) => style.duration(nanos),
            None => "–".to_owned(),
        };
        let chart = scale.and_then(|scale| Chart::new(latencies, scale, style));
        Self {
            name: match key.name {
                "" => format!("type {}", key.number),
                name => name.to_owned(),
            },
            asked_by: key.direction.sender(),
            requests: grouped(responses.requests.made),
            latencies: [
                latencies.quantile(500),
                latencies.quantile(900),
                latencies.quantile(990),
                latencies.max(),
            ]
            .map(shown),
            faults: [
                responses.requests.failed,
                responses.requests.unanswered,
                responses.late,
            ]
            .map(Count::new),
            chart,
        }
    }
}

impl Chart {
    fn new(latencies: &Latencies, scale: &Scale, style: &Style) -> Option<Self> {
        let (min, max) = latencies.min().zip(latencies.max())?;
        let (median, p90) = latencies.quantile(500).zip(latencies.quantile(900))?;
        let p99 = latencies.quantile(990)?;
        let at = |nanos| percent(scale.at(nanos));
        Some(Self {
            min: at(min),
            max: at(max),
            median: at(median),
            p99: at(p99),
            width: percent((scale.at(p90) - scale.at(median)).max(0.6)),
            title: format!(
                "{} to {}, half within {}, 90 % within {}, 99 % within {}",
                style.duration(min),
                style.duration(max),
                style.duration(median),
                style.duration(p90),
                style.duration(p99)
            ),
        })
    }
}

/// The bands from the first to the last one that has anything.
fn bands(of: &Statistics, style: &Style) -> Vec<Band> {
    let used = |count: &u64| *count > 0;
    let first = of.bands.iter().position(used);
    let last = of.bands.iter().rposition(used);
    let Some((first, last)) = first.zip(last) else {
        return Vec::new();
    };
    let bands = of.bands.get(first..=last).unwrap_or_default();
    let most = bands.iter().copied().max().unwrap_or(1).max(1);
    let width = 100.0 / f64::from(u32::try_from(bands.len()).unwrap_or(1));
    (0u32..)
        .zip(bands)
        .map(|(index, count)| {
            let bound = BANDS.get(first + usize::try_from(index).unwrap_or(0));
            let name = match bound {
                Some(bound) => {
                    let bound = style.duration(i64::try_from(*bound).unwrap_or(i64::MAX));
                    format!("≤ {}", plain(&bound))
                }
                None => "more".to_owned(),
            };
            let thousandths = u128::from(*count) * 1000 / u128::from(most);
            let thousandths = f64::from(u32::try_from(thousandths).unwrap_or(0));
            // What is there must be seen.
            let share = if *count > 0 {
                (thousandths / 10.0).max(1.0)
            } else {
                0.0
            };
            let left = f64::from(index) * width;
            Band {
                name,
                count: grouped(*count),
                height: percent(share * 0.7),
                top: percent(15.0 + (100.0 - share) * 0.7),
                left: percent(left + width * 0.1),
                middle: percent(left + width / 2.0),
            }
        })
        .collect()
}

impl Requests {
    /// How wide each band is drawn.
    pub fn band_width(&self) -> String {
        let count = u32::try_from(self.bands.len().max(1)).unwrap_or(1);
        percent(80.0 / f64::from(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn marks(shortest: i64, longest: i64) -> Vec<String> {
        let scale = Scale::new(shortest, longest);
        let marks = scale.marks(&Style::new(TimeZone::UTC));
        marks
            .iter()
            .map(|m| format!("{} {}", m.text, m.at))
            .collect()
    }

    #[test]
    fn the_scale_goes_over_whole_powers_of_ten() {
        assert_eq!(
            marks(800_000, 55_000_000),
            ["100µs 0.00%", "1ms 33.33%", "10ms 66.67%", "100ms 100.00%"]
        );
        assert_eq!(marks(1_000_000, 1_000_000), ["1ms 0.00%", "10ms 100.00%"]);
        assert_eq!(marks(-5, 0), ["1µs 0.00%", "10µs 100.00%"]);
        assert_eq!(marks(1_000_000_000, i64::MAX).len(), 10);
    }

    #[test]
    fn a_span_lies_where_its_logarithm_does() {
        let scale = Scale::new(1_000_000, 100_000_000);
        assert_eq!(percent(scale.at(10_000_000)), "50.00%");
        assert_eq!(percent(scale.at(31_622_777)), "75.00%");
        assert_eq!(percent(scale.at(1)), "0.00%");
    }
}
