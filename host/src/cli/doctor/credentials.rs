//! Step 7: what we show of ourselves. A token is decoded here and never printed; whether it is good, only the API server can say,
//! and it never says why not. So what the token says of itself is held against the clock and against the server's answer.

use jiff::Timestamp;

use super::certificate::{Certificate, day};
use super::reason::Reason;
use super::remedy::{Remedies, TokenFault};
use super::step::{Fact, Finding, Fix, Step};
use crate::config::{Config, Credentials};
use crate::kube::{ServiceAccount, TokenClaims};
use crate::text::{Quoted, excerpt};

/// How far two clocks may differ (go-jose `jwt.DefaultLeeway`, with which the API server reads a token's times).
const LEEWAY_SECONDS: i64 = 60;

/// What an API server is called inside of its cluster. kubeadm's issuer is the second one.
const API_SERVERS: [&str; 2] = ["https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local"];

/// What the API server said to these credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted,
    /// 401.
    Refused,
    /// It was not asked, or did not answer.
    Unknown,
}

/// What we show, and what is wrong with it as far as can be told from here. `now` is the server's clock where it is known.
pub(super) fn credentials(config: &Config, verdict: Verdict, now: Timestamp, remedies: &Remedies<'_>) -> Finding {
    let credentials = &config.credentials;
    let finding = match (credentials.value.claims(), &credentials.value) {
        (Some(Ok(claims)), _) => token(&claims, verdict, now, remedies),
        (Some(Err(error)), _) => Step::Credentials.good(format!("{}: {error}", credentials.value.kind())),
        (None, Credentials::Exec(_)) => {
            Step::Credentials.good(format!("{}, which is asked for them when they are needed", credentials.value.kind()))
        }
        (None, _) => return client_certificate(config, now),
    };
    let mut finding = finding.fact("from", credentials.origin.to_string());
    if let Some(identity) = config.tls.identity_origin() {
        finding = finding.fact("client certificate", format!("from {identity}: it is shown, too, and goes before the token"));
    }
    match &config.impersonation {
        Some(impersonation) => finding.fact("to act as", format!("{}, from {}", impersonation.value, impersonation.origin)),
        None => finding,
    }
}

/// The user that the token says it is of, where nobody else is acted as: for when the API server does not say it.
pub(super) fn user(config: &Config) -> Option<String> {
    if config.impersonation.is_some() {
        return None;
    }
    config.credentials.value.claims()?.ok()?.subject
}

fn token(claims: &TokenClaims, verdict: Verdict, now: Timestamp, remedies: &Remedies<'_>) -> Finding {
    let account = claims.subject.as_deref().and_then(ServiceAccount::of_user);
    let kubernetes = claims.kubernetes.clone().unwrap_or_default();
    let pod = kubernetes.pod.as_ref().map(|pod| pod.name.as_str());
    let fix = |fault| remedies.token(account.as_ref(), pod, fault);
    let audiences = Quoted(&claims.audiences);
    let subject = claims.subject.as_deref().map_or("somebody who is not named".to_owned(), excerpt);
    let expired = claims.expires.filter(|end| seconds(*end, now) < 0);
    let early = claims.not_before.filter(|start| seconds(*start, now) > LEEWAY_SECONDS);

    let finding = if let Some(end) = expired.filter(|_| verdict != Verdict::Accepted) {
        Step::Credentials
            .bad(Reason::ExpiredToken, format!("the token expired {}: it was good until {}", ago(now, end), day(Some(end))))
            .fix(fix(TokenFault::Expired))
    } else if let Some(start) = early.filter(|_| verdict != Verdict::Accepted) {
        let finding =
            Step::Credentials.bad(Reason::TokenNotYetValid, format!("the token is not valid before {}", day(Some(start))));
        finding.fix(Fix::say(format!("the clock says {}: whoever issued the token has another", day(Some(now)))))
    } else if !is_for_an_api_server(claims) && verdict == Verdict::Refused && account.is_some() {
        let text = format!("wrong audience: the token is meant for {audiences}, and not for the API server");
        Step::Credentials.bad(Reason::WrongAudience, text).fix(fix(TokenFault::Audience))
    } else if !is_for_an_api_server(claims) && verdict != Verdict::Accepted {
        // An API server can be told to accept others' tokens, and which audience they have then.
        Step::Credentials
            .doubt(format!("a token of `{subject}`, meant for {audiences}: that may be somebody else than the API server"))
    } else {
        Step::Credentials.good(format!(
            "a token of `{subject}`{}",
            claims.expires.map_or(String::new(), |end| format!(", good until {}", day(Some(end))))
        ))
    };
    finding.facts(facts(claims, now))
}

/// Whether an API server takes the token for meant for itself, as far as that can be told from here:
/// `TokenClaims::is_for_its_issuer`, or by the names of its Service, which clusters with another issuer keep among their audiences.
fn is_for_an_api_server(claims: &TokenClaims) -> bool {
    claims.is_for_its_issuer() || claims.audiences.iter().any(|audience| API_SERVERS.contains(&audience.as_str()))
}

fn facts(claims: &TokenClaims, now: Timestamp) -> Vec<Fact> {
    let kubernetes = claims.kubernetes.clone().unwrap_or_default();
    let audiences: Vec<_> = claims.audiences.iter().map(|audience| excerpt(audience)).collect();
    let time = |time: Timestamp| {
        let when = if seconds(time, now) < 0 { format!("{} ago", span(now, time)) } else { format!("in {}", span(time, now)) };
        format!("{} ({when})", day(Some(time)))
    };
    let mut facts = vec![
        Fact::new("issuer", claims.issuer.as_deref().map_or("none".to_owned(), excerpt)),
        Fact::new("audience", if audiences.is_empty() { "none".to_owned() } else { audiences.join(", ") }),
        Fact::new("subject", claims.subject.as_deref().map_or("none".to_owned(), excerpt)),
        Fact::new("expires", claims.expires.map_or("never".to_owned(), time)),
    ];
    facts.extend(kubernetes.warn_after.map(|after| Fact::new("to be renewed by", time(after))));
    for (what, bound) in [("pod", kubernetes.pod), ("node", kubernetes.node), ("secret", kubernetes.secret)] {
        facts.extend(bound.map(|bound| Fact::new(format!("bound to {what}"), format!("`{}`", excerpt(&bound.name)))));
    }
    facts
}

fn client_certificate(config: &Config, now: Timestamp) -> Finding {
    let Some(certificate) = config.tls.client_certificate().and_then(|der| Certificate::parse(&der)) else {
        let finding = Step::Credentials
            .bad(Reason::NoCredentials, "none: there is neither a token nor a client certificate, so that we are anonymous");
        return finding.fact("from", config.credentials.origin.to_string()).fix(Fix::say(
            "give the kubeconfig's user a `tokenFile`, a `token` or a client certificate, or name another context or user",
        ));
    };
    let from = config.tls.identity_origin().unwrap_or_default();
    let finding = match certificate.not_after {
        Some(end) if seconds(end, now) < 0 => Step::Credentials
            .bad(Reason::ExpiredClientCertificate, format!("the client certificate expired {}", ago(now, end)))
            .fix(Fix::say("get a new one from whoever issued it")),
        _ => Step::Credentials.good(format!("a client certificate of {}", certificate.subject)),
    };
    finding
        .fact("issued by", super::certificate::with_key(&certificate.issuer, certificate.issuer_key.as_deref()))
        .fact("valid", certificate.validity())
        .fact("from", from)
}

/// From `b` to `a`.
fn seconds(a: Timestamp, b: Timestamp) -> i64 {
    a.duration_since(b).as_secs()
}

fn ago(now: Timestamp, then: Timestamp) -> String {
    format!("{} ago", span(now, then))
}

/// A length of time in its largest unit, as kubectl's ages.
fn span(later: Timestamp, earlier: Timestamp) -> String {
    let seconds = seconds(later, earlier).max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_told_in_one_unit() {
        let start = Timestamp::UNIX_EPOCH;
        for (seconds, expected) in [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 days"), (-5, "0 s")] {
            assert_eq!(span(Timestamp::from_second(seconds).unwrap(), start), expected);
        }
    }
}
