//! How services that keep content are asked.

use crate::error::IpfsError;
use outbound::{Options, Service};
use service_kit::Secret;
use std::time::Duration;

/// How long a request with content may take: 64 MiB at 4 Mbit/s.
pub(crate) const UPLOAD_TIMEOUT: Duration = Duration::from_secs(150);

/// A service out of the operator's configuration.
pub(crate) fn new_service(base: &str, token: Option<Secret>) -> Result<Service, IpfsError> {
    Ok(Service::new(base, token, &Options::default())?)
}
