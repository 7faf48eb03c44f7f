// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CheckpointAnchor} from "../src/CheckpointAnchor.sol";
import {FranchiseToken} from "../src/FranchiseToken.sol";
import {ICheckpointAnchor} from "../src/interfaces/ICheckpointAnchor.sol";
import {Payouts} from "../src/libraries/Payouts.sol";
import {ValidatorSets} from "../src/libraries/ValidatorSets.sol";
import {BaseTest} from "./BaseTest.sol";
import {vm} from "./Vm.sol";

/// The sidechain's own vectors: both sides must hash the same things to the same values.
contract VectorsTest is BaseTest {
    string private constant CHECKPOINT = "crates/domain/tests/vectors/checkpoint.json";
    string private constant PAYOUTS = "crates/domain/tests/vectors/payouts.json";
    string private constant RECORDINGS = "crates/domain/tests/vectors/recordings.json";

    function setUp() public override {}

    function read(string memory path) private view returns (string memory) {
        vm.assertTrue(vm.exists(path), string.concat(path, " is missing: the tests of crates/domain write it"));
        return vm.readFile(path);
    }

    function at(string memory list, uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(index), "]", field);
    }

    /// How many elements a list has.
    function count(string memory json, string memory list) private view returns (uint256 length) {
        while (vm.keyExistsJson(json, at(list, length, ""))) ++length;
    }

    // ---------------------------------------------------------------- checkpoint.json

    function number(string memory json, string memory field) private pure returns (uint256) {
        return vm.parseJsonUint(json, string.concat(".checkpoint.", field));
    }

    function root(string memory json, string memory field) private pure returns (bytes32) {
        return vm.parseJsonBytes32(json, string.concat(".checkpoint.", field));
    }

    function checkpointOf(string memory json) private pure returns (ICheckpointAnchor.Checkpoint memory) {
        return ICheckpointAnchor.Checkpoint({
            sidechainId: vm.parseJsonBytes32(json, ".sidechain_id"),
            epoch: uint64(number(json, "epoch")),
            firstHeight: uint64(number(json, "first_height")),
            lastHeight: uint64(number(json, "last_height")),
            blocksRoot: root(json, "blocks_root"),
            stateRoot: root(json, "state_root"),
            payoutRoot: root(json, "payout_root"),
            recordingsRoot: root(json, "recordings_root"),
            totalReleased: uint128(number(json, "total_released")),
            nextValidatorsHash: root(json, "next_validators_hash")
        });
    }

    function validatorsOf(string memory json) private view returns (ValidatorSets.Validator[] memory set) {
        set = new ValidatorSets.Validator[](count(json, "validators"));
        for (uint256 i = 0; i < set.length; ++i) {
            set[i] = ValidatorSets.Validator(
                vm.parseJsonAddress(json, at("validators", i, ".address")),
                uint64(vm.parseJsonUint(json, at("validators", i, ".power")))
            );
        }
    }

    /// The compact forms of the 65-byte signatures.
    function signaturesOf(string memory json) private view returns (ValidatorSets.Signature[] memory signed) {
        signed = new ValidatorSets.Signature[](count(json, "signatures"));
        for (uint256 i = 0; i < signed.length; ++i) {
            bytes memory long = vm.parseJsonBytes(json, at("signatures", i, ""));
            vm.assertEq(long.length, 65, "a signature has 65 bytes");
            bytes32 r;
            bytes32 s;
            assembly ("memory-safe") {
                r := mload(add(long, 0x20))
                s := mload(add(long, 0x40))
            }
            uint8 v = uint8(long[64]);
            uint256 parity = v >= 27 ? v - 27 : v;
            signed[i] = ValidatorSets.Signature(r, bytes32(uint256(s) | (parity << 255)));
        }
    }

    /// An anchor for the vector's sidechain. The vector names its own address, so the code is put there.
    function vectorAnchor(string memory json) private returns (CheckpointAnchor placed) {
        ICheckpointAnchor.Checkpoint memory checkpoint = checkpointOf(json);
        vm.chainId(vm.parseJsonUint(json, ".chain_id"));
        placed = CheckpointAnchor(vm.parseJsonAddress(json, ".anchor"));
        token = new FranchiseToken(address(placed), ADMIN, ADMIN_DELAY, CAPACITY, REFILL);
        bytes memory arguments = abi.encode(
            token,
            checkpoint.sidechainId,
            checkpoint.epoch,
            checkpoint.firstHeight,
            validatorsOf(json),
            ADMIN,
            ADMIN_DELAY,
            GUARDIAN
        );
        // Running the creation code at the address makes the constructor compute everything for that address.
        vm.etch(address(placed), bytes.concat(type(CheckpointAnchor).creationCode, arguments));
        (bool ok, bytes memory runtime) = address(placed).call("");
        vm.assertTrue(ok, "the anchor is created");
        vm.etch(address(placed), runtime);
    }

    function test_checkpointVector_hashesAndSignaturesAgree() public {
        string memory json = read(CHECKPOINT);
        ICheckpointAnchor.Checkpoint memory checkpoint = checkpointOf(json);
        ValidatorSets.Validator[] memory set = validatorsOf(json);
        bytes32 digest = vm.parseJsonBytes32(json, ".digest");
        anchor = vectorAnchor(json);

        vm.assertEq(anchor.validatorsHash(), vm.parseJsonBytes32(json, ".validators_hash"), "validators_hash");
        vm.assertEq(restHash(checkpoint), vm.parseJsonBytes32(json, ".rest_hash"), "rest_hash");
        vm.assertEq(anchor.checkpointDigest(checkpoint), digest, "digest");

        ValidatorSets.Signature[] memory signed = signaturesOf(json);
        vm.assertEq(signed.length, set.length, "one signature for each validator");
        vm.assertEq(checkpoint.nextValidatorsHash, anchor.validatorsHash(), "the vector does not rotate");
        anchor.submit(checkpoint, set, (1 << set.length) - 1, signed, noSet());
        vm.assertEq(anchor.commitmentOf(checkpoint.epoch), vm.parseJsonBytes32(json, ".commitment"), "commitment");
    }

    function test_checkpointVector_isRefusedIfItIsMalformed() public {
        string memory json = read(CHECKPOINT);
        ValidatorSets.Validator[] memory set = validatorsOf(json);
        ValidatorSets.Signature[] memory signed = signaturesOf(json);
        anchor = vectorAnchor(json);
        uint256 bitmap = (1 << set.length) - 1;

        ICheckpointAnchor.Checkpoint memory checkpoint = checkpointOf(json);
        checkpoint.totalReleased += 1;
        vm.expectRevert();
        anchor.submit(checkpoint, set, bitmap, signed, noSet());

        checkpoint = checkpointOf(json);
        vm.chainId(block.chainid + 1);
        vm.expectRevert();
        anchor.submit(checkpoint, set, bitmap, signed, noSet());
        vm.chainId(vm.parseJsonUint(json, ".chain_id"));

        signed[0].r ^= bytes32(uint256(1));
        vm.expectRevert();
        anchor.submit(checkpoint, set, bitmap, signed, noSet());
    }

    // ---------------------------------------------------------------- payouts.json

    function chunkRoot(uint256[] calldata words) external pure returns (bytes32) {
        return Payouts.chunkRoot(words);
    }

    function wordsOf(string memory json, uint256 chunk) private pure returns (uint256[] memory words) {
        bytes32[] memory raw = vm.parseJsonBytes32Array(json, at("chunks", chunk, ".words"));
        assembly ("memory-safe") {
            words := raw
        }
    }

    /// Anchors the vector's payout root.
    function anchorVector(string memory json) private returns (ICheckpointAnchor.Checkpoint memory checkpoint) {
        BaseTest.setUp();
        checkpoint = nextCheckpoint();
        checkpoint.payoutRoot = vm.parseJsonBytes32(json, ".payout_root");
        checkpoint.totalReleased = type(uint128).max;
        submit(checkpoint);
    }

    function newToken(address issuer) internal override returns (FranchiseToken) {
        return new FranchiseToken(issuer, ADMIN, ADMIN_DELAY, type(uint128).max, REFILL);
    }

    function siblings(string memory json, uint256 chunk, bytes32 rest) private pure returns (bytes32[] memory proof) {
        bytes32[] memory path = vm.parseJsonBytes32Array(json, at("chunks", chunk, ".proof"));
        proof = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < path.length; ++i) {
            proof[i] = path[i];
        }
        proof[path.length] = rest;
    }

    function test_payoutVector_everyChunkIsIssued() public {
        string memory json = read(PAYOUTS);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorVector(json);
        uint256 chunks = count(json, "chunks");
        vm.assertTrue(chunks != 0, "there are chunks");
        for (uint256 i = 0; i < chunks; ++i) {
            uint256[] memory words = wordsOf(json, i);
            vm.assertEq(this.chunkRoot(words), vm.parseJsonBytes32(json, at("chunks", i, ".root")), "chunk root");
            anchor.issueChunk(checkpoint.epoch, words, siblings(json, i, restHash(checkpoint)));
        }
        uint256 payouts = count(json, "payouts");
        uint256 total = 0;
        for (uint256 i = 0; i < payouts; ++i) {
            uint256 released = vm.parseJsonUint(json, at("payouts", i, ".released"));
            address account = vm.parseJsonAddress(json, at("payouts", i, ".account"));
            vm.assertEq(token.balanceOf(account), released, "balance");
            total += released;
        }
        vm.assertEq(token.totalSupply(), total, "supply");
    }

    function test_payoutVector_isRefusedIfItIsMalformed() public {
        string memory json = read(PAYOUTS);
        ICheckpointAnchor.Checkpoint memory checkpoint = anchorVector(json);
        uint256[] memory words = wordsOf(json, 0);
        bytes32[] memory proof = siblings(json, 0, restHash(checkpoint));
        bytes memory reason = abi.encodeWithSelector(ICheckpointAnchor.InvalidPayoutProof.selector, checkpoint.epoch);
        words[0] += 1;
        vm.expectRevert(reason);
        anchor.issueChunk(checkpoint.epoch, words, proof);
        words[0] -= 1;
        proof[proof.length - 1] = keccak256("another rest hash");
        vm.expectRevert(reason);
        anchor.issueChunk(checkpoint.epoch, words, proof);
    }

    // ---------------------------------------------------------------- recordings.json

    function test_recordingsVector_everyEntryIsProvedAndNoOther() public {
        BaseTest.setUp();
        string memory json = read(RECORDINGS);
        uint256 recordings = count(json, "recordings");
        vm.assertTrue(recordings > 1, "there are recordings");
        for (uint256 i = 0; i < recordings; ++i) {
            ICheckpointAnchor.Checkpoint memory checkpoint = nextCheckpoint();
            checkpoint.recordingsRoot = vm.parseJsonBytes32(json, at("recordings", i, ".recordings_root"));
            submit(checkpoint);
            bytes memory entry = vm.parseJsonBytes(json, at("recordings", i, ".encoded"));
            bytes32[] memory proof = vm.parseJsonBytes32Array(json, at("recordings", i, ".proof"));
            vm.assertTrue(anchor.verifyRecording(checkpoint, entry, proof), "the entry");
            vm.assertTrue(!anchor.verifyState(checkpoint, entry, proof), "no entry of the state");
            entry[entry.length - 1] ^= 0x01;
            vm.assertTrue(!anchor.verifyRecording(checkpoint, entry, proof), "another entry");
        }
    }
}
