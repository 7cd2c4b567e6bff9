//! The modes of the terminal: taken at the start, and given back on every way out, also that of a
//! panic in whatever thread.

use std::io::{self, Write};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// Dropping it gives them back.
pub struct Modes;

impl Modes {
    pub fn take() -> io::Result<Modes> {
        HOOK.call_once(|| {
            let usual = panic::take_hook();
            // A panic's words belong on the screen that stays.
            panic::set_hook(Box::new(move |panic| {
                restore();
                usual(panic);
            }));
        });
        enable_raw_mode()?;
        TAKEN.store(true, SeqCst);
        let modes = Modes;
        execute!(io::stderr(), EnterAlternateScreen, Hide)?;
        Ok(modes)
    }
}

impl Drop for Modes {
    fn drop(&mut self) {
        restore();
    }
}

/// Once, whoever asks first.
pub fn restore() {
    if TAKEN.swap(false, SeqCst) {
        // A terminal that is gone has no modes.
        let _ = execute!(io::stderr(), Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
        let _ = io::stderr().flush();
    }
}
