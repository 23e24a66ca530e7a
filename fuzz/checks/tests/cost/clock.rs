//! What work costs: processor time of this thread, so that what else the machine does counts little.

use std::time::Duration;

/// Processor time of this thread so far.
#[cfg(unix)]
pub fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap(),
        time.tv_nsec.try_into().unwrap(),
    )
}

/// Elsewhere, time as it passes.
#[cfg(not(unix))]
pub fn now() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// The least that some work cost in a few tries: noise only ever adds.
pub fn cost(tries: usize, mut work: impl FnMut()) -> Duration {
    let once = |work: &mut dyn FnMut()| {
        let before = now();
        work();
        now() - before
    };
    (0..tries).map(|_| once(&mut work)).min().unwrap()
}
