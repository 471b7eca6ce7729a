//! The API server's address.

use std::fmt;

use reqwest::Url;

use crate::error::{Error, Kind};
use crate::text::excerpt;

/// An `https` address without user, query and fragment. Its path is a prefix, as Rancher's `/k8s/clusters/c-m-1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    url: Url,
    /// As given to people: no slash at its end.
    text: String,
}

/// Why an address is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerError {
    Empty,
    /// The literal is not repeated: a password is in it.
    UserInfo,
    NoScheme(String),
    PlainHttp(String),
    Scheme(String),
    Malformed(String),
}

impl Server {
    pub(crate) fn parse(text: &str) -> Result<Self, ServerError> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return Err(ServerError::Empty);
        }
        if text.contains('@') {
            return Err(ServerError::UserInfo);
        }
        let Some((scheme, _)) = text.split_once("://") else { return Err(ServerError::NoScheme(excerpt(text))) };
        match scheme.to_ascii_lowercase().as_str() {
            "https" => {}
            "http" => return Err(ServerError::PlainHttp(excerpt(text))),
            _ => return Err(ServerError::Scheme(excerpt(text))),
        }
        // `https:///x` would be folded into a host named `x`.
        let malformed = || ServerError::Malformed(excerpt(text));
        if text[scheme.len() + 3..].starts_with(['/', '\\']) {
            return Err(malformed());
        }
        let mut url = Url::parse(text).map_err(|_| malformed())?;
        url.set_query(None);
        url.set_fragment(None);
        let text = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, text })
    }

    /// The address, for messages.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Name or IP address, without brackets.
    pub(crate) fn host(&self) -> &str {
        let host = self.url.host_str().unwrap_or_default();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The URL of `path` with `query`; `path` begins with a slash and needs no escaping.
    pub(crate) fn url(&self, path: &str, query: &[(&'static str, String)]) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl ServerError {
    /// `what` names the field or variable that the address was read from.
    pub(crate) fn into_error(self, what: &str) -> Error {
        let hint = match &self {
            Self::NoScheme(text) => Some(format!("write `https://{text}`")),
            Self::PlainHttp(_) => Some("a token must not cross a network in the clear: use the server's https address".into()),
            Self::UserInfo => Some("who we are is the user's to say: `username` and `password` of a kubeconfig's user".into()),
            Self::Empty | Self::Scheme(_) | Self::Malformed(_) => None,
        };
        let error = Error::new(Kind::Configuration, format!("{what} is not usable")).because(self);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::UserInfo => f.write_str("there is an `@` in it, as before a host that is given with user and password"),
            Self::NoScheme(text) => write!(f, "`{text}` has no scheme"),
            Self::PlainHttp(text) => write!(f, "`{text}` is not https"),
            Self::Scheme(text) => write!(f, "the scheme of `{text}` is not https"),
            Self::Malformed(text) => write!(f, "`{text}` is not a URL"),
        }
    }
}

impl std::error::Error for ServerError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_with_an_optional_prefix() {
        for (text, address, pods) in [
            ("https://10.96.0.1:443", "https://10.96.0.1", "https://10.96.0.1/api/v1/pods"),
            ("https://[fd00::1]:6443", "https://[fd00::1]:6443", "https://[fd00::1]:6443/api/v1/pods"),
            ("HTTPS://Example.com/", "https://example.com", "https://example.com/api/v1/pods"),
            ("https://r/k8s/clusters/c-1/?a=b#c", "https://r/k8s/clusters/c-1", "https://r/k8s/clusters/c-1/api/v1/pods"),
        ] {
            let server = Server::parse(text).unwrap();
            assert_eq!((server.as_str(), server.url("/api/v1/pods", &[]).as_str()), (address, pods));
        }
    }

    #[test]
    fn a_query_is_escaped() {
        let query = [("labelSelector", "a in (b,c)".to_owned()), ("continue", "x&watch=1#".to_owned())];
        let url = Server::parse("https://a").unwrap().url("/p", &query);
        assert_eq!(url.query(), Some("labelSelector=a+in+%28b%2Cc%29&continue=x%26watch%3D1%23"));
    }

    #[test]
    fn anything_else_is_refused() {
        for (text, cause) in [
            (" ", "it is empty"),
            ("10.0.0.1:6443", "`10.0.0.1:6443` has no scheme"),
            ("localhost:6443", "`localhost:6443` has no scheme"),
            ("http://10.0.0.1", "`http://10.0.0.1` is not https"),
            ("ftp://10.0.0.1", "the scheme of `ftp://10.0.0.1` is not https"),
            ("https://", "`https://` is not a URL"),
            ("https:///api", "`https:///api` is not a URL"),
            ("https://a:99999", "`https://a:99999` is not a URL"),
            ("https://me:canary@host", "there is an `@` in it, as before a host that is given with user and password"),
        ] {
            assert_eq!(Server::parse(text).unwrap_err().to_string(), cause);
        }
    }
}
