// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {FranchiseToken} from "../../src/FranchiseToken.sol";
import {IFranchiseToken} from "../../src/interfaces/IFranchiseToken.sol";
import {vm} from "../Vm.sol";
import {TokenTest} from "./TokenTest.sol";

contract IssueManyTest is TokenTest {
    // ---------------------------------------------------------------- who and how much

    function test_issueMany_revertsIfCallerIsNotTheIssuer() public {
        vm.expectRevert(abi.encodeWithSelector(IFranchiseToken.UnauthorizedIssuer.selector, ADMIN));
        vm.prank(ADMIN);
        token.issueMany(one(word(ALICE, 1)), 1);
    }

    function test_issueMany_revertsIfMoreThanReleasedIsMinted() public {
        issue(ALICE, 10);
        vm.expectRevert(abi.encodeWithSelector(IFranchiseToken.IssueExceedsReleased.selector, 21, 20));
        token.issueMany(one(word(BOB, 11)), 20);
        vm.assertEq(token.issueMany(one(word(BOB, 10)), 20), 10, "up to the released total");
    }

    function test_issueMany_revertsIfReleasedIsBelowWhatWasMinted() public {
        issue(ALICE, 10);
        vm.expectRevert(abi.encodeWithSelector(IFranchiseToken.IssueExceedsReleased.selector, 10, 9));
        token.issueMany(one(word(ALICE, 10)), 9);
    }

    // ---------------------------------------------------------------- cumulative amounts

    function test_issueMany_mintsTheDifference() public {
        vm.expectEmit(address(token));
        emit IERC20.Transfer(address(0), ALICE, 10);
        vm.assertEq(issue(ALICE, 10), 10, "first");
        vm.expectEmit(address(token));
        emit IERC20.Transfer(address(0), ALICE, 15);
        vm.assertEq(issue(ALICE, 25), 15, "second");
        vm.assertEq(token.balanceOf(ALICE), 25, "balance");
        vm.assertEq(token.issuedTo(ALICE), 25, "issued");
        vm.assertEq(token.minted(), 25, "minted");
    }

    function test_issueMany_doesNothingIfTheAmountIsTheSameOrLess() public {
        issue(ALICE, 10);
        vm.recordLogs();
        vm.assertEq(issue(ALICE, 10), 0, "same");
        vm.assertEq(issue(ALICE, 9), 0, "less");
        vm.assertEq(issue(BOB, 0), 0, "nothing");
        vm.assertEq(vm.getRecordedLogs().length, 0, "no events");
        vm.assertEq(token.balanceOf(ALICE), 10, "balance");
    }

    function test_issueMany_countsAnAccountThatIsThereTwiceOnce() public {
        vm.assertEq(token.issueMany(two(word(ALICE, 10), word(ALICE, 10)), 100), 10, "same");
        vm.assertEq(token.issueMany(two(word(ALICE, 15), word(ALICE, 20)), 100), 10, "rising");
        vm.assertEq(token.balanceOf(ALICE), 20, "balance");
    }

    function test_issueMany_ignoresTransfersAndBurning() public {
        issue(ALICE, 10);
        vm.prank(ALICE);
        token.transfer(BOB, 4);
        vm.prank(BOB);
        burnable.burn(4);
        vm.assertEq(token.minted(), 10, "minted");
        vm.assertEq(token.totalSupply(), 6, "supply");
        vm.assertEq(issue(ALICE, 10), 0, "issued already");
        vm.assertEq(issue(BOB, 3), 3, "what was received does not count as issued");
        vm.assertEq(token.minted(), 13, "minted");
        vm.assertEq(token.totalSupply(), 9, "supply");
    }

    /// forge-config: default.fuzz.runs = 128
    function testFuzz_issueMany_endsAtTheHighestAmountWhateverTheOrder(uint96[8] memory amounts) public {
        uint96 highest = 0;
        for (uint256 i = 0; i < 8; ++i) {
            amounts[i] = uint96(bound(amounts[i], 0, CAPACITY));
            if (amounts[i] > highest) highest = amounts[i];
            issue(ALICE, amounts[i]);
            vm.assertEq(token.issuedTo(ALICE), highest, "issued");
            vm.assertEq(token.balanceOf(ALICE), highest, "balance");
            vm.assertEq(token.minted(), highest, "minted");
        }
    }

    // ---------------------------------------------------------------- bad entries

    function test_issueMany_skipsAccountsThatCannotHoldTokens() public {
        address[3] memory poison = [address(0), address(token), address(this)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectEmit(address(token));
            emit IFranchiseToken.IssueSkipped(poison[i], 7);
            uint96 amount = uint96(10 * (i + 1));
            vm.assertEq(token.issueMany(two(word(poison[i], 7), word(ALICE, amount)), 1000), 10, "the others go on");
            vm.assertEq(token.balanceOf(poison[i]), 0, "balance");
        }
        vm.assertEq(token.totalSupply(), 30, "supply");
    }

    function test_issueMany_ignoresPadding() public {
        vm.recordLogs();
        vm.assertEq(token.issueMany(new uint256[](4), 0), 0, "amount");
        vm.assertEq(vm.getRecordedLogs().length, 0, "no events");
    }

    function test_issueMany_keepsAll96BitsOfAnAmount() public {
        token = new FranchiseToken(address(this), ADMIN, ADMIN_DELAY, type(uint128).max, 1);
        uint96 most = type(uint96).max;
        vm.assertEq(issue(ALICE, most), most, "amount");
        vm.assertEq(issue(BOB, most), most, "amount");
        vm.assertEq(token.totalSupply(), 2 * uint256(most), "supply");
    }

    // ---------------------------------------------------------------- issue allowance

    function test_issueMany_skipsWhatDoesNotFitAndGoesOn() public {
        uint256[] memory words = new uint256[](4);
        (words[0], words[1]) = (word(ALICE, 600_000), word(BOB, 400_001));
        (words[2], words[3]) = (word(ANYBODY, 400_000), word(GUARDIAN, 1));
        vm.expectEmit(address(token));
        emit IERC20.Transfer(address(0), ALICE, 600_000);
        vm.expectEmit(address(token));
        emit IFranchiseToken.IssueSkipped(BOB, 400_001);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(address(0), ANYBODY, 400_000);
        vm.expectEmit(address(token));
        emit IFranchiseToken.IssueSkipped(GUARDIAN, 1);
        vm.assertEq(token.issueMany(words, type(uint128).max), CAPACITY, "amount");
        vm.assertEq(token.issuedTo(BOB), 0, "Bob waits");
        vm.assertEq(token.issueAllowance(), 0, "allowance");
    }

    function test_issueMany_issuesWhatWaitedOnceTheAllowanceHasGrown() public {
        issue(ALICE, uint96(CAPACITY));
        vm.assertEq(issue(BOB, 100), 0, "waits");
        vm.warp(block.timestamp + 9);
        vm.assertEq(issue(BOB, 100), 0, "waits");
        vm.assertEq(token.issueAllowance(), 90, "a try takes nothing");
        vm.warp(block.timestamp + 1);
        vm.assertEq(issue(BOB, 100), 100, "issued");
    }

    function test_issueAllowance_stopsGrowingAtTheCapacity() public {
        issue(ALICE, 1000);
        vm.assertEq(token.issueAllowance(), CAPACITY - 1000, "after issuing");
        vm.warp(block.timestamp + 99);
        vm.assertEq(token.issueAllowance(), CAPACITY - 10, "nearly full");
        vm.warp(block.timestamp + 365 days);
        vm.assertEq(token.issueAllowance(), CAPACITY, "full");
    }

    /// Whatever is tried: no more than the capacity and what grew in the time.
    /// forge-config: default.fuzz.runs = 128
    function testFuzz_issueMany_neverExceedsTheAllowance(uint96[16] memory amounts, uint16[16] memory waits) public {
        uint256 start = block.timestamp;
        for (uint256 i = 0; i < 16; ++i) {
            vm.warp(block.timestamp + waits[i]);
            address account = address(uint160(1000 + i % 5));
            issue(account, uint96(bound(amounts[i], 0, 2 * CAPACITY)));
            vm.assertLe(token.minted(), CAPACITY + REFILL * (block.timestamp - start), "minted");
        }
    }
}
