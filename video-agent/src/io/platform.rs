//! The platforms behind one face.

use service_kit::Secret;
use stream_platforms::{Broadcast, LifeCycle, Plan, PlatformError, Twitch, YouTube};
use time::OffsetDateTime;

/// One account, and what its stream is called.
pub(crate) enum Platform {
    Twitch {
        client: Twitch,
        title: String,
    },
    Youtube {
        client: YouTube,
        plan: Plan,
        key: Secret,
    },
}

/// A stream that has begun.
pub(crate) enum OnAir {
    Channel,
    Broadcast(Broadcast),
}

/// What people see of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Nobody can say while pictures have not arrived.
    pub viewers: Option<u64>,
    /// Somebody ended it on the platform's page.
    pub is_over: bool,
}

impl Platform {
    pub async fn start(&self) -> Result<OnAir, PlatformError> {
        match self {
            Self::Twitch { client, title } => {
                client.set_title(title).await.map(|()| OnAir::Channel)
            }
            Self::Youtube { client, plan, key } => client
                .start(plan, key, OffsetDateTime::now_utc())
                .await
                .map(OnAir::Broadcast),
        }
    }

    /// Whether pictures may go out only under what was begun: who may see them depends on it.
    pub fn decides_who_sees(&self) -> bool {
        matches!(self, Self::Youtube { .. })
    }

    pub async fn look(&self, on_air: &OnAir) -> Result<Seen, PlatformError> {
        match (self, on_air) {
            (Self::Twitch { client, .. }, _) => Ok(Seen {
                viewers: client.viewers().await?,
                is_over: false,
            }),
            (Self::Youtube { client, .. }, OnAir::Broadcast(broadcast)) => {
                match client.go_live(broadcast).await? {
                    LifeCycle::Live => Ok(Seen {
                        viewers: client.viewers(broadcast).await?,
                        is_over: false,
                    }),
                    LifeCycle::Waiting => Ok(Seen {
                        viewers: None,
                        is_over: false,
                    }),
                    LifeCycle::Complete => Ok(Seen {
                        viewers: None,
                        is_over: true,
                    }),
                }
            }
            (Self::Youtube { .. }, OnAir::Channel) => Ok(Seen {
                viewers: None,
                is_over: true,
            }),
        }
    }

    /// A channel of Twitch ends with its pictures.
    pub async fn stop(&self, on_air: &OnAir) -> Result<(), PlatformError> {
        match (self, on_air) {
            (Self::Youtube { client, .. }, OnAir::Broadcast(broadcast)) => {
                client.stop(broadcast).await
            }
            _ => Ok(()),
        }
    }
}
