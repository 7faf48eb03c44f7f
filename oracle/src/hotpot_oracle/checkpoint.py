"""An epoch summed up for the EVM."""

from dataclasses import dataclass

from .codec import U64, U128, Hash
from .crypto import abi_word, checkpoint_domain, keccak256, struct_hash, typed_digest


@dataclass(slots=True)
class Checkpoint:
    """An epoch summed up for the EVM."""

    sidechain_id: Hash
    epoch: U64
    first_height: U64
    last_height: U64
    blocks_root: Hash
    state_root: Hash
    payout_root: Hash
    recordings_root: Hash
    total_released: U128
    next_validators_hash: Hash

    TYPED = (
        "Checkpoint(bytes32 sidechainId,uint64 epoch,uint64 firstHeight,uint64 lastHeight,bytes32 blocksRoot,"
        "bytes32 stateRoot,bytes32 payoutRoot,bytes32 recordingsRoot,uint128 totalReleased,bytes32 nextValidatorsHash)"
    )

    def digest(self, chain_id: int, anchor: bytes) -> bytes:
        """What validators sign."""
        values = [getattr(self, name) for name in self.__slots__]
        return typed_digest(checkpoint_domain(chain_id, anchor), struct_hash(self.TYPED, values))

    def rest_hash(self) -> bytes:
        """Hash of all fields but the payout root."""
        kinds = ["bytes32", *["uint64"] * 3, *["bytes32"] * 4, "uint128", "bytes32"]
        typed = zip(kinds, self.__slots__, strict=True)
        words = [
            abi_word(kind, getattr(self, name)) for kind, name in typed if name != "payout_root"
        ]
        return keccak256(b"".join(words))

    def commitment(self) -> bytes:
        """The one hash that the contract keeps."""
        return keccak256(self.payout_root + self.rest_hash())
