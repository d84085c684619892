//! Keys of a terminal as they are pressed, without waiting for Enter.

use std::io::{self, IsTerminal, Read};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::process::getpgrp;
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

use crate::error::{Error, Result};

/// The terminal as it was, for as long as it isn't so.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// A key that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    Up,
    Down,
    Right,
    Left,
    Enter,
}

/// The terminal gives keys; dropped, it is as it was before.
///
/// Ctrl-C stays a signal, and what is written is shown as ever: only lines
/// and the echo of keys are off.
pub(crate) struct Keyboard(());

impl Keyboard {
    /// Calls `pressed` for each key from now on, on a thread of its own;
    /// `None` where no terminal is there to press keys on, or another job has
    /// it.
    pub(crate) fn listen(
        mut pressed: impl FnMut(Key) + Send + 'static,
    ) -> Result<Option<Keyboard>> {
        if !io::stdin().is_terminal() || tcgetpgrp(stdin()).ok() != Some(getpgrp()) {
            return Ok(None);
        }
        let before = tcgetattr(stdin()).map_err(refused)?;
        let mut keys = before.clone();
        keys.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let keyboard = Keyboard(());
        tcsetattr(stdin(), OptionalActions::Now, &keys).map_err(refused)?;
        thread::spawn(move || {
            // What one read brings are whole keys: nobody types in between.
            let mut bytes = [0; 64];
            while let Ok(count @ 1..) = io::stdin().lock().read(&mut bytes) {
                keys_of(&bytes[..count]).into_iter().for_each(&mut pressed);
            }
        });
        Ok(Some(keyboard))
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        restore();
    }
}

/// Leaves the terminal as it was, from any thread.
pub(crate) fn restore() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // Fails where the terminal is gone, which then needs nothing.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
    }
}

fn refused(error: rustix::io::Errno) -> Error {
    Error::Terminal(error.into())
}

/// The keys of what a terminal sends: of its escape sequences just the arrows
/// (ECMA-48, and in the form of an application's keypad).
fn keys_of(mut bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    while let Some((&first, rest)) = bytes.split_first() {
        bytes = rest;
        match (first, rest) {
            (0x1b, [b'[' | b'O', last, rest @ ..]) => {
                bytes = rest;
                keys.extend(match last {
                    b'A' => Some(Key::Up),
                    b'B' => Some(Key::Down),
                    b'C' => Some(Key::Right),
                    b'D' => Some(Key::Left),
                    _ => None,
                });
            }
            (b'\r' | b'\n', _) => keys.push(Key::Enter),
            (b' '..=b'~', _) => keys.push(Key::Char(char::from(first))),
            _ => {}
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_are_keys_and_other_sequences_are_none() {
        let bytes = b" q\x1b[C\x1bOD\x1b[A\x1b[B\n\x1b[H\x01+";
        let keys = [
            Key::Char(' '),
            Key::Char('q'),
            Key::Right,
            Key::Left,
            Key::Up,
            Key::Down,
            Key::Enter,
            Key::Char('+'),
        ];
        assert_eq!(keys_of(bytes), keys);
    }
}
