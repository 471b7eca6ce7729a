//! The proxy that a kubeconfig names for a cluster. Another one is never used.

use std::fmt;

use reqwest::Url;

/// A proxy's URL. It may have user and password, so that only scheme, host and port are ever shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy(Url);

/// Why there is no such proxy. Says nothing of the URL: a password may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxyError {
    Malformed,
    Scheme,
}

impl Proxy {
    /// Schemes as in client-go (v0.37.2 `tools/clientcmd/helpers.go`, `parseProxyURL`).
    pub(crate) fn parse(text: &str) -> Result<Self, ProxyError> {
        let url = Url::parse(text).map_err(|_| ProxyError::Malformed)?;
        match url.scheme() {
            "http" | "https" | "socks5" if url.has_host() => Ok(Self(url)),
            "http" | "https" | "socks5" => Err(ProxyError::Malformed),
            _ => Err(ProxyError::Scheme),
        }
    }

    /// The URL with all that is in it, for a credential plugin that is to take the same way.
    pub(crate) fn as_written(&self) -> &str {
        self.0.as_str()
    }

    /// The URL, for the HTTP stack. Go's `socks5` leaves names to the proxy to resolve, which that stack calls `socks5h`.
    pub(crate) fn url(&self) -> String {
        match self.0.as_str().strip_prefix("socks5:") {
            Some(rest) => format!("socks5h:{rest}"),
            None => self.0.to_string(),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is not a URL with a host",
            Self::Scheme => "its scheme is not one of `http`, `https` and `socks5`",
        })
    }
}

impl std::error::Error for ProxyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_schemes_are_proxies_and_no_password_is_shown() {
        for (text, url, shown) in [
            ("http://p:3128", "http://p:3128/", "http://p:3128"),
            ("https://me:canary@p", "https://me:canary@p/", "https://p"),
            ("socks5://canary@[::1]:1080", "socks5h://canary@[::1]:1080", "socks5://[::1]:1080"),
        ] {
            let proxy = Proxy::parse(text).unwrap();
            assert_eq!((proxy.url().as_str(), proxy.to_string().as_str()), (url, shown));
            assert!(!format!("{proxy:?}").contains("canary"));
        }
        for (text, error) in [
            ("p:3128", ProxyError::Scheme),
            ("socks5h://p", ProxyError::Scheme),
            ("socks4://p", ProxyError::Scheme),
            ("ftp://p", ProxyError::Scheme),
            ("//p", ProxyError::Malformed),
            ("", ProxyError::Malformed),
            ("http://", ProxyError::Malformed),
            ("socks5:p", ProxyError::Malformed),
        ] {
            assert_eq!(Proxy::parse(text), Err(error), "{text}");
        }
    }
}
