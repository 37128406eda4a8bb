import type { AnsweredMessage, LookUpMessage } from "./protocol.ts"

export type Answer = Pick<AnsweredMessage, "count" | "outcome" | "records">

const noData: Answer = { outcome: "NoData", records: "", count: 0 }

export const lookUp = async (_request: LookUpMessage, _signal: AbortSignal): Promise<Answer> => noData
