//! Errors for one line of a log.

/// An error with all its causes.
pub fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());

    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
