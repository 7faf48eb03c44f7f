// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CheckpointAnchor} from "../src/CheckpointAnchor.sol";
import {FranchiseToken} from "../src/FranchiseToken.sol";
import {ValidatorSets} from "../src/libraries/ValidatorSets.sol";
import {Console, vm} from "../test/Vm.sol";

/// @title Deploys the token and its anchor from environment variables, then reads back every field.
/// @dev The deployer's next two nonces are used: the token first, with the anchor's address worked out beforehand.
/// The deployer keeps no right in either contract.
contract Deploy {
    /// @dev What the environment says. All names begin with HOTPOT_.
    struct Plan {
        bytes32 sidechainId;
        uint64 firstEpoch;
        uint64 firstHeight;
        ValidatorSets.Validator[] validators;
        address admin;
        uint48 adminDelay;
        address guardian;
        uint128 issueCapacity;
        uint128 issueRefillPerSecond;
    }

    /// @notice Fewer validators than this are refused where real value is at stake: with three, all must sign.
    uint256 public constant MIN_VALIDATORS = 4;

    /// @notice The chain id of a local development chain.
    uint256 public constant LOCAL_CHAIN = 31337;

    /// @notice A deployed field is not what the plan says.
    error FieldDiffers(string field);

    /// @notice HOTPOT_VALIDATORS and HOTPOT_POWERS are of different lengths.
    error ValidatorsAndPowersDiffer(uint256 validators, uint256 powers);

    /// @notice Too few validators for a chain that is not a local one.
    error TooFewValidators(uint256 validators, uint256 minimum);

    /// @notice A number in the environment does not fit in its field.
    error NumberTooLarge(string name, uint256 value);

    /// @notice Deploys according to the environment.
    function run() external returns (FranchiseToken token, CheckpointAnchor anchor) {
        Plan memory plan = readPlan();
        vm.startBroadcast();
        (, address deployer,) = vm.readCallers();
        address predicted = vm.computeCreateAddress(deployer, vm.getNonce(deployer) + 1);
        (token, anchor) = create(plan, predicted);
        vm.stopBroadcast();
        check(plan, token, anchor);
        Console.log("token ", address(token));
        Console.log("anchor", address(anchor));
    }

    /// @notice Compares two deployed contracts with the environment; sends nothing.
    /// @param token The token.
    /// @param anchor The anchor.
    function readBack(FranchiseToken token, CheckpointAnchor anchor) external view {
        check(readPlan(), token, anchor);
    }

    /// @notice Reads the plan from the environment.
    function readPlan() public view returns (Plan memory plan) {
        plan.sidechainId = vm.envBytes32("HOTPOT_SIDECHAIN_ID");
        plan.firstEpoch = uint64(_number("HOTPOT_FIRST_EPOCH", type(uint64).max));
        plan.firstHeight = uint64(_number("HOTPOT_FIRST_HEIGHT", type(uint64).max));
        plan.admin = vm.envAddress("HOTPOT_ADMIN");
        plan.adminDelay = uint48(_number("HOTPOT_ADMIN_DELAY", type(uint48).max));
        plan.guardian = vm.envAddress("HOTPOT_GUARDIAN");
        plan.issueCapacity = uint128(_number("HOTPOT_ISSUE_CAPACITY", type(uint128).max));
        plan.issueRefillPerSecond = uint128(_number("HOTPOT_ISSUE_REFILL_PER_SECOND", type(uint128).max));

        address[] memory accounts = vm.envAddress("HOTPOT_VALIDATORS", ",");
        uint256[] memory powers = vm.envUint("HOTPOT_POWERS", ",");
        if (accounts.length != powers.length) revert ValidatorsAndPowersDiffer(accounts.length, powers.length);
        plan.validators = new ValidatorSets.Validator[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (powers[i] > type(uint64).max) revert NumberTooLarge("HOTPOT_POWERS", powers[i]);
            plan.validators[i] = ValidatorSets.Validator(accounts[i], uint64(powers[i]));
        }
    }

    /// @notice Creates both contracts.
    /// @param plan The plan.
    /// @param predicted The address that the anchor will have.
    function create(Plan memory plan, address predicted)
        public
        returns (FranchiseToken token, CheckpointAnchor anchor)
    {
        if (block.chainid != LOCAL_CHAIN && plan.validators.length < MIN_VALIDATORS) {
            revert TooFewValidators(plan.validators.length, MIN_VALIDATORS);
        }
        token =
            new FranchiseToken(predicted, plan.admin, plan.adminDelay, plan.issueCapacity, plan.issueRefillPerSecond);
        anchor = new CheckpointAnchor(
            token,
            plan.sidechainId,
            plan.firstEpoch,
            plan.firstHeight,
            plan.validators,
            plan.admin,
            plan.adminDelay,
            plan.guardian
        );
    }

    /// @notice Reverts unless both contracts are as planned and unused.
    /// @param plan The plan.
    /// @param token The token.
    /// @param anchor The anchor.
    function check(Plan memory plan, FranchiseToken token, CheckpointAnchor anchor) public view {
        _same(keccak256(bytes(token.name())) == keccak256("FranchiseToken"), "token.name");
        _same(keccak256(bytes(token.symbol())) == keccak256("FRT"), "token.symbol");
        _same(token.decimals() == 2, "token.decimals");
        _same(token.totalSupply() == 0 && token.minted() == 0, "token.minted");
        _same(token.issuer() == address(anchor), "token.issuer");
        _same(token.defaultAdmin() == plan.admin, "token.defaultAdmin");
        _same(token.defaultAdminDelay() == plan.adminDelay, "token.defaultAdminDelay");
        _same(token.issueCapacity() == plan.issueCapacity, "token.issueCapacity");
        _same(token.issueRefillPerSecond() == plan.issueRefillPerSecond, "token.issueRefillPerSecond");

        (uint64 epoch, uint64 lastHeight, uint128 totalReleased) = anchor.head();
        _same(address(anchor.token()) == address(token), "anchor.token");
        _same(anchor.sidechainId() == plan.sidechainId, "anchor.sidechainId");
        _same(epoch + 1 == plan.firstEpoch, "anchor.head.epoch");
        _same(lastHeight + 1 == plan.firstHeight, "anchor.head.lastHeight");
        _same(totalReleased == 0, "anchor.head.totalReleased");
        _same(anchor.validatorsHash() == ValidatorSets.hash(plan.validators), "anchor.validatorsHash");
        _same(anchor.defaultAdmin() == plan.admin, "anchor.defaultAdmin");
        _same(anchor.defaultAdminDelay() == plan.adminDelay, "anchor.defaultAdminDelay");
        _same(anchor.hasRole(anchor.GUARDIAN_ROLE(), plan.guardian), "anchor.guardian");
        _same(anchor.issuingPausedUntil() == 0, "anchor.issuingPausedUntil");
    }

    /// @dev A number from the environment that is not above `most`.
    function _number(string memory name, uint256 most) private view returns (uint256 value) {
        value = vm.envUint(name);
        if (value > most) revert NumberTooLarge(name, value);
    }

    function _same(bool condition, string memory field) private pure {
        if (!condition) revert FieldDiffers(field);
    }
}
