// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CheckpointAnchor} from "../src/CheckpointAnchor.sol";
import {FranchiseToken} from "../src/FranchiseToken.sol";
import {ICheckpointAnchor} from "../src/interfaces/ICheckpointAnchor.sol";
import {ValidatorSets} from "../src/libraries/ValidatorSets.sol";
import {vm} from "./Vm.sol";

/// @title A deployed token and anchor, four validators of equal power, and the sidechain's side in miniature.
abstract contract BaseTest {
    bytes32 internal constant SIDECHAIN = keccak256("sidechain");
    uint64 internal constant FIRST_EPOCH = 5;
    uint64 internal constant FIRST_HEIGHT = 101;
    uint48 internal constant ADMIN_DELAY = 3 days;
    uint128 internal constant CAPACITY = 1_000_000;
    uint128 internal constant REFILL = 10;

    address internal constant ADMIN = address(0xAD111);
    address internal constant GUARDIAN = address(0x60A8D1A);
    address internal constant ANYBODY = address(0xA17B0D1);
    address internal constant ALICE = address(0xA11CE);
    address internal constant BOB = address(0xB0B);

    FranchiseToken internal token;
    CheckpointAnchor internal anchor;

    /// The keys of the set in force, in set order.
    uint256[] internal keys;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        keys = makeKeys("genesis", 4);
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        token = newToken(predicted);
        anchor = newAnchor();
        vm.assertEq(address(anchor), predicted, "predicted address");
    }

    function newToken(address issuer) internal virtual returns (FranchiseToken) {
        return new FranchiseToken(issuer, ADMIN, ADMIN_DELAY, CAPACITY, REFILL);
    }

    function newAnchor() internal returns (CheckpointAnchor) {
        return
            new CheckpointAnchor(
                token, SIDECHAIN, FIRST_EPOCH, FIRST_HEIGHT, makeSet(keys), ADMIN, ADMIN_DELAY, GUARDIAN
            );
    }

    // ---------------------------------------------------------------- validators

    /// Keys made from a seed, sorted by their addresses.
    function makeKeys(string memory seed, uint256 count) internal pure returns (uint256[] memory made) {
        made = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 key = uint256(keccak256(abi.encode(seed, i)));
            uint256 place = i;
            for (; place > 0 && vm.addr(made[place - 1]) > vm.addr(key); --place) {
                made[place] = made[place - 1];
            }
            made[place] = key;
        }
    }

    /// A set of these keys, each with the power 100.
    function makeSet(uint256[] memory members) internal pure returns (ValidatorSets.Validator[] memory set) {
        set = new ValidatorSets.Validator[](members.length);
        for (uint256 i = 0; i < members.length; ++i) {
            set[i] = ValidatorSets.Validator(vm.addr(members[i]), 100);
        }
    }

    function currentSet() internal view returns (ValidatorSets.Validator[] memory) {
        return makeSet(keys);
    }

    function noSet() internal pure returns (ValidatorSets.Validator[] memory) {
        return new ValidatorSets.Validator[](0);
    }

    /// Signatures of the keys whose bits are set.
    function signatures(uint256[] memory signers, uint256 bitmap, bytes32 digest)
        internal
        pure
        returns (ValidatorSets.Signature[] memory made)
    {
        uint256 count = 0;
        for (uint256 i = 0; i < signers.length; ++i) {
            count += (bitmap >> i) & 1;
        }
        made = new ValidatorSets.Signature[](count);
        count = 0;
        for (uint256 i = 0; i < signers.length; ++i) {
            if ((bitmap >> i) & 1 == 0) continue;
            (bytes32 r, bytes32 vs) = vm.signCompact(signers[i], digest);
            made[count++] = ValidatorSets.Signature(r, vs);
        }
    }

    // ---------------------------------------------------------------- checkpoints

    /// A checkpoint that the anchor would take next: ten blocks, 1000 more units released, the set unchanged.
    function nextCheckpoint() internal view returns (ICheckpointAnchor.Checkpoint memory) {
        (uint64 epoch, uint64 lastHeight, uint128 totalReleased) = anchor.head();
        return ICheckpointAnchor.Checkpoint({
            sidechainId: SIDECHAIN,
            epoch: epoch + 1,
            firstHeight: lastHeight + 1,
            lastHeight: lastHeight + 10,
            blocksRoot: keccak256("blocks"),
            stateRoot: keccak256("state"),
            payoutRoot: keccak256("payouts"),
            recordingsRoot: keccak256("recordings"),
            totalReleased: totalReleased + 1000,
            nextValidatorsHash: anchor.validatorsHash()
        });
    }

    /// Submits with as few signatures as are enough: validators 0, 1 and 2 of four.
    function submit(ICheckpointAnchor.Checkpoint memory checkpoint) internal {
        submit(checkpoint, noSet());
    }

    function submit(ICheckpointAnchor.Checkpoint memory checkpoint, ValidatorSets.Validator[] memory next) internal {
        uint256 bitmap = (1 << (keys.length * 2 / 3 + 1)) - 1;
        ValidatorSets.Signature[] memory signed = signatures(keys, bitmap, anchor.checkpointDigest(checkpoint));
        anchor.submit(checkpoint, currentSet(), bitmap, signed, next);
    }

    /// Expects the refusal of a checkpoint that a quorum signed.
    function submitReverts(ICheckpointAnchor.Checkpoint memory checkpoint, bytes memory reason) internal {
        submitReverts(checkpoint, noSet(), reason);
    }

    function submitReverts(
        ICheckpointAnchor.Checkpoint memory checkpoint,
        ValidatorSets.Validator[] memory next,
        bytes memory reason
    ) internal {
        ValidatorSets.Signature[] memory signed = signatures(keys, 7, anchor.checkpointDigest(checkpoint));
        submitReverts(checkpoint, currentSet(), 7, signed, next, reason);
    }

    function submitReverts(
        ICheckpointAnchor.Checkpoint memory checkpoint,
        ValidatorSets.Validator[] memory set,
        uint256 bitmap,
        ValidatorSets.Signature[] memory signed,
        ValidatorSets.Validator[] memory next,
        bytes memory reason
    ) internal {
        vm.expectRevert(reason);
        anchor.submit(checkpoint, set, bitmap, signed, next);
    }

    /// Puts a set of other keys into force.
    function rotate(string memory seed, uint256 count) internal {
        uint256[] memory made = makeKeys(seed, count);
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.nextValidatorsHash = keccak256(abi.encode(makeSet(made)));
        submit(checkpoint, makeSet(made));
        keys = made;
    }

    function restHash(ICheckpointAnchor.Checkpoint memory c) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                c.sidechainId,
                c.epoch,
                c.firstHeight,
                c.lastHeight,
                c.blocksRoot,
                c.stateRoot,
                c.recordingsRoot,
                c.totalReleased,
                c.nextValidatorsHash
            )
        );
    }

    // ---------------------------------------------------------------- payouts

    function word(address account, uint96 cumulative) internal pure returns (uint256) {
        return (uint256(uint160(account)) << 96) | cumulative;
    }

    function one(uint256 single) internal pure returns (uint256[] memory words) {
        words = new uint256[](1);
        words[0] = single;
    }

    function two(uint256 first, uint256 second) internal pure returns (uint256[] memory words) {
        words = new uint256[](2);
        (words[0], words[1]) = (first, second);
    }

    /// Words for made-up accounts, all with the same amount.
    function manyWords(uint256 count, uint96 cumulative) internal pure returns (uint256[] memory words) {
        words = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            words[i] = word(address(uint160(uint256(keccak256(abi.encode("account", i))))), cumulative);
        }
    }

    /// The leaf by its definition.
    function naiveLeaf(uint256 single) internal pure returns (bytes32) {
        if (single == 0) return 0;
        return keccak256(bytes.concat(keccak256(abi.encode(address(uint160(single >> 96)), uint256(uint96(single))))));
    }

    function naiveNode(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }

    /// The root over `size` words from `start` on; `size` is a power of two.
    function naiveRoot(uint256[] memory words, uint256 start, uint256 size) internal pure returns (bytes32) {
        if (size == 1) return naiveLeaf(words[start]);
        uint256 half = size / 2;
        return naiveNode(naiveRoot(words, start, half), naiveRoot(words, start + half, half));
    }

    function naiveRoot(uint256[] memory words) internal pure returns (bytes32) {
        return naiveRoot(words, 0, words.length);
    }

    /// The proof of the chunk of `size` words from `start` on, as the anchor wants it: siblings, then the rest hash.
    function naiveProof(uint256[] memory words, uint256 start, uint256 size, bytes32 rest)
        internal
        pure
        returns (bytes32[] memory proof)
    {
        uint256 depth = 0;
        for (uint256 span = size; span < words.length; span *= 2) {
            ++depth;
        }
        proof = new bytes32[](depth + 1);
        depth = 0;
        for (uint256 span = size; span < words.length; span *= 2) {
            proof[depth++] = naiveRoot(words, ((start / span) ^ 1) * span, span);
        }
        proof[depth] = rest;
    }

    function slice(uint256[] memory words, uint256 start, uint256 size) internal pure returns (uint256[] memory part) {
        part = new uint256[](size);
        for (uint256 i = 0; i < size; ++i) {
            part[i] = words[start + i];
        }
    }

    /// Anchors a checkpoint that pays these words out and releases `released` more; returns it.
    function anchorPayouts(uint256[] memory words, uint128 released)
        internal
        returns (ICheckpointAnchor.Checkpoint memory checkpoint)
    {
        checkpoint = nextCheckpoint();
        checkpoint.payoutRoot = naiveRoot(words);
        checkpoint.totalReleased = checkpoint.totalReleased - 1000 + released;
        submit(checkpoint);
    }

    /// Issues all words of a checkpoint as one chunk.
    function issueAll(ICheckpointAnchor.Checkpoint memory checkpoint, uint256[] memory words) internal {
        anchor.issueChunk(checkpoint.epoch, words, naiveProof(words, 0, words.length, restHash(checkpoint)));
    }

    // ---------------------------------------------------------------- arithmetic

    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        uint256 range = high - low;
        return range == type(uint256).max ? value : low + value % (range + 1);
    }
}
