//! RFC 9457 problem details with JSON pointers to the fields to blame.

use serde::{Deserialize, Serialize};

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the request.
    pub pointer: String,
    /// A stable name of the rejection.
    pub code: String,
    /// What was found and what is allowed.
    pub detail: String,
}

/// The body of every answer that is not a success; media type `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Names the kind of problem: `urn:hotpot:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for every occurrence of this kind.
    pub title: String,
    /// The HTTP status again.
    pub status: u16,
    /// What happened this time and what to do.
    pub detail: String,
    /// The fields to blame, if any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Finds this request in the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub request_id: Option<String>,
}

impl Problem {
    /// A problem without a field.
    pub fn new(status: u16, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:hotpot:problem:{code}"),
            title: code.replace('_', " "),
            status,
            detail: detail.into(),
            errors: Vec::new(),
            request_id: None,
        }
    }

    /// Blames one field; an empty name blames none.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        if !field.is_empty() {
            let code = self.kind.rsplit(':').next().unwrap_or_default().to_owned();
            self.errors.push(FieldError {
                pointer: format!("/{field}"),
                code,
                detail: self.detail.clone(),
            });
        }
        self
    }
}
