//! The keys: what a person at the screen wishes for.

use std::io;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::time::Nanos;

/// By how much measure gets longer or shorter at a time.
pub const STEP: Nanos = Nanos::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Stop,
    Longer,
    Shorter,
    Freeze,
    Help,
    /// The window has another size.
    Look,
}

/// The next wish, if there is one within that time. Without keys it is only waited.
pub fn next(wait: Duration, has_keys: bool) -> io::Result<Option<Wish>> {
    if !has_keys {
        std::thread::sleep(wait);
        return Ok(None);
    }
    if !event::poll(wait)? {
        return Ok(None);
    }
    Ok(match event::read()? {
        Event::Key(key) if key.kind != KeyEventKind::Release => of(key),
        Event::Resize(..) => Some(Wish::Look),
        _ => None,
    })
}

fn of(key: KeyEvent) -> Option<Wish> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        // In raw mode it is a key like any other, and no signal.
        KeyCode::Char('c') if control => Some(Wish::Stop),
        KeyCode::Char('q' | 'Q') => Some(Wish::Stop),
        KeyCode::Char('+' | '=') => Some(Wish::Longer),
        KeyCode::Char('-' | '_') => Some(Wish::Shorter),
        KeyCode::Char(' ') => Some(Wish::Freeze),
        KeyCode::Char('?' | 'h') => Some(Wish::Help),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_those_of_the_help() {
        let typed = |code, modifiers| of(KeyEvent::new(code, modifiers));
        let plain = |key| typed(KeyCode::Char(key), KeyModifiers::NONE);
        let wishes = ['q', '+', '-', ' ', '?', 'c', 'x'].map(plain);
        let [stop, longer, shorter] = [Wish::Stop, Wish::Longer, Wish::Shorter].map(Some);
        let [freeze, help] = [Wish::Freeze, Wish::Help].map(Some);
        assert_eq!(wishes, [stop, longer, shorter, freeze, help, None, None]);
        assert_eq!(typed(KeyCode::Char('c'), KeyModifiers::CONTROL), stop);
    }
}
