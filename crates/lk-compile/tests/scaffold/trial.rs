//! A component that does what its input says, well and badly, in each
//! language.

use lk::Schema;
use lk_compile::scaffold::Language;
use lk_compile::{ComponentSpec, PortSpec};

pub(crate) fn spec() -> ComponentSpec {
    let port = |name: &str, ty: &str, text: &str| PortSpec {
        name: name.to_owned(),
        key: name.to_owned(),
        schema: Schema::parse(&format!("trial/msg/{ty}"), text).unwrap(),
    };
    ComponentSpec {
        name: "trial".to_owned(),
        description: None,
        inputs: vec![
            port("command", "Command", "string text"),
            port("other", "Other", "float64 x 7.5"),
        ],
        outputs: vec![port("report", "Report", "int64 count\nstring<=8 text")],
        states: vec![port("memory", "Memory", "int64 count")],
        config: None,
    }
}

pub(crate) fn files(language: Language) -> Vec<(&'static str, String)> {
    let (path, text) = match language {
        Language::Cpp => ("component.cpp", CPP),
        Language::Rust => ("src/component.rs", RUST),
        Language::Python => ("component.py", PYTHON),
    };
    let mut files = vec![(path, text.to_owned())];
    if language == Language::Cpp {
        let header = "#pragma once\n#include \"types.hpp\"\nnamespace trial {\nclass Component {\n \
                      public:\n  Component();\n  void step(const Inputs& in, Outputs& out);\n \
                      private:\n  long count_ = 0;\n};\n}\n";
        files.push(("component.hpp", header.to_owned()));
    }
    files
}

const CPP: &str = r#"
#include "component.hpp"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

namespace trial {

// Before main, and with a flush.
static const bool greeted = (std::cout << "hello from the start" << std::endl, true);

Component::Component() { (void)greeted; }

void Component::step(const Inputs& in, Outputs& out) {
  const std::string& text = in.command->text;
  ++count_;
  if (!in.command.fresh) return;
  if (text == "count") out.report.write({count_, ""});
  if (text == "state") out.memory.write({count_});
  if (text == "twice") {
    out.report.write({1, "a"});
    out.report.write({2, "b"});
  }
  if (text == "late") out.report.write({count_, "late"}, in.time_ns + 5);
  if (text == "throw") {
    out.report.write({0, "lost"});
    throw std::runtime_error("it broke");
  }
  if (text == "odd throw") throw 42;
  if (text == "too long") out.report.write({0, "123456789"});
  if (text == "caught") {
    try {
      out.report.write({0, "123456789"});
    } catch (const std::length_error&) {
      out.report.write({1, "caught"});
    }
  }
  if (text == "print") {
    std::printf("printed by C\n");
    std::cout << "printed by C++" << std::endl;
    if (std::system("echo printed by a child") != 0) throw std::runtime_error("no shell");
  }
  if (text == "read") {
    std::string line;
    out.report.write({0, std::getline(std::cin, line) ? "line" : "nothing"});
  }
  if (text == "other") {
    out.report.write({in.other.has_value() ? in.other.time_ns : -1, in.other->x == 7.5 ? "7.5" : "?"});
  }
}

}  // namespace trial
"#;

const RUST: &str = r#"
use crate::types::{Inputs, Memory, Outputs, Report};

pub struct Component {
    count: i64,
}

fn report(count: i64, text: &str) -> Report {
    Report { count, text: text.into() }
}

impl Component {
    pub fn new() -> Result<Self, String> {
        println!("hello from the start");
        Ok(Component { count: 0 })
    }

    pub fn step(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), String> {
        self.count += 1;
        let Some(command) = inputs.command.get().filter(|_| inputs.command.fresh) else {
            return Ok(());
        };
        let out = &mut outputs.report;
        match command.text.as_str() {
            "count" => out.write(&report(self.count, "")),
            "state" => outputs.memory.write(&Memory { count: self.count }),
            "twice" => {
                out.write(&report(1, "a"))?;
                out.write(&report(2, "b"))
            }
            "late" => out.write_at(&report(self.count, "late"), inputs.time_ns + 5),
            "throw" => {
                out.write(&report(0, "lost"))?;
                Err("it broke".into())
            }
            "odd throw" => panic!("it panicked"),
            "too long" => out.write(&report(0, "123456789")),
            "caught" => match out.write(&report(0, "123456789")) {
                Ok(()) => Ok(()),
                Err(_) => out.write(&report(1, "caught")),
            },
            "print" => {
                println!("printed by Rust");
                let mut echo = std::process::Command::new("sh");
                echo.args(["-c", "echo printed by a child"]);
                echo.status().map(drop).map_err(|error| error.to_string())
            }
            "read" => {
                let mut line = String::new();
                let read = std::io::stdin().read_line(&mut line).map_err(|e| e.to_string())?;
                out.write(&report(0, if read > 0 { "line" } else { "nothing" }))
            }
            "other" => {
                let time = inputs.other.get().map_or(-1, |_| inputs.other.time_ns);
                let x = inputs.other.get().map_or(7.5, |other| other.x);
                out.write(&report(time, if x == 7.5 { "7.5" } else { "?" }))
            }
            other => panic!("{other}"),
        }
    }
}
"#;

const PYTHON: &str = r#"
import subprocess
import sys

from lk_types import Memory, Report

print("hello from the start", flush=True)


class Component:
    def __init__(self):
        self.count = 0

    def step(self, inputs):
        self.count += 1
        if not inputs.fresh.command:
            assert "command" not in inputs.fresh
            return None
        text = inputs.command.text
        if text == "count":
            return Report(self.count)
        if text == "state":
            return {"memory": Memory(self.count)}
        if text == "twice":
            return [Report(1, "a"), {"count": 2, "text": "b"}]
        if text == "late":
            return {"report": (Report(self.count, "late"), inputs.time_ns + 5)}
        if text == "throw":
            raise RuntimeError("it broke")
        if text == "odd throw":
            return {"report": [Report(0, "lost"), 42]}
        if text == "too long":
            return Report(0, "123456789")
        if text == "caught":
            return Report(1, "caught")
        if text == "print":
            print("printed by Python", flush=True)
            subprocess.run("echo printed by a child", shell=True, check=True)
            return None
        if text == "read":
            return Report(0, "line" if sys.stdin.readline() else "nothing")
        if text == "other":
            if inputs.other is None:
                return Report(-1, "7.5")
            return Report(inputs.times_ns["other"], "7.5" if inputs.other.x == 7.5 else "?")
        raise ValueError(text)
"#;
