//! The `podlens` program. Its story is in `cli/mod.rs`.

/// A run makes and drops some hundred small texts for each pod, and on musl, which the image has, the system's own allocator is slow.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    podlens::cli::main()
}
