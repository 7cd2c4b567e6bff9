//! The `blast` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    blast::cli::main()
}
