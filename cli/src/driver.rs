//! Runs captures through the dissector: what every command that reads captures has in common.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use cti_dissector::Timestamp;
use cti_dissector::capture::{Capture, Input, LayerCounts, NoteKind, Segment, Segments, Step};
use cti_dissector::conversation::{Conversations, Options, Totals};
use cti_dissector::finding::Code;
use cti_dissector::limits;
use cti_dissector::ports::Ports;
use cti_dissector::protocol::ProtocolVersion;
use cti_dissector::record::{Notice, Sink};
use cti_dissector::render::json;
use cti_dissector::select::Selector;
use indicatif::{ProgressBar, ProgressStyle};
use tracing::{debug, info};

use crate::inputs::FileInput;
use crate::output;
use crate::rotation;
use crate::settings::{Decoding, Settings};

/// What a run came to.
pub struct Outcome<S> {
    /// The sink, with everything recorded.
    pub sink: S,
    /// Counts over all connections.
    pub totals: Totals,
    /// Counts over all packets.
    pub layers: LayerCounts,
    /// Time of the first packet.
    pub first: Option<Timestamp>,
    /// Time of the last packet.
    pub last: Option<Timestamp>,
    /// What is worth telling about the captures themselves.
    pub notices: Vec<Notice>,
    /// Some input could not be read; that has been told.
    pub failed: bool,
}

impl<S> Outcome<S> {
    /// The sink, and the rest.
    pub fn take(self) -> (S, Outcome<()>) {
        let rest = Outcome {
            sink: (),
            totals: self.totals,
            layers: self.layers,
            first: self.first,
            last: self.last,
            notices: self.notices,
            failed: self.failed,
        };
        (self.sink, rest)
    }

    /// What is worth a word on standard error: remarks on the captures, and why there is nothing to show.
    pub fn remark(&self, settings: &Settings) {
        if settings.quiet {
            return;
        }
        for line in rotation::lines(&self.notices) {
            output::remark(&line);
        }
        if let Some(reason) = self.nothing() {
            output::remark(&reason);
        }
    }

    /// Says on standard error that nothing was selected: silence would leave it open whether the selection or the capture is to blame.
    pub fn remark_nothing_selected(&self, selector: &Selector, settings: &Settings) {
        let totals = &self.totals;
        if !settings.quiet
            && !selector.is_empty()
            && selector.selected() == 0
            && totals.messages > 0
        {
            output::remark(&format!(
                "nothing selected: none of the {} messages of {} meets all conditions",
                totals.messages,
                amount(totals.sessions, "session", "sessions")
            ));
        }
    }

    /// Whether there was not a packet to read and that was a fault, which has been told: nothing worth writing can come of it.
    pub const fn read_nothing(&self) -> bool {
        self.failed && self.layers.packets == 0
    }

    /// Why there are no messages, if there are none.
    fn nothing(&self) -> Option<String> {
        let counts = &self.layers;
        let totals = &self.totals;
        if totals.messages > 0 || self.failed && counts.packets == 0 {
            return None;
        }
        Some(if counts.packets == 0 {
            "the capture holds no packets".to_owned()
        } else if counts.tcp == 0 && counts.unknown_link == counts.packets {
            "no packet could be read: the link type is not supported".to_owned()
        } else if counts.tcp == 0 {
            format!("no TCP among {} packets", counts.packets)
        } else if totals.encrypted > 0 {
            format!(
                "no CTI messages that can be read: {} encrypted (TLS); capture on the plain port",
                amount(totals.encrypted, "connection is", "connections are")
            )
        } else {
            format!(
                "no CTI messages in {}; add the server's port with --port if it is an unusual one",
                amount(totals.connections, "TCP connection", "TCP connections")
            )
        })
    }
}

/// The summary record of a run; `selected` counts the messages that passed a selection.
pub fn summary<S>(outcome: &Outcome<S>, selected: Option<u64>) -> json::Summary {
    json::Summary {
        packets: outcome.layers.packets,
        tcp_packets: outcome.layers.tcp,
        duplicate_packets: outcome.layers.duplicates,
        first: outcome.first,
        last: outcome.last,
        totals: outcome.totals,
        selected,
    }
}

/// The inputs as the header of JSON names them.
pub fn names(inputs: &[FileInput]) -> Vec<json::Input> {
    let names = inputs.iter().map(|input| json::Input {
        name: input.name().to_owned(),
    });
    names.collect()
}

/// 2 when some input could not be read, though others were shown.
pub fn exit_code(failed: bool) -> ExitCode {
    if failed {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

/// A number with its noun.
pub fn amount(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The ports on which CTI is expected.
pub fn ports(decoding: &Decoding) -> Ports {
    Ports::with(decoding.ports.clone())
}

/// The dissector's options for what the user asked for.
pub fn options(decoding: &Decoding, hold_requests: bool) -> Options {
    Options {
        ports: ports(decoding),
        version: decoding.protocol_version.map(|v| ProtocolVersion(v.into())),
        reply_wait: decoding.reply_wait,
        hold_requests,
    }
}

/// What takes the records of a run.
pub trait Consumer: Sink {
    /// Asked after each segment: an error ends the run.
    fn check(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    /// The next TCP segment of the capture, before anything is made of it.
    fn segment(&mut self, segment: &Segment<'_>) {
        let _ = segment;
    }

    /// The next packet may be long in coming: time to show what there is.
    fn pause(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Reads all inputs as one capture. The consumer is made when the first packet's time is known. With more than one of
/// `jobs` to do at a time, reading goes on in another thread meanwhile.
pub fn dissect<S: Consumer>(
    inputs: Vec<FileInput>,
    options: Options,
    jobs: NonZeroUsize,
    settings: &Settings,
    make: impl FnOnce(Timestamp) -> anyhow::Result<S>,
) -> anyhow::Result<Outcome<S>> {
    let started = Instant::now();
    info!(
        reply_wait = ?options.reply_wait,
        version = options.version.map_or_else(|| "as the sessions say".to_owned(), |v| v.0.to_string()),
        hold_requests = options.hold_requests,
        "reading {}",
        amount(u64::try_from(inputs.len()).unwrap_or(u64::MAX), "input", "inputs"),
    );
    let mut progress = Progress::new(&inputs, settings);
    let boxed: Vec<Box<dyn Input>> = inputs.into_iter().map(boxed).collect();
    let several = boxed.len() > 1;
    let live = boxed.iter().any(|input| !input.reopenable());
    let mut segments = Segments::new(Capture::new(boxed), live, jobs.get() > 1)?;
    let (mut first, mut last) = (None, None);
    let mut failed = false;
    let mut make = Some((make, options));
    let mut conversations: Option<Conversations<S>> = None;
    while let Some(step) = segments.next_step() {
        let (time, segment) = match step {
            Step::Packet(time, segment) => (time, segment),
            Step::Failed(error) => {
                output::complain(&anyhow!(error));
                failed = true;
                continue;
            }
            Step::Drained => {
                if let Some(conversations) = &mut conversations {
                    conversations.sink().pause()?;
                }
                continue;
            }
        };
        first = first.or(Some(time));
        last = last.max(Some(time));
        if let Some((make, options)) = make.take() {
            conversations = Some(Conversations::new(options, make(time)?));
        }
        let Some(conversations) = &mut conversations else {
            break;
        };
        if let Some(segment) = segment {
            conversations.sink().segment(&segment);
            conversations.segment(&segment);
            conversations.sink().check()?;
        }
        progress.tick(|| segments.bytes_read());
    }
    progress.finish();
    let mut rest = segments
        .into_rest()
        .ok_or_else(|| anyhow!("the reading thread broke down"))?;
    let conversations = match (conversations, make) {
        (Some(conversations), _) => conversations,
        (None, Some((make, options))) => Conversations::new(options, make(Timestamp::default())?),
        (None, None) => return Err(anyhow!("the sink was never made")),
    };
    let (mut sink, totals) = conversations.finish();
    sink.check()?;
    let layers = rest.counts().clone();
    let notices = notices(&mut rest.capture, several, &layers);
    tell(&layers, &totals);
    debug!(elapsed = ?started.elapsed(), bytes = rest.capture.progress().bytes, "read");
    Ok(Outcome {
        sink,
        totals,
        layers,
        first,
        last,
        notices,
        failed,
    })
}

/// What was seen, for whoever wonders why something is not shown.
fn tell(counts: &LayerCounts, totals: &Totals) {
    info!(
        packets = counts.packets,
        tcp = counts.tcp,
        other_ip = counts.other_ip,
        not_ip = counts.not_ip,
        fragments = counts.fragments,
        cut = counts.cut,
        malformed = counts.malformed,
        unknown_link = counts.unknown_link,
        duplicates = counts.duplicates,
        too_deep = counts.too_deep,
        foreign_pdus = counts.foreign_pdus,
        "packets"
    );
    if !counts.tunnels.is_empty() {
        let kinds = counts.tunnels.iter();
        let kinds: Vec<String> = kinds
            .map(|(kind, n)| format!("{} {n}", kind.name()))
            .collect();
        info!("tunnels: {}", kinds.join(", "));
    }
    info!(
        connections = totals.connections,
        encrypted = totals.encrypted,
        sessions = totals.sessions,
        messages = totals.messages,
        breaks = totals.breaks,
        missing_bytes = totals.missing,
        skipped_bytes = totals.skipped,
        shown_early = totals.forced,
        "conversations"
    );
}

fn boxed(input: FileInput) -> Box<dyn Input> {
    Box::new(input)
}

/// What capture reading and peeling noted, as findings.
fn notices(capture: &mut Capture, several: bool, counts: &LayerCounts) -> Vec<Notice> {
    let mut notices = Vec::new();
    for note in capture.notes() {
        let code = match note.kind {
            NoteKind::CutOff { .. } | NoteKind::CompressionCutOff { .. } => Code::CaptureCutOff,
            NoteKind::PacketsCut { .. } => Code::PacketsCut,
            NoteKind::UnknownLinkType { .. } => Code::UnknownLinkType,
            // The order of the packets stands; only times look odd.
            NoteKind::ClockWentBack { .. } if several => continue,
            _ => Code::CaptureDamaged,
        };
        let name = capture.name(note.input).unwrap_or("capture");
        let text = format!("{name}: {}", note.kind);
        notices.push(Notice {
            code,
            text,
            time: None,
            session: None,
        });
    }
    if several {
        notices.extend(rotation::notices(capture));
    }
    notices.extend(about_layers(counts));
    notices
}

/// What peeling noted.
fn about_layers(counts: &LayerCounts) -> impl Iterator<Item = Notice> {
    let packets = |n| amount(n, "packet", "packets");
    [
        (
            Code::FragmentsIncomplete,
            counts.fragments_given_up,
            format!(
                "{} never became whole packets",
                amount(counts.fragments_given_up, "IP fragment", "IP fragments")
            ),
        ),
        (
            Code::DuplicatePackets,
            counts.duplicates,
            format!(
                "{} captured more than once, and counted once",
                packets(counts.duplicates)
            ),
        ),
        (
            Code::NestedTooDeep,
            counts.too_deep,
            format!(
                "{} with more than {} tunnels inside each other not read",
                packets(counts.too_deep),
                limits::MAX_TUNNELS
            ),
        ),
        (
            Code::ForeignPdu,
            counts.foreign_pdus,
            format!(
                "{} exported without IP or TCP not read",
                packets(counts.foreign_pdus)
            ),
        ),
    ]
    .into_iter()
    .filter(|(_, count, _)| *count > 0)
    .map(|(code, _, text)| Notice {
        code,
        text,
        time: None,
        session: None,
    })
}

/// A bar on standard error, for long runs only.
pub struct Progress {
    wanted: bool,
    total: Option<u64>,
    started: Instant,
    packets: u32,
    bar: Option<ProgressBar>,
}

/// Runs shorter than this show no bar.
const PATIENCE: Duration = Duration::from_millis(800);
/// Packets between two looks at the clock.
const TICK: u32 = 8192;

impl Progress {
    /// A bar for inputs that are read from their beginnings.
    pub fn new(inputs: &[FileInput], settings: &Settings) -> Self {
        let total = inputs.iter().map(Input::size).sum::<Option<u64>>();
        Self {
            wanted: settings.progress,
            total,
            started: Instant::now(),
            packets: 0,
            bar: None,
        }
    }

    /// Another packet was read; `bytes` tells how many bytes so far.
    pub fn tick(&mut self, bytes: impl FnOnce() -> u64) {
        if !self.wanted {
            return;
        }
        self.packets += 1;
        if self.packets < TICK {
            return;
        }
        self.packets = 0;
        if self.bar.is_none() && self.started.elapsed() > PATIENCE {
            self.bar = Some(match self.total {
                Some(total) => ProgressBar::new(total)
                    .with_style(style("{bar:30} {bytes}/{total_bytes} {eta} left")),
                None => ProgressBar::new_spinner().with_style(style("{spinner} {bytes} read")),
            });
        }
        if let Some(bar) = &self.bar {
            bar.set_position(bytes());
        }
    }

    /// All was read.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
