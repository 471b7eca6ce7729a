//! The query is in `examples/frozen.rs`, as those of the other test guests are, and the contract that it was written against in `wit/`.
