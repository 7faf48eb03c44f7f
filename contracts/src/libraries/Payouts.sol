// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @title The payout tree: packed words, leaves and chunk roots.
/// @notice A word packs one payout: `account << 96 | cumulative`. The zero word pads a chunk to a power of two.
library Payouts {
    /// @notice The largest number of words in a chunk.
    uint256 internal constant MAX_CHUNK = 128;

    /// @notice The number of words is not a power of two, or above `MAX_CHUNK`.
    error InvalidChunkLength(uint256 length);

    /// @notice Unpacks a word.
    /// @param word The word.
    /// @return account Who is paid.
    /// @return cumulative All that was ever released to the account.
    function unpack(uint256 word) internal pure returns (address account, uint96 cumulative) {
        // Both casts cut on purpose: the account is the upper 160 bits, the amount the lower 96.
        return (address(uint160(word >> 96)), uint96(word));
    }

    /// @notice Hashes a word to its leaf: twice, so that an inner node can never pass for a leaf.
    /// @param word The word.
    /// @return hashed `keccak256(bytes.concat(keccak256(abi.encode(account, uint256(cumulative)))))`; zero for the
    /// zero word.
    function leaf(uint256 word) internal pure returns (bytes32 hashed) {
        if (word == 0) return bytes32(0);
        (address account, uint96 cumulative) = unpack(word);
        hashed = Hashes.efficientKeccak256(bytes32(uint256(uint160(account))), bytes32(uint256(cumulative)));
        // In assembly because `bytes.concat` allocates memory, and this runs once for each account paid. It uses the
        // scratch space only.
        assembly ("memory-safe") {
            mstore(0x00, hashed)
            hashed := keccak256(0x00, 0x20)
        }
    }

    /// @notice Rebuilds the root of a chunk.
    /// @param words The chunk's words: a power of two of them.
    /// @return The root, by sorted-pair hashing.
    function chunkRoot(uint256[] calldata words) internal pure returns (bytes32) {
        uint256 width = words.length;
        if (width == 0 || width > MAX_CHUNK || width & (width - 1) != 0) revert InvalidChunkLength(width);
        bytes32[] memory nodes = new bytes32[](width);
        for (uint256 i = 0; i < width; ++i) {
            nodes[i] = leaf(words[i]);
        }
        for (width >>= 1; width != 0; width >>= 1) {
            _halve(nodes, width);
        }
        return nodes[0];
    }

    /// @dev Replaces the first `width` nodes by the hashes of the pairs in the first `2 * width`.
    function _halve(bytes32[] memory nodes, uint256 width) private pure {
        // In assembly because the bounds checks of `nodes[i] = commutativeKeccak256(nodes[2 * i], nodes[2 * i + 1])`
        // cost more than the hash. It writes to elements of `nodes` and to the scratch space only: `width` is at most
        // half the array's length, and a node is written after both nodes of its pair are read.
        assembly ("memory-safe") {
            let target := add(nodes, 0x20)
            let end := add(target, shl(5, width))
            let source := target
            for {} lt(target, end) { target := add(target, 0x20) } {
                let left := mload(source)
                let right := mload(add(source, 0x20))
                let swapped := shl(5, gt(left, right))
                mstore(swapped, left)
                mstore(xor(swapped, 0x20), right)
                mstore(target, keccak256(0x00, 0x40))
                source := add(source, 0x40)
            }
        }
    }
}
