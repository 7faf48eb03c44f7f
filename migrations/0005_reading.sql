-- What readers ask most, kept cheap.

CREATE INDEX checkpoint_anchored_heights ON chain.checkpoint_anchored (first_height, last_height);
CREATE INDEX checkpoint_anchored_block ON chain.checkpoint_anchored (block_number);
CREATE INDEX payout_block ON chain.payout (block_number);
CREATE INDEX evm_block_number ON chain.evm_block (number);
CREATE INDEX refund_share_sale ON chain.refund_share (outlet, sale_id, place);
