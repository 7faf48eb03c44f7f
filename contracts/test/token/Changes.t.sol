// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {FranchiseToken} from "../../src/FranchiseToken.sol";
import {IFranchiseToken} from "../../src/interfaces/IFranchiseToken.sol";
import {vm} from "../Vm.sol";
import {TokenTest} from "./TokenTest.sol";

/// The constructor and the delayed changes: `proposeIssuer`, `acceptIssuer`, `cancelIssuer` and the same three for
/// the issue limit.
contract ChangesTest is TokenTest {
    address private constant NEXT = address(0x4E57);

    function asAdmin(bytes memory call) private {
        vm.prank(ADMIN);
        (bool ok, bytes memory reason) = address(token).call(call);
        if (ok) return;
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }

    /// Lets the call fail for this reason.
    function refused(bytes memory call, bytes memory reason) private {
        vm.prank(ADMIN);
        (bool ok, bytes memory got) = address(token).call(call);
        vm.assertTrue(!ok, "refused");
        vm.assertEq(got, reason, "reason");
    }

    function proposeIssuer(address issuer) private pure returns (bytes memory) {
        return abi.encodeCall(FranchiseToken.proposeIssuer, (issuer));
    }

    function proposeLimit(uint128 capacity, uint128 refill) private pure returns (bytes memory) {
        return abi.encodeCall(FranchiseToken.proposeIssueLimit, (capacity, refill));
    }

    bytes private constant ACCEPT_ISSUER = abi.encodeCall(FranchiseToken.acceptIssuer, ());
    bytes private constant CANCEL_ISSUER = abi.encodeCall(FranchiseToken.cancelIssuer, ());
    bytes private constant ACCEPT_LIMIT = abi.encodeCall(FranchiseToken.acceptIssueLimit, ());
    bytes private constant CANCEL_LIMIT = abi.encodeCall(FranchiseToken.cancelIssueLimit, ());

    // ---------------------------------------------------------------- constructor

    function test_constructor_setsEveryField() public view {
        vm.assertEq(token.name(), "FranchiseToken", "name");
        vm.assertEq(token.symbol(), "FRT", "symbol");
        vm.assertEq(token.decimals(), 2, "decimals");
        vm.assertEq(token.totalSupply(), 0, "supply");
        vm.assertEq(token.issuer(), address(this), "issuer");
        vm.assertEq(token.defaultAdmin(), ADMIN, "admin");
        vm.assertEq(token.defaultAdminDelay(), ADMIN_DELAY, "admin delay");
        vm.assertEq(token.issueCapacity(), CAPACITY, "capacity");
        vm.assertEq(token.issueRefillPerSecond(), REFILL, "refill");
        vm.assertEq(token.issueAllowance(), CAPACITY, "allowance");
    }

    function test_constructor_revertsIfIssuerIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IFranchiseToken.InvalidIssuer.selector, address(0)));
        new FranchiseToken(address(0), ADMIN, ADMIN_DELAY, CAPACITY, REFILL);
    }

    function test_constructor_revertsIfTheLimitHasAZero() public {
        vm.expectRevert(abi.encodeWithSelector(IFranchiseToken.InvalidIssueLimit.selector, 0, REFILL));
        new FranchiseToken(address(this), ADMIN, ADMIN_DELAY, 0, REFILL);
        vm.expectRevert(abi.encodeWithSelector(IFranchiseToken.InvalidIssueLimit.selector, CAPACITY, 0));
        new FranchiseToken(address(this), ADMIN, ADMIN_DELAY, CAPACITY, 0);
    }

    // ---------------------------------------------------------------- who

    function test_changes_areForTheAdminOnly() public {
        bytes[6] memory calls =
            [proposeIssuer(NEXT), ACCEPT_ISSUER, CANCEL_ISSUER, proposeLimit(1, 1), ACCEPT_LIMIT, CANCEL_LIMIT];
        bytes memory reason =
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, address(this), bytes32(0));
        for (uint256 i = 0; i < 6; ++i) {
            (bool ok, bytes memory got) = address(token).call(calls[i]);
            vm.assertTrue(!ok, "refused");
            vm.assertEq(got, reason, "reason");
        }
    }

    // ---------------------------------------------------------------- issuer

    function test_proposeIssuer_revertsIfItCannotBeTheIssuer() public {
        address[3] memory bad = [address(0), address(token), address(this)];
        for (uint256 i = 0; i < 3; ++i) {
            refused(proposeIssuer(bad[i]), abi.encodeWithSelector(IFranchiseToken.InvalidIssuer.selector, bad[i]));
        }
    }

    function test_proposeIssuer_revertsIfOneWaits() public {
        asAdmin(proposeIssuer(NEXT));
        refused(
            proposeIssuer(ALICE),
            abi.encodeWithSelector(IFranchiseToken.ChangePending.selector, block.timestamp + 14 days)
        );
    }

    function test_proposeIssuer_changesNothingYet() public {
        vm.expectEmit(address(token));
        emit IFranchiseToken.IssuerProposed(NEXT, uint48(block.timestamp + 14 days));
        asAdmin(proposeIssuer(NEXT));
        (address pending, uint48 effectiveAt) = token.pendingIssuer();
        vm.assertEq(pending, NEXT, "pending");
        vm.assertEq(effectiveAt, block.timestamp + 14 days, "effective at");
        vm.assertEq(token.issuer(), address(this), "issuer");
        issue(ALICE, 10);
    }

    function test_acceptIssuer_revertsIfNoneWaits() public {
        refused(ACCEPT_ISSUER, abi.encodeWithSelector(IFranchiseToken.NoChangePending.selector));
    }

    function test_acceptIssuer_revertsUntilFourteenDaysHavePassed() public {
        asAdmin(proposeIssuer(NEXT));
        uint256 effectiveAt = block.timestamp + 14 days;
        vm.warp(effectiveAt - 1);
        refused(ACCEPT_ISSUER, abi.encodeWithSelector(IFranchiseToken.ChangeNotYetEffective.selector, effectiveAt));
        vm.warp(effectiveAt);
        vm.expectEmit(address(token));
        emit IFranchiseToken.IssuerChanged(address(this), NEXT);
        asAdmin(ACCEPT_ISSUER);
        refused(ACCEPT_ISSUER, abi.encodeWithSelector(IFranchiseToken.NoChangePending.selector));
    }

    function test_acceptIssuer_replacesTheIssuerAndForgetsNothing() public {
        issue(ALICE, 10);
        asAdmin(proposeIssuer(NEXT));
        vm.warp(block.timestamp + 14 days);
        asAdmin(ACCEPT_ISSUER);
        vm.assertEq(token.issuer(), NEXT, "issuer");
        (address pending, uint48 effectiveAt) = token.pendingIssuer();
        vm.assertEq(pending, address(0), "pending");
        vm.assertEq(effectiveAt, 0, "effective at");

        vm.expectRevert(abi.encodeWithSelector(IFranchiseToken.UnauthorizedIssuer.selector, address(this)));
        issue(ALICE, 20);
        vm.prank(NEXT);
        vm.assertEq(token.issueMany(one(word(ALICE, 10)), 100), 0, "the new issuer cannot issue it again");
        vm.prank(NEXT);
        vm.assertEq(token.issueMany(one(word(ALICE, 12)), 100), 2, "only the difference");
    }

    function test_cancelIssuer_revertsIfNoneWaits() public {
        refused(CANCEL_ISSUER, abi.encodeWithSelector(IFranchiseToken.NoChangePending.selector));
    }

    function test_cancelIssuer_withdrawsTheProposal() public {
        asAdmin(proposeIssuer(NEXT));
        vm.expectEmit(address(token));
        emit IFranchiseToken.IssuerProposalCancelled(NEXT);
        asAdmin(CANCEL_ISSUER);
        vm.warp(block.timestamp + 14 days);
        refused(ACCEPT_ISSUER, abi.encodeWithSelector(IFranchiseToken.NoChangePending.selector));
        asAdmin(proposeIssuer(ALICE));
    }

    // ---------------------------------------------------------------- issue limit

    function test_proposeIssueLimit_revertsIfItHasAZero() public {
        refused(proposeLimit(0, 1), abi.encodeWithSelector(IFranchiseToken.InvalidIssueLimit.selector, 0, 1));
        refused(proposeLimit(1, 0), abi.encodeWithSelector(IFranchiseToken.InvalidIssueLimit.selector, 1, 0));
    }

    function test_proposeIssueLimit_revertsIfOneWaits() public {
        asAdmin(proposeLimit(5, 6));
        refused(
            proposeLimit(7, 8),
            abi.encodeWithSelector(IFranchiseToken.ChangePending.selector, block.timestamp + 14 days)
        );
    }

    function test_proposeIssueLimit_changesNothingYet() public {
        vm.expectEmit(address(token));
        emit IFranchiseToken.IssueLimitProposed(5, 6, uint48(block.timestamp + 14 days));
        asAdmin(proposeLimit(5, 6));
        (uint128 capacity, uint128 refill, uint48 effectiveAt) = token.pendingIssueLimit();
        vm.assertEq(capacity, 5, "pending capacity");
        vm.assertEq(refill, 6, "pending refill");
        vm.assertEq(effectiveAt, block.timestamp + 14 days, "effective at");
        vm.assertEq(token.issueCapacity(), CAPACITY, "capacity");
    }

    function test_acceptIssueLimit_revertsUntilFourteenDaysHavePassed() public {
        refused(ACCEPT_LIMIT, abi.encodeWithSelector(IFranchiseToken.NoChangePending.selector));
        asAdmin(proposeLimit(5, 6));
        uint256 effectiveAt = block.timestamp + 14 days;
        vm.warp(effectiveAt - 1);
        refused(ACCEPT_LIMIT, abi.encodeWithSelector(IFranchiseToken.ChangeNotYetEffective.selector, effectiveAt));
        vm.warp(effectiveAt);
        vm.expectEmit(address(token));
        emit IFranchiseToken.IssueLimitChanged(5, 6);
        asAdmin(ACCEPT_LIMIT);
        vm.assertEq(token.issueCapacity(), 5, "capacity");
        vm.assertEq(token.issueRefillPerSecond(), 6, "refill");
        vm.assertEq(token.issueAllowance(), 5, "the allowance shrinks with the capacity");
        (,, effectiveAt) = token.pendingIssueLimit();
        vm.assertEq(effectiveAt, 0, "none waits");
    }

    function test_acceptIssueLimit_grantsNothingForThePast() public {
        asAdmin(proposeLimit(type(uint128).max, 1_000_000));
        vm.warp(block.timestamp + 14 days);
        issue(ALICE, uint96(CAPACITY));
        vm.warp(block.timestamp + 60);
        asAdmin(ACCEPT_LIMIT);
        vm.assertEq(token.issueAllowance(), 60 * REFILL, "grown under the old limit");
        vm.warp(block.timestamp + 1);
        vm.assertEq(token.issueAllowance(), 60 * REFILL + 1_000_000, "growing under the new one");
    }

    function test_cancelIssueLimit_withdrawsTheProposal() public {
        refused(CANCEL_LIMIT, abi.encodeWithSelector(IFranchiseToken.NoChangePending.selector));
        asAdmin(proposeLimit(5, 6));
        vm.expectEmit(address(token));
        emit IFranchiseToken.IssueLimitProposalCancelled(5, 6);
        asAdmin(CANCEL_LIMIT);
        vm.warp(block.timestamp + 14 days);
        refused(ACCEPT_LIMIT, abi.encodeWithSelector(IFranchiseToken.NoChangePending.selector));
        asAdmin(proposeLimit(7, 8));
    }

    function test_acceptDefaultAdminTransfer_waitsForTheAdminDelay() public {
        asAdmin(abi.encodeCall(token.beginDefaultAdminTransfer, (NEXT)));
        vm.warp(block.timestamp + ADMIN_DELAY);
        vm.expectRevert();
        vm.prank(NEXT);
        token.acceptDefaultAdminTransfer();
        vm.warp(block.timestamp + 1);
        vm.prank(NEXT);
        token.acceptDefaultAdminTransfer();
        vm.assertEq(token.defaultAdmin(), NEXT, "admin");
    }
}
