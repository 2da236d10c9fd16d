//! Ctrl-C and termination: the first asks for an end, the second is one.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// Number of the signal that came; 0 where none did.
static RECEIVED: LazyLock<Arc<AtomicUsize>> = LazyLock::new(|| {
    let (first, received) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    for signal in [SIGINT, SIGTERM] {
        // In this order: what the first signal sets, the second finds. Where a system has no such signal, there is none to
        // wait for.
        let _ = flag::register_conditional_shutdown(signal, status(signal).into(), first.clone())
            .and_then(|_| flag::register(signal, first.clone()))
            .and_then(|_| flag::register_usize(signal, received.clone(), signal as usize));
    }
    received
});

/// Listens from now on: the first signal does nothing but be noticed, the second ends the program.
pub fn listen() {
    LazyLock::force(&RECEIVED);
}

/// The signal that came.
pub fn received() -> Option<i32> {
    Some(RECEIVED.load(Ordering::Relaxed) as i32).filter(|signal| *signal != 0)
}

/// What it is called.
pub fn name(signal: i32) -> &'static str {
    if signal == SIGTERM { "termination" } else { "Ctrl-C" }
}

/// The exit status that shells know it by.
pub fn status(signal: i32) -> u8 {
    128 + signal as u8
}
