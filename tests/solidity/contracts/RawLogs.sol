// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// Logs anything: topics and data as they are given, whatever they would mean.
contract RawLogs {
    struct Log {
        bytes32[] topics;
        bytes data;
    }

    error TooManyTopics(uint256 count);

    function write(Log[] calldata logs) external {
        for (uint256 i = 0; i < logs.length; i++) {
            one(logs[i].topics, logs[i].data);
        }
    }

    function one(bytes32[] memory t, bytes memory data) private {
        uint256 count = t.length;
        if (count > 4) revert TooManyTopics(count);
        assembly {
            let from := add(data, 32)
            let size := mload(data)
            switch count
            case 0 { log0(from, size) }
            case 1 { log1(from, size, mload(add(t, 32))) }
            case 2 { log2(from, size, mload(add(t, 32)), mload(add(t, 64))) }
            case 3 { log3(from, size, mload(add(t, 32)), mload(add(t, 64)), mload(add(t, 96))) }
            default {
                log4(from, size, mload(add(t, 32)), mload(add(t, 64)), mload(add(t, 96)), mload(add(t, 128)))
            }
        }
    }
}
