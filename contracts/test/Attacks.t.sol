// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CheckpointAnchor} from "../src/CheckpointAnchor.sol";
import {ICheckpointAnchor} from "../src/interfaces/ICheckpointAnchor.sol";
import {IFranchiseToken} from "../src/interfaces/IFranchiseToken.sol";
import {ValidatorSets} from "../src/libraries/ValidatorSets.sol";
import {BaseTest} from "./BaseTest.sol";
import {vm} from "./Vm.sol";

/// What has gone wrong with bridges and drops elsewhere, tried here.
contract AttacksTest is BaseTest {
    uint256 private constant STRANGER = 0x57A46E4;

    // ---------------------------------------------------------------- Nomad: the unset root is a root

    function test_zeroRoot_provesNothingBeforeAndAfterTheFirstEpoch() public {
        uint256[] memory padding = new uint256[](1);
        bytes32[] memory zeros = new bytes32[](1);
        for (uint64 round = 0; round < 2; ++round) {
            uint64[3] memory unset = [uint64(0), FIRST_EPOCH + round, type(uint64).max];
            for (uint256 i = 0; i < 3; ++i) {
                vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.UnknownEpoch.selector, unset[i]));
                anchor.issueChunk(unset[i], padding, zeros);
                vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.UnknownEpoch.selector, unset[i]));
                anchor.issueOne(unset[i], word(ALICE, 1), zeros);
            }
            ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
            checkpoint.payoutRoot = 0;
            submitReverts(checkpoint, abi.encodeWithSelector(ICheckpointAnchor.ZeroRoot.selector));
            submit(nextCheckpoint());
        }
    }

    // ---------------------------------------------------------------- Wormhole: the verifier is the attacker's

    function test_ownValidatorSet_isRefused() public {
        uint256[] memory own = new uint256[](1);
        own[0] = STRANGER;
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        submitReverts(
            checkpoint,
            makeSet(own),
            1,
            signatures(own, 1, anchor.checkpointDigest(checkpoint)),
            noSet(),
            abi.encodeWithSelector(
                ICheckpointAnchor.UnexpectedValidators.selector,
                keccak256(abi.encode(makeSet(own))),
                anchor.validatorsHash()
            )
        );
    }

    function test_foreignSigner_isRefusedInTheRightSet() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        bytes32 digest = anchor.checkpointDigest(checkpoint);
        ValidatorSets.Signature[] memory signed = signatures(keys, 7, digest);
        (signed[1].r, signed[1].vs) = vm.signCompact(STRANGER, digest);
        submitReverts(
            checkpoint,
            currentSet(),
            7,
            signed,
            noSet(),
            abi.encodeWithSelector(ValidatorSets.InvalidSigner.selector, 1, vm.addr(keys[1]), vm.addr(STRANGER))
        );
    }

    // ---------------------------------------------------------------- Ronin, Harmony: old keys and few keys

    function test_replacedSet_cannotSignAnyMore() public {
        uint256[] memory old = keys;
        rotate("next", 4);
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        bytes32 digest = anchor.checkpointDigest(checkpoint);
        submitReverts(
            checkpoint,
            makeSet(old),
            15,
            signatures(old, 15, digest),
            noSet(),
            abi.encodeWithSelector(
                ICheckpointAnchor.UnexpectedValidators.selector,
                keccak256(abi.encode(makeSet(old))),
                anchor.validatorsHash()
            )
        );
        vm.expectPartialRevert(ValidatorSets.InvalidSigner.selector);
        anchor.submit(checkpoint, currentSet(), 15, signatures(old, 15, digest), noSet());
    }

    // ---------------------------------------------------------------- a quorum of stolen keys

    function test_stolenQuorum_isHeldByTheRateLimitAndStoppedByTheGuardian() public {
        uint256[] memory words = new uint256[](4);
        for (uint256 i = 0; i < 4; ++i) {
            words[i] = word(address(uint160(0xBAD0 + i)), uint96(CAPACITY));
        }
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, type(uint96).max);
        issueAll(checkpoint, words);
        vm.assertEq(token.totalSupply(), CAPACITY, "one capacity at once");
        vm.warp(block.timestamp + 1 hours);
        issueAll(checkpoint, words);
        vm.assertEq(token.totalSupply(), CAPACITY, "what does not fit waits");

        vm.startPrank(GUARDIAN);
        anchor.pauseIssuing();
        anchor.revokeRoot(checkpoint.epoch);
        vm.stopPrank();
        vm.warp(block.timestamp + 30 days);
        bytes32[] memory proof = naiveProof(words, 0, 4, restHash(checkpoint));
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.UnknownEpoch.selector, checkpoint.epoch));
        anchor.issueChunk(checkpoint.epoch, words, proof);
    }

    function test_leavesBeyondTheReleasedTotal_areRefused() public {
        uint256[] memory words = two(word(ALICE, 500), word(BOB, 501));
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 1000);
        bytes32[] memory proof = naiveProof(words, 0, 2, restHash(checkpoint));
        vm.expectRevert(abi.encodeWithSelector(IFranchiseToken.IssueExceedsReleased.selector, 1001, 1000));
        anchor.issueChunk(checkpoint.epoch, words, proof);
        vm.assertEq(token.totalSupply(), 0, "supply");
    }

    // ---------------------------------------------------------------- BNB: an inner node passes for a leaf

    function test_innerNode_doesNotPassForALeafOrAWord() public {
        uint256[] memory words = manyWords(4, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 40);
        bytes32 rest = restHash(checkpoint);
        bytes memory reason = abi.encodeWithSelector(ICheckpointAnchor.InvalidPayoutProof.selector, checkpoint.epoch);
        bytes32[] memory proof = new bytes32[](2);
        (proof[0], proof[1]) = (naiveRoot(words, 2, 2), rest);
        uint256 node = uint256(naiveRoot(words, 0, 2));
        vm.expectRevert(reason);
        anchor.issueOne(checkpoint.epoch, node, proof);
        uint256[] memory nodes = two(node, uint256(naiveRoot(words, 2, 2)));
        vm.expectRevert(reason);
        anchor.issueChunk(checkpoint.epoch, nodes, naiveProof(nodes, 0, 2, rest));
        // Nor do the leaves pass for words.
        uint256[] memory leaves = two(uint256(naiveLeaf(words[0])), uint256(naiveLeaf(words[1])));
        vm.expectRevert(reason);
        anchor.issueChunk(checkpoint.epoch, leaves, proof);
    }

    // ---------------------------------------------------------------- Polygon: one claim, many encodings

    function test_sameClaim_isPaidOnceHoweverItIsShown() public {
        uint256[] memory words = manyWords(8, 10);
        ICheckpointAnchor.Checkpoint memory first = anchorPayouts(words, 80);
        ICheckpointAnchor.Checkpoint memory second = anchorPayouts(words, 0);
        ICheckpointAnchor.Checkpoint[2] memory epochs = [first, second];
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 rest = restHash(epochs[i]);
            anchor.issueOne(epochs[i].epoch, words[0], naiveProof(words, 0, 1, rest));
            for (uint256 size = 1; size <= 8; size *= 2) {
                anchor.issueChunk(epochs[i].epoch, slice(words, 0, size), naiveProof(words, 0, size, rest));
            }
        }
        vm.assertEq(token.balanceOf(address(uint160(words[0] >> 96))), 10, "balance");
        vm.assertEq(token.totalSupply(), 80, "supply");
    }

    function test_sameAccountTwiceInOneTree_isPaidTheHighestAmountOnly() public {
        uint256[] memory words = new uint256[](4);
        (words[0], words[1], words[2], words[3]) = (word(ALICE, 5), word(ALICE, 9), word(ALICE, 9), word(ALICE, 7));
        issueAll(anchorPayouts(words, 1000), words);
        vm.assertEq(token.balanceOf(ALICE), 9, "balance");
    }

    // ---------------------------------------------------------------- replay elsewhere

    function test_signatures_areWorthNothingOnAnotherChainOrAnchor() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        ValidatorSets.Signature[] memory signed = signatures(keys, 7, anchor.checkpointDigest(checkpoint));
        CheckpointAnchor other = newAnchor();
        vm.expectPartialRevert(ValidatorSets.InvalidSigner.selector);
        other.submit(checkpoint, currentSet(), 7, signed, noSet());
        vm.chainId(1);
        vm.expectPartialRevert(ValidatorSets.InvalidSigner.selector);
        anchor.submit(checkpoint, currentSet(), 7, signed, noSet());
        vm.chainId(31337);
        anchor.submit(checkpoint, currentSet(), 7, signed, noSet());
    }

    function test_secondAnchorOfTheToken_cannotIssue() public {
        anchor = newAnchor();
        uint256[] memory words = one(word(ALICE, 10));
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 10);
        bytes32[] memory proof = naiveProof(words, 0, 1, restHash(checkpoint));
        vm.expectRevert(abi.encodeWithSelector(IFranchiseToken.UnauthorizedIssuer.selector, address(anchor)));
        anchor.issueChunk(checkpoint.epoch, words, proof);
    }

    // ---------------------------------------------------------------- signatures used twice, changed, left over

    function test_oneSignatureThreeTimes_countsOnce() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        ValidatorSets.Signature[] memory signed = signatures(keys, 7, anchor.checkpointDigest(checkpoint));
        (signed[1], signed[2]) = (signed[0], signed[0]);
        submitReverts(
            checkpoint,
            currentSet(),
            7,
            signed,
            noSet(),
            abi.encodeWithSelector(ValidatorSets.InvalidSigner.selector, 1, vm.addr(keys[1]), vm.addr(keys[0]))
        );
        submitReverts(
            checkpoint,
            currentSet(),
            1,
            signed,
            noSet(),
            abi.encodeWithSelector(ValidatorSets.InvalidSignerBitmap.selector, 1, 4, 3)
        );
        submitReverts(
            checkpoint,
            currentSet(),
            1 << 9,
            signed,
            noSet(),
            abi.encodeWithSelector(ValidatorSets.InvalidSignerBitmap.selector, 1 << 9, 4, 3)
        );
    }

    function test_otherParity_isRefused() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        ValidatorSets.Signature[] memory signed = signatures(keys, 7, anchor.checkpointDigest(checkpoint));
        signed[0].vs ^= bytes32(uint256(1) << 255);
        vm.expectRevert();
        anchor.submit(checkpoint, currentSet(), 7, signed, noSet());
    }

    /// The other form of the same signature has `s` above half the order, which the compact form cuts.
    function test_highS_isRefused() public {
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        bytes32 digest = anchor.checkpointDigest(checkpoint);
        ValidatorSets.Signature[] memory signed = signatures(keys, 7, digest);
        (uint8 v,, bytes32 s) = vm.sign(keys[0], digest);
        signed[0].vs = bytes32((order - uint256(s)) | (uint256(v == 27 ? 1 : 0) << 255));
        vm.expectRevert();
        anchor.submit(checkpoint, currentSet(), 7, signed, noSet());
    }

    // ---------------------------------------------------------------- replay, gaps, forks of the history

    function test_anchoredCheckpoint_cannotBeAnchoredAgainOrReplaced() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        submit(checkpoint);
        bytes memory reason =
            abi.encodeWithSelector(ICheckpointAnchor.UnexpectedEpoch.selector, FIRST_EPOCH, FIRST_EPOCH + 1);
        submitReverts(checkpoint, reason);
        checkpoint.payoutRoot = keccak256("fork");
        submitReverts(checkpoint, reason);
        checkpoint.epoch += 1;
        submitReverts(
            checkpoint,
            abi.encodeWithSelector(ICheckpointAnchor.UnexpectedFirstHeight.selector, FIRST_HEIGHT, FIRST_HEIGHT + 10)
        );
    }

    // ---------------------------------------------------------------- sets that nobody can sign for

    function test_signedHashOfABadSet_doesNotBrickTheAnchor() public {
        ValidatorSets.Validator[] memory weak = makeSet(makeKeys("next", 4));
        weak[1].power = 0;
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.nextValidatorsHash = keccak256(abi.encode(noSet()));
        submitReverts(checkpoint, noSet(), abi.encodeWithSelector(ValidatorSets.InvalidValidatorCount.selector, 0));
        checkpoint.nextValidatorsHash = keccak256(abi.encode(weak));
        submitReverts(checkpoint, weak, abi.encodeWithSelector(ValidatorSets.InvalidValidatorPower.selector, 1, 0));
        checkpoint.nextValidatorsHash = keccak256("no set at all");
        vm.expectPartialRevert(ICheckpointAnchor.UnexpectedValidators.selector);
        this.submitOutside(checkpoint);
        submit(nextCheckpoint());
    }

    function submitOutside(ICheckpointAnchor.Checkpoint memory checkpoint) external {
        submit(checkpoint);
    }

    // ---------------------------------------------------------------- griefing

    function test_poisonedLeaf_doesNotHoldUpTheChunk() public {
        uint256[] memory words = new uint256[](4);
        (words[0], words[1]) = (word(address(0), 5), word(address(token), 5));
        (words[2], words[3]) = (word(address(anchor), 5), word(BOB, 20));
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 35);
        vm.expectEmit(address(token));
        emit IFranchiseToken.IssueSkipped(address(anchor), 5);
        issueAll(checkpoint, words);
        vm.assertEq(token.balanceOf(BOB), 20, "Bob");
        vm.assertEq(token.totalSupply(), 20, "supply");
    }

    function test_frontRunSingleClaim_doesNotStopTheChunk() public {
        uint256[] memory words = manyWords(8, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 80);
        vm.prank(ANYBODY);
        anchor.issueOne(checkpoint.epoch, words[3], naiveProof(words, 3, 1, restHash(checkpoint)));
        issueAll(checkpoint, words);
        vm.assertEq(token.totalSupply(), 80, "supply");
    }

    // ---------------------------------------------------------------- amounts that fall, epochs out of order

    function test_oldAndNewEpochs_endAtTheSameAmountsInAnyOrder() public {
        uint96[4] memory amounts = [uint96(50), 40, 40, 30];
        ICheckpointAnchor.Checkpoint[4] memory epochs;
        for (uint256 i = 0; i < 4; ++i) {
            epochs[i] = anchorPayouts(one(word(ALICE, amounts[i])), i == 0 ? 50 : 0);
        }
        uint256[4] memory order = [uint256(2), 0, 3, 1];
        for (uint256 i = 0; i < 4; ++i) {
            issueAll(epochs[order[i]], one(word(ALICE, amounts[order[i]])));
        }
        vm.assertEq(token.balanceOf(ALICE), 50, "balance");
        vm.assertEq(token.minted(), 50, "minted");
    }

    // ---------------------------------------------------------------- truncation

    function test_largestAmounts_areNotCut() public {
        uint256[] memory words = one(word(ALICE, type(uint96).max));
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, type(uint128).max);
        (,, uint128 totalReleased) = anchor.head();
        vm.assertEq(totalReleased, type(uint128).max, "released");
        vm.expectEmit(address(token));
        emit IFranchiseToken.IssueSkipped(ALICE, type(uint96).max);
        issueAll(checkpoint, words);
        vm.assertEq(token.balanceOf(ALICE), 0, "nothing of it is issued");
    }

    function test_numbersBeyondTheirTypes_areRefusedByTheDecoder() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        ValidatorSets.Signature[] memory signed = signatures(keys, 7, anchor.checkpointDigest(checkpoint));
        bytes memory call = abi.encodeCall(anchor.submit, (checkpoint, currentSet(), 7, signed, noSet()));
        // Field 8 is the released total, field 1 the epoch: set the bit just above the type.
        uint256[2] memory fields = [uint256(8), 1];
        uint256[2] memory widths = [uint256(128), 64];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory bad = bytes.concat(call);
            uint256 offset = 0x24 + 0x20 * fields[i];
            uint256 bit = 1 << widths[i];
            assembly ("memory-safe") {
                let place := add(bad, offset)
                mstore(place, or(mload(place), bit))
            }
            (bool ok,) = address(anchor).call(bad);
            vm.assertTrue(!ok, "refused");
        }
        (bool good,) = address(anchor).call(call);
        vm.assertTrue(good, "the unchanged call is taken");
    }

    // ---------------------------------------------------------------- reorganisations and two relayers

    function test_reorganisation_theSameTransactionsGiveTheSameEnd() public {
        uint256[] memory words = manyWords(4, 10);
        uint256 before = vm.snapshotState();
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.payoutRoot = naiveRoot(words);
        bytes memory submission = abi.encodeCall(
            anchor.submit,
            (checkpoint, currentSet(), 7, signatures(keys, 7, anchor.checkpointDigest(checkpoint)), noSet())
        );
        bytes memory issuing =
            abi.encodeCall(anchor.issueChunk, (checkpoint.epoch, words, naiveProof(words, 0, 4, restHash(checkpoint))));
        for (uint256 i = 0; i < 2; ++i) {
            (bool ok,) = address(anchor).call(submission);
            vm.assertTrue(ok, "submitted");
            (ok,) = address(anchor).call(issuing);
            vm.assertTrue(ok, "issued");
            vm.assertEq(token.totalSupply(), 40, "supply");
            if (i == 0) vm.revertToState(before);
        }
    }

    function test_twoRelayers_theSecondLosesNothingButGas() public {
        uint256[] memory words = manyWords(4, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 40);
        submitReverts(
            checkpoint, abi.encodeWithSelector(ICheckpointAnchor.UnexpectedEpoch.selector, FIRST_EPOCH, FIRST_EPOCH + 1)
        );
        issueAll(checkpoint, words);
        issueAll(checkpoint, words);
        vm.assertEq(token.totalSupply(), 40, "supply");
    }

    // ---------------------------------------------------------------- a guardian who holds the holders hostage

    function test_pause_stopsIssuingAndNothingElse() public {
        uint256[] memory words = one(word(ALICE, 10));
        issueAll(anchorPayouts(words, 100), words);
        uint256 start = block.timestamp;
        vm.prank(GUARDIAN);
        anchor.pauseIssuing();

        vm.prank(ALICE);
        token.transfer(BOB, 4);
        vm.prank(BOB);
        token.approve(ALICE, 4);
        vm.prank(ALICE);
        token.transferFrom(BOB, ALICE, 1);
        rotate("next", 4);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(one(word(ALICE, 20)), 0);
        anchor.verifyState(checkpoint, "", new bytes32[](0));
        vm.prank(ADMIN);
        token.proposeIssuer(ANYBODY);

        vm.warp(start + 14 days);
        issueAll(checkpoint, one(word(ALICE, 20)));
        vm.assertEq(token.issuedTo(ALICE), 20, "it ends by itself");
        vm.prank(ADMIN);
        token.acceptIssuer();
    }
}
