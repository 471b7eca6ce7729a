//! A client's certificate, which is judged as a connection is opened, and looked at again with each request: connections outlive
//! certificates, and the trust in who signed them.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

/// The authorities for clients of one reading of their file: whether they would take a chain now.
#[derive(Clone)]
pub(crate) struct Authorities(Arc<Take>);

type Take = dyn Fn(&[CertificateDer<'static>]) -> bool + Send + Sync;

impl Authorities {
    pub(crate) fn new(take: impl Fn(&[CertificateDer<'static>]) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    fn are(&self, others: &Self) -> bool {
        Arc::ptr_eq(&self.0, &others.0)
    }
}

/// What was shown, and what one of the authorities for clients has signed.
pub(crate) struct Certificate {
    pub(crate) common_name: String,
    /// As it was shown, the client's own first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// Until when all of it counts, in seconds since 1970; `None` where that cannot be read.
    pub(crate) not_after: Option<i64>,
    /// Who took it.
    pub(crate) taken_by: Authorities,
    /// The authorities of the moment.
    pub(crate) authorities: Box<dyn Fn() -> Authorities + Send + Sync>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("common_name", &self.common_name).finish_non_exhaustive()
    }
}

impl Certificate {
    /// Whether it would be taken now, too. Looked at in full only where something may have changed: verifying takes a signature or two.
    pub(super) fn counts(&self) -> bool {
        let authorities = (self.authorities)();
        let is_young = self.not_after.is_some_and(|last| Timestamp::now().as_second() <= last);
        (is_young && authorities.are(&self.taken_by)) || (authorities.0)(&self.chain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_at_anew_once_its_time_is_over_or_others_are_trusted() {
        let (these, trusting, others) = (Authorities::new(|_| false), Authorities::new(|_| true), Authorities::new(|_| false));
        let now = Timestamp::now().as_second();
        for (not_after, taken_by, authorities, expected) in [
            (Some(now + 60), &these, &these, true),
            (Some(now - 1), &these, &these, false),
            (None, &these, &these, false),
            // One of the chain is over that is not needed.
            (Some(now - 1), &trusting, &trusting, true),
            (Some(now + 60), &these, &others, false),
            (Some(now + 60), &these, &trusting, true),
        ] {
            let authorities = authorities.clone();
            let certificate = Certificate {
                common_name: "jane".into(),
                chain: Vec::new(),
                not_after,
                taken_by: taken_by.clone(),
                authorities: Box::new(move || authorities.clone()),
            };
            assert_eq!(certificate.counts(), expected, "{not_after:?}");
        }
    }
}
