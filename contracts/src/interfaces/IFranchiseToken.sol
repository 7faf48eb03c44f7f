// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The franchise's ERC-20: what it adds to the standard.
/// @notice Tokens come into being only through `issueMany`, from cumulative amounts. Each account remembers how much
/// it was ever issued, so an amount shown twice, late, or by a replaced issuer is minted once.
interface IFranchiseToken {
    /// @notice A payout was passed over: its account cannot hold tokens, or its amount does not fit in the issue
    /// allowance now. Nothing is lost: the amount can be issued later.
    event IssueSkipped(address indexed account, uint96 cumulative);

    /// @notice The admin proposed another issuer, acceptable from `effectiveAt` on.
    event IssuerProposed(address indexed issuer, uint48 effectiveAt);

    /// @notice The proposed issuer came into force.
    event IssuerChanged(address indexed previousIssuer, address indexed issuer);

    /// @notice The proposed issuer was withdrawn.
    event IssuerProposalCancelled(address indexed issuer);

    /// @notice The admin proposed another issue limit, acceptable from `effectiveAt` on.
    event IssueLimitProposed(uint128 capacity, uint128 refillPerSecond, uint48 effectiveAt);

    /// @notice The proposed issue limit came into force.
    event IssueLimitChanged(uint128 capacity, uint128 refillPerSecond);

    /// @notice The proposed issue limit was withdrawn.
    event IssueLimitProposalCancelled(uint128 capacity, uint128 refillPerSecond);

    /// @notice The caller is not the issuer.
    error UnauthorizedIssuer(address caller);

    /// @notice The address cannot be the issuer: it is zero, the token, or the issuer already.
    error InvalidIssuer(address issuer);

    /// @notice The issue limit has a zero in it, which would stop issuing for good.
    error InvalidIssueLimit(uint128 capacity, uint128 refillPerSecond);

    /// @notice All issuance together would exceed what the sidechain has released.
    error IssueExceedsReleased(uint256 minted, uint128 totalReleased);

    /// @notice A change of this kind waits already: cancel it first.
    error ChangePending(uint48 effectiveAt);

    /// @notice No change of this kind waits.
    error NoChangePending();

    /// @notice The change waits until `effectiveAt`.
    error ChangeNotYetEffective(uint48 effectiveAt);

    /// @notice Mints to each account what its cumulative amount exceeds the issued one by. Only for the issuer.
    /// A zero word is padding. An account that cannot hold tokens (zero, the token, the issuer) or whose amount does
    /// not fit in the issue allowance is skipped, so that one bad entry never stops the others.
    /// @param words Payouts, each `account << 96 | cumulative`.
    /// @param totalReleased All that the sidechain has ever released: `minted()` never exceeds it.
    /// @return amount What this call minted.
    function issueMany(uint256[] calldata words, uint128 totalReleased) external returns (uint128 amount);

    /// @notice Proposes another issuer. Only for the admin.
    /// @param newIssuer The address that may call `issueMany` after the change.
    function proposeIssuer(address newIssuer) external;

    /// @notice Puts the proposed issuer into force, `CHANGE_DELAY` after the proposal. Only for the admin.
    function acceptIssuer() external;

    /// @notice Withdraws the proposed issuer. Only for the admin.
    function cancelIssuer() external;

    /// @notice Proposes another issue limit. Only for the admin.
    /// @param capacity The most that can be issued at once.
    /// @param refillPerSecond How fast the allowance grows back.
    function proposeIssueLimit(uint128 capacity, uint128 refillPerSecond) external;

    /// @notice Puts the proposed issue limit into force, `CHANGE_DELAY` after the proposal. Only for the admin.
    function acceptIssueLimit() external;

    /// @notice Withdraws the proposed issue limit. Only for the admin.
    function cancelIssueLimit() external;

    /// @notice How long a proposed change waits before it can be accepted.
    function CHANGE_DELAY() external view returns (uint48);

    /// @notice The only address that may call `issueMany`.
    function issuer() external view returns (address);

    /// @notice The proposed issuer; zeros when none waits.
    function pendingIssuer() external view returns (address newIssuer, uint48 effectiveAt);

    /// @notice All that was ever issued to the account, whatever it did with it.
    function issuedTo(address account) external view returns (uint128);

    /// @notice All issuance ever. Burning does not reduce it.
    function minted() external view returns (uint128);

    /// @notice The most that can be issued at once, in units.
    function issueCapacity() external view returns (uint128);

    /// @notice How many units the issue allowance grows back each second.
    function issueRefillPerSecond() external view returns (uint128);

    /// @notice What can be issued now, in units.
    function issueAllowance() external view returns (uint128);

    /// @notice The proposed issue limit; zeros when none waits.
    function pendingIssueLimit() external view returns (uint128 capacity, uint128 refillPerSecond, uint48 effectiveAt);
}
