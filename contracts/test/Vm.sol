// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The forge cheatcodes that the tests and the deployment script use.
interface Vm {
    enum CallerMode {
        None,
        Broadcast,
        RecurrentBroadcast,
        Prank,
        RecurrentPrank
    }

    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    // The caller and the chain
    function prank(address caller) external;
    function startPrank(address caller) external;
    function stopPrank() external;
    function warp(uint256 timestamp) external;
    function chainId(uint256 id) external;
    function store(address target, bytes32 slot, bytes32 value) external;
    function getNonce(address account) external view returns (uint64);
    function snapshotState() external returns (uint256 id);
    function etch(address target, bytes calldata code) external;
    function revertToState(uint256 id) external returns (bool);

    // Keys and addresses
    function addr(uint256 privateKey) external pure returns (address);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function signCompact(uint256 privateKey, bytes32 digest) external pure returns (bytes32 r, bytes32 vs);
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);

    // Expectations
    function expectRevert() external;
    function expectRevert(bytes calldata data) external;
    function expectPartialRevert(bytes4 selector) external;
    function expectEmit() external;
    function expectEmit(address emitter) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function assume(bool condition) external pure;
    function assertTrue(bool condition, string calldata what) external pure;
    function assertEq(uint256 left, uint256 right, string calldata what) external pure;
    function assertEq(address left, address right, string calldata what) external pure;
    function assertEq(bytes32 left, bytes32 right, string calldata what) external pure;
    function assertEq(bytes calldata left, bytes calldata right, string calldata what) external pure;
    function assertEq(string calldata left, string calldata right, string calldata what) external pure;
    function assertLe(uint256 left, uint256 right, string calldata what) external pure;

    // Files, JSON and the environment
    function exists(string calldata path) external view returns (bool);
    function readFile(string calldata path) external view returns (string memory);
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function parseJsonAddress(string calldata json, string calldata key) external pure returns (address);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function toString(uint256 value) external pure returns (string memory);
    function toString(address value) external pure returns (string memory);
    function toString(bytes32 value) external pure returns (string memory);
    function setEnv(string calldata name, string calldata value) external;
    function envUint(string calldata name) external view returns (uint256);
    function envUint(string calldata name, string calldata separator) external view returns (uint256[] memory);
    function envAddress(string calldata name) external view returns (address);
    function envAddress(string calldata name, string calldata separator) external view returns (address[] memory);
    function envBytes32(string calldata name) external view returns (bytes32);

    // Broadcasting
    function startBroadcast() external;
    function stopBroadcast() external;
    function readCallers() external returns (CallerMode mode, address caller, address origin);

    // Gas
    function snapshotValue(string calldata group, string calldata name, uint256 value) external;
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256 gasUsed);
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @title Prints lines to forge's output.
library Console {
    address private constant TARGET = 0x000000000000000000636F6e736F6c652e6c6f67;

    function log(string memory text, uint256 value) internal view {
        (bool ok,) = TARGET.staticcall(abi.encodeWithSignature("log(string,uint256)", text, value));
        ok;
    }

    function log(string memory text, address value) internal view {
        (bool ok,) = TARGET.staticcall(abi.encodeWithSignature("log(string,address)", text, value));
        ok;
    }
}
