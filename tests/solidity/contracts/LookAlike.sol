// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// Looks like `Packs` from outside (name, symbol, events) and belongs to nobody who may mint: it says what it likes.
contract LookAlike {
    string public constant name = "Medicine packs";
    string public constant symbol = "PACK";

    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
    event Commissioned(
        uint256 indexed tokenId,
        address indexed maker,
        string gtin,
        string serial,
        string lot,
        uint32 expiry,
        uint64 time
    );
    event Received(uint256 indexed tokenId, address indexed by, uint64 time, string gln);
    event Decommissioned(uint256 indexed tokenId, address indexed by, uint8 reason, uint64 time);

    /// Claims an identity, in the name of whomever.
    function claim(
        uint256 id,
        address maker,
        string calldata gtin,
        string calldata serial,
        string calldata lot,
        uint32 expiry,
        uint64 time
    ) external {
        emit Transfer(address(0), maker, id);
        emit Commissioned(id, maker, gtin, serial, lot, expiry, time);
    }

    function take(uint256 id, address by, uint64 time) external {
        emit Received(id, by, time, "");
    }

    /// Says that an item was stolen, so that honest stock would be stopped if anyone believed it.
    function kill(uint256 id, address by, uint64 time) external {
        emit Decommissioned(id, by, 9, time);
    }
}
