//! A source of one page, which each list gives anew.

use bytes::Bytes;
use podlens::{Bounds, BoxFuture, Error, Page, PodPages, PodRequest, PodSource, ReadPod};

/// What the page is before a list asks for it.
#[derive(Clone)]
pub enum OnePage {
    /// The body of an answer: decoded for each list.
    Encoded(Bytes),
    /// Pods.
    Decoded(Vec<ReadPod>),
}

impl OnePage {
    /// The pods of this answer, decoded before any run.
    ///
    /// # Panics
    ///
    /// When it is no page.
    pub fn decoded(body: &Bytes) -> Self {
        Self::Decoded(podlens::bench::decode_page(body).expect("it is a page"))
    }

    fn read(&self) -> Result<Page, Error> {
        let pods = match self {
            Self::Encoded(body) => podlens::bench::decode_page(body)?,
            Self::Decoded(pods) => pods.clone(),
        };
        Ok(Page { pods, ..Page::default() })
    }
}

impl PodSource for OnePage {
    fn list(&self, _: PodRequest) -> Box<dyn PodPages> {
        Box::new(Pages(Some(self.clone())))
    }

    fn get<'a>(&'a self, _: &'a PodRequest, _: Bounds) -> BoxFuture<'a, Result<Page, Error>> {
        Box::pin(async { Err(Error::not_found()) })
    }
}

struct Pages(Option<OnePage>);

impl PodPages for Pages {
    fn next(&mut self, _: Bounds) -> BoxFuture<'_, Result<Option<Page>, Error>> {
        Box::pin(async { self.0.take().map(|page| page.read()).transpose() })
    }
}
