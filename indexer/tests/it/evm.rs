//! What the tests do on the EVM chain, and its truth.

use alloy::network::Ethereum;
use alloy::primitives::{Address, U256, Uint};
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::types::{Filter, Log, TransactionRequest};
use alloy::sol_types::SolCall;
use contract_bindings::FranchiseToken::{self, FranchiseTokenInstance};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

pub struct Chain {
    pub provider: RootProvider<Ethereum>,
    pub accounts: Vec<Address>,
    pub token: FranchiseTokenInstance<RootProvider<Ethereum>>,
    pub anchor: Address,
    released: BTreeMap<Address, u128>,
}

impl Chain {
    /// A token whose issuer is the first of anvil's accounts, so that the tests mint by themselves.
    pub async fn with_own_issuer(url: &str) -> Self {
        let provider = RootProvider::<Ethereum>::new_http(url.parse().unwrap());
        provider
            .client()
            .set_poll_interval(Duration::from_millis(10));
        let accounts = provider.get_accounts().await.unwrap();
        let token = deploy_token(&provider, accounts[0], accounts[0]).await;
        let anchor = Address::repeat_byte(0xa7);
        Self {
            provider,
            accounts,
            token,
            anchor,
            released: BTreeMap::new(),
        }
    }

    pub async fn call(&self, method: &'static str, params: Value) -> Value {
        self.provider
            .raw_request(method.into(), params)
            .await
            .unwrap()
    }

    pub async fn head(&self) -> u64 {
        self.provider.get_block_number().await.unwrap()
    }

    /// Issues so much more to accounts, in one transaction and block.
    pub async fn issue(&mut self, payouts: &[(Address, u128)]) {
        let request = self.issue_request(payouts);
        self.provider
            .send_transaction(request)
            .await
            .unwrap()
            .get_receipt()
            .await
            .unwrap();
    }

    pub fn issue_request(&mut self, payouts: &[(Address, u128)]) -> TransactionRequest {
        let mut words = vec![];
        for (account, units) in payouts {
            let released = self.released.entry(*account).or_default();
            *released += units;
            words.push(U256::from_be_slice(account.as_slice()) << 96 | U256::from(*released));
        }
        let call = FranchiseToken::issueManyCall {
            words,
            totalReleased: u128::MAX,
        };
        TransactionRequest::default()
            .from(self.accounts[0])
            .to(*self.token.address())
            .input(call.abi_encode().into())
    }

    pub fn transfer_request(&self, from: Address, to: Address, units: u128) -> TransactionRequest {
        let call = FranchiseToken::transferCall {
            to,
            value: U256::from(units),
        };
        TransactionRequest::default()
            .from(from)
            .to(*self.token.address())
            .input(call.abi_encode().into())
    }

    pub async fn transfer(&self, from: usize, to: usize, units: u128) {
        let request = self.transfer_request(self.accounts[from], self.accounts[to], units);
        let receipt = self
            .provider
            .send_transaction(request)
            .await
            .unwrap()
            .get_receipt()
            .await
            .unwrap();
        assert!(receipt.status());
    }

    pub async fn mine(&self, blocks: u64) {
        self.call("anvil_mine", json!([blocks])).await;
    }

    /// Replaces the last blocks; the new ones hold these transfers between accounts, by place from the fork.
    pub async fn reorganise(&self, depth: u64, transfers: &[(usize, usize, u128, u64)]) {
        let pairs: Vec<Value> = transfers
            .iter()
            .map(|(from, to, units, place)| {
                let request =
                    self.transfer_request(self.accounts[*from], self.accounts[*to], *units);
                json!([request, place])
            })
            .collect();
        self.call("anvil_reorg", json!([depth, pairs])).await;
    }

    /// All logs of the contracts as the chain has them.
    pub async fn logs(&self) -> Vec<Log> {
        let filter = Filter::new()
            .from_block(0)
            .address(vec![*self.token.address(), self.anchor]);
        self.provider.get_logs(&filter).await.unwrap()
    }

    pub async fn balance(&self, holder: Address) -> u128 {
        self.token.balanceOf(holder).call().await.unwrap().to()
    }
}

pub async fn deploy_token(
    provider: &RootProvider<Ethereum>,
    admin: Address,
    issuer: Address,
) -> FranchiseTokenInstance<RootProvider<Ethereum>> {
    let delay = Uint::from(86_400);
    let deploy = FranchiseToken::deploy_builder(
        provider.clone(),
        issuer,
        admin,
        delay,
        u128::MAX >> 1,
        1_000,
    );
    let address = deploy.from(admin).deploy().await.unwrap();
    FranchiseToken::new(address, provider.clone())
}
