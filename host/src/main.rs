//! The `podlens` program. Its story is in `cli/mod.rs`.

fn main() -> std::process::ExitCode {
    podlens::cli::main()
}
