//! Threads that run cells of one level beside each other.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

use super::cell::Cell;
use super::node::Node;
use crate::error::Result;
use crate::time::Time;

/// Cells are moved to a worker and back, so that nothing is shared.
pub(super) struct Workers {
    lines: Vec<(Sender<Job>, Receiver<Done>)>,
}

struct Job {
    place: usize,
    cell: Box<Cell>,
    now: Time,
    tick: u64,
}

struct Done {
    place: usize,
    cell: Box<Cell>,
    stepped: Result<()>,
}

impl Workers {
    /// They end when this is dropped.
    pub(super) fn start<'scope>(scope: &'scope Scope<'scope, '_>, threads: usize) -> Workers {
        let lines = (0..threads).map(|_| {
            let (jobs, work) = channel::<Job>();
            let (done, results) = channel();
            scope.spawn(move || {
                for mut job in work {
                    let stepped = job.cell.step(job.now, job.tick);
                    if done.send(Done { place: job.place, cell: job.cell, stepped }).is_err() {
                        return;
                    }
                }
            });
            (jobs, results)
        });
        Workers { lines: lines.collect() }
    }

    /// Runs the cells of one level that are due: those of nodes with a thread
    /// of their own on workers, the others here. Returns the first error in
    /// their order.
    ///
    /// # Panics
    /// Where a component does, with its own panic at the end of the scope.
    pub(super) fn run(
        &self,
        cells: &mut [Option<Box<Cell>>],
        due: &[usize],
        nodes: &[Node],
        now: Time,
        tick: u64,
    ) -> Result<()> {
        let mut out = vec![0_usize; self.lines.len()];
        // Alone in its level a cell gains nothing on another thread.
        let line_of = |cell: &Cell| {
            (due.len() > 1 && nodes[cell.node].threaded).then(|| cell.node % self.lines.len())
        };
        let mut here = Vec::new();
        for &place in due {
            let cell = cells[place].take().expect("each cell is due once");
            match line_of(&cell) {
                Some(line) => {
                    let sent = self.lines[line].0.send(Job { place, cell, now, tick });
                    assert!(sent.is_ok(), "a component panicked on its thread");
                    out[line] += 1;
                }
                None => {
                    cells[place] = Some(cell);
                    here.push(place);
                }
            }
        }
        let mut errors = Vec::new();
        for place in here {
            let cell = cells[place].as_mut().expect("it was put back");
            if let Err(error) = cell.step(now, tick) {
                errors.push((place, error));
            }
        }
        for (line, count) in out.into_iter().enumerate() {
            for _ in 0..count {
                let done = self.lines[line].1.recv();
                let done = done.expect("a component panicked on its thread");
                if let Err(error) = done.stepped {
                    errors.push((done.place, error));
                }
                cells[done.place] = Some(done.cell);
            }
        }
        errors.sort_by_key(|(place, _)| *place);
        errors.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
    }
}
