// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ValidatorSets} from "../libraries/ValidatorSets.sol";

/// @title The anchor of the sidechain's checkpoints.
/// @notice Takes each epoch's checkpoint, signed by more than two thirds of the sidechain's voting power, and issues
/// the token to the accounts in its payout tree. Everybody may submit and issue: rights come from signatures and
/// proofs, never from the caller.
interface ICheckpointAnchor {
    /// @notice What the validators sign at the end of an epoch.
    /// @param sidechainId The sidechain.
    /// @param epoch The epoch; the one after the last anchored.
    /// @param firstHeight Its first block; the one after the last anchored.
    /// @param lastHeight Its last block.
    /// @param blocksRoot Root over the hashes of its blocks.
    /// @param stateRoot Root over the state after its last block.
    /// @param payoutRoot Root over the payouts that it settles.
    /// @param recordingsRoot Root over its recordings.
    /// @param totalReleased All that was ever released, in the token's units.
    /// @param nextValidatorsHash Hash of the set that signs the next checkpoint.
    struct Checkpoint {
        bytes32 sidechainId;
        uint64 epoch;
        uint64 firstHeight;
        uint64 lastHeight;
        bytes32 blocksRoot;
        bytes32 stateRoot;
        bytes32 payoutRoot;
        bytes32 recordingsRoot;
        uint128 totalReleased;
        bytes32 nextValidatorsHash;
    }

    /// @notice A checkpoint was accepted.
    event CheckpointAnchored(
        uint64 indexed epoch,
        uint64 firstHeight,
        uint64 lastHeight,
        bytes32 blocksRoot,
        bytes32 stateRoot,
        bytes32 payoutRoot,
        bytes32 recordingsRoot,
        uint128 totalReleased,
        bytes32 nextValidatorsHash
    );

    /// @notice Another validator set came into force with this epoch's checkpoint.
    event ValidatorSetRotated(uint64 indexed epoch, bytes32 validatorsHash);

    /// @notice A chunk of the epoch's payouts was issued; of a single payout, `chunkRoot` is the leaf.
    event ChunkIssued(uint64 indexed epoch, bytes32 chunkRoot, uint128 minted);

    /// @notice The guardian paused issuing until `until`.
    event IssuingPaused(address indexed guardian, uint48 until);

    /// @notice The admin ended a pause.
    event IssuingUnpaused(address indexed admin);

    /// @notice The guardian revoked an epoch: nothing can be issued or verified from it any more.
    event RootRevoked(uint64 indexed epoch);

    /// @notice The token's address is zero.
    error InvalidToken(address token);

    /// @notice The guardian's address is zero.
    error InvalidGuardian(address guardian);

    /// @notice The sidechain's id is zero, or the checkpoint is of another sidechain.
    error InvalidSidechainId(bytes32 sidechainId);

    /// @notice The first epoch or the first height is zero.
    error InvalidStart(uint64 firstEpoch, uint64 firstHeight);

    /// @notice The checkpoint is not of the epoch that comes next.
    error UnexpectedEpoch(uint64 epoch, uint64 expected);

    /// @notice The checkpoint does not begin at the block that comes next.
    error UnexpectedFirstHeight(uint64 firstHeight, uint64 expected);

    /// @notice The checkpoint ends before it begins.
    error InvalidHeightRange(uint64 firstHeight, uint64 lastHeight);

    /// @notice The released total went down.
    error ReleasedDecreased(uint128 totalReleased, uint128 previous);

    /// @notice One of the checkpoint's roots, or the hash of its next set, is zero.
    error ZeroRoot();

    /// @notice The validator set is not the one whose hash is expected.
    error UnexpectedValidators(bytes32 validatorsHash, bytes32 expected);

    /// @notice A next set was given although the set stays the same.
    error UnneededNextValidators();

    /// @notice No checkpoint of this epoch is accepted, or it was revoked.
    error UnknownEpoch(uint64 epoch);

    /// @notice The proof does not lead to the epoch's payout root.
    error InvalidPayoutProof(uint64 epoch);

    /// @notice Issuing is paused until `until`.
    error IssuingIsPaused(uint48 until);

    /// @notice Issuing is not paused.
    error IssuingIsNotPaused();

    /// @notice The guardian may pause again at `availableAt`.
    error PauseOnCooldown(uint48 availableAt);

    /// @notice A change of the token's issuer waits: the guardian may not pause.
    error IssuerChangeIsPending(uint48 effectiveAt);

    /// @notice Anchors the next checkpoint. Callable by everybody, paused or not.
    /// The validator set changes here and nowhere else: when `nextValidatorsHash` differs from the set in force, the
    /// next set comes along, is checked, and signs from the next checkpoint on.
    /// @param checkpoint The checkpoint.
    /// @param validators The set in force.
    /// @param signerBitmap Bit i is set when validator i signed.
    /// @param signatures Compact signatures over `checkpointDigest(checkpoint)`, one for each set bit, in set order.
    /// @param nextValidators The next set; empty when the set stays the same.
    function submit(
        Checkpoint calldata checkpoint,
        ValidatorSets.Validator[] calldata validators,
        uint256 signerBitmap,
        ValidatorSets.Signature[] calldata signatures,
        ValidatorSets.Validator[] calldata nextValidators
    ) external;

    /// @notice Issues a chunk of an epoch's payouts. Callable by everybody; what was issued before is passed over.
    /// @param epoch The epoch.
    /// @param words The chunk: a power of two of words `account << 96 | cumulative`, at most 128; zero words pad.
    /// @param proof The sibling hashes from the chunk's root to the payout root, then the epoch's rest hash.
    function issueChunk(uint64 epoch, uint256[] calldata words, bytes32[] calldata proof) external;

    /// @notice Issues one payout of an epoch. Callable by everybody; what was issued before is passed over.
    /// @param epoch The epoch.
    /// @param word The payout: `account << 96 | cumulative`.
    /// @param proof The sibling hashes from the leaf to the payout root, then the epoch's rest hash.
    function issueOne(uint64 epoch, uint256 word, bytes32[] calldata proof) external;

    /// @notice Stops issuing for `PAUSE_DURATION`. Only for the guardian; not within `PAUSE_COOLDOWN` after the last
    /// pause ended, and not while the token's issuer is being changed. Checkpoints and transfers go on.
    function pauseIssuing() external;

    /// @notice Ends a pause. Only for the admin.
    function unpauseIssuing() external;

    /// @notice Revokes an epoch: nothing can be issued or verified from it any more. Only for the guardian, and only
    /// while issuing is paused.
    /// @param epoch The epoch.
    function revokeRoot(uint64 epoch) external;

    /// @notice Whether a value is in the state of an anchored checkpoint.
    /// @param checkpoint The checkpoint, as anchored.
    /// @param value The encoded state entry.
    /// @param proof The sibling hashes from its leaf to the state root.
    function verifyState(Checkpoint calldata checkpoint, bytes calldata value, bytes32[] calldata proof)
        external
        view
        returns (bool);

    /// @notice Whether a block is in an anchored checkpoint.
    /// @param checkpoint The checkpoint, as anchored.
    /// @param blockHash The block's hash.
    /// @param proof The sibling hashes from its leaf to the blocks root.
    function verifyBlock(Checkpoint calldata checkpoint, bytes32 blockHash, bytes32[] calldata proof)
        external
        view
        returns (bool);

    /// @notice Whether a recording is in an anchored checkpoint.
    /// @param checkpoint The checkpoint, as anchored.
    /// @param recording The encoded entry.
    /// @param proof The sibling hashes from its leaf to the recordings root.
    function verifyRecording(Checkpoint calldata checkpoint, bytes calldata recording, bytes32[] calldata proof)
        external
        view
        returns (bool);

    /// @notice The EIP-712 digest that the validators sign.
    function checkpointDigest(Checkpoint calldata checkpoint) external view returns (bytes32);

    /// @notice What is kept of an epoch: `keccak256(abi.encode(payoutRoot, restHash))`, where `restHash` is the
    /// keccak256 of the ABI encoding of all other fields in their order. Zero when unknown or revoked.
    function commitmentOf(uint64 epoch) external view returns (bytes32);

    /// @notice The last anchored epoch, its last block, and all that was released until then.
    function head() external view returns (uint64 epoch, uint64 lastHeight, uint128 totalReleased);

    /// @notice Hash of the validator set in force.
    function validatorsHash() external view returns (bytes32);

    /// @notice The sidechain.
    function sidechainId() external view returns (bytes32);

    /// @notice When the last pause ends or ended; zero when there was none.
    function issuingPausedUntil() external view returns (uint48);

    /// @notice The role that may pause issuing and revoke an epoch. It can neither unpause nor issue.
    function GUARDIAN_ROLE() external view returns (bytes32);

    /// @notice How long a pause lasts.
    function PAUSE_DURATION() external view returns (uint48);

    /// @notice How long after the end of a pause the next one may begin.
    function PAUSE_COOLDOWN() external view returns (uint48);
}
