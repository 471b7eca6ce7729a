//! A piece of work that is under way, and what is told of it once it has ended.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{Span as _, SpanBuilder, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};

use super::Maker;

tokio::task_local! {
    static CURRENT: Span;
}

/// A span, or nothing where no traces are kept. It ends when nobody holds it or one below it any more, unless it was ended before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Span(pub(super) Option<Arc<Open>>);

#[derive(Debug)]
pub(super) struct Open {
    pub(super) maker: Arc<Maker>,
    /// Set once it is known whose trace it belongs to.
    context: OnceLock<Context>,
    /// As long as it is not.
    pending: Mutex<Option<Pending>>,
    /// Held so that it lasts longer.
    _parent: Span,
}

/// A span that has not begun, for nobody knows yet whether the trace that it claims to be of is to be believed.
#[derive(Debug)]
struct Pending {
    builder: SpanBuilder,
    claimed: Context,
    /// What has ended below it meanwhile.
    ended: Vec<Ended>,
}

/// A span that was told of after it had ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) builder: SpanBuilder,
    pub(super) status: Status,
    pub(super) at: SystemTime,
}

impl Span {
    /// The one that the work which is done right now belongs to.
    pub(crate) fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Does something as a part of this.
    pub(crate) async fn scope<F: Future>(&self, future: F) -> F::Output {
        match self.0 {
            None => future.await,
            Some(_) => CURRENT.scope(self.clone(), future).await,
        }
    }

    /// Does something as a span of its own, below this one.
    pub(crate) async fn within<F: Future>(&self, name: &'static str, future: F) -> F::Output {
        self.child(|| SpanBuilder::from_name(name)).scope(future).await
    }

    /// One that begins once it is [known](Self::begin) whose it is.
    pub(super) fn pending(maker: &Arc<Maker>, builder: SpanBuilder, claimed: Context) -> Self {
        let pending = Mutex::new(Some(Pending { builder, claimed, ended: Vec::new() }));
        let open = Open { maker: Arc::clone(maker), context: OnceLock::new(), pending, _parent: Self::default() };
        Self(Some(Arc::new(open)))
    }

    /// Begins it: as what it claims to be, or as the first of a trace. Nothing happens where it has begun.
    pub(super) fn begin(&self, is_believed: bool) {
        let Some(open) = &self.0 else { return };
        let pending = open.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Pending { builder, claimed, ended }) = pending else { return };
        let parent = if is_believed { claimed } else { Context::new() };
        let context = Context::new().with_span(open.maker.tracer.build_with_context(builder, &parent));
        for Ended { builder, status, at } in ended {
            let mut span = open.maker.tracer.build_with_context(builder, &context);
            span.set_status(status);
            span.end_with_timestamp(at);
        }
        let _ = open.context.set(context);
    }

    /// One below this one; none below one that has not begun.
    pub(super) fn child(&self, builder: impl FnOnce() -> SpanBuilder) -> Self {
        let Some((open, context)) = self.begun() else { return Self::default() };
        let span = open.maker.tracer.build_with_context(builder(), context);
        let context = OnceLock::from(Context::new().with_span(span));
        let maker = Arc::clone(&open.maker);
        Self(Some(Arc::new(Open { maker, context, pending: Mutex::new(None), _parent: self.clone() })))
    }

    /// Tells of one below this one that has ended already, which this one need not have begun for.
    pub(super) fn ended(&self, ended: Ended) {
        let Some(open) = &self.0 else { return };
        if let Some(pending) = &mut *open.pending.lock().unwrap_or_else(PoisonError::into_inner) {
            pending.ended.push(ended);
        }
    }

    pub(super) fn begun(&self) -> Option<(&Arc<Open>, &Context)> {
        let open = self.0.as_ref()?;
        Some((open, open.context.get()?))
    }

    /// Tells more of it.
    pub(super) fn tell(&self, attributes: impl FnOnce() -> Vec<KeyValue>, is_failed: bool) {
        let Some((_, context)) = self.begun() else { return };
        let span = context.span();
        if span.is_recording() {
            span.set_attributes(attributes());
            if is_failed {
                span.set_status(failed());
            }
        }
    }

    /// Ends it now, whoever holds it.
    pub(super) fn end(&self) {
        if let Some((_, context)) = self.begun() {
            context.span().end();
        }
    }
}

/// Without words: those of an error may hold what a trace must not.
pub(super) fn failed() -> Status {
    Status::error("")
}
