//! The program `lk`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lk_cli::main(std::env::args_os())
}
