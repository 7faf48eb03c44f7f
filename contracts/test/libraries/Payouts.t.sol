// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Payouts} from "../../src/libraries/Payouts.sol";
import {BaseTest} from "../BaseTest.sol";
import {vm} from "../Vm.sol";

/// Lets the library be called from outside.
contract PayoutsCaller {
    function unpack(uint256 word) external pure returns (address, uint96) {
        return Payouts.unpack(word);
    }

    function leaf(uint256 word) external pure returns (bytes32) {
        return Payouts.leaf(word);
    }

    function chunkRoot(uint256[] calldata words) external pure returns (bytes32) {
        return Payouts.chunkRoot(words);
    }
}

contract PayoutsTest is BaseTest {
    PayoutsCaller private payouts;

    function setUp() public override {
        payouts = new PayoutsCaller();
    }

    function testFuzz_unpack_undoesPacking(address account, uint96 cumulative) public view {
        (address gotAccount, uint96 gotCumulative) = payouts.unpack(word(account, cumulative));
        vm.assertEq(gotAccount, account, "account");
        vm.assertEq(gotCumulative, cumulative, "cumulative");
    }

    function testFuzz_leaf_isTheDoubleHashOfAccountAndAmount(uint256 single) public view {
        vm.assertEq(payouts.leaf(single), naiveLeaf(single), "leaf");
    }

    function test_leaf_ofPaddingIsZero() public view {
        vm.assertEq(payouts.leaf(0), bytes32(0), "leaf");
    }

    function testFuzz_chunkRoot_isTheNaiveRoot(uint256 seed, uint256 power, uint256 padding) public view {
        uint256 size = 1 << bound(power, 0, 7);
        padding = bound(padding, 0, size - 1);
        uint256[] memory words = new uint256[](size);
        for (uint256 i = 0; i < size - padding; ++i) {
            words[i] = uint256(keccak256(abi.encode(seed, i)));
        }
        vm.assertEq(payouts.chunkRoot(words), naiveRoot(words), "root");
    }

    function testFuzz_chunkRoot_revertsIfLengthIsNoPowerOfTwoUpTo128(uint256 length) public {
        length = bound(length, 0, 300);
        bool good = length != 0 && length & (length - 1) == 0 && length <= 128;
        if (!good) vm.expectRevert(abi.encodeWithSelector(Payouts.InvalidChunkLength.selector, length));
        payouts.chunkRoot(new uint256[](length));
    }

    function test_chunkRoot_revertsAt256() public {
        vm.expectRevert(abi.encodeWithSelector(Payouts.InvalidChunkLength.selector, 256));
        payouts.chunkRoot(new uint256[](256));
    }
}
