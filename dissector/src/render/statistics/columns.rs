//! The columns of each section.

use crate::render::table::Column;

pub(super) const TYPE: [Column; 8] = [
    Column::right("TYPE", "type"),
    Column::left("NAME", "name"),
    Column::left("DIRECTION", "direction"),
    Column::right("MESSAGES", "messages"),
    Column::right("SHARE", "share_percent").spare(4),
    Column::right("BYTES", "bytes").spare(5),
    Column::right("AVERAGE", "average_bytes").spare(9),
    BAR,
];

pub(super) const DIRECTION: [Column; 5] = [
    Column::left("DIRECTION", "direction"),
    Column::right("MESSAGES", "messages"),
    Column::right("SHARE", "share_percent"),
    Column::right("BYTES", "bytes"),
    BAR,
];

pub(super) const SESSION: [Column; 18] = [
    Column::right("SESSION", "session"),
    Column::left("CLIENT", "client"),
    Column::left("SERVER", "server").spare(8),
    Column::left("WHO", "who"),
    Column::right("MESSAGES", "messages"),
    Column::csv("messages_from_client"),
    Column::csv("messages_from_server"),
    Column::right("BYTES", "bytes").spare(9),
    Column::right("REQUESTS", "requests").spare(6),
    Column::csv("answered"),
    Column::right("FAILED", "failed"),
    Column::right("UNANSWERED", "unanswered"),
    Column::csv("open"),
    Column::csv("not_judged"),
    Column::right("MEDIAN", "median_ms").spare(5),
    Column::right("P99", "p99_ms").spare(7),
    Column::right("MAX", "max_ms").spare(4),
    BAR,
];

pub(super) const INTERVAL: [Column; 12] = [
    Column::left("FROM", "from"),
    Column::right("MESSAGES", "messages"),
    Column::right("OF CLIENTS", "messages_from_client").spare(9),
    Column::right("OF SERVERS", "messages_from_server").spare(9),
    Column::right("BYTES", "bytes").spare(8),
    Column::right("REQUESTS", "requests"),
    Column::csv("answered"),
    Column::right("FAILED", "failed"),
    Column::right("UNANSWERED", "unanswered"),
    Column::csv("open"),
    Column::csv("not_judged"),
    BAR,
];

pub(super) const LATENCY: [Column; 15] = [
    Column::csv("type"),
    Column::left("REQUEST", "request"),
    Column::left("ASKED BY", "asked_by").spare(9),
    Column::right("COUNT", "requests"),
    Column::right("ANSWERED", "answered").spare(2),
    Column::right("FAILED", "failed"),
    Column::right("UNANSWERED", "unanswered"),
    Column::right("LATE", "late").spare(6),
    Column::right("OPEN", "open").spare(7),
    Column::right("NOT JUDGED", "not_judged").spare(8),
    Column::right("MIN", "min_ms").spare(4),
    Column::right("MEDIAN", "median_ms"),
    Column::right("P90", "p90_ms").spare(5),
    Column::right("P99", "p99_ms").spare(3),
    Column::right("MAX", "max_ms"),
];

pub(super) const RESPONSE_TIME: [Column; 8] = [
    Column::right("INDEX", "type"),
    Column::left("PROCEDURE", "request"),
    Column::left("ASKED BY", "asked_by"),
    Column::right("CALLS", "calls"),
    Column::right("MIN SRT", "min_s"),
    Column::right("MAX SRT", "max_s"),
    Column::right("AVG SRT", "average_s"),
    Column::right("SUM SRT", "sum_s"),
];

pub(super) const FAILURES: [Column; 11] = [
    Column::left("REQUEST", "request"),
    Column::csv("by"),
    Column::right("CODE", "code"),
    Column::left("NAME", "name").spare(2),
    Column::left("MEANING", "meaning").spare(7),
    Column::left("PERIPHERAL ERROR", "peripheral_error").spare(9),
    Column::csv("peripheral_meaning"),
    Column::right("COUNT", "count"),
    Column::left("FIRST", "first").spare(8),
    Column::csv("last"),
    Column::left("HINT", "hint").spare(3),
];

pub(super) const HEARTBEATS: [Column; 11] = [
    Column::right("SESSION", "session"),
    Column::left("WHO", "who"),
    Column::right("COUNT", "heartbeats"),
    Column::right("EVERY", "interval_median_s"),
    Column::csv("interval_min_s"),
    Column::right("LONGEST", "interval_max_s").spare(5),
    Column::right("IDLE TIMEOUT", "idle_timeout_s"),
    Column::right("ANSWERED", "answered"),
    Column::right("MEDIAN", "median_ms").spare(4),
    Column::right("MAX", "max_ms").spare(4),
    Column::right("LOST", "lost"),
];

pub(super) const BAR: Column = Column {
    heading: "",
    key: "",
    right: false,
    csv_only: false,
    spare: u8::MAX,
};
