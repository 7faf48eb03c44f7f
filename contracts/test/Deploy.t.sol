// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Deploy} from "../script/Deploy.s.sol";
import {CheckpointAnchor} from "../src/CheckpointAnchor.sol";
import {FranchiseToken} from "../src/FranchiseToken.sol";
import {ValidatorSets} from "../src/libraries/ValidatorSets.sol";
import {BaseTest} from "./BaseTest.sol";
import {vm} from "./Vm.sol";

contract DeployTest is BaseTest {
    Deploy private script;

    function setUp() public override {
        script = new Deploy();
    }

    function plan() private pure returns (Deploy.Plan memory) {
        return Deploy.Plan({
            sidechainId: SIDECHAIN,
            firstEpoch: FIRST_EPOCH,
            firstHeight: FIRST_HEIGHT,
            validators: makeSet(makeKeys("genesis", 4)),
            admin: ADMIN,
            adminDelay: ADMIN_DELAY,
            guardian: GUARDIAN,
            issueCapacity: CAPACITY,
            issueRefillPerSecond: REFILL
        });
    }

    function created(Deploy.Plan memory wanted) private returns (FranchiseToken, CheckpointAnchor) {
        return script.create(wanted, vm.computeCreateAddress(address(script), vm.getNonce(address(script)) + 1));
    }

    /// The only test that writes the environment: tests run side by side.
    function test_run_deploysWhatTheEnvironmentSays() public {
        ValidatorSets.Validator[] memory set = plan().validators;
        string memory accounts = vm.toString(set[0].account);
        for (uint256 i = 1; i < 4; ++i) {
            accounts = string.concat(accounts, ",", vm.toString(set[i].account));
        }
        vm.setEnv("HOTPOT_SIDECHAIN_ID", vm.toString(SIDECHAIN));
        vm.setEnv("HOTPOT_FIRST_EPOCH", "5");
        vm.setEnv("HOTPOT_FIRST_HEIGHT", "101");
        vm.setEnv("HOTPOT_VALIDATORS", accounts);
        vm.setEnv("HOTPOT_POWERS", "100,100,100,100");
        vm.setEnv("HOTPOT_ADMIN", vm.toString(ADMIN));
        vm.setEnv("HOTPOT_ADMIN_DELAY", "259200");
        vm.setEnv("HOTPOT_GUARDIAN", vm.toString(GUARDIAN));
        vm.setEnv("HOTPOT_ISSUE_CAPACITY", "1000000");
        vm.setEnv("HOTPOT_ISSUE_REFILL_PER_SECOND", "10");

        (token, anchor) = script.run();
        script.check(plan(), token, anchor);
        script.readBack(token, anchor);
        vm.assertEq(keccak256(abi.encode(script.readPlan())), keccak256(abi.encode(plan())), "plan");

        vm.setEnv("HOTPOT_POWERS", "100,100,100");
        vm.expectRevert(abi.encodeWithSelector(Deploy.ValidatorsAndPowersDiffer.selector, 4, 3));
        script.readPlan();
        vm.setEnv("HOTPOT_FIRST_EPOCH", "18446744073709551616");
        vm.expectRevert(abi.encodeWithSelector(Deploy.NumberTooLarge.selector, "HOTPOT_FIRST_EPOCH", uint256(1) << 64));
        script.readPlan();
    }

    function test_create_revertsOnAPublicChainIfValidatorsAreTooFew() public {
        Deploy.Plan memory wanted = plan();
        wanted.validators = makeSet(makeKeys("genesis", 3));
        created(wanted);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(Deploy.TooFewValidators.selector, 3, 4));
        script.create(wanted, ANYBODY);
    }

    function test_check_revertsIfTheAnchorIsNotAtThePredictedAddress() public {
        (token, anchor) = script.create(plan(), ANYBODY);
        vm.expectRevert(abi.encodeWithSelector(Deploy.FieldDiffers.selector, "token.issuer"));
        script.check(plan(), token, anchor);
    }

    function test_check_revertsIfAnyFieldDiffers() public {
        (token, anchor) = created(plan());
        script.check(plan(), token, anchor);
        string[9] memory fields = [
            "anchor.sidechainId",
            "anchor.head.epoch",
            "anchor.head.lastHeight",
            "anchor.validatorsHash",
            "token.defaultAdmin",
            "token.defaultAdminDelay",
            "anchor.guardian",
            "token.issueCapacity",
            "token.issueRefillPerSecond"
        ];
        for (uint256 i = 0; i < fields.length; ++i) {
            Deploy.Plan memory wanted = plan();
            if (i == 0) wanted.sidechainId = keccak256("other");
            if (i == 1) wanted.firstEpoch += 1;
            if (i == 2) wanted.firstHeight += 1;
            if (i == 3) wanted.validators[2].power += 1;
            if (i == 4) wanted.admin = ANYBODY;
            if (i == 5) wanted.adminDelay += 1;
            if (i == 6) wanted.guardian = ANYBODY;
            if (i == 7) wanted.issueCapacity += 1;
            if (i == 8) wanted.issueRefillPerSecond += 1;
            vm.expectRevert(abi.encodeWithSelector(Deploy.FieldDiffers.selector, fields[i]));
            script.check(wanted, token, anchor);
        }
    }
}
