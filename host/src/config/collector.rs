//! Where traces are sent: what a flag says, else the variables that OpenTelemetry defines for it (specification, "OpenTelemetry Protocol
//! Exporter" and "Environment Variable Specification").
//!
//! Those that are not here the SDK reads by itself: headers, sampler, and what the sender is called.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::environment::{Environment, ProcessEnvironment};
use super::pem::{Authority, Pem};
use crate::error::{Error, Kind};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const PROTOCOL: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const CERTIFICATE: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];
const COMPRESSION: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"];
const TIMEOUT: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const QUEUE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
const DISABLED: &str = "OTEL_SDK_DISABLED";
const EXPORTER: &str = "OTEL_TRACES_EXPORTER";

/// The one protocol that is spoken.
const SPOKEN: &str = "http/protobuf";

/// The specification's.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_QUEUE: usize = 2048;

/// Who takes traces.
#[derive(Clone)]
pub(crate) struct Collector {
    /// Where they are posted. Without credentials, so that it can be told.
    pub(crate) url: String,
    /// Whom its certificate has to be issued by; `None`: it shows none.
    pub(crate) authority: Option<Authority>,
    /// How long it may take to take some.
    pub(crate) timeout: Duration,
    /// How many spans may wait.
    pub(crate) queue: usize,
}

impl Collector {
    /// The one that `endpoint` names, else the environment; `None` where neither does.
    pub(crate) fn find(endpoint: Option<&str>) -> Result<Option<Self>, Error> {
        find(&ProcessEnvironment, endpoint)
    }
}

fn find(environment: &dyn Environment, endpoint: Option<&str>) -> Result<Option<Collector>, Error> {
    let url = match endpoint {
        Some(endpoint) => url("--otlp-endpoint", endpoint, true)?,
        None if is_off(environment)? => return Ok(None),
        // What is for traces alone is taken as it is; below the other is a path for each kind.
        None => match (environment.text(TRACES_ENDPOINT)?, environment.text(ENDPOINT)?) {
            (Some(whole), _) => url(TRACES_ENDPOINT, &whole, false)?,
            (None, Some(base)) => url(ENDPOINT, &base, true)?,
            (None, None) => return Ok(None),
        },
    };
    if let Some(asked) = first(environment, PROTOCOL)?.filter(|asked| endpoint.is_none() && asked != SPOKEN) {
        tracing::warn!("traces are sent as `{SPOKEN}`, and the environment asks for `{}`", crate::text::excerpt(&asked));
    }
    // Not worth a library more, and no reason not to start: a collector has to take what is not compressed.
    if let Some(asked) = first(environment, COMPRESSION)?.filter(|asked| !asked.eq_ignore_ascii_case("none")) {
        tracing::warn!("traces are sent uncompressed, and the environment asks for `{}`", crate::text::excerpt(&asked));
    }
    let certificate = first(environment, CERTIFICATE)?.map(|path| Authority::Given(Pem::File(PathBuf::from(path))));
    let authority = (url.scheme() == "https").then(|| certificate.unwrap_or(Authority::Platform));
    // As the SDK does with its own: what is no number counts for nothing.
    let timeout = first(environment, TIMEOUT)?.and_then(|text| text.parse().ok()).map_or(DEFAULT_TIMEOUT, Duration::from_millis);
    let queue = environment.text(QUEUE)?.and_then(|text| text.parse().ok()).filter(|queue| *queue > 0).unwrap_or(DEFAULT_QUEUE);
    Ok(Some(Collector { url: url.into(), authority, timeout, queue }))
}

fn is_off(environment: &dyn Environment) -> Result<bool, Error> {
    let is = |name, value: &str| Ok::<_, Error>(environment.text(name)?.is_some_and(|text| text.eq_ignore_ascii_case(value)));
    Ok(is(DISABLED, "true")? || is(EXPORTER, "none")?)
}

fn first(environment: &dyn Environment, names: [&str; 2]) -> Result<Option<String>, Error> {
    let [of_traces, of_all] = names;
    Ok(environment.text(of_traces)?.or(environment.text(of_all)?))
}

/// The address is not repeated where it is refused: there may be a password in it.
fn url(named: &str, text: &str, is_base: bool) -> Result<Url, Error> {
    let refused = |why: &str| {
        Error::new(Kind::InvalidArgument, format!("`{named}` is no address of a collector: {why}"))
            .hint("give one such as `http://collector.monitoring.svc:4318`, and credentials in `OTEL_EXPORTER_OTLP_HEADERS`")
    };
    let mut url = Url::parse(text).map_err(|error| refused(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("it begins neither with `http://` nor with `https://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it has credentials in it"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it has more than a path"));
    }
    if is_base {
        let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::super::environment::fixed::FixedEnvironment;
    use super::*;

    fn found(endpoint: Option<&str>, environment: &[(&str, &str)]) -> Option<Collector> {
        find(&FixedEnvironment(environment), endpoint).unwrap()
    }

    #[test]
    fn traces_go_nowhere_unless_somebody_says_where() {
        assert!(found(None, &[]).is_none());
        assert!(found(None, &[("OTEL_SERVICE_NAME", "podlens"), (ENDPOINT, "")]).is_none());
        let endpoint = (ENDPOINT, "http://c:4318");
        assert!(found(None, &[endpoint, (DISABLED, "TRUE")]).is_none());
        assert!(found(None, &[endpoint, (EXPORTER, "none")]).is_none());
        assert!(found(Some("http://c:4318"), &[(DISABLED, "true")]).is_some(), "the flag is the later word");
    }

    #[test]
    fn the_flag_comes_before_the_environment_and_traces_before_all() {
        let both = &[(TRACES_ENDPOINT, "https://t:1/x"), (ENDPOINT, "http://e:4318")][..];
        for (flag, environment, expected) in [
            (Some("http://f:4318"), both, "http://f:4318/v1/traces"),
            (Some("http://f:4318/"), &[], "http://f:4318/v1/traces"),
            (Some("https://f/otlp/"), &[], "https://f/otlp/v1/traces"),
            (None, both, "https://t:1/x"),
            (None, &both[1..], "http://e:4318/v1/traces"),
        ] {
            assert_eq!(found(flag, environment).unwrap().url, expected, "{flag:?}");
        }
    }

    #[test]
    fn a_certificate_is_asked_for_where_there_is_one() {
        let certificate = (CERTIFICATE[1], "/ca.crt");
        assert!(found(Some("http://c"), &[certificate]).unwrap().authority.is_none());
        assert!(matches!(found(Some("https://c"), &[]).unwrap().authority, Some(Authority::Platform)));
        assert!(matches!(found(Some("https://c"), &[certificate]).unwrap().authority, Some(Authority::Given(Pem::File(_)))));
    }

    #[test]
    fn bounds_are_the_specifications_unless_they_are_given() {
        let bounds = |environment| found(Some("http://c"), environment).map(|found| (found.timeout.as_millis(), found.queue));
        assert_eq!(bounds(&[]), Some((10_000, 2048)));
        assert_eq!(bounds(&[(TIMEOUT[1], "300"), (QUEUE, "7")]), Some((300, 7)));
        assert_eq!(bounds(&[(TIMEOUT[0], "200"), (TIMEOUT[1], "300"), (QUEUE, "0")]), Some((200, 2048)));
        assert_eq!(bounds(&[(TIMEOUT[1], "soon"), (QUEUE, "-1")]), Some((10_000, 2048)));
    }

    #[test]
    fn an_address_that_is_none_is_refused_and_not_repeated() {
        for text in
            ["", "collector:4318", "grpc://c:4317", "http://", "http://user:secret@c", "https://secret@c", "http://c?key=secret"]
        {
            let error = find(&FixedEnvironment(&[]), Some(text)).map(drop).unwrap_err();
            assert!(error.to_string().starts_with("`--otlp-endpoint` is no address of a collector: "), "{error}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }
}
