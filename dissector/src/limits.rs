//! Every bound on memory and effort, in one place. Reaching one is reported, never silent.

/// Largest packet that is read (bytes). Larger records are skipped as damage; the usual snap length is 262,144.
pub const MAX_PACKET: usize = 512 * 1024;
