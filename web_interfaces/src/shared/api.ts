/** Asking the gateway that this page came from. */
import {
  createClient,
  type NetworkOverview,
  type PageAsOfSaleRow,
  type SignedTransaction,
  type TransactionAnswer,
  unwrap,
} from 'hotpot-client'

/** Without a base: a page's paths are the gateway's own. */
export const client = createClient({ headers: { accept: 'application/json' } })

/** Asks for one thing; `signal` ends it when nobody wants it any more. */
export type Load<T> = (signal: AbortSignal) => Promise<T>

export const loadNetwork: Load<NetworkOverview> = (signal) =>
  unwrap(client.GET('/api/v1/network', { signal }), signal)

/** One page of a list, newest first. */
export type PageOf<Row> = Omit<PageAsOfSaleRow, 'data'> & { data: Row[] }

/** Asks for one page of a list: the first one, or what follows a cursor. */
export type LoadPage<Row> = (
  page: { limit: number; cursor?: string },
  signal: AbortSignal,
) => Promise<PageOf<Row>>

/** What a list says of a page, as `LoadPage` takes it. */
export function pageAfter(limit: number, cursor: string | null) {
  return cursor === null ? { limit } : { limit, cursor }
}

/** Sends a signed transaction; the answer comes once it is final. The same one may be sent again: it has the same answer. */
export function postTransaction(transaction: SignedTransaction): Promise<TransactionAnswer> {
  return unwrap(client.POST('/api/v1/transactions', { body: transaction }))
}

/** The API's path of a sale. */
export function salePath(outlet: number, saleId: string): string {
  return `/api/v1/sales/${outlet}/${saleId}`
}
