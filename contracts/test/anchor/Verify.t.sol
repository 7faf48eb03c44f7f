// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICheckpointAnchor} from "../../src/interfaces/ICheckpointAnchor.sol";
import {BaseTest} from "../BaseTest.sol";
import {vm} from "../Vm.sol";

/// `verifyState`, `verifyBlock` and `verifyRecording`.
contract VerifyTest is BaseTest {
    bytes private constant VALUE = "an encoded entry";
    bytes32 private constant BLOCK = keccak256("a block");

    bytes32[] private siblings;

    function setUp() public override {
        super.setUp();
        siblings = [keccak256("left"), keccak256("right")];
    }

    function rootOver(bytes32 once) private view returns (bytes32) {
        return naiveNode(naiveNode(keccak256(bytes.concat(once)), siblings[0]), siblings[1]);
    }

    /// Three different trees, so that a proof in one is none in another.
    function anchored() private returns (ICheckpointAnchor.Checkpoint memory checkpoint) {
        checkpoint = nextCheckpoint();
        checkpoint.stateRoot = rootOver(keccak256(VALUE));
        checkpoint.blocksRoot = rootOver(keccak256(abi.encodePacked(BLOCK)));
        checkpoint.recordingsRoot = rootOver(keccak256(bytes.concat(VALUE, VALUE)));
        submit(checkpoint);
    }

    function test_verifyState_knowsItsEntriesOnly() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = anchored();
        vm.assertTrue(anchor.verifyState(checkpoint, VALUE, siblings), "entry");
        vm.assertTrue(!anchor.verifyState(checkpoint, "another", siblings), "another entry");
        vm.assertTrue(!anchor.verifyState(checkpoint, bytes.concat(VALUE, VALUE), siblings), "a recording");
    }

    function test_verifyBlock_knowsItsBlocksOnly() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = anchored();
        vm.assertTrue(anchor.verifyBlock(checkpoint, BLOCK, siblings), "block");
        vm.assertTrue(!anchor.verifyBlock(checkpoint, keccak256("another"), siblings), "another block");
    }

    function test_verifyRecording_knowsItsRecordingsOnly() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = anchored();
        vm.assertTrue(anchor.verifyRecording(checkpoint, bytes.concat(VALUE, VALUE), siblings), "recording");
        vm.assertTrue(!anchor.verifyRecording(checkpoint, VALUE, siblings), "a state entry");
    }

    function test_verify_saysNoToAnotherProof() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = anchored();
        bytes32[] memory shorter = new bytes32[](1);
        shorter[0] = siblings[0];
        vm.assertTrue(!anchor.verifyState(checkpoint, VALUE, shorter), "state");
        vm.assertTrue(!anchor.verifyBlock(checkpoint, BLOCK, shorter), "block");
        vm.assertTrue(!anchor.verifyRecording(checkpoint, bytes.concat(VALUE, VALUE), shorter), "recording");
    }

    function test_verify_saysNoToInnerNodesAsValues() public {
        ICheckpointAnchor.Checkpoint memory checkpoint = anchored();
        bytes32 left = naiveNode(keccak256(bytes.concat(keccak256(VALUE))), siblings[0]);
        bytes memory nodes = left < siblings[1] ? bytes.concat(left, siblings[1]) : bytes.concat(siblings[1], left);
        vm.assertEq(keccak256(nodes), checkpoint.stateRoot, "the nodes hash to the root");
        vm.assertTrue(!anchor.verifyState(checkpoint, nodes, new bytes32[](0)), "inner node");
    }

    function test_verify_saysNoToACheckpointThatWasNotAnchored() public view {
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        checkpoint.stateRoot = rootOver(keccak256(VALUE));
        checkpoint.blocksRoot = rootOver(keccak256(abi.encodePacked(BLOCK)));
        checkpoint.recordingsRoot = rootOver(keccak256(VALUE));
        vm.assertTrue(!anchor.verifyState(checkpoint, VALUE, siblings), "state");
        vm.assertTrue(!anchor.verifyBlock(checkpoint, BLOCK, siblings), "block");
        vm.assertTrue(!anchor.verifyRecording(checkpoint, VALUE, siblings), "recording");
    }

    function testFuzz_verify_saysNoIfAnyBitOfTheCheckpointIsFlipped(uint256 field, uint256 bit) public {
        ICheckpointAnchor.Checkpoint memory checkpoint = anchored();
        field = bound(field, 0, 9);
        uint256 width = field == 8 ? 128 : field >= 1 && field <= 3 ? 64 : 256;
        uint256 mask = 1 << bound(bit, 0, width - 1);
        assembly ("memory-safe") {
            let place := add(checkpoint, mul(0x20, field))
            mstore(place, xor(mload(place), mask))
        }
        vm.assertTrue(!anchor.verifyState(checkpoint, VALUE, siblings), "state");
        vm.assertTrue(!anchor.verifyBlock(checkpoint, BLOCK, siblings), "block");
        vm.assertTrue(!anchor.verifyRecording(checkpoint, bytes.concat(VALUE, VALUE), siblings), "recording");
    }
}
