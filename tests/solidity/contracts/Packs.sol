// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// Packs, cases and pallets as ERC-721 tokens that tell every custody step: the contract that profile `gs1-pack` reads.
///
/// Only minting is guarded. Who declares a step is judged by those who read it: the contract is a notary, and a
/// notary that refused a thief would leave no trace of him.
contract Packs is ERC721, AccessControl {
    bytes32 public constant MINTER = keccak256("MINTER");

    event Commissioned(
        uint256 indexed tokenId,
        address indexed maker,
        string gtin,
        string serial,
        string lot,
        uint32 expiry,
        uint64 time
    );
    event UnitCommissioned(uint256 indexed tokenId, address indexed maker, string sscc, uint64 time);
    event Shipped(uint256 indexed tokenId, address indexed from, address indexed to, uint64 time);
    event Received(uint256 indexed tokenId, address indexed by, uint64 time, string gln);
    event ShippingVoided(uint256 indexed tokenId, address indexed by, uint64 time);
    event Returned(uint256 indexed tokenId, address indexed from, address indexed to, uint64 time);
    event Packed(uint256 indexed tokenId, uint256 indexed parentId, address indexed by, uint64 time);
    event Unpacked(uint256 indexed tokenId, uint256 indexed parentId, address indexed by, uint64 time);
    event Dispensed(uint256 indexed tokenId, address indexed by, uint64 time, string gln);
    event PartlyDispensed(uint256 indexed tokenId, address indexed by, uint256 units, uint64 time);
    event Decommissioned(uint256 indexed tokenId, address indexed by, uint8 reason, uint64 time);
    event Destroyed(uint256 indexed tokenId, address indexed by, uint64 time);
    event Reactivated(uint256 indexed tokenId, address indexed by, uint64 time);
    event Quarantined(uint256 indexed tokenId, address indexed by, uint64 time);
    event Inspected(uint256 indexed tokenId, address indexed by, uint64 time);
    event TheftReported(uint256 indexed tokenId, address indexed by, uint64 effective);
    event TheftWithdrawn(uint256 indexed tokenId, address indexed by, uint64 time);

    constructor(address admin) ERC721("Medicine packs", "PACK") {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// Commissions packs `first`, `first + 1`, … of one lot, one for each serial.
    function commission(
        uint256 first,
        string calldata gtin,
        string[] calldata serials,
        string calldata lot,
        uint32 expiry,
        uint64 time
    ) external onlyRole(MINTER) {
        for (uint256 i = 0; i < serials.length; i++) {
            _mint(msg.sender, first + i);
            emit Commissioned(first + i, msg.sender, gtin, serials[i], lot, expiry, time);
        }
    }

    function commissionUnit(uint256 id, string calldata sscc, uint64 time) external onlyRole(MINTER) {
        _mint(msg.sender, id);
        emit UnitCommissioned(id, msg.sender, sscc, time);
    }

    function ship(uint256 id, address to, uint64 time) external {
        emit Shipped(id, msg.sender, to, time);
    }

    /// Takes the token over, then says so.
    function receive_(uint256 id, uint64 time, string calldata gln) external {
        if (ownerOf(id) != msg.sender) {
            _transfer(ownerOf(id), msg.sender, id);
        }
        emit Received(id, msg.sender, time, gln);
    }

    function voidShipping(uint256 id, uint64 time) external {
        emit ShippingVoided(id, msg.sender, time);
    }

    function giveBack(uint256 id, address to, uint64 time) external {
        emit Returned(id, msg.sender, to, time);
    }

    function pack(uint256[] calldata ids, uint256 parentId, uint64 time) external {
        for (uint256 i = 0; i < ids.length; i++) {
            emit Packed(ids[i], parentId, msg.sender, time);
        }
    }

    function unpack(uint256[] calldata ids, uint256 parentId, uint64 time) external {
        for (uint256 i = 0; i < ids.length; i++) {
            emit Unpacked(ids[i], parentId, msg.sender, time);
        }
    }

    function dispense(uint256 id, uint64 time, string calldata gln) external {
        emit Dispensed(id, msg.sender, time, gln);
    }

    function dispensePart(uint256 id, uint256 units, uint64 time) external {
        emit PartlyDispensed(id, msg.sender, units, time);
    }

    function decommission(uint256 id, uint8 reason, uint64 time) external {
        emit Decommissioned(id, msg.sender, reason, time);
    }

    function destroy(uint256 id, uint64 time) external {
        _burn(id);
        emit Destroyed(id, msg.sender, time);
    }

    function reactivate(uint256 id, uint64 time) external {
        emit Reactivated(id, msg.sender, time);
    }

    function quarantine(uint256 id, uint64 time) external {
        emit Quarantined(id, msg.sender, time);
    }

    function inspect(uint256 id, uint64 time) external {
        emit Inspected(id, msg.sender, time);
    }

    function reportTheft(uint256 id, uint64 effective) external {
        emit TheftReported(id, msg.sender, effective);
    }

    function withdrawTheft(uint256 id, uint64 time) external {
        emit TheftWithdrawn(id, msg.sender, time);
    }

    function supportsInterface(bytes4 id) public view override(ERC721, AccessControl) returns (bool) {
        return super.supportsInterface(id);
    }
}
