//! The error of the contract, made an ordinary Rust error.

use std::fmt;

/// Why a call failed, or why a query gives up.
///
/// Pass an error of [`pods`](crate::pods) or [`rows`](crate::rows) on with `?`, as it came: the
/// host tells its operator why the run ended, and how to grant what was denied. A query's own
/// reason to give up is a text, which `?` turns into [`Error::Other`]:
///
/// ```
/// use podlens_guest::Error;
///
/// fn team(labels: &[(String, String)]) -> Result<&str, Error> {
///     let (_, team) = labels.iter().find(|(key, _)| key == "team").ok_or("a pod has no team")?;
///     Ok(team)
/// }
///
/// assert_eq!(team(&[]), Err(Error::Other("a pod has no team".to_owned())));
/// ```
///
/// The cases are closed: none is added within 0.1.x. Match on the case; its text is for people, may
/// change with every release, and never carries a credential, an address or an answer of the API
/// server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Error {
    /// The caller's input is wrong: a name, a selector, a row. The text names the part that is.
    InvalidArgument(String),
    /// Not granted. What was asked for may or may not exist.
    Denied(String),
    /// There is no such pod among those granted. A pod outside the grant and a pod that is not
    /// there look the same.
    NotFound,
    /// The list could not be continued: the API server has dropped the snapshot it was reading
    /// from. List again.
    Expired,
    /// One call asked for more than one call may have; the text names which limit. The run goes on.
    /// (A run that uses up its whole budget is ended by the host and gets no error.)
    LimitExceeded(String),
    /// The cluster gave no usable answer in time. Holds the seconds after which trying again makes
    /// sense, where the API server told them. The host has already retried.
    Unavailable(Option<u32>),
    /// The API server failed, or sent something that is not an answer.
    ServerError(String),
    /// Anything else; also a query's own reason to give up.
    Other(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidArgument(text) => write!(f, "invalid argument: {text}"),
            Self::Denied(text) => write!(f, "denied: {text}"),
            Self::NotFound => f.write_str("no such pod"),
            Self::Expired => f.write_str("the list has expired"),
            Self::LimitExceeded(text) => write!(f, "limit exceeded: {text}"),
            Self::Unavailable(None) => f.write_str("the cluster is unavailable"),
            Self::Unavailable(Some(seconds)) => {
                write!(f, "the cluster is unavailable; try again in {seconds} s")
            }
            Self::ServerError(text) => write!(f, "server error: {text}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

impl From<String> for Error {
    fn from(text: String) -> Self {
        Self::Other(text)
    }
}

impl From<&str> for Error {
    fn from(text: &str) -> Self {
        Self::Other(text.to_owned())
    }
}
