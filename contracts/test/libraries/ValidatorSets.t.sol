// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ValidatorSets} from "../../src/libraries/ValidatorSets.sol";
import {BaseTest} from "../BaseTest.sol";
import {vm} from "../Vm.sol";

/// Lets the library be called from outside.
contract ValidatorSetsCaller {
    function hash(ValidatorSets.Validator[] memory validators) external pure returns (bytes32) {
        return ValidatorSets.hash(validators);
    }

    function check(ValidatorSets.Validator[] memory validators) external pure {
        ValidatorSets.check(validators);
    }

    function checkQuorum(
        ValidatorSets.Validator[] memory validators,
        uint256 bitmap,
        ValidatorSets.Signature[] calldata signed,
        bytes32 digest
    ) external pure {
        ValidatorSets.checkQuorum(validators, bitmap, signed, digest);
    }
}

contract ValidatorSetsTest is BaseTest {
    bytes32 private constant DIGEST = keccak256("digest");
    ValidatorSetsCaller private sets;

    function setUp() public override {
        sets = new ValidatorSetsCaller();
    }

    function ascending(uint256 count) private pure returns (ValidatorSets.Validator[] memory set) {
        set = new ValidatorSets.Validator[](count);
        for (uint256 i = 0; i < count; ++i) {
            set[i] = ValidatorSets.Validator(address(uint160(i + 1)), 1);
        }
    }

    // ---------------------------------------------------------------- hash

    function test_hash_isOffsetLengthAndOneWordForEachField() public view {
        ValidatorSets.Validator[] memory set = ascending(2);
        set[1].power = 7;
        bytes memory byHand = abi.encodePacked(uint256(32), uint256(2), uint256(1), uint256(1), uint256(2), uint256(7));
        vm.assertEq(sets.hash(set), keccak256(byHand), "hash");
    }

    function testFuzz_hash_changesWithEachField(uint256 index, uint64 power) public view {
        ValidatorSets.Validator[] memory set = ascending(4);
        bytes32 before = sets.hash(set);
        index = bound(index, 0, 3);
        vm.assume(power != set[index].power);
        set[index].power = power;
        vm.assertTrue(sets.hash(set) != before, "power is hashed");
        set = ascending(4);
        set[index].account = address(0xFFFF);
        vm.assertTrue(sets.hash(set) != before, "account is hashed");
    }

    // ---------------------------------------------------------------- check

    function test_check_revertsIfSetIsEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidValidatorCount.selector, 0));
        sets.check(noSet());
    }

    function test_check_takes64ValidatorsAndNot65() public {
        sets.check(ascending(64));
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidValidatorCount.selector, 65));
        sets.check(ascending(65));
    }

    function test_check_revertsIfAnAddressIsZero() public {
        ValidatorSets.Validator[] memory set = ascending(2);
        set[0].account = address(0);
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidValidatorOrder.selector, 0, address(0)));
        sets.check(set);
    }

    function test_check_revertsIfAnAddressIsThereTwice() public {
        ValidatorSets.Validator[] memory set = ascending(3);
        set[2].account = set[1].account;
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidValidatorOrder.selector, 2, set[1].account));
        sets.check(set);
    }

    function test_check_revertsIfAddressesDescend() public {
        ValidatorSets.Validator[] memory set = ascending(2);
        (set[0], set[1]) = (set[1], set[0]);
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidValidatorOrder.selector, 1, address(1)));
        sets.check(set);
    }

    function test_check_revertsIfAPowerIsZero() public {
        ValidatorSets.Validator[] memory set = ascending(2);
        set[1].power = 0;
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidValidatorPower.selector, 1, 0));
        sets.check(set);
    }

    function test_check_takesAMillionAndNotOneMore() public {
        ValidatorSets.Validator[] memory set = ascending(2);
        set[0].power = 1_000_000;
        sets.check(set);
        set[0].power = 1_000_001;
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidValidatorPower.selector, 0, 1_000_001));
        sets.check(set);
    }

    // ---------------------------------------------------------------- checkQuorum

    function signedSet(uint64[4] memory powers)
        private
        pure
        returns (uint256[] memory members, ValidatorSets.Validator[] memory set)
    {
        members = makeKeys("quorum", 4);
        set = makeSet(members);
        for (uint256 i = 0; i < 4; ++i) {
            set[i].power = powers[i];
        }
    }

    function test_checkQuorum_isStrictlyMoreThanTwoThirdsOfThePower() public {
        (uint256[] memory members, ValidatorSets.Validator[] memory set) = signedSet([uint64(1), 1, 2, 2]);
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.QuorumNotReached.selector, 4, 6));
        sets.checkQuorum(set, 12, signatures(members, 12, DIGEST), DIGEST);
        sets.checkQuorum(set, 13, signatures(members, 13, DIGEST), DIGEST);
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_checkQuorum_agreesWithThePlainRule(uint256 bitmap, uint64[4] memory powers) public {
        bitmap = bound(bitmap, 0, 15);
        uint256 signed = 0;
        uint256 total = 0;
        for (uint256 i = 0; i < 4; ++i) {
            powers[i] = uint64(bound(powers[i], 1, 1_000_000));
            total += powers[i];
            if ((bitmap >> i) & 1 == 1) signed += powers[i];
        }
        (uint256[] memory members, ValidatorSets.Validator[] memory set) = signedSet(powers);
        ValidatorSets.Signature[] memory given = signatures(members, bitmap, DIGEST);
        if (signed * 3 <= total * 2) {
            vm.expectRevert(abi.encodeWithSelector(ValidatorSets.QuorumNotReached.selector, signed, total));
        }
        sets.checkQuorum(set, bitmap, given, DIGEST);
    }

    function test_checkQuorum_takes64Validators() public view {
        uint256[] memory members = makeKeys("big", 64);
        uint256 bitmap = (1 << 43) - 1;
        sets.checkQuorum(makeSet(members), bitmap, signatures(members, bitmap, DIGEST), DIGEST);
    }

    function test_checkQuorum_revertsIfABitIsBeyondTheSet() public {
        (uint256[] memory members, ValidatorSets.Validator[] memory set) = signedSet([uint64(1), 1, 1, 1]);
        uint256 bitmap = 7 | (1 << 4);
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidSignerBitmap.selector, bitmap, 4, 3));
        sets.checkQuorum(set, bitmap, signatures(members, 7, DIGEST), DIGEST);
    }

    function test_checkQuorum_revertsIfASignatureIsLeftOver() public {
        (uint256[] memory members, ValidatorSets.Validator[] memory set) = signedSet([uint64(1), 1, 1, 1]);
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidSignerBitmap.selector, 7, 4, 4));
        sets.checkQuorum(set, 7, signatures(members, 15, DIGEST), DIGEST);
    }

    function test_checkQuorum_revertsIfASignatureIsMissing() public {
        (uint256[] memory members, ValidatorSets.Validator[] memory set) = signedSet([uint64(1), 1, 1, 1]);
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidSignerBitmap.selector, 15, 4, 3));
        sets.checkQuorum(set, 15, signatures(members, 7, DIGEST), DIGEST);
    }

    function test_checkQuorum_revertsIfSignaturesAreInAnotherOrder() public {
        (uint256[] memory members, ValidatorSets.Validator[] memory set) = signedSet([uint64(1), 1, 1, 1]);
        ValidatorSets.Signature[] memory given = signatures(members, 7, DIGEST);
        (given[0], given[1]) = (given[1], given[0]);
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidSigner.selector, 0, set[0].account, set[1].account));
        sets.checkQuorum(set, 7, given, DIGEST);
    }

    function test_checkQuorum_revertsIfASignatureRecoversToNobody() public {
        (uint256[] memory members, ValidatorSets.Validator[] memory set) = signedSet([uint64(1), 1, 1, 1]);
        ValidatorSets.Signature[] memory given = signatures(members, 7, DIGEST);
        given[2] = ValidatorSets.Signature(0, 0);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignature.selector));
        sets.checkQuorum(set, 7, given, DIGEST);
    }
}
