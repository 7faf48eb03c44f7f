/** Everything but keys, which bring a curve along: `hotpot-client/keys`. */
export { ApiError, type Client, createClient, unwrap } from './api.ts'
export { cidBytes } from './cid.ts'
export { digestOf } from './eip712.ts'
export { currencyDigits, formatDecimal, parseDecimal } from './money.ts'
export {
  chainOf,
  linesHash,
  type NewSale,
  newSale,
  postSale,
  saleTypedData,
  type UnsignedSale,
} from './sale.ts'
export type * from './schema.ts'
export { furthestStage, isComplete, STAGES, stageOf } from './stages.ts'
export { formatTime, parseTime } from './time.ts'
export type { Field, TypedData, TypedValue } from './typed.ts'
export {
  approvalTypedData,
  type Chain,
  ERASE_REASONS,
  type OutletApproval,
  type PayloadOf,
  PURPOSES,
  purposeBits,
  purposesOf,
  transactionTypedData,
  validatorConsentTypedData,
  type WitnessedConsent,
  watchTypedData,
  witnessTypedData,
} from './typed-data.ts'
