//! Spans around the long work, for whoever watches a service: what is done, and how much. Cargo feature `tracing`.
//!
//! A field is a count or the number of a delivery, and never says whom: [`Span::record`] takes nothing else. Without
//! the feature all of it is nothing.

/// The work that goes on until this is dropped.
#[must_use = "the span ends when it is dropped"]
pub(crate) struct Span(#[cfg(feature = "tracing")] pub(crate) tracing::span::EnteredSpan);

impl Span {
    /// Notes a count, under a name that the span was made with.
    #[cfg_attr(not(feature = "tracing"), allow(clippy::unused_self, unused_variables, reason = "nobody watches"))]
    pub(crate) fn record(&self, field: &'static str, count: u64) {
        #[cfg(feature = "tracing")]
        self.0.record(field, count);
    }
}

/// Begins a span of this name, with the names of its counts.
#[cfg(feature = "tracing")]
macro_rules! span {
    ($name:literal $(, $field:ident)*) => {
        $crate::trace::Span(
            tracing::info_span!(target: "cpr_replika", $name $(, $field = tracing::field::Empty)*).entered(),
        )
    };
}

#[cfg(not(feature = "tracing"))]
macro_rules! span {
    ($name:literal $(, $field:ident)*) => {
        $crate::trace::Span()
    };
}

pub(crate) use span;
