// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FranchiseToken} from "../../src/FranchiseToken.sol";
import {BaseTest} from "../BaseTest.sol";
import {vm} from "../Vm.sol";

/// A token that lets everybody burn, for the tests: the token itself burns nothing from outside.
contract BurnableToken is FranchiseToken {
    constructor(address issuer_, address admin, uint48 adminDelay, uint128 capacity, uint128 refill)
        FranchiseToken(issuer_, admin, adminDelay, capacity, refill)
    {}

    function burn(uint256 value) external {
        _burn(msg.sender, value);
    }

    function mint(address account, uint256 value) external {
        _mint(account, value);
    }
}

/// @title A token whose issuer is the test.
abstract contract TokenTest is BaseTest {
    BurnableToken internal burnable;

    function setUp() public virtual override {
        vm.warp(1_800_000_000);
        burnable = new BurnableToken(address(this), ADMIN, ADMIN_DELAY, CAPACITY, REFILL);
        token = burnable;
    }

    function issue(address account, uint96 cumulative) internal returns (uint128) {
        return token.issueMany(one(word(account, cumulative)), type(uint128).max);
    }
}
