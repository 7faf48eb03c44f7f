//! What the parts of a step share.

use crate::config::BlockchainConfig;
use crate::io::evm::Evm;
use crate::io::node::Node;
use crate::io::signer::Signer;
use crate::io::store::Store;

/// Everything a step touches.
pub(crate) struct Context {
    pub(crate) evm: Evm,
    pub(crate) nodes: Vec<Node>,
    pub(crate) store: Store,
    pub(crate) signer: Signer,
    pub(crate) config: BlockchainConfig,
}
