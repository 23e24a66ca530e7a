//! The story of a call as a picture: a lane for each party, coloured by the state of its connection, and an arrow or mark for each step.

use super::paper::{Paper, Point};
use crate::analysis::calls::{Call, ConnectionState, Step, StepKind, cause_name};
use crate::render::text::TimeMode;
use crate::render::text::clock::{self, Clock};
use crate::render::text::words::written;
use crate::time::Timestamp;
use jiff::tz::TimeZone;

/// Where lanes begin, how wide each is, and where words begin behind the last (pixels).
const LANES: u32 = 190;
const LANE: u32 = 120;
const WORDS: u32 = 520;
/// Height of the head, of a line, and room below (pixels).
const HEAD: u32 = 64;
const LINE: u32 = 20;
const FOOT: u32 = 34;
/// Steps that a picture shows: what is larger nobody can look at.
const MOST_STEPS: usize = 1_000;
/// Parties that have a lane in a picture.
const MOST_LANES: usize = 24;
/// Characters of a line of words.
const LONGEST: usize = 74;

/// Appends the story of a call as an SVG element. Times are shown in a time zone.
pub fn ladder(out: &mut Vec<u8>, call: &Call, zone: &TimeZone) {
    let mut drawing = Drawing::new(call, zone);
    drawing.draw(0);
    out.append(&mut drawing.paper.into_bytes());
}

/// The same, with each step as a link to its message: to `#m12` for message 12, in the page that the picture stands in.
pub fn linked_ladder(out: &mut Vec<u8>, call: &Call, zone: &TimeZone) {
    let mut drawing = Drawing::new(call, zone);
    drawing.paper.links = true;
    drawing.draw(0);
    out.append(&mut drawing.paper.into_bytes());
}

/// Appends a picture with the stories of several calls below each other.
pub fn ladders(out: &mut Vec<u8>, calls: &[Call], zone: &TimeZone) {
    if let [call] = calls {
        ladder(out, call, zone);
        return;
    }
    let sizes: Vec<Point> = calls
        .iter()
        .map(|call| Drawing::new(call, zone).size())
        .collect();
    let width = sizes.iter().map(|(width, _)| *width).max().unwrap_or(0);
    let height = sizes.iter().map(|(_, height)| *height).sum();
    let mut paper = Paper::default();
    paper.begin("ctishark-ladders", (width, height), 0, "calls");
    out.append(&mut paper.into_bytes());
    let mut y = 0;
    for (call, (_, height)) in calls.iter().zip(&sizes) {
        let mut drawing = Drawing::new(call, zone);
        drawing.draw(y);
        out.append(&mut drawing.paper.into_bytes());
        y += height;
    }
    let mut paper = Paper::default();
    paper.end();
    out.append(&mut paper.into_bytes());
}

struct Drawing<'a> {
    call: &'a Call,
    zone: &'a TimeZone,
    clock: Clock,
    paper: Paper,
    /// Lines of words below each step.
    below: Vec<Vec<String>>,
}

impl<'a> Drawing<'a> {
    fn new(call: &'a Call, zone: &'a TimeZone) -> Self {
        let steps = call.steps.iter().take(MOST_STEPS);
        Self {
            call,
            zone,
            clock: Clock::default(),
            paper: Paper::default(),
            below: steps.map(|step| below(call, step)).collect(),
        }
    }

    fn steps(&self) -> &'a [Step] {
        let end = self.call.steps.len().min(MOST_STEPS);
        self.call.steps.get(..end).unwrap_or_default()
    }

    fn lanes(&self) -> usize {
        self.call.parties.len().min(MOST_LANES)
    }

    fn words_x(&self) -> u32 {
        let lanes = u32::try_from(self.lanes()).unwrap_or(0);
        LANES + lanes * LANE
    }

    fn size(&self) -> Point {
        let lines: usize = self.below.iter().map(|lines| lines.len() + 1).sum();
        let lines = u32::try_from(lines).unwrap_or(0);
        (self.words_x() + WORDS, HEAD + lines * LINE + FOOT)
    }

    fn draw(&mut self, y: u32) {
        let call = self.call;
        let size = self.size();
        let label = format!("call {}: {}", call.no, call.outcome.name());
        self.paper.begin("ctishark-ladder", size, y, &label);
        self.head();
        let ys = self.heights();
        self.lifelines(&ys, size.1 - FOOT);
        for ((step, y), lines) in self.steps().iter().zip(&ys).zip(self.below.clone()) {
            self.step(step, *y, &lines);
        }
        self.foot(size.1 - FOOT / 2);
        self.paper.end();
    }

    /// The height of each step.
    fn heights(&self) -> Vec<u32> {
        let mut y = HEAD + LINE / 2;
        self.below
            .iter()
            .map(|lines| {
                let at = y;
                y += LINE * (u32::try_from(lines.len()).unwrap_or(0) + 1);
                at
            })
            .collect()
    }

    fn head(&mut self) {
        let call = self.call;
        let ids: Vec<String> = call.ids.iter().map(|id| id.id.to_string()).collect();
        let mut title = format!("call {}  {}", call.no, call.outcome.name());
        for feature in &call.features {
            title.push_str(", ");
            title.push_str(feature.name());
        }
        let date = self.date(call.first);
        let second = format!("{date}  {}", ids.join(", "));
        self.paper
            .text((8, 18), "title", " font-weight=\"bold\"", &title);
        self.paper.text((8, 36), "ids", "", &second);
        for index in 0..self.lanes() {
            let Some(party) = call.parties.get(index) else {
                continue;
            };
            let centre = " text-anchor=\"middle\"";
            let bold = " text-anchor=\"middle\" font-weight=\"bold\"";
            let what = match &party.agent {
                Some(agent) if *agent != party.device => format!("agent {agent}"),
                _ if party.caller => "caller".to_owned(),
                _ => party.kind.name().replace('_', " "),
            };
            let x = lane_x(index);
            self.paper
                .text((x, HEAD - 14), "party", bold, &cut(&party.device, 17));
            self.paper.text((x, HEAD), "what", centre, &cut(&what, 17));
        }
        self.paper.new_line();
    }

    fn lifelines(&mut self, ys: &[u32], bottom: u32) {
        for index in 0..self.lanes() {
            let x = lane_x(index);
            self.paper.line(
                (x, HEAD + 6),
                (x, bottom),
                "lifeline",
                " stroke-opacity=\"0.25\"",
            );
            let mut since: Option<(ConnectionState, u32)> = None;
            let mut bars = Vec::new();
            for (step, y) in self.steps().iter().zip(ys) {
                for change in step.changes.iter().filter(|c| c.party == index) {
                    if let Some((state, from)) = since {
                        bars.push((state, from, *y));
                    }
                    since = Some((change.to, *y));
                }
            }
            if let Some((state, from)) = since {
                bars.push((state, from, bottom));
            }
            for (state, from, to) in bars {
                let Some(colour) = colour(state) else {
                    continue;
                };
                self.paper.area(
                    (x - 4, from),
                    (8, to.saturating_sub(from).max(2)),
                    state.name(),
                    &format!(" fill=\"{colour}\" fill-opacity=\"0.75\""),
                );
            }
        }
        self.paper.new_line();
    }

    fn step(&mut self, step: &Step, y: u32, below: &[String]) {
        let kind = step.kind.name();
        let time = self.time(step.time);
        let told: Vec<String> = step
            .sightings
            .iter()
            .map(|s| format!("#{} S{}", s.no, s.session))
            .collect();
        let title = format!("{time} {} {}", step.name, told.join(", "));
        let message = step.sightings.first().map(|s| s.no);
        self.paper.group(kind, &title, message);
        let baseline = y + 4;
        self.paper
            .text((8, baseline), "time", " fill-opacity=\"0.7\"", &time);
        let lanes = self.lanes();
        let lane = |party: Option<usize>| party.filter(|p| *p < lanes);
        let (from, to) = (lane(step.from), lane(step.to));
        match from.zip(to).filter(|(a, b)| a != b) {
            Some((a, b)) => {
                let (from_x, to_x) = (lane_x(a), lane_x(b));
                let end = if a < b { to_x - 4 } else { to_x + 4 };
                self.paper.line((from_x, y), (end, y), "arrow", "");
                self.paper.dot((from_x, y), "mark", "");
                self.paper.point((end, y), a < b, "arrow");
            }
            None => {
                if let Some(index) = from.or(to) {
                    let x = lane_x(index);
                    match step.kind {
                        StepKind::Request => self.paper.point((x + 6, y), true, "mark"),
                        StepKind::Answer => self.paper.point((x - 6, y), false, "mark"),
                        StepKind::Event | StepKind::Agent => self.paper.dot((x, y), "mark", ""),
                    }
                }
            }
        }
        let mut words = step.name.to_owned();
        if let Some(first) = told.first() {
            words.push_str("  ");
            words.push_str(first);
        }
        let failed = step.answered.as_ref().is_some_and(|a| a.failed());
        if let Some(answered) = step.answered.as_ref().filter(|a| a.failed()) {
            let name = answered.failure.and_then(|f| f.name());
            words.push_str("  FAILED ");
            words.push_str(name.unwrap_or(answered.kind.name()));
        }
        let x = self.words_x();
        let more = if failed {
            " fill=\"#c62828\" font-weight=\"bold\""
        } else {
            ""
        };
        let class = if failed { "name failed" } else { "name" };
        self.paper.text((x, baseline), class, more, &words);
        let mut at = baseline;
        for line in below {
            at += LINE - 3;
            self.paper
                .text((x + 12, at), "words", " fill-opacity=\"0.7\"", line);
        }
        self.paper.end_group();
    }

    /// What the colours mean, of those that are there.
    fn foot(&mut self, y: u32) {
        let mut x = LANES;
        for state in ConnectionState::ALL {
            let used = self
                .steps()
                .iter()
                .any(|step| step.changes.iter().any(|c| c.to == *state));
            let Some(colour) = colour(*state).filter(|_| used) else {
                continue;
            };
            let fill = format!(" fill=\"{colour}\" fill-opacity=\"0.75\"");
            self.paper.area((x, y - 9), (10, 10), state.name(), &fill);
            self.paper.text((x + 16, y), "legend", "", state.name());
            x += 96;
        }
        let left_out = u64::try_from(self.call.steps.len().saturating_sub(MOST_STEPS))
            .unwrap_or(0)
            .saturating_add(self.call.steps_left_out);
        if left_out > 0 {
            let text = format!("{left_out} more steps left out");
            self.paper.text((x, y), "left-out", "", &text);
        }
        self.paper.new_line();
    }

    fn date(&mut self, time: Timestamp) -> String {
        let day = self.clock.day(self.zone, time);
        written(|pen| clock::date(pen, day))
    }

    fn time(&mut self, time: Timestamp) -> String {
        let mode = TimeMode::Absolute(self.zone.clone());
        let clock = &mut self.clock;
        written(|pen| clock.write(pen, &mode, time, None))
    }
}

/// The middle of a lane.
fn lane_x(index: usize) -> u32 {
    LANES + u32::try_from(index).unwrap_or(0) * LANE + LANE / 2
}

const fn colour(state: ConnectionState) -> Option<&'static str> {
    Some(match state {
        ConnectionState::Initiated => "#78909c",
        ConnectionState::Alerting => "#f9a825",
        ConnectionState::Queued => "#8e24aa",
        ConnectionState::Connected => "#2e7d32",
        ConnectionState::Held => "#1565c0",
        ConnectionState::Failed => "#c62828",
        ConnectionState::Cleared => return None,
    })
}

/// The lines of words below a step: agent, cause and details, call data, notes.
fn below(call: &Call, step: &Step) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(change) = &step.agent {
        let from = change.from.as_deref().unwrap_or("?");
        let reason = change.reason.map(|r| format!(", reason {r}"));
        lines.push(format!(
            "agent {} {from} → {}{}",
            change.agent,
            change.to,
            reason.unwrap_or_default()
        ));
    }
    let cause = step.cause.map(cause_name);
    let details = step.details.iter().map(|(n, v)| format!("{n}={v}"));
    let said: Vec<String> = cause.into_iter().chain(details).collect();
    if !said.is_empty() {
        lines.push(said.join(", "));
    }
    let settings: Vec<String> = step
        .settings
        .iter()
        .map(|setting| match &setting.value {
            Some(value) => format!("{}={value}", setting.name),
            None => format!("{} gone", setting.name),
        })
        .collect();
    if !settings.is_empty() {
        lines.push(settings.join(", "));
    }
    lines.extend(step.notes.iter().cloned());
    let beyond = step.changes.iter().filter(|c| c.party >= MOST_LANES);
    for change in beyond {
        if let Some(party) = call.parties.get(change.party) {
            lines.push(format!("{} {}", party.label(), change.to.name()));
        }
    }
    lines.iter().map(|line| cut(line, LONGEST)).collect()
}

fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(longest - 1).collect();
    cut.push('…');
    cut
}
