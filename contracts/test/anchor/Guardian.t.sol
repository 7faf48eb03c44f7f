// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {ICheckpointAnchor} from "../../src/interfaces/ICheckpointAnchor.sol";
import {BaseTest} from "../BaseTest.sol";
import {vm} from "../Vm.sol";

/// `pauseIssuing`, `unpauseIssuing` and `revokeRoot`.
contract GuardianTest is BaseTest {
    function unauthorized(address account, bytes32 role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role);
    }

    function pause() private {
        vm.prank(GUARDIAN);
        anchor.pauseIssuing();
    }

    // ---------------------------------------------------------------- pauseIssuing

    function test_pauseIssuing_revertsIfCallerIsNotTheGuardian() public {
        bytes32 role = anchor.GUARDIAN_ROLE();
        vm.expectRevert(unauthorized(ADMIN, role));
        vm.prank(ADMIN);
        anchor.pauseIssuing();
    }

    function test_pauseIssuing_lastsFourteenDays() public {
        uint256 start = block.timestamp;
        vm.expectEmit(address(anchor));
        emit ICheckpointAnchor.IssuingPaused(GUARDIAN, uint48(start + 14 days));
        pause();
        vm.assertEq(anchor.issuingPausedUntil(), start + 14 days, "until");

        uint256[] memory words = one(word(ALICE, 10));
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 10);
        bytes32[] memory proof = naiveProof(words, 0, 1, restHash(checkpoint));
        vm.warp(start + 14 days - 1);
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.IssuingIsPaused.selector, start + 14 days));
        anchor.issueChunk(checkpoint.epoch, words, proof);
        vm.warp(start + 14 days);
        anchor.issueChunk(checkpoint.epoch, words, proof);
        vm.assertEq(token.balanceOf(ALICE), 10, "balance");
    }

    function test_pauseIssuing_revertsUntilFourteenDaysAfterTheLastPause() public {
        uint256 start = block.timestamp;
        pause();
        bytes memory reason = abi.encodeWithSelector(ICheckpointAnchor.PauseOnCooldown.selector, start + 28 days);
        vm.expectRevert(reason);
        pause();
        vm.warp(start + 28 days - 1);
        vm.expectRevert(reason);
        pause();
        vm.warp(start + 28 days);
        pause();
        vm.assertEq(anchor.issuingPausedUntil(), start + 42 days, "until");
    }

    function test_pauseIssuing_revertsWhileTheIssuerIsBeingChanged() public {
        vm.prank(ADMIN);
        token.proposeIssuer(ANYBODY);
        vm.expectRevert(
            abi.encodeWithSelector(ICheckpointAnchor.IssuerChangeIsPending.selector, block.timestamp + 14 days)
        );
        pause();
        vm.prank(ADMIN);
        token.cancelIssuer();
        pause();
    }

    // ---------------------------------------------------------------- unpauseIssuing

    function test_unpauseIssuing_revertsIfCallerIsTheGuardian() public {
        pause();
        vm.expectRevert(unauthorized(GUARDIAN, 0x00));
        vm.prank(GUARDIAN);
        anchor.unpauseIssuing();
    }

    function test_unpauseIssuing_revertsIfIssuingIsNotPaused() public {
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.IssuingIsNotPaused.selector));
        vm.prank(ADMIN);
        anchor.unpauseIssuing();
    }

    function test_unpauseIssuing_endsThePauseAndStartsTheCooldown() public {
        uint256[] memory words = one(word(ALICE, 10));
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 10);
        pause();
        vm.warp(block.timestamp + 1 days);
        vm.expectEmit(address(anchor));
        emit ICheckpointAnchor.IssuingUnpaused(ADMIN);
        vm.prank(ADMIN);
        anchor.unpauseIssuing();
        issueAll(checkpoint, words);
        vm.assertEq(token.balanceOf(ALICE), 10, "balance");
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.PauseOnCooldown.selector, block.timestamp + 14 days));
        pause();
    }

    // ---------------------------------------------------------------- revokeRoot

    function test_revokeRoot_revertsIfCallerIsNotTheGuardian() public {
        submit(nextCheckpoint());
        pause();
        bytes32 role = anchor.GUARDIAN_ROLE();
        vm.expectRevert(unauthorized(ADMIN, role));
        vm.prank(ADMIN);
        anchor.revokeRoot(FIRST_EPOCH);
    }

    function test_revokeRoot_revertsIfIssuingIsNotPaused() public {
        submit(nextCheckpoint());
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.IssuingIsNotPaused.selector));
        vm.prank(GUARDIAN);
        anchor.revokeRoot(FIRST_EPOCH);
    }

    function test_revokeRoot_revertsIfEpochIsUnknown() public {
        pause();
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.UnknownEpoch.selector, FIRST_EPOCH));
        vm.prank(GUARDIAN);
        anchor.revokeRoot(FIRST_EPOCH);
    }

    function test_revokeRoot_makesTheEpochUselessAndKeepsTheHead() public {
        uint256[] memory words = one(word(ALICE, 10));
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 10);
        pause();
        vm.expectEmit(address(anchor));
        emit ICheckpointAnchor.RootRevoked(FIRST_EPOCH);
        vm.prank(GUARDIAN);
        anchor.revokeRoot(FIRST_EPOCH);
        vm.assertEq(anchor.commitmentOf(FIRST_EPOCH), bytes32(0), "commitment");
        (uint64 epoch,,) = anchor.head();
        vm.assertEq(epoch, FIRST_EPOCH, "epoch");

        vm.warp(block.timestamp + 14 days);
        bytes32[] memory proof = naiveProof(words, 0, 1, restHash(checkpoint));
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.UnknownEpoch.selector, FIRST_EPOCH));
        anchor.issueChunk(FIRST_EPOCH, words, proof);
        // The amounts are cumulative: a later epoch pays what the revoked one owed.
        issueAll(anchorPayouts(words, 0), words);
        vm.assertEq(token.balanceOf(ALICE), 10, "balance");
    }
}
