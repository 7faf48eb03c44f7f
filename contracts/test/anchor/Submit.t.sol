// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICheckpointAnchor} from "../../src/interfaces/ICheckpointAnchor.sol";
import {ValidatorSets} from "../../src/libraries/ValidatorSets.sol";
import {BaseTest} from "../BaseTest.sol";
import {vm} from "../Vm.sol";

contract SubmitTest is BaseTest {
    // ---------------------------------------------------------------- what is refused

    function test_submit_revertsIfItIsOfAnotherSidechain() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.sidechainId = keccak256("other");
        submitReverts(
            checkpoint, abi.encodeWithSelector(ICheckpointAnchor.InvalidSidechainId.selector, checkpoint.sidechainId)
        );
    }

    function test_submit_revertsIfEpochIsNotTheNext() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.epoch = FIRST_EPOCH + 1;
        submitReverts(
            checkpoint, abi.encodeWithSelector(ICheckpointAnchor.UnexpectedEpoch.selector, FIRST_EPOCH + 1, FIRST_EPOCH)
        );
        checkpoint.epoch = FIRST_EPOCH - 1;
        submitReverts(
            checkpoint, abi.encodeWithSelector(ICheckpointAnchor.UnexpectedEpoch.selector, FIRST_EPOCH - 1, FIRST_EPOCH)
        );
    }

    function test_submit_revertsIfFirstHeightIsNotTheNext() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.firstHeight = FIRST_HEIGHT + 1;
        submitReverts(
            checkpoint,
            abi.encodeWithSelector(ICheckpointAnchor.UnexpectedFirstHeight.selector, FIRST_HEIGHT + 1, FIRST_HEIGHT)
        );
        checkpoint.firstHeight = FIRST_HEIGHT - 1;
        submitReverts(
            checkpoint,
            abi.encodeWithSelector(ICheckpointAnchor.UnexpectedFirstHeight.selector, FIRST_HEIGHT - 1, FIRST_HEIGHT)
        );
    }

    function test_submit_revertsIfLastHeightIsBelowTheFirst() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.lastHeight = FIRST_HEIGHT - 1;
        submitReverts(
            checkpoint,
            abi.encodeWithSelector(ICheckpointAnchor.InvalidHeightRange.selector, FIRST_HEIGHT, FIRST_HEIGHT - 1)
        );
    }

    function test_submit_revertsIfReleasedGoesDown() public {
        submit(nextCheckpoint());
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.totalReleased = 999;
        submitReverts(checkpoint, abi.encodeWithSelector(ICheckpointAnchor.ReleasedDecreased.selector, 999, 1000));
    }

    function test_submit_revertsIfAnyRootIsZero() public {
        for (uint256 field = 0; field < 5; ++field) {
            ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
            if (field == 0) checkpoint.blocksRoot = 0;
            if (field == 1) checkpoint.stateRoot = 0;
            if (field == 2) checkpoint.payoutRoot = 0;
            if (field == 3) checkpoint.recordingsRoot = 0;
            if (field == 4) checkpoint.nextValidatorsHash = 0;
            submitReverts(checkpoint, abi.encodeWithSelector(ICheckpointAnchor.ZeroRoot.selector));
        }
    }

    function test_submit_revertsIfSetIsNotTheOneInForce() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        ValidatorSets.Validator[] memory set = currentSet();
        set[0].power = 1_000_000;
        ValidatorSets.Signature[] memory signed = signatures(keys, 7, anchor.checkpointDigest(checkpoint));
        bytes memory reason = abi.encodeWithSelector(
            ICheckpointAnchor.UnexpectedValidators.selector, keccak256(abi.encode(set)), anchor.validatorsHash()
        );
        submitReverts(checkpoint, set, 7, signed, noSet(), reason);
    }

    function test_submit_revertsIfQuorumIsExactlyTwoThirds() public {
        rotate("three", 3);
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        ValidatorSets.Signature[] memory signed = signatures(keys, 3, anchor.checkpointDigest(checkpoint));
        bytes memory reason = abi.encodeWithSelector(ValidatorSets.QuorumNotReached.selector, 200, 300);
        submitReverts(checkpoint, currentSet(), 3, signed, noSet(), reason);
    }

    function test_submit_revertsIfTwoOfFourSigned() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        ValidatorSets.Signature[] memory signed = signatures(keys, 10, anchor.checkpointDigest(checkpoint));
        bytes memory reason = abi.encodeWithSelector(ValidatorSets.QuorumNotReached.selector, 200, 400);
        submitReverts(checkpoint, currentSet(), 10, signed, noSet(), reason);
    }

    function test_submit_revertsIfNobodySigned() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        bytes memory reason = abi.encodeWithSelector(ValidatorSets.QuorumNotReached.selector, 0, 400);
        submitReverts(checkpoint, currentSet(), 0, new ValidatorSets.Signature[](0), noSet(), reason);
    }

    function test_submit_revertsIfANextSetComesAlongUnneeded() public {
        submitReverts(
            nextCheckpoint(), currentSet(), abi.encodeWithSelector(ICheckpointAnchor.UnneededNextValidators.selector)
        );
    }

    function test_submit_revertsIfTheNextSetIsMissing() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.nextValidatorsHash = keccak256(abi.encode(makeSet(makeKeys("next", 4))));
        submitReverts(
            checkpoint,
            abi.encodeWithSelector(
                ICheckpointAnchor.UnexpectedValidators.selector,
                keccak256(abi.encode(noSet())),
                checkpoint.nextValidatorsHash
            )
        );
    }

    function test_submit_revertsIfTheNextSetIsNotTheSignedOne() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.nextValidatorsHash = keccak256(abi.encode(makeSet(makeKeys("next", 4))));
        ValidatorSets.Validator[] memory other = makeSet(makeKeys("other", 4));
        submitReverts(
            checkpoint,
            other,
            abi.encodeWithSelector(
                ICheckpointAnchor.UnexpectedValidators.selector,
                keccak256(abi.encode(other)),
                checkpoint.nextValidatorsHash
            )
        );
    }

    function test_submit_revertsIfTheNextSetIsMalformed() public {
        ValidatorSets.Validator[] memory next = makeSet(makeKeys("next", 4));
        next[2].account = next[1].account;
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.nextValidatorsHash = keccak256(abi.encode(next));
        submitReverts(
            checkpoint, next, abi.encodeWithSelector(ValidatorSets.InvalidValidatorOrder.selector, 2, next[2].account)
        );
    }

    // ---------------------------------------------------------------- what is taken

    function test_submit_movesTheHeadAndKeepsTheCommitment() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        submit(checkpoint);
        (uint64 epoch, uint64 lastHeight, uint128 totalReleased) = anchor.head();
        vm.assertEq(epoch, FIRST_EPOCH, "epoch");
        vm.assertEq(lastHeight, FIRST_HEIGHT + 9, "last height");
        vm.assertEq(totalReleased, 1000, "released");
        vm.assertEq(
            anchor.commitmentOf(FIRST_EPOCH),
            keccak256(abi.encode(checkpoint.payoutRoot, restHash(checkpoint))),
            "commitment"
        );
    }

    function test_submit_emitsEveryField() public {
        ICheckpointAnchor.Checkpoint memory c = nextCheckpoint();
        ValidatorSets.Signature[] memory signed = signatures(keys, 7, anchor.checkpointDigest(c));
        ValidatorSets.Validator[] memory set = currentSet();
        vm.expectEmit(address(anchor));
        emit ICheckpointAnchor.CheckpointAnchored(
            c.epoch,
            c.firstHeight,
            c.lastHeight,
            c.blocksRoot,
            c.stateRoot,
            c.payoutRoot,
            c.recordingsRoot,
            c.totalReleased,
            c.nextValidatorsHash
        );
        anchor.submit(c, set, 7, signed, noSet());
    }

    function test_submit_takesAnEpochOfOneBlockThatReleasesNothing() public {
        submit(nextCheckpoint());
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.lastHeight = checkpoint.firstHeight;
        checkpoint.totalReleased = 1000;
        submit(checkpoint);
        (uint64 epoch, uint64 lastHeight,) = anchor.head();
        vm.assertEq(epoch, FIRST_EPOCH + 1, "epoch");
        vm.assertEq(lastHeight, FIRST_HEIGHT + 10, "last height");
    }

    function test_submit_takesAnyThreeOfFourFromAnybody() public {
        uint256[5] memory bitmaps = [uint256(7), 11, 13, 14, 15];
        for (uint256 i = 0; i < bitmaps.length; ++i) {
            ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
            ValidatorSets.Signature[] memory signed = signatures(keys, bitmaps[i], anchor.checkpointDigest(checkpoint));
            ValidatorSets.Validator[] memory set = currentSet();
            vm.prank(ANYBODY);
            anchor.submit(checkpoint, set, bitmaps[i], signed, noSet());
        }
        (uint64 epoch,,) = anchor.head();
        vm.assertEq(epoch, FIRST_EPOCH + 4, "epoch");
    }

    function test_submit_goesOnWhileIssuingIsPaused() public {
        vm.prank(GUARDIAN);
        anchor.pauseIssuing();
        submit(nextCheckpoint());
    }

    function test_submit_putsTheNextSetIntoForce() public {
        uint256[] memory nextKeys = makeKeys("next", 7);
        ValidatorSets.Validator[] memory next = makeSet(nextKeys);
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.nextValidatorsHash = keccak256(abi.encode(next));
        ValidatorSets.Signature[] memory signed = signatures(keys, 7, anchor.checkpointDigest(checkpoint));
        ValidatorSets.Validator[] memory set = currentSet();
        vm.expectEmit(address(anchor));
        emit ICheckpointAnchor.ValidatorSetRotated(FIRST_EPOCH, checkpoint.nextValidatorsHash);
        anchor.submit(checkpoint, set, 7, signed, next);
        vm.assertEq(anchor.validatorsHash(), checkpoint.nextValidatorsHash, "set");

        keys = nextKeys;
        checkpoint = nextCheckpoint();
        anchor.submit(checkpoint, next, 31, signatures(keys, 31, anchor.checkpointDigest(checkpoint)), noSet());
    }

    // ---------------------------------------------------------------- fuzz

    /// Quorum signatures over one checkpoint are worth nothing for any other.
    function testFuzz_submit_revertsIfAnyBitOfAnyFieldIsFlipped(uint256 field, uint256 bit) public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        ValidatorSets.Signature[] memory signed = signatures(keys, 7, anchor.checkpointDigest(checkpoint));
        ValidatorSets.Validator[] memory set = currentSet();
        field = bound(field, 0, 9);
        uint256 width = field == 8 ? 128 : field >= 1 && field <= 3 ? 64 : 256;
        uint256 mask = 1 << bound(bit, 0, width - 1);
        assembly ("memory-safe") {
            let place := add(checkpoint, mul(0x20, field))
            mstore(place, xor(mload(place), mask))
        }
        vm.expectRevert();
        anchor.submit(checkpoint, set, 7, signed, noSet());
    }

    /// Even where no other rule forbids the change, the signatures do.
    function testFuzz_submit_signaturesBindEveryRoot(uint256 field, bytes32 seed) public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        ValidatorSets.Signature[] memory signed = signatures(keys, 7, anchor.checkpointDigest(checkpoint));
        ValidatorSets.Validator[] memory set = currentSet();
        bytes32 value = keccak256(abi.encode(seed));
        field = bound(field, 0, 5);
        if (field == 0) checkpoint.blocksRoot = value;
        if (field == 1) checkpoint.stateRoot = value;
        if (field == 2) checkpoint.payoutRoot = value;
        if (field == 3) checkpoint.recordingsRoot = value;
        if (field == 4) checkpoint.lastHeight += 1;
        if (field == 5) checkpoint.totalReleased += 1;
        vm.expectPartialRevert(ValidatorSets.InvalidSigner.selector);
        anchor.submit(checkpoint, set, 7, signed, noSet());
    }

    function testFuzz_checkpointDigest_isTheTypedDataHash(ICheckpointAnchor.Checkpoint memory c) public view {
        bytes32 typeHash = keccak256(
            "Checkpoint(bytes32 sidechainId,uint64 epoch,uint64 firstHeight,uint64 lastHeight,bytes32 blocksRoot,bytes32 stateRoot,bytes32 payoutRoot,bytes32 recordingsRoot,uint128 totalReleased,bytes32 nextValidatorsHash)"
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("HotPot"),
                keccak256("1"),
                block.chainid,
                address(anchor)
            )
        );
        bytes32 structHash = keccak256(
            bytes.concat(
                abi.encode(typeHash, c.sidechainId, c.epoch, c.firstHeight, c.lastHeight, c.blocksRoot),
                abi.encode(c.stateRoot, c.payoutRoot, c.recordingsRoot, c.totalReleased, c.nextValidatorsHash)
            )
        );
        vm.assertEq(anchor.checkpointDigest(c), keccak256(abi.encodePacked(hex"1901", domain, structHash)), "digest");
    }
}
