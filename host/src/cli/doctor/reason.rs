//! Why a step failed, in one word for machines. A word that is out stays what it is.

use serde::Serialize;

/// Why a step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reason {
    // Step 1.
    NoConfiguration,
    BadConfiguration,
    NoMount,
    // Step 2.
    NoAddress,
    BadAddress,
    // Steps 3 to 5, and wherever a connection is needed.
    Dns,
    Refused,
    Timeout,
    NoConnection,
    ProxyRefused,
    NoTls,
    WrongCa,
    WrongHost,
    CertificateExpired,
    CertificateNotYetValid,
    BadCertificate,
    // Steps 6 and 10.
    NoApiServer,
    Unavailable,
    // Steps 7 and 8.
    NoCredentials,
    ExpiredToken,
    TokenNotYetValid,
    WrongAudience,
    ExpiredClientCertificate,
    Unauthorized,
    Anonymous,
    // Step 9.
    NoRole,
    NoBindingHere,
    ListWithoutGet,
    GetWithoutList,
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Reason {
        /// All of them.
        pub(crate) const ALL: &[Self] = &[
            Self::NoConfiguration,
            Self::BadConfiguration,
            Self::NoMount,
            Self::NoAddress,
            Self::BadAddress,
            Self::Dns,
            Self::Refused,
            Self::Timeout,
            Self::NoConnection,
            Self::ProxyRefused,
            Self::NoTls,
            Self::WrongCa,
            Self::WrongHost,
            Self::CertificateExpired,
            Self::CertificateNotYetValid,
            Self::BadCertificate,
            Self::NoApiServer,
            Self::Unavailable,
            Self::NoCredentials,
            Self::ExpiredToken,
            Self::TokenNotYetValid,
            Self::WrongAudience,
            Self::ExpiredClientCertificate,
            Self::Unauthorized,
            Self::Anonymous,
            Self::NoRole,
            Self::NoBindingHere,
            Self::ListWithoutGet,
            Self::GetWithoutList,
        ];
    }

    #[test]
    fn a_reason_is_a_word() {
        assert_eq!(serde_json::to_value(Reason::ListWithoutGet).unwrap(), "list-without-get");
        assert_eq!(serde_json::to_value(Reason::WrongCa).unwrap(), "wrong-ca");
    }
}
