// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {FranchiseToken} from "./FranchiseToken.sol";
import {ICheckpointAnchor} from "./interfaces/ICheckpointAnchor.sol";
import {Payouts} from "./libraries/Payouts.sol";
import {ValidatorSets} from "./libraries/ValidatorSets.sol";

/// @title CheckpointAnchor
/// @notice See `ICheckpointAnchor`. A deployed anchor never changes; another one takes its place when the token's
/// admin changes the issuer, which takes 14 days.
contract CheckpointAnchor is ICheckpointAnchor, EIP712, AccessControlDefaultAdminRules {
    /// @dev One slot.
    struct Head {
        uint64 epoch;
        uint64 lastHeight;
        uint128 totalReleased;
    }

    // ---------------------------------------------------------------- constants

    /// @inheritdoc ICheckpointAnchor
    bytes32 public constant GUARDIAN_ROLE = keccak256("GUARDIAN_ROLE");

    /// @inheritdoc ICheckpointAnchor
    uint48 public constant PAUSE_DURATION = 14 days;

    /// @inheritdoc ICheckpointAnchor
    uint48 public constant PAUSE_COOLDOWN = 14 days;

    bytes32 private constant CHECKPOINT_TYPEHASH = keccak256(
        "Checkpoint(bytes32 sidechainId,uint64 epoch,uint64 firstHeight,uint64 lastHeight,bytes32 blocksRoot,"
        "bytes32 stateRoot,bytes32 payoutRoot,bytes32 recordingsRoot,uint128 totalReleased,bytes32 nextValidatorsHash)"
    );

    // ---------------------------------------------------------------- immutables

    /// @notice The token that this anchor issues.
    FranchiseToken public immutable token;

    /// @inheritdoc ICheckpointAnchor
    bytes32 public immutable sidechainId;

    // ---------------------------------------------------------------- storage

    /// @inheritdoc ICheckpointAnchor
    Head public head;

    /// @inheritdoc ICheckpointAnchor
    bytes32 public validatorsHash;

    /// @inheritdoc ICheckpointAnchor
    uint48 public issuingPausedUntil;

    /// @inheritdoc ICheckpointAnchor
    mapping(uint64 epoch => bytes32) public commitmentOf;

    // ---------------------------------------------------------------- constructor

    /// @notice Deploys the anchor of a sidechain.
    /// @param token_ The token; its issuer is, or will become, this anchor.
    /// @param sidechainId_ The sidechain.
    /// @param firstEpoch The epoch of the first checkpoint.
    /// @param firstHeight The first block of the first checkpoint.
    /// @param validators The set that signs the first checkpoint.
    /// @param admin May end a pause and name guardians.
    /// @param adminDelay How long a transfer of the admin's role waits.
    /// @param guardian May pause issuing and revoke an epoch.
    constructor(
        FranchiseToken token_,
        bytes32 sidechainId_,
        uint64 firstEpoch,
        uint64 firstHeight,
        ValidatorSets.Validator[] memory validators,
        address admin,
        uint48 adminDelay,
        address guardian
    ) EIP712("HotPot", "1") AccessControlDefaultAdminRules(adminDelay, admin) {
        if (address(token_) == address(0)) revert InvalidToken(address(token_));
        if (sidechainId_ == 0) revert InvalidSidechainId(sidechainId_);
        if (firstEpoch == 0 || firstHeight == 0) revert InvalidStart(firstEpoch, firstHeight);
        if (guardian == address(0)) revert InvalidGuardian(guardian);
        ValidatorSets.check(validators);

        token = token_;
        sidechainId = sidechainId_;
        head = Head(firstEpoch - 1, firstHeight - 1, 0);
        validatorsHash = ValidatorSets.hash(validators);
        _grantRole(GUARDIAN_ROLE, guardian);
    }

    // ---------------------------------------------------------------- modifiers

    modifier whenIssuingNotPaused() {
        if (_issuingPaused()) revert IssuingIsPaused(issuingPausedUntil);
        _;
    }

    modifier whenIssuingPaused() {
        if (!_issuingPaused()) revert IssuingIsNotPaused();
        _;
    }

    // ---------------------------------------------------------------- anchoring

    /// @inheritdoc ICheckpointAnchor
    function submit(
        Checkpoint calldata checkpoint,
        ValidatorSets.Validator[] calldata validators,
        uint256 signerBitmap,
        ValidatorSets.Signature[] calldata signatures,
        ValidatorSets.Validator[] calldata nextValidators
    ) external {
        _checkShape(checkpoint);
        _checkContinuity(checkpoint);
        bytes32 current = validatorsHash;
        ValidatorSets.Validator[] memory signers = validators;
        _checkValidators(signers, current);
        ValidatorSets.checkQuorum(signers, signerBitmap, signatures, checkpointDigest(checkpoint));

        uint64 epoch = checkpoint.epoch;
        head = Head(epoch, checkpoint.lastHeight, checkpoint.totalReleased);
        commitmentOf[epoch] = _commitment(checkpoint);
        _emitAnchored(checkpoint);
        _rotate(epoch, current, checkpoint.nextValidatorsHash, nextValidators);
    }

    // ---------------------------------------------------------------- issuing

    /// @inheritdoc ICheckpointAnchor
    function issueChunk(uint64 epoch, uint256[] calldata words, bytes32[] calldata proof)
        external
        whenIssuingNotPaused
    {
        bytes32 root = Payouts.chunkRoot(words);
        _checkPayout(epoch, root, proof);
        emit ChunkIssued(epoch, root, token.issueMany(words, head.totalReleased));
    }

    /// @inheritdoc ICheckpointAnchor
    function issueOne(uint64 epoch, uint256 word, bytes32[] calldata proof) external whenIssuingNotPaused {
        bytes32 root = Payouts.leaf(word);
        _checkPayout(epoch, root, proof);
        uint256[] memory words = new uint256[](1);
        words[0] = word;
        emit ChunkIssued(epoch, root, token.issueMany(words, head.totalReleased));
    }

    // ---------------------------------------------------------------- guardian and admin

    /// @inheritdoc ICheckpointAnchor
    function pauseIssuing() external onlyRole(GUARDIAN_ROLE) {
        uint48 until = issuingPausedUntil;
        if (until != 0 && block.timestamp < until + PAUSE_COOLDOWN) revert PauseOnCooldown(until + PAUSE_COOLDOWN);
        (, uint48 changeAt) = token.pendingIssuer();
        if (changeAt != 0) revert IssuerChangeIsPending(changeAt);
        until = uint48(block.timestamp) + PAUSE_DURATION;
        issuingPausedUntil = until;
        emit IssuingPaused(msg.sender, until);
    }

    /// @inheritdoc ICheckpointAnchor
    function unpauseIssuing() external onlyRole(DEFAULT_ADMIN_ROLE) whenIssuingPaused {
        // The cool-down counts from now.
        issuingPausedUntil = uint48(block.timestamp);
        emit IssuingUnpaused(msg.sender);
    }

    /// @inheritdoc ICheckpointAnchor
    function revokeRoot(uint64 epoch) external onlyRole(GUARDIAN_ROLE) whenIssuingPaused {
        if (commitmentOf[epoch] == 0) revert UnknownEpoch(epoch);
        delete commitmentOf[epoch];
        emit RootRevoked(epoch);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ICheckpointAnchor
    function verifyState(Checkpoint calldata checkpoint, bytes calldata value, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        return
            _isAnchored(checkpoint) && MerkleProof.verifyCalldata(proof, checkpoint.stateRoot, _leaf(keccak256(value)));
    }

    /// @inheritdoc ICheckpointAnchor
    function verifyBlock(Checkpoint calldata checkpoint, bytes32 blockHash, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        return _isAnchored(checkpoint)
            && MerkleProof.verifyCalldata(proof, checkpoint.blocksRoot, _leaf(keccak256(abi.encodePacked(blockHash))));
    }

    /// @inheritdoc ICheckpointAnchor
    function verifyRecording(Checkpoint calldata checkpoint, bytes calldata recording, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        return _isAnchored(checkpoint)
            && MerkleProof.verifyCalldata(proof, checkpoint.recordingsRoot, _leaf(keccak256(recording)));
    }

    /// @inheritdoc ICheckpointAnchor
    function checkpointDigest(Checkpoint calldata checkpoint) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(CHECKPOINT_TYPEHASH, checkpoint)));
    }

    // ---------------------------------------------------------------- internal

    function _checkShape(Checkpoint calldata checkpoint) private view {
        if (checkpoint.sidechainId != sidechainId) revert InvalidSidechainId(checkpoint.sidechainId);
        if (checkpoint.lastHeight < checkpoint.firstHeight) {
            revert InvalidHeightRange(checkpoint.firstHeight, checkpoint.lastHeight);
        }
        if (
            checkpoint.blocksRoot == 0 || checkpoint.stateRoot == 0 || checkpoint.payoutRoot == 0
                || checkpoint.recordingsRoot == 0 || checkpoint.nextValidatorsHash == 0
        ) revert ZeroRoot();
    }

    function _checkContinuity(Checkpoint calldata checkpoint) private view {
        Head memory last = head;
        if (checkpoint.epoch != last.epoch + 1) revert UnexpectedEpoch(checkpoint.epoch, last.epoch + 1);
        if (checkpoint.firstHeight != last.lastHeight + 1) {
            revert UnexpectedFirstHeight(checkpoint.firstHeight, last.lastHeight + 1);
        }
        if (checkpoint.totalReleased < last.totalReleased) {
            revert ReleasedDecreased(checkpoint.totalReleased, last.totalReleased);
        }
    }

    function _checkValidators(ValidatorSets.Validator[] memory validators, bytes32 expected) private pure {
        bytes32 given = ValidatorSets.hash(validators);
        if (given != expected) revert UnexpectedValidators(given, expected);
    }

    /// @dev A signed hash alone would let a set come into force that nobody can sign for, so the set itself is seen.
    function _rotate(uint64 epoch, bytes32 current, bytes32 next, ValidatorSets.Validator[] memory nextValidators)
        private
    {
        if (next == current) {
            if (nextValidators.length != 0) revert UnneededNextValidators();
            return;
        }
        _checkValidators(nextValidators, next);
        ValidatorSets.check(nextValidators);
        validatorsHash = next;
        emit ValidatorSetRotated(epoch, next);
    }

    /// @dev The last element of the proof is the rest hash; the others lead from `root` to the payout root.
    function _checkPayout(uint64 epoch, bytes32 root, bytes32[] calldata proof) private view {
        bytes32 commitment = commitmentOf[epoch];
        if (commitment == 0) revert UnknownEpoch(epoch);
        if (proof.length == 0) revert InvalidPayoutProof(epoch);
        uint256 siblings = proof.length - 1;
        bytes32 payoutRoot = MerkleProof.processProofCalldata(proof[:siblings], root);
        if (Hashes.efficientKeccak256(payoutRoot, proof[siblings]) != commitment) revert InvalidPayoutProof(epoch);
    }

    function _issuingPaused() private view returns (bool) {
        return block.timestamp < issuingPausedUntil;
    }

    function _isAnchored(Checkpoint calldata checkpoint) private view returns (bool) {
        return commitmentOf[checkpoint.epoch] == _commitment(checkpoint);
    }

    function _commitment(Checkpoint calldata checkpoint) private pure returns (bytes32) {
        bytes32 restHash = keccak256(
            abi.encode(
                checkpoint.sidechainId,
                checkpoint.epoch,
                checkpoint.firstHeight,
                checkpoint.lastHeight,
                checkpoint.blocksRoot,
                checkpoint.stateRoot,
                checkpoint.recordingsRoot,
                checkpoint.totalReleased,
                checkpoint.nextValidatorsHash
            )
        );
        return Hashes.efficientKeccak256(checkpoint.payoutRoot, restHash);
    }

    /// @dev Hashed twice, so that an inner node can never pass for a leaf.
    function _leaf(bytes32 once) private pure returns (bytes32) {
        return keccak256(bytes.concat(once));
    }

    function _emitAnchored(Checkpoint calldata checkpoint) private {
        emit CheckpointAnchored(
            checkpoint.epoch,
            checkpoint.firstHeight,
            checkpoint.lastHeight,
            checkpoint.blocksRoot,
            checkpoint.stateRoot,
            checkpoint.payoutRoot,
            checkpoint.recordingsRoot,
            checkpoint.totalReleased,
            checkpoint.nextValidatorsHash
        );
    }
}
