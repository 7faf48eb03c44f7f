// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IFranchiseToken} from "./interfaces/IFranchiseToken.sol";
import {Payouts} from "./libraries/Payouts.sol";

/// @title FranchiseToken (FRT)
/// @notice The franchise's ERC-20, with two decimals. See `IFranchiseToken` for how it is issued.
/// @dev A holder takes one storage slot: the balance in the low half, the amount ever issued in the high half. To a
/// holder this is an ordinary ERC-20 with Permit: no votes, no pause, no list of barred accounts, no minting by an
/// admin.
contract FranchiseToken is IFranchiseToken, ERC20, ERC20Permit, AccessControlDefaultAdminRules {
    using SafeCast for uint256;

    /// @dev One slot for each holder.
    struct Account {
        uint128 balance;
        uint128 issued;
    }

    /// @dev One slot: the supply is their difference.
    struct Supply {
        uint128 minted;
        uint128 burned;
    }

    /// @dev One slot: what could be issued at a moment. It grows with time, up to the capacity.
    struct Allowance {
        uint128 available;
        uint48 updatedAt;
    }

    /// @dev One slot: how much the allowance holds and how fast it grows.
    struct Limit {
        uint128 capacity;
        uint128 refillPerSecond;
    }

    // ---------------------------------------------------------------- constants

    /// @inheritdoc IFranchiseToken
    uint48 public constant CHANGE_DELAY = 14 days;

    // ---------------------------------------------------------------- storage

    /// @inheritdoc IFranchiseToken
    address public issuer;

    address private _pendingIssuer;
    uint48 private _pendingIssuerAt;
    uint48 private _pendingLimitAt;

    mapping(address account => Account) private _accounts;
    Supply private _supply;
    Allowance private _allowance;
    Limit private _limit;
    Limit private _pendingLimit;

    // ---------------------------------------------------------------- constructor

    /// @notice Deploys the token with nothing issued and a full issue allowance.
    /// @param issuer_ The checkpoint anchor; its address may be known before it is deployed.
    /// @param admin May propose another issuer and another issue limit.
    /// @param adminDelay How long a transfer of the admin's role waits.
    /// @param issueCapacity_ The most that can be issued at once.
    /// @param issueRefillPerSecond_ How fast the issue allowance grows back.
    constructor(
        address issuer_,
        address admin,
        uint48 adminDelay,
        uint128 issueCapacity_,
        uint128 issueRefillPerSecond_
    ) ERC20("FranchiseToken", "FRT") ERC20Permit("FranchiseToken") AccessControlDefaultAdminRules(adminDelay, admin) {
        _checkIssuer(issuer_);
        _checkLimit(issueCapacity_, issueRefillPerSecond_);
        issuer = issuer_;
        _limit = Limit(issueCapacity_, issueRefillPerSecond_);
        _allowance = Allowance(issueCapacity_, uint48(block.timestamp));
        emit IssuerChanged(address(0), issuer_);
        emit IssueLimitChanged(issueCapacity_, issueRefillPerSecond_);
    }

    // ---------------------------------------------------------------- issuing

    /// @inheritdoc IFranchiseToken
    function issueMany(uint256[] calldata words, uint128 totalReleased) external returns (uint128 amount) {
        if (msg.sender != issuer) revert UnauthorizedIssuer(msg.sender);

        uint128 available = issueAllowance();
        uint128 left = available;
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 word = words[i];
            if (word != 0) left -= _issue(word, left);
        }

        amount = available - left;
        uint256 total = uint256(_supply.minted) + amount;
        if (total > totalReleased) revert IssueExceedsReleased(total, totalReleased);
        if (amount == 0) return 0;
        _supply.minted = total.toUint128();
        _allowance = Allowance(left, uint48(block.timestamp));
    }

    // ---------------------------------------------------------------- delayed changes

    /// @inheritdoc IFranchiseToken
    function proposeIssuer(address newIssuer) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _checkIssuer(newIssuer);
        _pendingIssuerAt = _schedule(_pendingIssuerAt);
        _pendingIssuer = newIssuer;
        emit IssuerProposed(newIssuer, _pendingIssuerAt);
    }

    /// @inheritdoc IFranchiseToken
    function acceptIssuer() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _checkEffective(_pendingIssuerAt);
        address previous = issuer;
        issuer = _pendingIssuer;
        delete _pendingIssuer;
        delete _pendingIssuerAt;
        emit IssuerChanged(previous, issuer);
    }

    /// @inheritdoc IFranchiseToken
    function cancelIssuer() external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (_pendingIssuerAt == 0) revert NoChangePending();
        address cancelled = _pendingIssuer;
        delete _pendingIssuer;
        delete _pendingIssuerAt;
        emit IssuerProposalCancelled(cancelled);
    }

    /// @inheritdoc IFranchiseToken
    function proposeIssueLimit(uint128 capacity, uint128 refillPerSecond) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _checkLimit(capacity, refillPerSecond);
        _pendingLimitAt = _schedule(_pendingLimitAt);
        _pendingLimit = Limit(capacity, refillPerSecond);
        emit IssueLimitProposed(capacity, refillPerSecond, _pendingLimitAt);
    }

    /// @inheritdoc IFranchiseToken
    function acceptIssueLimit() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _checkEffective(_pendingLimitAt);
        Limit memory limit = _pendingLimit;
        // What has grown so far grew under the old limit.
        _allowance = Allowance(Math.min(issueAllowance(), limit.capacity).toUint128(), uint48(block.timestamp));
        _limit = limit;
        delete _pendingLimit;
        delete _pendingLimitAt;
        emit IssueLimitChanged(limit.capacity, limit.refillPerSecond);
    }

    /// @inheritdoc IFranchiseToken
    function cancelIssueLimit() external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (_pendingLimitAt == 0) revert NoChangePending();
        Limit memory limit = _pendingLimit;
        delete _pendingLimit;
        delete _pendingLimitAt;
        emit IssueLimitProposalCancelled(limit.capacity, limit.refillPerSecond);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 2;
    }

    /// @inheritdoc ERC20
    function balanceOf(address account) public view override returns (uint256) {
        return _accounts[account].balance;
    }

    /// @inheritdoc ERC20
    function totalSupply() public view override returns (uint256) {
        return _supply.minted - _supply.burned;
    }

    /// @inheritdoc IFranchiseToken
    function issuedTo(address account) external view returns (uint128) {
        return _accounts[account].issued;
    }

    /// @inheritdoc IFranchiseToken
    function minted() external view returns (uint128) {
        return _supply.minted;
    }

    /// @inheritdoc IFranchiseToken
    function pendingIssuer() external view returns (address newIssuer, uint48 effectiveAt) {
        return (_pendingIssuer, _pendingIssuerAt);
    }

    /// @inheritdoc IFranchiseToken
    function issueCapacity() external view returns (uint128) {
        return _limit.capacity;
    }

    /// @inheritdoc IFranchiseToken
    function issueRefillPerSecond() external view returns (uint128) {
        return _limit.refillPerSecond;
    }

    /// @inheritdoc IFranchiseToken
    function issueAllowance() public view returns (uint128) {
        Limit memory limit = _limit;
        Allowance memory allowed = _allowance;
        // 48 bits of seconds times 128 bits cannot overflow 256.
        uint256 grown = allowed.available + (block.timestamp - allowed.updatedAt) * limit.refillPerSecond;
        return Math.min(grown, limit.capacity).toUint128();
    }

    /// @inheritdoc IFranchiseToken
    function pendingIssueLimit() external view returns (uint128 capacity, uint128 refillPerSecond, uint48 effectiveAt) {
        return (_pendingLimit.capacity, _pendingLimit.refillPerSecond, _pendingLimitAt);
    }

    // ---------------------------------------------------------------- internal

    /// @dev Moves or burns. It refuses to mint: only `_issue` does, with its own bookkeeping.
    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0)) revert ERC20InvalidSender(from);
        uint128 fromBalance = _accounts[from].balance;
        if (fromBalance < value) revert ERC20InsufficientBalance(from, fromBalance, value);
        // The sender has `value`, so it fits in 128 bits; no balance and no burnt amount can exceed all that was
        // ever minted, which fits in 128 bits too.
        unchecked {
            _accounts[from].balance = fromBalance - uint128(value);
            if (to == address(0)) _supply.burned += uint128(value);
            else _accounts[to].balance += uint128(value);
        }
        emit Transfer(from, to, value);
    }

    /// @dev Issues one payout if it fits in what is left of the allowance. Returns what it minted. The caller is the
    /// issuer.
    function _issue(uint256 word, uint128 left) private returns (uint128 difference) {
        (address account, uint96 cumulative) = Payouts.unpack(word);
        if (account == address(0) || account == address(this) || account == msg.sender) {
            emit IssueSkipped(account, cumulative);
            return 0;
        }
        Account storage holder = _accounts[account];
        (uint128 balance, uint128 issued) = (holder.balance, holder.issued);
        if (cumulative <= issued) return 0;
        // The difference is positive by the line above. A sum beyond 128 bits would make the total exceed what was
        // released, and `issueMany` reverts.
        unchecked {
            difference = cumulative - issued;
            if (difference > left) {
                emit IssueSkipped(account, cumulative);
                return 0;
            }
            (holder.balance, holder.issued) = (balance + difference, cumulative);
        }
        emit Transfer(address(0), account, difference);
    }

    /// @dev When a change proposed now can be accepted.
    function _schedule(uint48 pendingAt) private view returns (uint48) {
        if (pendingAt != 0) revert ChangePending(pendingAt);
        return uint48(block.timestamp) + CHANGE_DELAY;
    }

    function _checkEffective(uint48 pendingAt) private view {
        if (pendingAt == 0) revert NoChangePending();
        if (block.timestamp < pendingAt) revert ChangeNotYetEffective(pendingAt);
    }

    function _checkIssuer(address candidate) private view {
        if (candidate == address(0) || candidate == address(this) || candidate == issuer) {
            revert InvalidIssuer(candidate);
        }
    }

    function _checkLimit(uint128 capacity, uint128 refillPerSecond) private pure {
        if (capacity == 0 || refillPerSecond == 0) revert InvalidIssueLimit(capacity, refillPerSecond);
    }
}
