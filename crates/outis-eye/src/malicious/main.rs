//! `outis-eye-malicious`: the eye itself, built with its feature `malicious`. The name keeps it apart from the real one.

#[path = "../main.rs"]
mod eye;

fn main() -> std::process::ExitCode {
    eye::main()
}
