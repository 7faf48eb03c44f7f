//! A platform's address.

use crate::error::PlatformError;
use outbound::{Options, Service};
use std::time::Duration;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// A platform, without access.
pub(crate) fn platform_service(base: &str) -> Result<Service, PlatformError> {
    let options = Options {
        request_timeout: REQUEST_TIMEOUT,
        ..Options::default()
    };
    Ok(Service::new(base, None, &options)?)
}
