// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {CheckpointAnchor} from "../../src/CheckpointAnchor.sol";
import {FranchiseToken} from "../../src/FranchiseToken.sol";
import {ICheckpointAnchor} from "../../src/interfaces/ICheckpointAnchor.sol";
import {ValidatorSets} from "../../src/libraries/ValidatorSets.sol";
import {BaseTest} from "../BaseTest.sol";
import {vm} from "../Vm.sol";

contract ConstructorTest is BaseTest {
    function test_constructor_setsEveryField() public view {
        (uint64 epoch, uint64 lastHeight, uint128 totalReleased) = anchor.head();
        vm.assertEq(epoch, FIRST_EPOCH - 1, "epoch");
        vm.assertEq(lastHeight, FIRST_HEIGHT - 1, "last height");
        vm.assertEq(totalReleased, 0, "released");
        vm.assertEq(address(anchor.token()), address(token), "token");
        vm.assertEq(anchor.sidechainId(), SIDECHAIN, "sidechain");
        vm.assertEq(anchor.validatorsHash(), keccak256(abi.encode(currentSet())), "validators");
        vm.assertEq(anchor.defaultAdmin(), ADMIN, "admin");
        vm.assertEq(anchor.defaultAdminDelay(), ADMIN_DELAY, "admin delay");
        vm.assertTrue(anchor.hasRole(anchor.GUARDIAN_ROLE(), GUARDIAN), "guardian");
        vm.assertEq(anchor.issuingPausedUntil(), 0, "not paused");
    }

    function test_constructor_revertsIfTokenIsZero() public {
        ValidatorSets.Validator[] memory set = currentSet();
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.InvalidToken.selector, address(0)));
        new CheckpointAnchor(FranchiseToken(address(0)), SIDECHAIN, 1, 1, set, ADMIN, ADMIN_DELAY, GUARDIAN);
    }

    function test_constructor_revertsIfSidechainIdIsZero() public {
        ValidatorSets.Validator[] memory set = currentSet();
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.InvalidSidechainId.selector, bytes32(0)));
        new CheckpointAnchor(token, 0, 1, 1, set, ADMIN, ADMIN_DELAY, GUARDIAN);
    }

    function test_constructor_revertsIfFirstEpochOrHeightIsZero() public {
        ValidatorSets.Validator[] memory set = currentSet();
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.InvalidStart.selector, 0, 1));
        new CheckpointAnchor(token, SIDECHAIN, 0, 1, set, ADMIN, ADMIN_DELAY, GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.InvalidStart.selector, 1, 0));
        new CheckpointAnchor(token, SIDECHAIN, 1, 0, set, ADMIN, ADMIN_DELAY, GUARDIAN);
    }

    function test_constructor_revertsIfGuardianIsZero() public {
        ValidatorSets.Validator[] memory set = currentSet();
        vm.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.InvalidGuardian.selector, address(0)));
        new CheckpointAnchor(token, SIDECHAIN, 1, 1, set, ADMIN, ADMIN_DELAY, address(0));
    }

    function test_constructor_revertsIfAdminIsZero() public {
        ValidatorSets.Validator[] memory set = currentSet();
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, address(0)
            )
        );
        new CheckpointAnchor(token, SIDECHAIN, 1, 1, set, address(0), ADMIN_DELAY, GUARDIAN);
    }

    function test_constructor_revertsIfSetIsMalformed() public {
        ValidatorSets.Validator[] memory none = noSet();
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidValidatorCount.selector, 0));
        new CheckpointAnchor(token, SIDECHAIN, 1, 1, none, ADMIN, ADMIN_DELAY, GUARDIAN);
        ValidatorSets.Validator[] memory set = currentSet();
        set[3].power = 0;
        vm.expectRevert(abi.encodeWithSelector(ValidatorSets.InvalidValidatorPower.selector, 3, 0));
        new CheckpointAnchor(token, SIDECHAIN, 1, 1, set, ADMIN, ADMIN_DELAY, GUARDIAN);
    }
}
