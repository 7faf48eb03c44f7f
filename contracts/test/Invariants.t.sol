// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FranchiseToken} from "../src/FranchiseToken.sol";
import {ICheckpointAnchor} from "../src/interfaces/ICheckpointAnchor.sol";
import {BaseTest} from "./BaseTest.sol";
import {vm} from "./Vm.sol";
import {BurnableToken} from "./token/TokenTest.sol";

/// Does what anybody, the validators, the guardian and the admin may do, in any order, and keeps its own books.
contract Handler is BaseTest {
    uint256 private constant HOLDERS = 6;

    /// The last two cannot hold tokens.
    address[HOLDERS + 2] public accounts;
    uint256 public burned;
    uint64 public lastEpoch;
    bool public epochWentBack;
    mapping(address account => uint256) public highestSigned;

    ICheckpointAnchor.Checkpoint[] private _checkpoints;
    uint256[][] private _words;
    uint256 private _sets;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < HOLDERS; ++i) {
            accounts[i] = address(uint160(0x1000 + i));
        }
        accounts[HOLDERS + 1] = address(token);
        lastEpoch = FIRST_EPOCH - 1;
    }

    function newToken(address issuer) internal override returns (FranchiseToken) {
        return new BurnableToken(issuer, ADMIN, ADMIN_DELAY, CAPACITY, REFILL);
    }

    function parts() external view returns (FranchiseToken, address[HOLDERS + 2] memory) {
        return (token, accounts);
    }

    function head() external view returns (uint64 epoch, uint64 lastHeight, uint128 totalReleased) {
        return anchor.head();
    }

    // ---------------------------------------------------------------- the validators

    /// Amounts may rise and fall, and may be more than what was released.
    function anchorEpoch(uint256 seed, uint128 released) external {
        uint256[] memory words = new uint256[](4);
        for (uint256 i = 0; i < 4; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            address account = accounts[random % accounts.length];
            uint96 cumulative = uint96((random >> 8) % (CAPACITY / 2));
            words[i] = word(account, cumulative);
            if (cumulative > highestSigned[account]) highestSigned[account] = cumulative;
        }
        _remember(anchorPayouts(words, released % CAPACITY), words);
    }

    function rotateSet(uint256 size) external {
        rotate(vm.toString(++_sets), bound(size, 1, 7));
        _seeEpoch();
    }

    // ---------------------------------------------------------------- anybody

    function issueChunk(uint256 epoch, uint256 power) external {
        if (_words.length == 0) return;
        epoch = bound(epoch, 0, _words.length - 1);
        uint256 size = 1 << (power % 3);
        bytes32[] memory proof = naiveProof(_words[epoch], 0, size, restHash(_checkpoints[epoch]));
        try anchor.issueChunk(_checkpoints[epoch].epoch, slice(_words[epoch], 0, size), proof) {} catch {}
    }

    function issueOne(uint256 epoch, uint256 index) external {
        if (_words.length == 0) return;
        epoch = bound(epoch, 0, _words.length - 1);
        index = index % 4;
        bytes32[] memory proof = naiveProof(_words[epoch], index, 1, restHash(_checkpoints[epoch]));
        try anchor.issueOne(_checkpoints[epoch].epoch, _words[epoch][index], proof) {} catch {}
    }

    function forge(uint256[2] memory words, bytes32[] memory proof, uint64 epoch) external {
        try anchor.issueChunk(epoch, two(words[0], words[1]), proof) {} catch {}
        try token.issueMany(two(words[0], words[1]), type(uint128).max) {} catch {}
    }

    function transfer(uint256 from, uint256 to, uint256 value) external {
        address sender = accounts[from % HOLDERS];
        address receiver = accounts[to % HOLDERS];
        value = bound(value, 0, token.balanceOf(sender));
        vm.prank(sender);
        token.transfer(receiver, value);
    }

    function burn(uint256 from, uint256 value) external {
        address sender = accounts[from % HOLDERS];
        value = bound(value, 0, token.balanceOf(sender));
        vm.prank(sender);
        BurnableToken(address(token)).burn(value);
        burned += value;
    }

    function wait(uint24 time) external {
        vm.warp(block.timestamp + time);
    }

    // ---------------------------------------------------------------- guardian and admin

    function pause() external {
        vm.prank(GUARDIAN);
        try anchor.pauseIssuing() {} catch {}
    }

    function revoke(uint256 epoch) external {
        (uint64 last,,) = anchor.head();
        vm.prank(GUARDIAN);
        try anchor.revokeRoot(uint64(bound(epoch, FIRST_EPOCH - 1, last))) {} catch {}
    }

    function unpause() external {
        vm.prank(ADMIN);
        try anchor.unpauseIssuing() {} catch {}
    }

    function changeLimit(uint24 capacity, uint8 refill) external {
        vm.startPrank(ADMIN);
        try token.acceptIssueLimit() {} catch {}
        try token.proposeIssueLimit(capacity, refill) {} catch {}
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- books

    function _remember(ICheckpointAnchor.Checkpoint memory checkpoint, uint256[] memory words) private {
        _checkpoints.push(checkpoint);
        _words.push(words);
        _seeEpoch();
    }

    function _seeEpoch() private {
        (uint64 epoch,,) = anchor.head();
        if (epoch != lastEpoch + 1) epochWentBack = true;
        lastEpoch = epoch;
    }
}

contract InvariantsTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private handler;

    function setUp() public {
        handler = new Handler();
        handler.setUp();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](12);
        selectors[0] = Handler.anchorEpoch.selector;
        selectors[1] = Handler.rotateSet.selector;
        selectors[2] = Handler.issueChunk.selector;
        selectors[3] = Handler.issueOne.selector;
        selectors[4] = Handler.forge.selector;
        selectors[5] = Handler.transfer.selector;
        selectors[6] = Handler.burn.selector;
        selectors[7] = Handler.wait.selector;
        selectors[8] = Handler.pause.selector;
        selectors[9] = Handler.revoke.selector;
        selectors[10] = Handler.unpause.selector;
        selectors[11] = Handler.changeLimit.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_theBooksBalance() public view {
        (FranchiseToken token, address[8] memory accounts) = handler.parts();
        (uint64 epoch,, uint128 totalReleased) = handler.head();
        uint256 balances = 0;
        uint256 issued = 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            balances += token.balanceOf(accounts[i]);
            issued += token.issuedTo(accounts[i]);
            vm.assertLe(token.issuedTo(accounts[i]), handler.highestSigned(accounts[i]), "issued is signed");
        }
        vm.assertEq(token.totalSupply(), token.minted() - handler.burned(), "supply is minted less burned");
        vm.assertEq(balances, token.totalSupply(), "balances are the supply");
        vm.assertEq(issued, token.minted(), "issued amounts are all that was minted");
        vm.assertLe(token.minted(), totalReleased, "minted is released");
        vm.assertTrue(!handler.epochWentBack(), "epochs rise one by one");
        vm.assertEq(epoch, handler.lastEpoch(), "epoch");
        vm.assertEq(token.balanceOf(address(0)) + token.balanceOf(address(token)), 0, "poisoned accounts are empty");
    }

    /// The handler does reach the states that the invariant is about.
    function test_handler_issuesMovesAndBurns() public {
        (FranchiseToken token,) = handler.parts();
        handler.anchorEpoch(1, 999_999);
        handler.anchorEpoch(2, 999_999);
        handler.anchorEpoch(3, 999_999);
        for (uint256 i = 0; i < 3; ++i) {
            handler.issueChunk(i, 2);
            handler.wait(type(uint24).max);
        }
        vm.assertTrue(token.totalSupply() > 0, "issued");
        for (uint256 i = 0; i < 6; ++i) {
            handler.burn(i, 1_000_000_007);
        }
        vm.assertTrue(handler.burned() > 0, "burned");
        handler.rotateSet(5);
        handler.pause();
        handler.revoke(6);
        handler.unpause();
        handler.changeLimit(5, 5);
        invariant_theBooksBalance();
    }
}
