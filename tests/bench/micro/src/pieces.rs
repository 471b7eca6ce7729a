//! The pieces of work whose instructions are counted, and who does them.

use std::sync::Arc;

use podlens::{PodSource, Runtime};

use crate::page;
use crate::source::OnePage;
use crate::works::{SETS, Work, Works};

/// A piece of work.
pub struct Piece<'a> {
    /// What it is called in `instructions.json`.
    pub name: String,
    /// How often it is done to be counted: so often that what one piece more or less costs by chance does not matter, and no more.
    pub times: u64,
    /// Does it so often.
    pub work: Box<dyn Fn(u64) + 'a>,
}

/// All pieces.
pub struct Pieces {
    works: Works,
    body: bytes::Bytes,
    pods: Arc<dyn PodSource>,
    one_pod: Arc<dyn PodSource>,
}

impl Pieces {
    /// Compiles the guest and makes the pods.
    ///
    /// # Panics
    ///
    /// When this cannot be.
    pub fn new() -> Self {
        let works = Works::new(&Runtime::new().expect("this machine runs WebAssembly"));
        let body = page::encoded();
        Self { works, pods: Arc::new(OnePage::decoded(&body)), one_pod: Arc::new(OnePage::decoded(&page::of(1))), body }
    }

    /// The pieces, in the order in which they are to be told.
    pub fn all(&self) -> Vec<Piece<'_>> {
        let mut pieces = vec![
            Piece::new("decode a page", 2, |times| {
                for _ in 0..times {
                    podlens::bench::decode_page(&self.body).expect("it is a page");
                }
            }),
            Piece::new("run", 20, |times| (0..times).for_each(|_| self.works.run(&self.one_pod, Work::default()))),
            Piece::new("call", 50_000, |times| self.works.run(&self.one_pod, Work::reads("name", times))),
            Piece::new("row", 5_000, |times| self.works.run(&self.one_pod, Work::emits(times))),
        ];
        pieces.extend(SETS.iter().map(|(name, read)| {
            Piece::new(&format!("page: {name}"), 2, move |times| {
                (0..times).for_each(|_| self.works.run(&self.pods, Work::reads(read, 1)));
            })
        }));
        pieces
    }
}

impl Default for Pieces {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Piece<'a> {
    fn new(name: &str, times: u64, work: impl Fn(u64) + 'a) -> Self {
        Self { name: name.to_owned(), times, work: Box::new(work) }
    }
}
