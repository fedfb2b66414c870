//! The three ends that an error can have. Each crate has its own error type; this is how a caller
//! that does not know the crate decides what to do.

/// What may be done about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The same call may succeed later: retry, within a bound.
    Transient,
    /// The input is wrong and will stay wrong: record it with its place, never retry it as it is.
    BadData,
    /// This process cannot go on: stop, with everything committed so far intact.
    Fatal,
}
