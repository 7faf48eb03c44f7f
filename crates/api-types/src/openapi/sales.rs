//! Sales: the list, one sale, its proof, and sending them.

#![allow(dead_code, reason = "operations are described, not called")]

use crate::{
    BatchedSale, PageAsOf, SaleAnswer, SaleBatch, SaleDetail, SaleRequest, SaleRow, WaitFor,
};
use domain::SaleId;
use domain::proof::SaleProof;

/// Lists sales, newest first.
#[utoipa::path(
    get, path = "/api/v1/sales", tag = "sales",
    params(
        ("limit" = Option<u32>, Query, description = "Rows of a page; 20 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "What `next_cursor` of the page before said"),
        ("outlet" = Option<u64>, Query, description = "Of this outlet only"),
    ),
    responses((status = 200, description = "A page", body = PageAsOf<SaleRow>))
)]
pub fn list_sales() {}

/// Records a sale that a terminal signed, and waits until it is final.
///
/// The same request may be sent again: a sale is unique by outlet and `sale_id`.
#[utoipa::path(
    post, path = "/api/v1/sales", tag = "sales",
    params(("wait" = Option<WaitFor>, Query, description = "`final`, or `accepted` for an answer before there is a block")),
    request_body = SaleRequest,
    responses(
        (status = 201, description = "It is final", body = SaleAnswer),
        (status = 200, description = "It stood already", body = SaleAnswer),
        (status = 202, description = "It waits for a block (`?wait=accepted`)", body = SaleAnswer),
    )
)]
pub fn record_sale() {}

/// Records at most 500 sales, each of which may be refused on its own.
#[utoipa::path(
    post, path = "/api/v1/sales/batch", tag = "sales",
    request_body = SaleBatch,
    responses((status = 200, description = "What became of each, in their order", body = Vec<BatchedSale>))
)]
pub fn record_sales() {}

/// Shows a sale and how far it has come on both chains.
#[utoipa::path(
    get, path = "/api/v1/sales/{outlet}/{sale_id}", tag = "sales",
    params(
        ("outlet" = u64, Path, description = "The outlet that sold"),
        ("sale_id" = SaleId, Path, description = "The outlet's own id of the sale"),
    ),
    responses((status = 200, description = "The sale", body = SaleDetail))
)]
pub fn show_sale() {}

/// Proves a sale: everything that leads from it to the EVM.
///
/// 404 until a signed checkpoint covers it.
#[utoipa::path(
    get, path = "/api/v1/sales/{outlet}/{sale_id}/proof", tag = "sales",
    params(
        ("outlet" = u64, Path, description = "The outlet that sold"),
        ("sale_id" = SaleId, Path, description = "The outlet's own id of the sale"),
    ),
    responses((status = 200, description = "The proof", body = SaleProof))
)]
pub fn prove_sale() {}
