// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Validator sets of the sidechain: hashing, shape and quorum.
/// @notice A set is known on chain by its hash only; the list itself travels in calldata.
library ValidatorSets {
    /// @notice One validator of a set.
    /// @param account The address its signatures recover to.
    /// @param power Its voting power.
    struct Validator {
        address account;
        uint64 power;
    }

    /// @notice A compact signature (EIP-2098), in which a malleable high `s` cannot be expressed.
    /// @param r The x coordinate.
    /// @param vs The parity in the highest bit, `s` in the others.
    struct Signature {
        bytes32 r;
        bytes32 vs;
    }

    /// @notice The largest number of validators in a set.
    uint256 internal constant MAX_VALIDATORS = 64;

    /// @notice The largest voting power of one validator.
    uint64 internal constant MAX_POWER = 1_000_000;

    /// @notice A set has no member, or more than `MAX_VALIDATORS`.
    error InvalidValidatorCount(uint256 count);

    /// @notice A member is the zero address, or not above the one before it.
    error InvalidValidatorOrder(uint256 index, address account);

    /// @notice A member's power is zero or above `MAX_POWER`.
    error InvalidValidatorPower(uint256 index, uint64 power);

    /// @notice The bitmap names somebody outside the set, or the number of signatures is not the number of its bits.
    error InvalidSignerBitmap(uint256 signerBitmap, uint256 validators, uint256 signatures);

    /// @notice The signature at this place of the set was made by somebody else, or over something else.
    error InvalidSigner(uint256 index, address expected, address recovered);

    /// @notice The signers hold two thirds of the voting power or less.
    error QuorumNotReached(uint256 signedPower, uint256 totalPower);

    /// @notice Hashes a set.
    /// @param validators The set.
    /// @return The keccak256 of its standard ABI encoding.
    function hash(Validator[] memory validators) internal pure returns (bytes32) {
        return keccak256(abi.encode(validators));
    }

    /// @notice Reverts unless the set is well formed. Only such a set may ever come into force: nobody could sign
    /// for an empty one, and in one with duplicates a key would count twice.
    /// @param validators The set.
    function check(Validator[] memory validators) internal pure {
        uint256 count = validators.length;
        if (count == 0 || count > MAX_VALIDATORS) revert InvalidValidatorCount(count);
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            Validator memory validator = validators[i];
            if (validator.account <= previous) revert InvalidValidatorOrder(i, validator.account);
            if (validator.power == 0 || validator.power > MAX_POWER) revert InvalidValidatorPower(i, validator.power);
            previous = validator.account;
        }
    }

    /// @notice Reverts unless more than two thirds of the set's power signed the digest.
    /// @param validators A well-formed set.
    /// @param signerBitmap Bit i is set when validator i signed.
    /// @param signatures One for each set bit, in the order of the set.
    /// @param digest What was signed.
    function checkQuorum(
        Validator[] memory validators,
        uint256 signerBitmap,
        Signature[] calldata signatures,
        bytes32 digest
    ) internal pure {
        uint256 count = validators.length;
        uint256 used = 0;
        uint256 signedPower = 0;
        uint256 totalPower = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint64 power = validators[i].power;
            totalPower += power;
            if ((signerBitmap >> i) & 1 == 0) continue;
            if (used == signatures.length) revert InvalidSignerBitmap(signerBitmap, count, signatures.length);
            Signature calldata signature = signatures[used++];
            address recovered = ECDSA.recover(digest, signature.r, signature.vs);
            if (recovered != validators[i].account) revert InvalidSigner(i, validators[i].account, recovered);
            signedPower += power;
        }
        if (used != signatures.length || signerBitmap >> count != 0) {
            revert InvalidSignerBitmap(signerBitmap, count, signatures.length);
        }
        if (signedPower * 3 <= totalPower * 2) revert QuorumNotReached(signedPower, totalPower);
    }
}
