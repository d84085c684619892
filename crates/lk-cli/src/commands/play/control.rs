//! What paces a playback and who controls it: the clock, keys, signals.

use std::io::{self, BufRead, IsTerminal};
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lk::clock::{Clock, Lateness, Remote, Wait};
use lk::playback::{PlayReport, Player, Tick};
use lk::{Span, Time};
use lk_report::{counted, duration};

use crate::context::Context;
use crate::error::Result;
use crate::interrupt;
use crate::keyboard::{Key, Keyboard};
use crate::progress::Watch;

/// How far the arrows move.
const NEAR: Span = Span::from_nanos(5_000_000_000);
const FAR: Span = Span::from_nanos(60_000_000_000);

/// Between two looks of who watches.
const SHOWN_EVERY: Duration = Duration::from_millis(100);

/// A playback under control.
pub(super) struct Control {
    clock: Mutex<Option<Clock>>,
    /// Where each tick is waited for.
    steps: Option<Receiver<Step>>,
    shown: Arc<Shown>,
    /// The signal that ended it, or 0.
    signal: Arc<AtomicI32>,
    keyboard: Option<Keyboard>,
}

/// What is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Messages, which may be moved about in.
    Free,
    /// Messages, each time when someone says so.
    Steps,
    /// A program, which goes on from where it is.
    Program,
}

/// What one that plays step by step is told.
enum Step {
    Next,
    End,
}

/// What a watcher sees.
struct Shown {
    watch: Watch,
    remote: Remote,
    first: Time,
    last: Time,
    kind: Kind,
    state: Mutex<State>,
}

struct State {
    rate: f64,
    at: Time,
    count: u64,
    lateness: Lateness,
}

impl Control {
    /// Takes keys and signals. `drawn` says whether progress may be.
    pub(super) fn take(
        ctx: &Context,
        player: &mut Player,
        kind: Kind,
        drawn: bool,
    ) -> Result<Control> {
        let (first, last) = player.extent();
        let start = player.next_time()?.unwrap_or(first);
        let rate = player.config().effective_rate();
        let clock = Clock::paced(start, rate)?;
        let remote = clock.remote().expect("a paced clock has one");
        let watch = if drawn { ctx.spinner("playing") } else { Watch::hidden() };
        let (count, lateness) = (0, Lateness::default());
        let state = Mutex::new(State { rate, at: start, count, lateness });
        let shown = Arc::new(Shown { watch, remote, first, last, kind, state });
        if drawn {
            let shown = Arc::clone(&shown);
            thread::spawn(move || {
                loop {
                    shown.draw();
                    thread::sleep(SHOWN_EVERY);
                }
            });
        }
        let (sender, steps) = channel();

        let signal = Arc::new(AtomicI32::new(0));
        let (seen, stopped, end) = (Arc::clone(&signal), Arc::clone(&shown), sender.clone());
        interrupt::stop_first(move |signal| {
            seen.store(signal, SeqCst);
            stopped.remote.stop();
            // Nobody waits for it where it isn't played step by step.
            let _ = end.send(Step::End);
        })?;
        let keyboard = match kind {
            Kind::Steps => take_steps(sender)?,
            Kind::Free | Kind::Program => {
                let shown = Arc::clone(&shown);
                Keyboard::listen(move |key| shown.press(key))?
            }
        };
        let (clock, steps) = (Mutex::new(Some(clock)), (kind == Kind::Steps).then_some(steps));
        Ok(Control { clock, steps, shown, signal, keyboard })
    }

    /// Plays to the end, or until it is stopped.
    pub(super) fn play(
        &self,
        player: &mut Player,
        mut sink: impl FnMut(&Tick) -> lk::Result<()>,
    ) -> lk::Result<PlayReport> {
        let clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (&self.steps, clock) {
            (Some(steps), _) => self.step(steps, player, sink),
            (None, None) => Ok(PlayReport::default()),
            (None, Some(clock)) => player.play_by(clock, |tick| {
                self.shown.tick(tick.time, tick.messages.len() as u64);
                sink(tick)
            }),
        }
    }

    fn step(
        &self,
        steps: &Receiver<Step>,
        player: &mut Player,
        mut sink: impl FnMut(&Tick) -> lk::Result<()>,
    ) -> lk::Result<PlayReport> {
        let mut report = PlayReport::default();
        while player.next_time()?.is_some() {
            if !matches!(steps.recv(), Ok(Step::Next)) {
                report.stopped = true;
                break;
            }
            let Some(tick) = player.step()? else { break };
            report.ticks += 1;
            report.messages += tick.messages.len() as u64;
            self.shown.tick(tick.time, tick.messages.len() as u64);
            sink(&tick)?;
        }
        Ok(report)
    }

    /// What makes ticks of a program due: each at its time, counted from when
    /// the first is asked for. Notes in `report` what becomes of them.
    pub(super) fn due<'a>(&'a self, report: &'a mut PlayReport) -> impl FnMut(Time) -> bool + 'a {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut begun: Option<(Time, Instant)> = None;
        move |time| {
            let Some(clock) = &mut clock else { return false };
            if begun.is_none() {
                // Building it and starting it took its time.
                self.shown.remote.seek(time);
            }
            loop {
                match clock.wait_until(time) {
                    Wait::Moved(_) => {}
                    Wait::Stopped => {
                        report.stopped = true;
                        return false;
                    }
                    Wait::Reached { late } => {
                        let (first, since) = *begun.get_or_insert_with(|| (time, Instant::now()));
                        let took = since.elapsed().as_secs_f64();
                        let span = (time - first).as_nanos() as f64 / 1e9;
                        report.rate = (took > 0.0 && span > 0.0).then_some(span / took);
                        report.lateness.add(late);
                        self.shown.tick(time, 1);
                        return true;
                    }
                }
            }
        }
    }

    /// The signal that ended it.
    pub(super) fn signal(&self) -> Option<u8> {
        u8::try_from(self.signal.load(SeqCst)).ok().filter(|signal| *signal != 0)
    }
}

/// What follows is written to a terminal as it was. The threads of keys and
/// signals end with the process alone, and hold what is shown.
impl Drop for Control {
    fn drop(&mut self) {
        self.shown.watch.clear();
        self.keyboard = None;
    }
}

/// Steps come from keys where there are any, else from lines.
fn take_steps(steps: Sender<Step>) -> Result<Option<Keyboard>> {
    if !io::stdin().is_terminal() {
        thread::spawn(move || {
            let lines = io::stdin().lock().lines();
            lines.map_while(io::Result::ok).try_for_each(|_| steps.send(Step::Next))?;
            steps.send(Step::End)
        });
        return Ok(None);
    }
    Keyboard::listen(move |key| {
        let step = match key {
            Key::Enter | Key::Right | Key::Char(' ') => Step::Next,
            Key::Char('q') => Step::End,
            _ => return,
        };
        // After the end nobody takes them.
        let _ = steps.send(step);
    })
}

impl Shown {
    fn press(&self, key: Key) {
        let remote = &self.remote;
        let by = |span: Span| {
            let to = remote.now() + span;
            let to = to.max(self.first).min(self.last);
            remote.seek(to);
        };
        match key {
            Key::Char(' ') if remote.is_paused() => remote.resume(),
            Key::Char(' ') => remote.pause(),
            Key::Char('q') => remote.stop(),
            Key::Right | Key::Left | Key::Up | Key::Down if self.kind == Kind::Program => {}
            Key::Right => by(NEAR),
            Key::Left => by(back(NEAR)),
            Key::Up => by(FAR),
            Key::Down => by(back(FAR)),
            Key::Char('+') => self.scale(2.0),
            Key::Char('-') => self.scale(0.5),
            _ => {}
        }
        self.draw();
    }

    fn scale(&self, factor: f64) {
        let mut state = self.lock();
        let rate = (state.rate * factor).clamp(1e-6, 1e9);
        if self.remote.set_rate(rate).is_ok() {
            state.rate = rate;
        }
    }

    /// Counts messages, or ticks of a program, and how late they are.
    fn tick(&self, time: Time, count: u64) {
        let late = (self.remote.now() - time).as_nanos();
        let mut state = self.lock();
        let late = Span::from_nanos((late as f64 / state.rate) as i64);
        state.at = time;
        state.count += count;
        state.lateness.add(late);
    }

    fn draw(&self) {
        let state = self.lock();
        // Steps have no clock.
        let steps = self.kind == Kind::Steps;
        let at = if steps { state.at } else { self.remote.now().min(self.last) };
        let at = (at - self.first).as_nanos() as f64 / 1e9;
        let whole = (self.last - self.first).as_nanos() as f64 / 1e9;
        let late = u64::try_from(state.lateness.quantile(0.99).as_nanos()).unwrap_or(0);
        let what = if self.kind == Kind::Program { "tick" } else { "message" };
        let messages = counted(state.count, what);
        let how = match (steps, self.remote.is_paused()) {
            (true, _) => "Enter plays on, q ends".to_owned(),
            (_, true) => format!("{}x  paused", state.rate),
            (_, false) => format!("{}x  p99 late {}", state.rate, duration(late)),
        };
        self.watch.say(&format!("{at:.1} of {whole:.1} s  {messages}  {how}"));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn back(span: Span) -> Span {
    Span::from_nanos(-span.as_nanos())
}
