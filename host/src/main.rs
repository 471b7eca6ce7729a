//! The `podlens` program. Its story is in `cli/mod.rs`.

/// A run makes and drops some hundred small texts for each pod, on as many threads as there are runs: the systems' own allocators, glibc's and
/// musl's, keep those waiting for each other.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    podlens::cli::main()
}
