// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICheckpointAnchor} from "../../src/interfaces/ICheckpointAnchor.sol";
import {IFranchiseToken} from "../../src/interfaces/IFranchiseToken.sol";
import {Payouts} from "../../src/libraries/Payouts.sol";
import {BaseTest} from "../BaseTest.sol";
import {vm} from "../Vm.sol";

/// `issueChunk` and `issueOne`.
contract IssueTest is BaseTest {
    function proofReverts(uint64 epoch, uint256[] memory words, bytes32[] memory proof) private {
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.InvalidPayoutProof.selector, epoch));
        anchor.issueChunk(epoch, words, proof);
    }

    // ---------------------------------------------------------------- issueChunk

    function test_issueChunk_revertsIfEpochIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.UnknownEpoch.selector, FIRST_EPOCH));
        anchor.issueChunk(FIRST_EPOCH, one(word(ALICE, 1)), new bytes32[](1));
    }

    function test_issueChunk_revertsIfLengthIsNoPowerOfTwoUpTo128() public {
        uint256[] memory words = manyWords(4, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 40);
        uint256[4] memory lengths = [uint256(0), 3, 129, 256];
        for (uint256 i = 0; i < lengths.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Payouts.InvalidChunkLength.selector, lengths[i]));
            anchor.issueChunk(checkpoint.epoch, new uint256[](lengths[i]), new bytes32[](1));
        }
    }

    function test_issueChunk_revertsIfProofIsEmptyShorterLongerOrOfAnotherPlace() public {
        uint256[] memory words = manyWords(8, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 80);
        bytes32 rest = restHash(checkpoint);
        uint256[] memory chunk = slice(words, 2, 2);
        bytes32[] memory good = naiveProof(words, 2, 2, rest);

        proofReverts(checkpoint.epoch, chunk, new bytes32[](0));
        bytes32[] memory shorter = new bytes32[](2);
        (shorter[0], shorter[1]) = (good[0], rest);
        proofReverts(checkpoint.epoch, chunk, shorter);
        bytes32[] memory noRest = new bytes32[](2);
        (noRest[0], noRest[1]) = (good[0], good[1]);
        proofReverts(checkpoint.epoch, chunk, noRest);
        bytes32[] memory longer = new bytes32[](4);
        (longer[0], longer[1], longer[2], longer[3]) = (good[0], good[1], keccak256("more"), rest);
        proofReverts(checkpoint.epoch, chunk, longer);
        proofReverts(checkpoint.epoch, chunk, naiveProof(words, 4, 2, rest));
        anchor.issueChunk(checkpoint.epoch, chunk, good);
    }

    function test_issueChunk_revertsIfAWordIsChanged() public {
        uint256[] memory words = manyWords(4, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 1000);
        bytes32[] memory proof = naiveProof(words, 0, 4, restHash(checkpoint));
        words[1] += 1;
        proofReverts(checkpoint.epoch, words, proof);
    }

    function test_issueChunk_revertsIfTheRestHashIsOfAnotherEpoch() public {
        uint256[] memory words = manyWords(2, 10);
        ICheckpointAnchor.Checkpoint memory first = anchorPayouts(words, 20);
        ICheckpointAnchor.Checkpoint memory second = anchorPayouts(manyWords(2, 20), 20);
        proofReverts(first.epoch, words, naiveProof(words, 0, 2, restHash(second)));
        proofReverts(second.epoch, words, naiveProof(words, 0, 2, restHash(first)));
    }

    function test_issueChunk_issuesEachChunkOfATree() public {
        uint256[] memory words = manyWords(8, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 80);
        for (uint256 start = 0; start < 8; start += 2) {
            uint256[] memory chunk = slice(words, start, 2);
            vm.expectEmit(address(anchor));
            emit ICheckpointAnchor.ChunkIssued(checkpoint.epoch, naiveRoot(chunk), 20);
            vm.prank(ANYBODY);
            anchor.issueChunk(checkpoint.epoch, chunk, naiveProof(words, start, 2, restHash(checkpoint)));
        }
        vm.assertEq(token.totalSupply(), 80, "supply");
        for (uint256 i = 0; i < 8; ++i) {
            vm.assertEq(token.balanceOf(address(uint160(words[i] >> 96))), 10, "balance");
        }
    }

    function test_issueChunk_passesOverPadding() public {
        uint256[] memory words = new uint256[](4);
        (words[0], words[1], words[2]) = (word(ALICE, 10), word(BOB, 20), 0);
        issueAll(anchorPayouts(words, 30), words);
        vm.assertEq(token.totalSupply(), 30, "supply");
    }

    function test_issueChunk_ofPaddingOnlyIssuesNothing() public {
        uint256[] memory words = new uint256[](4);
        (words[0], words[1]) = (word(ALICE, 10), word(BOB, 20));
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 30);
        anchor.issueChunk(checkpoint.epoch, slice(words, 2, 2), naiveProof(words, 2, 2, restHash(checkpoint)));
        vm.assertEq(token.totalSupply(), 0, "supply");
    }

    function test_issueChunk_againIssuesNothingAndDoesNotRevert() public {
        uint256[] memory words = manyWords(4, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 40);
        issueAll(checkpoint, words);
        vm.expectEmit(address(anchor));
        emit ICheckpointAnchor.ChunkIssued(checkpoint.epoch, naiveRoot(words), 0);
        issueAll(checkpoint, words);
        vm.assertEq(token.totalSupply(), 40, "supply");
    }

    function test_issueChunk_revertsIfPayoutsExceedWhatWasReleased() public {
        uint256[] memory words = manyWords(4, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 39);
        bytes32[] memory proof = naiveProof(words, 0, 4, restHash(checkpoint));
        vm.expectRevert(abi.encodeWithSelector(IFranchiseToken.IssueExceedsReleased.selector, 40, 39));
        anchor.issueChunk(checkpoint.epoch, words, proof);
        vm.assertEq(token.totalSupply(), 0, "supply");
    }

    function test_issueChunk_usesTheReleasedTotalOfTheHead() public {
        uint256[] memory words = manyWords(4, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 39);
        submit(nextCheckpoint());
        issueAll(checkpoint, words);
        vm.assertEq(token.totalSupply(), 40, "supply");
    }

    function test_issueChunk_revertsWhileIssuingIsPaused() public {
        uint256[] memory words = manyWords(4, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 40);
        bytes32[] memory proof = naiveProof(words, 0, 4, restHash(checkpoint));
        vm.prank(GUARDIAN);
        anchor.pauseIssuing();
        bytes memory reason =
            abi.encodeWithSelector(ICheckpointAnchor.IssuingIsPaused.selector, block.timestamp + 14 days);
        vm.expectRevert(reason);
        anchor.issueChunk(checkpoint.epoch, words, proof);
        proof = naiveProof(words, 0, 1, restHash(checkpoint));
        vm.expectRevert(reason);
        anchor.issueOne(checkpoint.epoch, words[0], proof);
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_issueChunk_agreesWithTheNaiveTree(uint256 seed, uint256 treePower, uint256 chunkPower, uint256 at)
        public
    {
        uint256 size = 1 << bound(treePower, 0, 6);
        uint256 chunk = 1 << bound(chunkPower, 0, 6);
        if (chunk > size) chunk = size;
        uint256 start = bound(at, 0, size / chunk - 1) * chunk;
        uint256[] memory words = new uint256[](size);
        uint256 expected = 0;
        for (uint256 i = 0; i < size; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            if (random % 5 == 0) continue;
            words[i] = word(address(uint160(random >> 96)), uint96(random % 1000));
            if (i >= start && i < start + chunk) expected += random % 1000;
        }
        vm.assume(naiveRoot(words) != 0);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 100_000);
        anchor.issueChunk(
            checkpoint.epoch, slice(words, start, chunk), naiveProof(words, start, chunk, restHash(checkpoint))
        );
        vm.assertEq(token.totalSupply(), expected, "supply");
    }

    function testFuzz_issueChunk_refusesRandomWordsAndProofs(uint256[4] memory random, bytes32[] memory proof) public {
        uint256[] memory words = manyWords(4, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 40);
        if (proof.length != 0) proof[proof.length - 1] = restHash(checkpoint);
        for (uint256 i = 0; i < 4; ++i) {
            words[i] = random[i];
        }
        proofReverts(checkpoint.epoch, words, proof);
    }

    // ---------------------------------------------------------------- issueOne

    function test_issueOne_revertsIfEpochIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.UnknownEpoch.selector, 99));
        anchor.issueOne(99, word(ALICE, 1), new bytes32[](1));
    }

    function test_issueOne_revertsIfAmountOrProofIsAnother() public {
        uint256[] memory words = manyWords(8, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 80);
        bytes32[] memory proof = naiveProof(words, 5, 1, restHash(checkpoint));
        bytes memory reason = abi.encodeWithSelector(ICheckpointAnchor.InvalidPayoutProof.selector, checkpoint.epoch);
        vm.expectRevert(reason);
        anchor.issueOne(checkpoint.epoch, words[5] + 1, proof);
        vm.expectRevert(reason);
        anchor.issueOne(checkpoint.epoch, words[4] ^ words[5], proof);
        vm.expectRevert(reason);
        anchor.issueOne(checkpoint.epoch, words[5], new bytes32[](0));
    }

    function test_issueOne_issuesToThatAccountOnly() public {
        uint256[] memory words = manyWords(8, 10);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 80);
        vm.expectEmit(address(anchor));
        emit ICheckpointAnchor.ChunkIssued(checkpoint.epoch, naiveLeaf(words[5]), 10);
        vm.prank(ANYBODY);
        anchor.issueOne(checkpoint.epoch, words[5], naiveProof(words, 5, 1, restHash(checkpoint)));
        vm.assertEq(token.balanceOf(address(uint160(words[5] >> 96))), 10, "balance");
        vm.assertEq(token.totalSupply(), 10, "supply");
    }
}
