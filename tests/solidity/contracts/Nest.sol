// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// Boxes as tokens that hold tokens of other contracts, with the events of ERC-7401: a child is proposed, then accepted,
/// and may leave again from either list.
contract Nest is ERC721 {
    struct Child {
        address contractAddress;
        uint256 tokenId;
    }

    mapping(uint256 => Child[]) private pending;
    mapping(uint256 => Child[]) private accepted;

    event ChildProposed(
        uint256 indexed tokenId,
        uint256 childIndex,
        address indexed childAddress,
        uint256 indexed childId
    );
    event ChildAccepted(
        uint256 indexed tokenId,
        uint256 childIndex,
        address indexed childAddress,
        uint256 indexed childId
    );
    event ChildTransferred(
        uint256 indexed tokenId,
        uint256 childIndex,
        address indexed childAddress,
        uint256 indexed childId,
        bool fromPending,
        bool toZero
    );

    error NotTheHolder(uint256 tokenId, address caller);

    modifier byHolderOf(uint256 id) {
        if (ownerOf(id) != msg.sender) revert NotTheHolder(id, msg.sender);
        _;
    }

    constructor() ERC721("Boxes", "BOX") {}

    function make(uint256 id) external {
        _mint(msg.sender, id);
    }

    /// The child's token must be the caller's, and approved: it is kept by this contract from now on.
    function propose(uint256 id, ERC721 childContract, uint256 childId) external {
        childContract.transferFrom(msg.sender, address(this), childId);
        pending[id].push(Child(address(childContract), childId));
        emit ChildProposed(id, pending[id].length - 1, address(childContract), childId);
    }

    function accept(uint256 id, uint256 index) external byHolderOf(id) {
        Child memory child = take(pending[id], index);
        accepted[id].push(child);
        emit ChildAccepted(id, index, child.contractAddress, child.tokenId);
    }

    /// Gives a child to `to`, out of the list of those accepted or of those proposed.
    function transferChild(uint256 id, uint256 index, bool fromPending, address to) external byHolderOf(id) {
        Child memory child = take(fromPending ? pending[id] : accepted[id], index);
        ERC721(child.contractAddress).transferFrom(address(this), to, child.tokenId);
        emit ChildTransferred(id, index, child.contractAddress, child.tokenId, fromPending, false);
    }

    function take(Child[] storage list, uint256 index) private returns (Child memory child) {
        child = list[index];
        list[index] = list[list.length - 1];
        list.pop();
    }
}
