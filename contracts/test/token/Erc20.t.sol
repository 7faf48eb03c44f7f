// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Vm, vm} from "../Vm.sol";
import {TokenTest} from "./TokenTest.sol";

/// The stock token, with minting and burning.
contract StockToken is ERC20, ERC20Permit {
    constructor() ERC20("FranchiseToken", "FRT") ERC20Permit("FranchiseToken") {}

    function mint(address account, uint256 value) external {
        _mint(account, value);
    }

    function burn(uint256 value) external {
        _burn(msg.sender, value);
    }
}

/// To a holder the packed token is the stock token: same results, same reverts, same events.
contract Erc20Test is TokenTest {
    StockToken private stock;
    address[4] private holders;
    uint96[4] private issued;

    function setUp() public override {
        super.setUp();
        stock = new StockToken();
        holders = [vm.addr(1), vm.addr(2), vm.addr(3), vm.addr(4)];
    }

    /// Makes the same call to both and compares all that can be seen of it.
    function both(address caller, bytes memory call) private {
        vm.recordLogs();
        vm.prank(caller);
        (bool ok, bytes memory result) = address(token).call(call);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.prank(caller);
        (bool stockOk, bytes memory stockResult) = address(stock).call(call);
        Vm.Log[] memory stockLogs = vm.getRecordedLogs();

        vm.assertTrue(ok == stockOk, "success");
        vm.assertEq(result, stockResult, "result");
        vm.assertEq(logs.length, stockLogs.length, "events");
        for (uint256 i = 0; i < logs.length; ++i) {
            vm.assertEq(abi.encode(logs[i].topics), abi.encode(stockLogs[i].topics), "topics");
            vm.assertEq(logs[i].data, stockLogs[i].data, "data");
        }
        compare();
    }

    function compare() private view {
        vm.assertEq(token.totalSupply(), stock.totalSupply(), "supply");
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(token.balanceOf(holders[i]), stock.balanceOf(holders[i]), "balance");
            vm.assertEq(token.issuedTo(holders[i]), issued[i], "issued");
            for (uint256 j = 0; j < 4; ++j) {
                vm.assertEq(
                    token.allowance(holders[i], holders[j]), stock.allowance(holders[i], holders[j]), "allowance"
                );
            }
        }
    }

    /// Amounts near what somebody has, now and then anything at all.
    function amount(uint256 random) private pure returns (uint256) {
        return random % 10 == 0 ? random : random % 3000;
    }

    /// forge-config: default.fuzz.runs = 128
    function testFuzz_token_behavesLikeTheStockToken(uint256[24] memory random) public {
        for (uint256 i = 0; i < 4; ++i) {
            give(i, 1000);
        }
        for (uint256 i = 0; i < random.length; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(random[i])));
            address caller = holders[dice % 4];
            address from = dice % 17 == 0 ? address(0) : holders[(dice >> 8) % 4];
            address to = dice % 19 == 0 ? address(0) : holders[(dice >> 16) % 4];
            uint256 value = amount(dice >> 24);
            uint256 action = (dice >> 128) % 5;
            if (action == 0) both(caller, abi.encodeCall(stock.transfer, (to, value)));
            if (action == 1) {
                both(caller, abi.encodeCall(stock.approve, (to, dice % 7 == 0 ? type(uint256).max : value)));
            }
            if (action == 2) both(caller, abi.encodeCall(stock.transferFrom, (from, to, value)));
            if (action == 3) both(caller, abi.encodeCall(stock.burn, (value)));
            if (action == 4) give(dice % 4, uint96(value % 3000));
        }
    }

    /// Issues to one what the stock token mints to it.
    function give(uint256 holder, uint96 value) private {
        issued[holder] += value;
        issue(holders[holder], issued[holder]);
        stock.mint(holders[holder], value);
        compare();
    }

    function test_token_behavesLikeTheStockTokenAtTheEdges() public {
        give(0, 1000);
        both(holders[0], abi.encodeCall(stock.transfer, (holders[1], 1001)));
        both(holders[0], abi.encodeCall(stock.transfer, (holders[1], type(uint256).max)));
        both(holders[0], abi.encodeCall(stock.transfer, (holders[1], uint256(1) << 128)));
        both(holders[0], abi.encodeCall(stock.transfer, (address(0), 1)));
        both(holders[0], abi.encodeCall(stock.transfer, (holders[0], 1000)));
        both(holders[0], abi.encodeCall(stock.transfer, (holders[0], 1001)));
        both(holders[0], abi.encodeCall(stock.transfer, (holders[1], 0)));
        both(holders[0], abi.encodeCall(stock.transfer, (holders[1], 1000)));
        both(holders[0], abi.encodeCall(stock.transfer, (holders[1], 1)));
        both(holders[1], abi.encodeCall(stock.burn, (400)));
        both(holders[1], abi.encodeCall(stock.burn, (601)));
        both(holders[1], abi.encodeCall(stock.approve, (holders[2], 500)));
        both(holders[2], abi.encodeCall(stock.transferFrom, (holders[1], holders[3], 501)));
        both(holders[2], abi.encodeCall(stock.transferFrom, (holders[1], holders[3], 500)));
        both(holders[2], abi.encodeCall(stock.transferFrom, (holders[1], holders[3], 1)));
    }

    function test_permit_letsASignatureApprove() public {
        uint256 deadline = block.timestamp + 1;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                vm.addr(1),
                BOB,
                500,
                0,
                deadline
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(1, digest);
        token.permit(vm.addr(1), BOB, 500, deadline, v, r, s);
        vm.assertEq(token.allowance(vm.addr(1), BOB), 500, "allowance");
        vm.expectRevert();
        token.permit(vm.addr(1), BOB, 500, deadline, v, r, s);
    }

    function test_token_cannotBeMintedByTheStandardPath() public {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidSender.selector, address(0)));
        burnable.mint(ALICE, 1);
    }

    function test_transfer_keepsTheIssuedAmountsApart() public {
        issue(ALICE, 100);
        vm.prank(ALICE);
        token.transfer(BOB, 100);
        vm.assertEq(token.issuedTo(ALICE), 100, "Alice");
        vm.assertEq(token.issuedTo(BOB), 0, "Bob");
    }
}
