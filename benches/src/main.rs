//! Benchmarks, each with its peers beside it in the same run.
//!
//! `cargo xtask bench [NAME..]` runs all of them, or those whose name starts
//! with one of the given; `memory` and `playback/drift` only where they are
//! named. Names are `area/case/size`.

mod arrays;
mod data;
mod decode;
mod diff;
mod files;
mod lockstep;
mod measure;
mod memory;
mod playback;
mod recorder;
mod ring;
mod tick;
mod unpack;

use measure::Table;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut table = Table::new(wanted);
    decode::run(&mut table);
    diff::run(&mut table);
    arrays::run(&mut table);
    files::run(&mut table);
    lockstep::run(&mut table);
    tick::run(&mut table);
    recorder::run(&mut table);
    playback::run(&mut table);
    ring::run(&mut table);
    memory::run(&mut table);
    table.print();
}
