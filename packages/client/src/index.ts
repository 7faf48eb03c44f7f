/** Everything but keys, which bring a library along: `hotpot-client/keys`. */
export { ApiError, type Client, createClient, unwrap } from './api.ts'
export { cidBytes } from './cid.ts'
export { currencyDigits, formatDecimal, parseDecimal } from './money.ts'
export { chainOf, type NewSale, newSale, postSale, type UnsignedSale } from './sale.ts'
export type * from './schema.ts'
export { furthestStage, isComplete, STAGES, stageOf } from './stages.ts'
export { formatTime, parseTime } from './time.ts'
export type { TypedData, TypedValue } from './typed.ts'
export {
  type Chain,
  ERASE_REASONS,
  type PayloadOf,
  PURPOSES,
  purposeBits,
  purposesOf,
  transactionTypedData,
  type WitnessedConsent,
  watchTypedData,
  witnessTypedData,
} from './typed-data.ts'
