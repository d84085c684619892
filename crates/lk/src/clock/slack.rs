//! How exactly the kernel wakes a thread.

/// Runs `sleep` with a thread that the kernel wakes as exactly as it can:
/// Linux otherwise takes its liberty of 50 microseconds to wake several at
/// once (`PR_SET_TIMERSLACK`). What the thread had before is restored.
#[cfg(target_os = "linux")]
pub(super) fn without<T>(sleep: impl FnOnce() -> T) -> T {
    use rustix::thread::{current_timer_slack, set_current_timer_slack};
    use std::num::NonZeroU64;

    // Where it is forbidden a wait ends later, and says so.
    let before = current_timer_slack();
    let _ = set_current_timer_slack(Some(NonZeroU64::MIN));
    let slept = sleep();
    if let Ok(before) = before {
        let _ = set_current_timer_slack(NonZeroU64::new(before));
    }
    slept
}

#[cfg(not(target_os = "linux"))]
pub(super) fn without<T>(sleep: impl FnOnce() -> T) -> T {
    sleep()
}
