-- What readers ask most, kept cheap.

CREATE INDEX checkpoint_anchored_heights ON chain.checkpoint_anchored (first_height, last_height);
CREATE INDEX refund_share_sale ON chain.refund_share (outlet, sale_id, place);
