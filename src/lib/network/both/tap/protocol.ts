// Messages between the daemon and the process in the network's namespace, as JSON over Node's IPC. Both come from one build.

/** Runs a script of nft(8), as one transaction. */
export interface ApplyMessage {
  readonly _tag: "Apply"
  readonly id: number
  readonly script: string
}

/** The end of a question. */
export interface ReplyMessage {
  readonly _tag: "Reply"
  readonly id: number
  readonly code: number
  /** Complete records, in base64. */
  readonly records: string
  readonly count: number
  /** Runs before the answer leaves; empty: nothing runs. */
  readonly script: string
}

export type Request = ApplyMessage | ReplyMessage

export interface ReadyMessage {
  readonly _tag: "Ready"
}

/** The guest asks. */
export interface QuestionMessage {
  readonly _tag: "Question"
  readonly id: number
  readonly name: string
  readonly type: number
}

export interface AppliedMessage {
  readonly _tag: "Applied"
  readonly id: number
  /** Error text of nft; undefined: success. */
  readonly failure: string | undefined
}

/** The firewall denied packets of the guest. */
export interface DeniedMessage {
  readonly _tag: "Denied"
  readonly protocol: number
  readonly address: string
  /** Absent for ping. */
  readonly port: number | undefined
}

export type Response = ReadyMessage | QuestionMessage | AppliedMessage | DeniedMessage
