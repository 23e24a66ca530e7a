//! Every bound on memory and effort, in one place. Reaching one is reported, never silent.

use std::time::Duration;

/// Largest packet that is read (bytes). Larger records are skipped as damage; the usual snap length is 262,144.
pub const MAX_PACKET: usize = 512 * 1024;

/// Largest MessageLength that is framed (bytes). The protocol allows 12,492; longer ones are decoded with a finding, but a length
/// beyond this one is taken for nonsense.
pub const MAX_FRAMED_LENGTH: usize = 64 * 1024;

/// Largest MessageLength that the protocol allows (bytes): 12,500 with the header.
pub const LONGEST_LENGTH: u32 = 12_492;

/// Bytes kept while a message boundary is searched (per direction).
pub const MAX_SEARCH: usize = 64 * 1024;

/// Memory for beginnings of messages and for searches, of all connections (bytes). Beyond it, whatever direction brings more
/// has its message cut, or its search given up.
pub const MAX_FRAMING_BYTES: usize = 8 * 1024 * 1024;

/// Bytes of records that wait until more is known about one of them. Beyond it the oldest are shown as they are.
pub const MAX_HELD_BYTES: usize = 8 * 1024 * 1024;

/// Bytes of messages that wait because reassembly holds earlier data back. Beyond it they pass out of order.
pub const MAX_REORDER_BYTES: usize = 4 * 1024 * 1024;

/// Requests without answer that are remembered over all sessions. Beyond it the oldest are given up.
pub const MAX_OPEN_REQUESTS: usize = 65_536;

/// Messages of a session that wait for its protocol version to be inferred.
pub const MAX_INFERENCE_MESSAGES: u32 = 64;

/// Bytes of both directions in which a connection on a port that says nothing must show that it is CTI.
pub const MAX_PROBE_BYTES: u64 = 32 * 1024;

/// Agents whose last state is remembered for the timeline.
pub const MAX_AGENTS: usize = 65_536;
/// Largest size of the buffer through which an input is read (bytes). A single larger record makes it larger for as long.
pub const READ_BUFFER: usize = 256 * 1024;

/// Bytes that the buffers of all inputs that are read side by side share, but for [`LEAST_BUFFER`] each.
pub const READ_BUFFERS: usize = 16 * 1024 * 1024;

/// Smallest share of [`READ_BUFFERS`] (bytes).
pub const LEAST_BUFFER: usize = 4 * 1024;

/// Largest size of the buffer behind a decoder (bytes).
pub const DECODED_BUFFER: usize = 256 * 1024;

/// Size of the buffer used to find the time of an input's first packet (bytes); it grows up to [`MAX_BLOCK`] when needed.
pub const PROBE_BUFFER: usize = 4 * 1024;

/// Most inputs that are open at the same time. Further ones that overlap are closed and opened again by turns; so are
/// those beyond what the system allows.
pub const OPEN_INPUTS: usize = 512;

/// Most memory of decoders that are open at the same time (bytes, estimated). Beyond it they are closed and opened again
/// by turns.
pub const DECODER_MEMORY: usize = 64 * 1024 * 1024;

/// A compressed input of which more than that has been read (bytes, decompressed) stays open whatever the other limits
/// say: what was closed has to be decompressed from its beginning.
pub const READ_AGAIN: usize = 4 * 1024 * 1024;

/// Largest pcapng block that is looked into (bytes): a packet and room for its options. Larger ones are stepped over.
pub const MAX_BLOCK: usize = MAX_PACKET + 128 * 1024;

/// Most interfaces one pcapng section may describe. Packets of those beyond are skipped as damage.
pub const MAX_INTERFACES: usize = 65_536;

/// Most memory an xz decoder may take, which bounds its dictionary (bytes).
pub const XZ_MEMORY: u64 = 256 * 1024 * 1024;

/// Largest zstd window, as a power of 2 (27: 128 MiB).
pub const ZSTD_WINDOW_LOG: u32 = 27;

/// Most bytes of unfinished IP datagrams that are held; the oldest is given up beyond.
pub const FRAGMENT_BYTES: usize = 16 * 1024 * 1024;

/// Most unfinished IP datagrams that are held; the oldest is given up beyond.
pub const FRAGMENT_DATAGRAMS: usize = 4096;

/// How long an unfinished IP datagram is held, in capture time.
pub const FRAGMENT_AGE: std::time::Duration = std::time::Duration::from_secs(30);

/// Tunnels inside each other that are taken off a packet; those of packets with more are not looked into.
pub const MAX_TUNNELS: usize = 8;

/// TCP segments that are remembered to recognise a packet captured twice; the oldest make room.
pub const DUPLICATE_MEMORY: usize = 4_096;

/// Capture time within which a packet captured twice is recognised.
pub const DUPLICATE_AGE: Duration = Duration::from_secs(1);

/// Most unknown link types that are counted one by one.
pub const UNKNOWN_LINK_TYPES: usize = 32;

/// Largest pcapng block without packets that is stepped over (bytes). A larger length counts as damage.
pub const MAX_SKIPPED_BLOCK: usize = 64 * 1024 * 1024;
/// Data held for one direction of a connection while a hole before it may still fill (bytes, with [`PIECE_OVERHEAD`] for
/// each piece). Beyond it the hole is reported as a gap.
pub const MAX_STREAM_BUFFER: usize = 256 * 1024;

/// The same over all connections. Beyond it the holes that would be given up soonest are reported as gaps.
pub const MAX_TOTAL_BUFFER: usize = 16 * 1024 * 1024;

/// What a piece of held data costs beside its bytes, so that many tiny pieces are bounded too.
pub const PIECE_OVERHEAD: usize = 128;

/// Bytes delivered last, of all connections, that are kept to compare with what comes again.
pub const RECENT_BYTES: usize = 256 * 1024;

/// Runs that these bytes may consist of (32 bytes each).
pub const RECENT_RUNS: usize = 4_096;

/// Runs of a stream that are looked at for one segment that comes again; what was delivered before them is not compared.
pub const RECENT_LOOKS: usize = 1024;

/// Connections followed at once. Beyond it the longest idle one is dropped. Being idle alone ends no connection.
pub const MAX_CONNECTIONS: usize = 8_192;

/// Connections of which one side alone was heard, without data (port scans, SYN floods). Beyond it the longest idle of
/// them is dropped, so that they cannot drive out connections that carry something.
pub const MAX_HALF_OPEN: usize = 4_096;

/// Ended connections that are remembered to recognise their late segments.
pub const MAX_ENDED: usize = 4_096;

/// How long (capture time) an ended connection is remembered.
pub const ENDED_MEMORY: Duration = Duration::from_secs(30);

/// Capture time for which a hole that the receiver has acknowledged may still fill: captures merged from several
/// interfaces are slightly out of order.
pub const HOLE_GRACE: Duration = Duration::from_millis(500);

/// The same in captured segments of the connection; whichever is reached first ends the grace.
pub const HOLE_GRACE_SEGMENTS: u64 = 64;

/// Capture time after which a hole is given up without any acknowledgement (captures of one direction only).
pub const HOLE_PATIENCE: Duration = Duration::from_secs(5);

/// Largest step in sequence numbers, forward or back, that one segment may take without being confirmed by another.
pub const MAX_JUMP: u32 = 8 * 1024 * 1024;

/// Capture time for which a segment that would take a larger step waits for another one to confirm it.
pub const SUSPECT_PATIENCE: Duration = Duration::from_secs(300);

/// How far an acknowledgement may be ahead of all captured data and be believed; also how near a late segment must be to
/// an ended connection to count as part of it.
pub const MAX_WINDOW: u32 = 1024 * 1024;

/// Breaks of a connection that are kept apart until its session is known.
pub const MAX_EARLY_BREAKS: usize = 8;

/// Bytes that may be decoded on trial, for each byte in which a message boundary is searched.
pub const SEARCH_EFFORT: u64 = 32;

/// Bytes that may be decoded on trial at once (per direction).
pub const SEARCH_CREDIT: u64 = 1024 * 1024;

/// Longest filter expression (bytes); long lists of values fit.
pub const MAX_FILTER_BYTES: usize = 64 * 1024;

/// Parentheses and negations within each other in a filter expression.
pub const MAX_FILTER_DEPTH: usize = 64;

/// Regular expressions in one filter expression.
pub const MAX_FILTER_PATTERNS: usize = 32;

/// Memory of one compiled regular expression of a filter (bytes), and of the cache with which it runs.
pub const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// Sightings that triage keeps; more are counted.
pub const MAX_SIGHTINGS: usize = 65_536;

/// Those of one finding that triage keeps; more are counted.
pub const MAX_SIGHTINGS_OF_ONE: usize = 4_096;

/// Sessions that triage knows at a time; those that ended longest ago are forgotten first.
pub const MAX_TRIAGE_SESSIONS: usize = 16_384;

/// Latest messages whose packets triage can still name.
pub const TRIAGE_PLACES: usize = 65_536;

/// Agents and calls under way that triage names of each failover; more are counted.
pub const MAX_FAILOVER_NAMED: usize = 16;

/// Sessions, agents and calls that one finding of triage lists.
pub const MAX_TOUCHED: usize = 1_000;

/// Agents that are studied at a time; messages about more are counted.
pub const MAX_STUDIED_AGENTS: usize = 16_384;

/// Requests that name a phone, remembered until it is known which agent is there.
pub const MAX_EARLY_REQUESTS: usize = 256;

/// Periods, calls and requests of all agents that are kept where their whole history is asked for; then the oldest of an agent make room.
pub const MAX_AGENT_HISTORY: usize = 131_072;

/// Slices of time that statistics count in; slices become wider where there would be more.
pub const MAX_SLICES: i64 = 10_000;

/// Message types, types of requests, and kinds of failures that statistics tell apart.
pub const MAX_STATISTICS_ROWS: usize = 4_096;

/// Sessions that statistics tell apart; those beyond are counted together.
pub const MAX_STATISTICS_SESSIONS: usize = 8_192;

/// Calls that are followed at a time. Beyond it the one without a message for longest is told as it is.
pub const MAX_CALLS: usize = 8_192;

/// Capture time for which a call that is over is kept, since another one may still join it by the router's key.
pub const CALL_GRACE: Duration = Duration::from_secs(120);

/// Capture time after which a call without a message is told as it is, though its end was not seen.
pub const CALL_PATIENCE: Duration = Duration::from_secs(12 * 3600);

/// Call IDs, and as many router keys and CallReferenceIDs, that are joined to one call. Further ones are calls of their own.
pub const MAX_CALL_LEGS: usize = 32;

/// Devices of one call that are told apart.
pub const MAX_CALL_PARTIES: usize = 32;

/// Names and values of the call data of one call that are remembered (bytes).
pub const MAX_CALL_DATA: usize = 8 * 1024;

/// Steps of the story of one call. More are counted.
pub const MAX_CALL_STEPS: usize = 4_096;

/// Stories of all calls that are followed (bytes, estimated). Beyond it stories lose what comes.
pub const MAX_STORY_BYTES: usize = 64 * 1024 * 1024;

/// Calls that are over and wait for an older one, so that calls come in order of their beginning. Beyond it they come out of order.
pub const MAX_WAITING_CALLS: usize = 16_384;

/// Requests without outcome that are remembered to be told with their calls.
pub const MAX_CALL_REQUESTS: usize = 65_536;

/// Agents that triage follows; beyond it the one that was first seen is forgotten.
pub const MAX_TRIAGE_AGENTS: usize = 16_384;

/// Calls that triage follows; beyond it the one that was first seen is forgotten.
pub const MAX_TRIAGE_CALLS: usize = 16_384;

/// Latest requests of which triage remembers agent, call and state.
pub const MAX_TRIAGE_REQUESTS: usize = 16_384;

/// Things that each detector of triage waits for at a time; beyond it the one due next is not judged.
pub const MAX_TRIAGE_WAITS: usize = 8_192;

/// Agents, phones, numbers, calls or requests that each detector of triage remembers.
pub const MAX_TRIAGE_KEPT: usize = 8_192;

/// Planned moves between the sides of a pair that triage remembers.
pub const MAX_HANDOVERS: usize = 64;

/// TCP connections on CTI ports that triage follows; the quarter that was idle longest makes room.
pub const MAX_TRACKED: usize = 8_192;

/// Segments without acknowledgement that triage remembers, for each direction of these.
pub const MAX_IN_FLIGHT: usize = 16;

/// Times at which something was sent again, or was not captured, that triage remembers, for each direction.
pub const MAX_AGAIN: usize = 16;

/// CTI Servers on unusual ports whose connections triage follows.
pub const MAX_SERVERS: usize = 1_024;

/// Sightings that wait for what makes them better or worse, for each kind; then the oldest are told as they are.
pub const MAX_DEFERRED: usize = 4_096;

/// Clients, peripherals and devices that a detector of triage remembers; then it forgets the first.
pub const MAX_REMEMBERED: usize = 16_384;

/// Packets with fragments of one IP datagram that are remembered; a datagram has no more, unless they come again and again.
pub const MAX_CARRIERS: usize = 8_192;

/// Packets of a session's opening, and of the answers to a request, that `extract` remembers until something selects them.
pub const MAX_OPENING_PACKETS: usize = 64;

/// Words, numbers and addresses, of each kind, whose pseudonyms are remembered; they are worked out anew beyond.
pub const MAX_PSEUDONYMS: usize = 65_536;

/// A key that is given to `redact` (bytes).
pub const MAX_KEY_BYTES: usize = 64 * 1024;

/// Redacted bytes of one stream that are gathered before they go to the temporary file, and of all streams.
pub const REDACTED_STRETCH: usize = 16 * 1024;

/// The same over all streams.
pub const REDACTED_BYTES: usize = 16 * 1024 * 1024;
/// Memory that the two sides of a comparison may take (bytes, estimated). Beyond it nothing is compared: half a capture would differ in all
/// that is not there.
pub const MAX_DIFF_BYTES: u64 = 8 * 1024 * 1024 * 1024;

/// Messages by which one may stand elsewhere than on the other side and still count as the same one, moved. Farther away it counts as missing
/// there and added here.
pub const DIFF_WINDOW: u32 = 128;

/// Longest line of a dump that is read (bytes): more than the JSON of any message takes.
pub const MAX_DUMP_LINE: usize = 4 * 1024 * 1024;
