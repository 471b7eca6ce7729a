//! Which traces are kept: by the sampler that the environment names, and never by the word of a caller.
//!
//! A caller's `traceparent` says whether its own spans are kept, and its trace id decides for a sampler that takes a part of all traces:
//! whoever chose them could have every run exported, or none. So a trace that comes from outside is drawn for here, as if it began here.

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Config, IdGenerator as _, RandomIdGenerator, SamplingDecision, SamplingResult, ShouldSample};

#[derive(Clone, Debug)]
pub(super) struct Sampler(Box<dyn ShouldSample>);

impl Sampler {
    /// The one of `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`; all traces where they say nothing.
    pub(super) fn of_environment() -> Self {
        Self(Config::default().sampler)
    }
}

impl ShouldSample for Sampler {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let parent = parent.map(|parent| parent.span().span_context().clone()).filter(|parent| parent.is_valid());
        match parent {
            // A trace is kept whole.
            Some(ours) if !ours.is_remote() => SamplingResult {
                decision: if ours.is_sampled() { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop },
                attributes: Vec::new(),
                trace_state: TraceState::NONE,
            },
            Some(_) => self.0.should_sample(None, RandomIdGenerator::default().new_trace_id(), name, kind, attributes, links),
            None => self.0.should_sample(None, trace_id, name, kind, attributes, links),
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags};
    use opentelemetry_sdk::trace::Sampler as Theirs;

    use super::*;

    fn kept(theirs: Theirs, trace_id: u128, flags: TraceFlags, is_remote: bool) -> bool {
        let trace_id = TraceId::from(trace_id);
        let parent = SpanContext::new(trace_id, SpanId::from(1), flags, is_remote, TraceState::NONE);
        let parent = Context::new().with_remote_span_context(parent);
        let sampler = Sampler(Box::new(theirs));
        let result = sampler.should_sample(Some(&parent), trace_id, "GET", &SpanKind::Server, &[], &[]);
        result.decision == SamplingDecision::RecordAndSample
    }

    #[test]
    fn a_callers_flag_decides_nothing() {
        for flags in [TraceFlags::SAMPLED, TraceFlags::NOT_SAMPLED] {
            for (is_kept, inner) in [(true, Theirs::AlwaysOn), (false, Theirs::AlwaysOff)] {
                assert_eq!(kept(inner.clone(), 1, flags, true), is_kept);
                assert_eq!(kept(Theirs::ParentBased(Box::new(inner)), 1, flags, true), is_kept);
            }
        }
    }

    #[test]
    fn nor_does_the_trace_id_that_it_chose() {
        // With this one, a sampler of a part takes it always.
        let times = (0..400).filter(|_| kept(Theirs::TraceIdRatioBased(0.5), 1, TraceFlags::SAMPLED, true)).count();
        assert!((100..300).contains(&times), "{times} of 400");
    }

    #[test]
    fn a_trace_is_kept_whole() {
        for theirs in [Theirs::AlwaysOn, Theirs::AlwaysOff, Theirs::TraceIdRatioBased(0.5)] {
            assert!(kept(theirs.clone(), u128::MAX, TraceFlags::SAMPLED, false));
            assert!(!kept(theirs, 1, TraceFlags::NOT_SAMPLED, false));
        }
    }
}
