//! Small mistakes in the C++ port of the attitude filter, each built and
//! verified: a comparison that lets one through is worth nothing.

mod list;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use list::{MUTANTS, Mutant};

use crate::example::Example;

/// Builds at a time.
const WORKERS: usize = 2;

#[test]
fn every_mutant_is_caught_or_has_a_reason_why_no_output_shows_it() {
    let example = Example::copy("attitude_filter");
    compile_harness(&example);
    let mut manifest = example.read("lk.toml");
    for (number, mutant) in MUTANTS.iter().enumerate() {
        manifest += &plant(&example, number, mutant);
    }
    example.write("lk.toml", &manifest);
    // Fills the cache, so that the reference runs once.
    example.verify(&["--candidate", "cpp"], 0);

    let queue = Mutex::new((0..MUTANTS.len()).collect::<VecDeque<_>>());
    let lines = Mutex::new(vec![Err("not run".to_owned()); MUTANTS.len()]);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().pop_front();
                    let Some(number) = next else { break };
                    let line = judge(&example, number);
                    lines.lock().unwrap()[number] = line;
                }
            });
        }
    });

    let lines = lines.into_inner().unwrap();
    println!("{}", table(&lines));
    let wrong: Vec<&str> =
        lines.iter().filter_map(|line| line.as_ref().err()).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let caught = MUTANTS.iter().filter(|mutant| mutant.harmless.is_none()).count();
    assert!(caught >= 20, "{caught} mutants are too few to say much");
}

/// The harness, once for all mutants of the component alone.
fn compile_harness(example: &Example) {
    let gxx = Command::new("g++")
        .args(["-std=c++17", "-O1", "-c", "harness.cpp", "-o", "harness.o"])
        .current_dir(example.dir().join("cpp"))
        .status();
    assert!(gxx.expect("g++ starts").success());
}

/// Writes the port with the mistake; returns its table in lk.toml.
fn plant(example: &Example, number: usize, mutant: &Mutant) -> String {
    for file in ["types.hpp", "harness.cpp", "component.hpp", "component.cpp"] {
        let mut text = example.read(&format!("cpp/{file}"));
        if file == mutant.file {
            assert_eq!(text.matches(mutant.from).count(), 1, "{}: {:?}", mutant.name, mutant.from);
            text = text.replace(mutant.from, mutant.to);
        }
        example.write(&format!("mutant{number}/{file}"), &text);
    }
    // The class itself is another where the header is.
    let harness = if mutant.file == "component.hpp" { "harness.cpp" } else { "../cpp/harness.o" };
    format!(
        "\n[candidates.mutant{number}]\ndir = \"mutant{number}\"\nscaffold = \"cpp\"\n\
         build = [\"g++\", \"-std=c++17\", \"-O1\", \"-ffp-contract=off\", \"{harness}\", \
         \"component.cpp\", \"-o\", \"filter\"]\n\
         run = [\"./filter\"]\ndefault = false\n"
    )
}

/// A line of the table; an error where the verdict isn't the expected one.
fn judge(example: &Example, number: usize) -> Result<String, String> {
    let mutant = &MUTANTS[number];
    let code = if mutant.harmless.is_none() { 1 } else { 0 };
    let (candidate, out) = (format!("mutant{number}"), format!("out{number}"));
    let args = ["--candidate", &candidate, "--out", &out];
    let verified = match std::panic::catch_unwind(|| example.verify(&args, code)) {
        Ok(verified) => verified,
        Err(said) => {
            let said = said.downcast_ref::<String>().map_or("", String::as_str);
            return Err(format!("{}: expected exit code {code}\n{said}", mutant.name));
        }
    };
    Ok(match mutant.harmless {
        Some(reason) => format!("no output shows it: {reason}"),
        None => {
            let first = verified.first_divergence();
            let tick = first.mismatch.tick.ok_or("the runner numbers ticks")?;
            format!(
                "caught at tick {tick:>5}, {:>12} s, {}",
                first.mismatch.time, first.mismatch.path
            )
        }
    })
}

fn table(lines: &[Result<String, String>]) -> String {
    let width = MUTANTS.iter().map(|mutant| mutant.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (mutant, line) in MUTANTS.iter().zip(lines) {
        let line = line.as_deref().unwrap_or("NOT AS EXPECTED");
        writeln!(text, "{:<width$}  {line}", mutant.name).expect("a string takes it");
    }
    text
}
