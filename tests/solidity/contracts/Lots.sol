// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";

/// Lots as ERC-1155 tokens: an id is a lot, an amount is a number of packs. Read by profile `erc1155-lot`.
contract Lots is ERC1155 {
    constructor() ERC1155("") {}

    function make(uint256 lot, uint256 packs) external {
        _mint(msg.sender, lot, packs, "");
    }

    function makeMany(uint256[] calldata lots, uint256[] calldata packs) external {
        _mintBatch(msg.sender, lots, packs, "");
    }

    function use(uint256 lot, uint256 packs) external {
        _burn(msg.sender, lot, packs);
    }
}
