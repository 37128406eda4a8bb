import { Effect } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import { IDENTITY_NAME } from "../contract/wire/identity.ts"
import { type Quotas, readQuotas, writeQuotas } from "../system/files/quotas.ts"

/** Sets the quotas of a tenant, if there are any. Gives the quotas that are in force then. */
export const showOrSetQuotas = (tenant: string, quotas: Quotas) =>
  Effect.gen(function*() {
    if (!IDENTITY_NAME.test(tenant)) {
      return yield* new InvalidRequest({ field: "tenant", detail: "is no name of a tenant" })
    }
    if (Object.keys(quotas).length > 0) yield* writeQuotas(tenant, quotas)
    return yield* readQuotas(tenant)
  })
