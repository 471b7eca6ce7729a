//! Another user that the API server is asked to take us for, with RBAC's consent.
//!
//! Headers: k8s.io/client-go v0.37.2 `transport/round_trippers.go`. Values are checked here, once: what is not fit for a header, or would
//! reach the server as another name, is no name.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

const USER: HeaderName = HeaderName::from_static("impersonate-user");
const UID: HeaderName = HeaderName::from_static("impersonate-uid");
const GROUP: HeaderName = HeaderName::from_static("impersonate-group");
/// Begins the names of all of them.
const PREFIX: &str = "impersonate-";
const EXTRA_PREFIX: &str = "impersonate-extra-";

/// Whom to impersonate, as the headers that say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Impersonation {
    user: HeaderValue,
    /// All but the user, in the order that they are sent in.
    rest: Vec<(HeaderName, HeaderValue)>,
    /// For people.
    text: String,
}

/// Why there is nobody to impersonate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ImpersonationError {
    /// Uid, groups or extra, and no user.
    NoUser,
    /// The value of a field, by the field's name.
    Value(&'static str),
    /// A key of `as-user-extra`.
    Key,
}

/// What a kubeconfig and the options say.
#[derive(Default)]
pub(crate) struct Wish<'a> {
    pub(crate) user: Option<&'a str>,
    pub(crate) uid: Option<&'a str>,
    pub(crate) groups: &'a [String],
    pub(crate) extra: Option<&'a BTreeMap<String, Vec<String>>>,
}

impl Impersonation {
    /// Nobody, where nothing is wished.
    pub(crate) fn new(wish: &Wish<'_>) -> Result<Option<Self>, ImpersonationError> {
        let extra = wish.extra.iter().flat_map(|extra| extra.iter());
        let Some(user) = wish.user else {
            let more = wish.uid.is_some() || !wish.groups.is_empty() || wish.extra.is_some_and(|extra| !extra.is_empty());
            return if more { Err(ImpersonationError::NoUser) } else { Ok(None) };
        };
        let mut text = format!("user `{}`", crate::text::excerpt(user));
        let mut rest = Vec::new();
        if let Some(uid) = wish.uid {
            rest.push((UID, value("as-uid", uid)?));
            text += &format!(", uid `{}`", crate::text::excerpt(uid));
        }
        for group in wish.groups {
            rest.push((GROUP, value("as-groups", group)?));
        }
        if !wish.groups.is_empty() {
            text += &format!(", groups {}", crate::text::Quoted(wish.groups));
        }
        for (key, values) in extra {
            let name = extra_name(key).ok_or(ImpersonationError::Key)?;
            for text in values {
                rest.push((name.clone(), value("as-user-extra", text)?));
            }
            text += &format!(", extra `{}`", crate::text::excerpt(key));
        }
        Ok(Some(Self { user: value("as", user)?, rest, text }))
    }

    /// A service account and nothing with it: the API server adds its groups itself.
    #[cfg(feature = "cli")]
    pub(crate) fn of_account(account: &crate::kube::ServiceAccount) -> Self {
        let user = account.user();
        // Names are RFC 1123's, so that this is one.
        let header = HeaderValue::from_str(&user).unwrap_or_else(|_| HeaderValue::from_static("system:anonymous"));
        Self { user: header, rest: Vec::new(), text: format!("user `{user}`") }
    }

    /// The user's name.
    #[cfg(feature = "cli")]
    pub(crate) fn user(&self) -> &str {
        self.user.to_str().unwrap_or("not ASCII")
    }

    /// Sets the headers.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        headers.insert(USER, self.user.clone());
        for (name, value) in &self.rest {
            headers.append(name.clone(), value.clone());
        }
    }

    /// Whether a request with these headers would be answered as the one impersonated, and not as ourselves.
    pub(crate) fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut expected = HeaderMap::new();
        self.apply(&mut expected);
        let names = headers.keys().filter(|name| name.as_str().starts_with(PREFIX));
        names.chain(expected.keys()).all(|name| headers.get_all(name).iter().eq(expected.get_all(name).iter()))
    }
}

/// Text that reaches the server as it is: not empty, no control characters, and no space at its ends, which HTTP drops.
fn value(field: &'static str, text: &str) -> Result<HeaderValue, ImpersonationError> {
    if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
        return Err(ImpersonationError::Value(field));
    }
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| ImpersonationError::Value(field))
}

/// The header of a key: what a header's name cannot hold is percent-encoded (client-go's `headerKeyEscape`), and the server reads it in
/// lower case.
fn extra_name(key: &str) -> Option<HeaderName> {
    let mut name = EXTRA_PREFIX.to_owned();
    for byte in key.bytes() {
        match byte {
            b'!' | b'#' | b'$' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~' => {
                name.push(char::from(byte));
            }
            byte if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
            byte => name += &format!("%{byte:02X}"),
        }
    }
    (!key.is_empty()).then(|| HeaderName::from_bytes(name.as_bytes()).ok()).flatten()
}

impl fmt::Display for Impersonation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for ImpersonationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUser => f.write_str("a uid, groups or extra are to be impersonated, and no user: `as` is not set"),
            Self::Value(field) => {
                write!(f, "`{field}` has a value that is empty, begins or ends with a space, or has control characters")
            }
            Self::Key => f.write_str("`as-user-extra` has a key that is empty or too long"),
        }
    }
}

impl std::error::Error for ImpersonationError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(wish: &Wish<'_>) -> Result<Vec<String>, ImpersonationError> {
        let Some(impersonation) = Impersonation::new(wish)? else { return Ok(Vec::new()) };
        let mut headers = HeaderMap::new();
        assert!(!impersonation.is_in(&headers));
        impersonation.apply(&mut headers);
        assert!(impersonation.is_in(&headers));
        Ok(headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))).collect())
    }

    #[test]
    fn all_fields_become_headers() {
        let extra = BTreeMap::from([
            ("example.org/scopes".to_owned(), vec!["a".to_owned(), "b c".to_owned()]),
            ("Dept%é".to_owned(), vec!["x".to_owned()]),
        ]);
        let groups = ["devs".to_owned(), "system:authenticated".to_owned()];
        let wish = Wish { user: Some("jané"), uid: Some("1"), groups: &groups, extra: Some(&extra) };
        assert_eq!(
            headers(&wish).unwrap(),
            [
                "impersonate-user: jané",
                "impersonate-uid: 1",
                "impersonate-group: devs",
                "impersonate-group: system:authenticated",
                "impersonate-extra-dept%25%c3%a9: x",
                "impersonate-extra-example.org%2fscopes: a",
                "impersonate-extra-example.org%2fscopes: b c",
            ]
        );
        let text = Impersonation::new(&wish).unwrap().unwrap().to_string();
        assert_eq!(text, "user `jané`, uid `1`, groups `devs`, `system:authenticated`, extra `Dept%é`, extra `example.org/scopes`");
        assert_eq!(headers(&Wish::default()), Ok(vec![]));
    }

    #[test]
    fn another_user_is_not_the_one() {
        let jane = Impersonation::new(&Wish { user: Some("jane"), ..Wish::default() }).unwrap().unwrap();
        let mut headers = HeaderMap::new();
        headers.append(USER, HeaderValue::from_static("joan"));
        assert!(!jane.is_in(&headers));
        headers.append(USER, HeaderValue::from_static("jane"));
        assert!(!jane.is_in(&headers));
    }

    #[test]
    fn nothing_may_be_lost_or_added() {
        let groups = ["devs".to_owned(), "ops".to_owned()];
        let jane = Impersonation::new(&Wish { user: Some("jane"), groups: &groups, ..Wish::default() }).unwrap().unwrap();
        let applied = || {
            let mut headers = HeaderMap::new();
            jane.apply(&mut headers);
            headers
        };
        let mut fewer = applied();
        fewer.remove(GROUP);
        let mut more = applied();
        more.append(GROUP, HeaderValue::from_static("system:masters"));
        let mut other = applied();
        other.append("impersonate-extra-a", HeaderValue::from_static("b"));
        assert_eq!([fewer, more, other, applied()].map(|headers| jane.is_in(&headers)), [false, false, false, true]);
    }

    #[test]
    fn what_would_arrive_as_somebody_else_is_refused() {
        let groups = |group: &str| vec![group.to_owned()];
        for user in ["", " jane", "jane ", "ja\nne", "ja\r\nAuthorization: x", "ja\0ne", "ja\u{85}ne"] {
            let result = headers(&Wish { user: Some(user), ..Wish::default() });
            assert_eq!(result, Err(ImpersonationError::Value("as")), "{user:?}");
        }
        for group in ["", "a\nb"] {
            let groups = groups(group);
            let result = headers(&Wish { user: Some("a"), groups: &groups, ..Wish::default() });
            assert_eq!(result, Err(ImpersonationError::Value("as-groups")));
        }
        let extra = BTreeMap::from([(String::new(), vec!["a".to_owned()])]);
        assert_eq!(headers(&Wish { user: Some("a"), extra: Some(&extra), ..Wish::default() }), Err(ImpersonationError::Key));
        let some = groups("a");
        let extra = BTreeMap::from([("a".to_owned(), vec![])]);
        for wish in [
            Wish { uid: Some("1"), ..Wish::default() },
            Wish { groups: &some, ..Wish::default() },
            Wish { extra: Some(&extra), ..Wish::default() },
        ] {
            assert_eq!(headers(&wish), Err(ImpersonationError::NoUser));
        }
    }
}
