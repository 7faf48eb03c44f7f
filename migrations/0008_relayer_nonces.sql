-- What is final and unused again is looked for in every step.

CREATE INDEX slots_nonce ON relayer.slots (chain_id, anchor, signer, nonce);
