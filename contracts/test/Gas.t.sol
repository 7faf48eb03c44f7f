// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICheckpointAnchor} from "../src/interfaces/ICheckpointAnchor.sol";
import {ValidatorSets} from "../src/libraries/ValidatorSets.sol";
import {BaseTest} from "./BaseTest.sol";
import {Console, vm} from "./Vm.sol";

/// Gas of whole transactions, calldata included, of a token and an anchor that have been in use before.
/// A run writes the figures to contracts/snapshots.
/// forge-config: default.isolate = true
/// forge-config: ci.isolate = true
contract GasTest is BaseTest {
    /// Siblings above a chunk: seven levels, for some 16,000 accounts in an epoch.
    uint256 private constant LEVELS = 7;

    function setUp() public override {
        super.setUp();
        uint256[] memory words = one(word(ALICE, 1000));
        issueAll(anchorPayouts(words, 1_000_000), words);
    }

    /// Anchors and issues a chunk of one amount for `size` accounts, under made-up siblings; gas of the issuing.
    function chunkGas(uint256 size, uint96 cumulative, string memory name) private returns (uint256 gasUsed) {
        uint256[] memory words = manyWords(size, cumulative);
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        bytes32[] memory proof = new bytes32[](LEVELS + 1);
        bytes32 root = naiveRoot(words);
        for (uint256 i = 0; i < LEVELS; ++i) {
            proof[i] = keccak256(abi.encode("sibling", i));
            root = naiveNode(root, proof[i]);
        }
        checkpoint.payoutRoot = root;
        submit(checkpoint);
        proof[LEVELS] = restHash(checkpoint);
        vm.warp(block.timestamp + 1 days);
        anchor.issueChunk(checkpoint.epoch, words, proof);
        gasUsed = vm.snapshotGasLastCall("issueChunk", name) / size;
        Console.log(string.concat("issueChunk, ", name, ", each account"), gasUsed);
        vm.snapshotValue("issueChunk", string.concat(name, ", each account"), gasUsed);
    }

    function test_gas_chunkOf128() public {
        vm.assertLe(chunkGas(128, 100, "128 new holders"), 27_000, "new holder");
        vm.assertLe(chunkGas(128, 200, "128 existing holders"), 9_000, "existing holder");
        vm.assertLe(chunkGas(128, 200, "128 issued before"), 4_500, "issued before");
    }

    function test_gas_chunkOf64() public {
        vm.assertLe(chunkGas(64, 100, "64 new holders"), 27_500, "new holder");
        vm.assertLe(chunkGas(64, 200, "64 existing holders"), 9_500, "existing holder");
    }

    function submitGas(uint256 members, uint256 signers, bool rotating, string memory name)
        private
        returns (uint256 gasUsed)
    {
        if (keys.length != members) rotate("members", members);
        ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
        ValidatorSets.Validator[] memory next = rotating ? makeSet(makeKeys("next", members)) : noSet();
        if (rotating) checkpoint.nextValidatorsHash = keccak256(abi.encode(next));
        uint256 bitmap = (1 << signers) - 1;
        anchor.submit(
            checkpoint, currentSet(), bitmap, signatures(keys, bitmap, anchor.checkpointDigest(checkpoint)), next
        );
        gasUsed = vm.snapshotGasLastCall("submit", name);
        Console.log(string.concat("submit, ", name), gasUsed);
    }

    function test_gas_submit() public {
        vm.assertLe(submitGas(4, 3, false, "3 of 4 signatures"), 100_000, "3 of 4");
        submitGas(4, 4, false, "4 of 4 signatures");
        submitGas(7, 5, false, "5 of 7 signatures");
        submitGas(7, 5, true, "5 of 7 signatures, other set next");
    }

    function test_gas_transfer() public {
        vm.prank(ALICE);
        token.transfer(BOB, 10);
        Console.log("transfer, new holder", vm.snapshotGasLastCall("transfer", "new holder"));
        vm.prank(ALICE);
        token.transfer(BOB, 10);
        Console.log("transfer, existing holder", vm.snapshotGasLastCall("transfer", "existing holder"));
    }

    function test_gas_issueOne() public {
        uint256[] memory words = manyWords(128, 50);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorPayouts(words, 10_000);
        anchor.issueOne(checkpoint.epoch, words[9], naiveProof(words, 9, 1, restHash(checkpoint)));
        Console.log("issueOne, new holder", vm.snapshotGasLastCall("issueOne", "new holder"));
    }
}
