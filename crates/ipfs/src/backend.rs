//! The places where content can be kept, behind one set of verbs. All of them may be said twice.

use crate::block_store::BlockStore;
use crate::cid::Cid;
use crate::error::IpfsError;
use crate::kubo::Kubo;
use crate::pin_state::PinState;
use crate::pinata::Pinata;
use crate::pinning::PinningService;
use crate::unixfs;
use std::sync::Arc;

/// A place where content can be kept.
#[derive(Clone, Debug)]
pub enum Backend {
    /// Our own store on this machine.
    BuiltIn(Arc<BlockStore>),
    /// A Kubo node.
    Kubo(Kubo),
    /// A service of the IPFS Pinning Service API; it fetches content from another backend.
    PinningService(PinningService),
    /// Pinata's own API, which takes content.
    Pinata(Pinata),
}

impl Backend {
    /// For people; without a secret.
    pub fn name(&self) -> String {
        match self {
            Self::BuiltIn(_) => "the built-in block store".into(),
            Self::Kubo(kubo) => format!("Kubo at {}", kubo.url()),
            Self::PinningService(service) => format!("the pinning service at {}", service.url()),
            Self::Pinata(pinata) => format!("Pinata at {}", pinata.url()),
        }
    }

    /// Whether it can be given content, rather than a name only.
    pub fn takes_content(&self) -> bool {
        !matches!(self, Self::PinningService(_))
    }

    /// Gives it content to keep. The CID is the one that we compute, or it is an error.
    pub async fn add(&self, content: Vec<u8>, name: &str) -> Result<Cid, IpfsError> {
        match self {
            Self::BuiltIn(store) => run_blocking(store, move |store| store.add(&content)).await,
            Self::Kubo(kubo) => kubo.add(&content).await,
            Self::Pinata(pinata) => pinata.add(&content, name).await,
            Self::PinningService(_) => Err(self.unsupported("take content, only names of it")),
        }
    }

    /// Tells it to keep what it has, or can get; says whether it does.
    pub async fn pin(&self, cid: &Cid, name: &str) -> Result<PinState, IpfsError> {
        let root = *cid;
        match self {
            Self::BuiltIn(store) => run_blocking(store, move |store| store.pin(&root))
                .await
                .map(|()| PinState::Pinned),
            Self::Kubo(kubo) => kubo.pin(cid).await.map(|()| PinState::Pinned),
            Self::PinningService(service) => service.ask(cid, name).await,
            Self::Pinata(pinata) => pinata.state(cid).await,
        }
    }

    /// Whether it keeps something.
    pub async fn state(&self, cid: &Cid) -> Result<PinState, IpfsError> {
        let known = |pinned| {
            if pinned {
                PinState::Pinned
            } else {
                PinState::Absent
            }
        };

        match self {
            Self::BuiltIn(store) => Ok(known(store.is_pinned(cid))),
            Self::Kubo(kubo) => kubo.is_pinned(cid).await.map(known),
            Self::PinningService(service) => service.state(cid).await,
            Self::Pinata(pinata) => pinata.state(cid).await,
        }
    }

    /// Lets it forget; what it forgets when is its own affair until [`Backend::collect_garbage`].
    pub async fn release(&self, cid: &Cid) -> Result<(), IpfsError> {
        let root = *cid;
        match self {
            Self::BuiltIn(store) => run_blocking(store, move |store| store.unpin(&root)).await,
            Self::Kubo(kubo) => kubo.unpin(cid).await,
            Self::PinningService(service) => service.release(cid).await,
            Self::Pinata(pinata) => pinata.release(cid).await,
        }
    }

    /// Deletes what was released, where that is up to us.
    pub async fn collect_garbage(&self) -> Result<(), IpfsError> {
        match self {
            Self::BuiltIn(store) => run_blocking(store, BlockStore::collect_garbage)
                .await
                .map(|_| ()),
            Self::Kubo(kubo) => kubo.collect_garbage().await,
            Self::PinningService(_) | Self::Pinata(_) => Ok(()),
        }
    }

    /// The content, of at most `max` bytes, checked against its CID.
    pub async fn read(&self, cid: &Cid, max: usize) -> Result<Vec<u8>, IpfsError> {
        let root = *cid;
        let content = match self {
            Self::BuiltIn(store) => {
                run_blocking(store, move |store| store.read(&root, max)).await?
            }
            Self::Kubo(kubo) => kubo.cat(cid, max).await?,
            Self::PinningService(_) | Self::Pinata(_) => {
                return Err(self.unsupported("give content"));
            }
        };

        let found = unixfs::cid_of(&content);
        if found == root {
            return Ok(content);
        }
        Err(IpfsError::OtherCid {
            from: self.name(),
            found: found.to_string(),
            expected: root,
        })
    }

    fn unsupported(&self, what: &'static str) -> IpfsError {
        IpfsError::Unsupported {
            backend: self.name(),
            what,
        }
    }
}

/// The disk waits, the runtime does not.
async fn run_blocking<T: Send + 'static>(
    store: &Arc<BlockStore>,
    work: impl FnOnce(&BlockStore) -> Result<T, IpfsError> + Send + 'static,
) -> Result<T, IpfsError> {
    let store = Arc::clone(store);
    tokio::task::spawn_blocking(move || work(&store))
        .await
        .map_err(|_| IpfsError::Cancelled)?
}
